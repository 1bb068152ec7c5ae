// SPDX-License-Identifier: MPL-2.0

//! `summary.json`: a recording, how it was analyzed, and a summary of its samples.

use std::path::{Path, PathBuf};

use attitude::record::Record;
use attitude::record::summary::Summary;
use attitude_inference::model::sha256;
use serde::{Deserialize, Serialize};

use super::inputs::{Identity, Location};
use super::limits::FaceLimits;
use super::settings::{Models, Settings};
use super::{RecordingJob, RunContext};
use crate::playback::Progress;

/// Version of the fields and their meanings; the summary in it has its own version, `schema`.
const VERSION: u32 = 1;

/// File name.
pub(crate) const FILE: &str = "summary.json";

/// Content of the file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SummaryFile {
    /// [`VERSION`].
    #[serde(rename = "document")]
    version: u32,
    /// Name and version of the program that wrote it.
    pub program: String,
    /// See [`fingerprint`].
    pub fingerprint: String,
    pub recording: RecordingInfo,
    /// Reason why the recording was not read to its end; `None` if it was.
    pub damage: Option<String>,
    /// What a user should know about the recording and how it was analyzed, such as assumed times.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Hash of the file of corrections; `None` if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrections_sha256: Option<String>,
    pub analysis: AnalysisInfo,
    #[serde(flatten)]
    pub summary: Summary,
}

/// The recording.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct RecordingInfo {
    /// Name of its folder, and the stream name of its records.
    pub name: String,
    /// Path; characters that are not Unicode are replaced.
    path: Option<String>,
    /// URI, which has all characters of the path.
    pub uri: String,
    #[serde(flatten)]
    pub(super) identity: Identity,
    #[serde(flatten)]
    pub video: VideoInfo,
}

/// The first video stream of the recording.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct VideoInfo {
    /// Timestamp of position 0 in nanoseconds, from which some players count; 0 if that is where
    /// timestamps begin.
    #[serde(default)]
    pub origin_ns: u64,
    /// Duration in nanoseconds, according to the container.
    pub duration_ns: Option<u64>,
    /// End of the last frame in nanoseconds; `None` if it is not known.
    #[serde(default)]
    pub end_ns: Option<u64>,
    /// Width of an upright frame in pixels.
    pub width: u32,
    /// Height of an upright frame in pixels.
    pub height: u32,
    /// `None` if it varies.
    pub frames_per_second: Option<f64>,
    /// Number of decoded frames.
    pub frames: u64,
    /// Number of samples whose analysis failed.
    pub failed_samples: u64,
}

/// Settings and models of the analysis.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct AnalysisInfo {
    /// Execution provider.
    pub provider: String,
    /// Settings, as requested.
    pub settings: serde_json::Value,
    /// Maximum number of tracked faces, as requested or chosen.
    #[serde(default)]
    pub max_faces: u32,
    /// Long side of the detector's input in pixels, as requested or chosen.
    #[serde(default)]
    pub detector_size: u32,
    pub models: serde_json::Value,
}

/// The settings on which the files depend that are computed again if corrections change.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RequestedOutputs {
    /// Names of the files.
    pub formats: Vec<String>,
    pub annotate: bool,
    pub from_ns: Option<u64>,
    pub to_ns: Option<u64>,
}

impl AnalysisInfo {
    /// Returns the settings on which the files depend that are computed again.
    pub(super) fn requested(&self) -> RequestedOutputs {
        // The program wrote them; without them, only the summary and the page are written.
        RequestedOutputs::deserialize(&self.settings).unwrap_or_default()
    }
}

impl RecordingInfo {
    /// Returns its path or address.
    pub(super) fn input(&self) -> &str {
        self.path.as_deref().unwrap_or(&self.uri)
    }
}

impl RecordingInfo {
    /// Returns the path of the file, without symbolic links in its folder; `None` if it is no file,
    /// or its folder does not exist.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        let (path, _) = glib::filename_from_uri(&self.uri).ok()?;
        Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?))
    }
}

impl VideoInfo {
    /// Returns the properties of the video after playback; `last` is its last sample.
    pub(super) fn new(playback: &Progress, last: Option<&Record>) -> Self {
        let frames_per_second =
            |(numerator, denominator)| f64::from(numerator) / f64::from(denominator);
        Self {
            origin_ns: playback.origin_ns,
            duration_ns: playback.duration_ns,
            end_ns: playback.end_ns,
            width: last.map_or(0, |record| record.width),
            height: last.map_or(0, |record| record.height),
            frames_per_second: playback.frame_rate.map(frames_per_second),
            frames: playback.frames,
            failed_samples: playback.failed_samples,
        }
    }
}

impl SummaryFile {
    /// Creates the file without the summary of the samples.
    pub(super) fn new(
        job: &RecordingJob,
        context: &RunContext,
        video: VideoInfo,
        limits: FaceLimits,
        damage: Option<String>,
        notes: Vec<String>,
    ) -> Self {
        let recording = &job.recording;
        let path = match &recording.location {
            Location::File(_) if recording.is_copy => None,
            Location::File(path) => {
                let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                Some(path.to_string_lossy().into_owned())
            }
            Location::Url(_) => None,
        };
        Self {
            version: VERSION,
            program: format!("gst-attitude {}", env!("CARGO_PKG_VERSION")),
            fingerprint: job.fingerprint.clone(),
            recording: RecordingInfo {
                name: job.name.clone(),
                path,
                uri: recording.uri.clone(),
                identity: recording.identity.clone(),
                video,
            },
            damage,
            notes,
            corrections_sha256: None,
            analysis: AnalysisInfo {
                provider: context.provider.name().to_owned(),
                // These are plain values, which convert to JSON without errors.
                settings: serde_json::to_value(&context.settings).unwrap_or_default(),
                max_faces: limits.max_faces,
                detector_size: limits.detector_size,
                models: serde_json::to_value(&context.models).unwrap_or_default(),
            },
            summary: Summary::default(),
        }
    }
}

/// Reads the file in the folder of a recording; returns `None` if there is none, or it is another
/// file.
pub(crate) fn read(folder: &Path) -> Option<SummaryFile> {
    let bytes = std::fs::read(folder.join(FILE)).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Returns a fingerprint of everything that the results depend on: two analyses with the same
/// fingerprint have the same results.
pub(super) fn fingerprint(recording: &Identity, settings: &Settings, models: &Models) -> String {
    let program = (VERSION, env!("CARGO_PKG_VERSION"));
    let all = (program, recording, settings, models);
    // These are plain values, which convert to JSON without errors.
    sha256(&serde_json::to_vec(&all).unwrap_or_default())
}
