// SPDX-License-Identifier: MPL-2.0

//! Outcome of each recording, and `summary.csv`, the table of them.
//!
//! The table has one row per recording, not per person, so that it lists recordings that failed or
//! show nobody; the persons are in each `summary.json`.

use attitude::timeline::Shares;

use super::Task;
use super::summary_json::SummaryFile;

/// File name of the table.
pub(super) const FILE: &str = "summary.csv";

/// Reason for ignoring a file of a folder that GStreamer found no video in.
pub(super) const NO_VIDEO: &str = "it has no video";

/// Outcome of a recording.
pub(super) enum RecordingOutcome {
    /// It was analysed; damage is named in the results.
    Done(Box<SummaryFile>),
    /// The results of an earlier run are up to date.
    Skipped(Box<SummaryFile>),
    /// There are no results, for this reason.
    Failed(String),
    /// It is a file of a folder, and no recording, for this reason.
    Ignored(&'static str),
}

impl RecordingOutcome {
    /// Returns the results, if there are any.
    pub(super) fn results(&self) -> Option<&SummaryFile> {
        match self {
            Self::Done(results) | Self::Skipped(results) => Some(results),
            Self::Failed(_) | Self::Ignored(_) => None,
        }
    }

    /// Returns `true` if nothing was lost.
    pub(super) fn is_complete(&self) -> bool {
        match self {
            Self::Done(results) | Self::Skipped(results) => results.damage.is_none(),
            Self::Failed(_) => false,
            Self::Ignored(_) => true,
        }
    }
}

type Value = fn(&SummaryFile) -> String;

/// Names and values of the columns about results; without results they are empty.
const COLUMNS: [(&str, Value); 15] = [
    ("duration_ns", |r| optional(r.recording.video.duration_ns)),
    ("width", |r| r.recording.video.width.to_string()),
    ("height", |r| r.recording.video.height.to_string()),
    ("frames", |r| r.recording.video.frames.to_string()),
    ("samples", |r| r.summary.samples.to_string()),
    ("failed_samples", |r| {
        r.recording.video.failed_samples.to_string()
    }),
    ("samples_with_faces", |r| {
        r.summary.samples_with_faces.to_string()
    }),
    ("faces", |r| r.summary.faces.to_string()),
    ("persons", |r| r.summary.persons.len().to_string()),
    ("seen_ns", |r| r.summary.scene.seen_ns.to_string()),
    ("positive_share", |r| share(r, |s| s.positive)),
    ("neutral_share", |r| share(r, |s| s.neutral)),
    ("negative_share", |r| share(r, |s| s.negative)),
    ("unknown_share", |r| share(r, |s| s.unknown)),
    ("fingerprint", |r| r.fingerprint.clone()),
];

fn optional(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn share(results: &SummaryFile, of: fn(&Shares) -> f64) -> String {
    optional(results.summary.scene.shares.as_ref().map(of))
}

/// Formats the table. A recording that was skipped has the same row as one that was analysed, so that a
/// run that was stopped and repeated ends with the same table as one that was not stopped.
pub(super) fn table(tasks: &[Task], outcomes: &[Option<RecordingOutcome>]) -> Vec<u8> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let names = COLUMNS.iter().map(|(name, _)| *name);
    let header = ["name", "input", "status", "reason"];
    // Writing to memory does not fail, and all rows have as many fields.
    let _ = csv.write_record(header.into_iter().chain(names));
    for (task, outcome) in tasks.iter().zip(outcomes) {
        let (status, reason) = match outcome {
            None => ("not analysed", ""),
            Some(RecordingOutcome::Failed(reason)) => ("failed", reason.as_str()),
            Some(RecordingOutcome::Ignored(reason)) => ("passed over", *reason),
            Some(RecordingOutcome::Done(results) | RecordingOutcome::Skipped(results)) => {
                match &results.damage {
                    Some(damage) => ("damaged", damage.as_str()),
                    None => ("done", ""),
                }
            }
        };
        let results = outcome.as_ref().and_then(RecordingOutcome::results);
        let values = COLUMNS
            .iter()
            .map(|(_, value)| results.map(value).unwrap_or_default());
        let first = [&task.name, &task.recording.display_name(), status, reason].map(str::to_owned);
        let _ = csv.write_record(first.into_iter().chain(values));
    }
    csv.into_inner().unwrap_or_default()
}
