// SPDX-License-Identifier: MPL-2.0

//! Messages between the program and its worker processes: JSON lines.

use std::ffi::OsString;

use attitude::record::Record;
use serde::{Deserialize, Serialize};

use crate::options::ElementSettings;
use crate::playback::{PlaybackError, Progress};

/// What the program requests from a worker.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Command {
    /// Play a recording.
    Play(Box<Request>),
    /// End the recording now; keep what was played.
    Stop,
}

/// A recording to play.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) uri: String,
    /// Analyses that each frame passes through, in this order.
    pub(crate) analyses: Vec<AnalysisSettings>,
    pub(crate) part: Part,
    pub(crate) annotated: Option<AnnotatedVideo>,
}

/// An analysis.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AnalysisSettings {
    pub(crate) element: ElementSettings,
    /// Time between samples; 0 = every frame.
    pub(crate) sample_interval_ns: u64,
    pub(crate) max_faces: u32,
    pub(crate) min_confidence: f32,
}

/// Part of a recording.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Part {
    /// `None` for the start.
    pub(crate) from_ns: Option<u64>,
    /// `None` for the end.
    pub(crate) to_ns: Option<u64>,
}

impl Part {
    /// Returns `true` if it is the whole recording.
    pub(crate) fn is_whole(&self) -> bool {
        self.from_ns.is_none() && self.to_ns.is_none()
    }

    /// Returns `true` if the position is in it.
    pub(crate) fn contains(&self, position_ns: u64) -> bool {
        position_ns >= self.from_ns.unwrap_or(0)
            && self.to_ns.is_none_or(|to_ns| position_ns < to_ns)
    }
}

/// The annotated video to write.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AnnotatedVideo {
    pub(crate) path: OsString,
    /// Set if faces are pixelated.
    pub(crate) blurs: bool,
}

/// What a worker reports of a recording.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Event {
    /// The models are loaded; playback starts.
    Started,
    /// A sample of the analysis with this index.
    Sample {
        analysis: usize,
        record: Record,
    },
    /// A warning of GStreamer.
    Warning(String),
    /// What a user should know about the recording and how it was played.
    Note(String),
    Progress(Progress),
    /// The recording has ended; the worker waits for the next one.
    Ended {
        end: Outcome,
        /// Set if the pipeline does not stop; the worker exits instead of waiting.
        is_stuck: bool,
    },
}

/// End of a recording.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Outcome {
    EndOfStream,
    /// It cannot be read to its end, for this reason.
    Damaged(String),
    Failed(PlaybackError),
    /// The annotated video cannot be written, for this reason.
    Unwritable(String),
    /// It ended by request.
    Stopped,
}
