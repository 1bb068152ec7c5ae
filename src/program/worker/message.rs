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
    /// Changes of the file's data, for damaged files.
    pub(crate) patches: Vec<Patch>,
    /// Analyses that each frame passes through, in this order.
    pub(crate) analyses: Vec<AnalysisSettings>,
    pub(crate) part: Part,
    pub(crate) annotated: Option<AnnotatedVideo>,
}

/// Bytes that replace those in a file when it is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Patch {
    /// Offset of the first one.
    pub(crate) offset: u64,
    pub(crate) bytes: Vec<u8>,
}

/// An analysis.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AnalysisSettings {
    pub(crate) element: ElementSettings,
    /// Time between samples; 0 = every frame.
    pub(crate) sample_interval_ns: u64,
    /// Another time between samples, after the start of the recording.
    pub(crate) later_interval: Option<LaterInterval>,
    pub(crate) max_faces: u32,
    /// Long side of the detector's input, in pixels.
    pub(crate) detector_size: u32,
    /// Maximum time between searches of the whole frame; 0 = search it in every sample.
    pub(crate) detection_interval_ns: u64,
    pub(crate) min_confidence: f32,
    /// Minimum score of a detected face; `None` for the default.
    pub(crate) detection_threshold: Option<f32>,
}

/// A time between samples that does not apply at the start of a recording.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct LaterInterval {
    /// Time after the first frame from which it applies.
    pub(crate) after_ns: u64,
    pub(crate) interval_ns: u64,
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
    /// File with the faces to pixelate; `None` if no face is hidden.
    pub(crate) hidden_faces: Option<OsString>,
}

/// The faces to pixelate in a frame: a line of a file, in JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct HiddenFaces {
    /// Timestamp of the frame.
    pub(crate) pts_ns: u64,
    /// Left, top, width and height of each box, in pixels.
    pub(crate) boxes: Vec<[f32; 4]>,
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
