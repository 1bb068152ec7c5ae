// SPDX-License-Identifier: MPL-2.0

//! Outcome of each recording, and `summary.csv`, the table of them.
//!
//! The table has one row per recording, not per person, so that it lists recordings that failed or
//! show nobody; the persons are in each `summary.json`.

use super::RecordingJob;
use super::inputs::Recording;
use super::summary_json::SummaryFile;
use crate::console;
use crate::corrections::CorrectionsError;
use crate::playback::{BeyondEndError, PlaybackError, PlaybackErrorKind, UriError};
use crate::worker::WorkerError;
use attitude::record::spreadsheet;
use attitude::timeline::Shares;

/// File name of the table.
pub(super) const FILE: &str = "summary.csv";

/// Value of the field `code` of recordings without video, in events and in the file of `--collect`.
const NO_VIDEO: &str = "no-video";

/// Value of the field `code` of recordings whose worker process ended.
const CRASHED: &str = "crashed";

/// A recording has no results.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordingError {
    #[error(transparent)]
    Uri(#[from] UriError),
    #[error(transparent)]
    Playback(#[from] PlaybackError),
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// It was not read to its end, for this reason, and no sample precedes the damage.
    #[error("{0}")]
    Damaged(String),
    #[error(transparent)]
    Corrections(#[from] CorrectionsError),
    #[error(transparent)]
    BeyondEnd(#[from] BeyondEndError),
    #[error("it has no frame between --from and --to; choose a longer part")]
    NoFrameInPart,
    #[error("it has no frame")]
    NoFrame,
    #[error("it changed while it was analyzed; run this command again when it is complete")]
    Changed,
    #[error("it has changed since it was planned; run this command again")]
    ChangedSincePlan,
    /// Another program reported this reason; see `--collect`.
    #[error("{reason}")]
    Collected {
        reason: String,
        is_without_video: bool,
    },
}

impl RecordingError {
    /// Creates the error that another program collected from an event.
    pub(super) fn collected(reason: String, code: Option<&str>) -> Self {
        Self::Collected {
            reason,
            is_without_video: code == Some(NO_VIDEO),
        }
    }

    /// Returns the reason in one line.
    pub(super) fn reason(&self) -> String {
        console::chain(self)
    }

    /// Returns the kind of error, for programs; `None` for the kinds that they do not distinguish.
    pub(super) fn code(&self) -> Option<&'static str> {
        match self {
            Self::Worker(_) => Some(CRASHED),
            _ => self.is_without_video().then_some(NO_VIDEO),
        }
    }

    fn is_without_video(&self) -> bool {
        match self {
            Self::Playback(error) => error.kind == PlaybackErrorKind::NoVideo,
            Self::Collected {
                is_without_video, ..
            } => *is_without_video,
            _ => false,
        }
    }
}

/// Outcome of a recording.
pub(super) enum RecordingOutcome {
    /// It was analyzed; the results contain the damage, if there is any.
    Done(Box<SummaryFile>),
    /// The results of an earlier run are up to date.
    Skipped(Box<SummaryFile>),
    /// There are no results.
    Failed(RecordingError),
    /// It was found in a folder, and is not a recording.
    Ignored(RecordingError),
}

impl RecordingOutcome {
    /// Returns the outcome of a recording without results.
    pub(super) fn without_results(recording: &Recording, error: RecordingError) -> Self {
        // A folder may contain files of any kind.
        match error.is_without_video() && !recording.is_named {
            true => Self::Ignored(error),
            false => Self::Failed(error),
        }
    }

    /// Returns the results; `None` if there are none.
    pub(super) fn results(&self) -> Option<&SummaryFile> {
        match self {
            Self::Done(results) | Self::Skipped(results) => Some(results),
            Self::Failed(_) | Self::Ignored(_) => None,
        }
    }

    /// Returns `true` if the recording was read to its end, or is none.
    pub(super) fn is_complete(&self) -> bool {
        match self {
            Self::Done(results) | Self::Skipped(results) => results.damage.is_none(),
            Self::Failed(_) => false,
            Self::Ignored(_) => true,
        }
    }

    /// Returns the status and the reason for it, as the table shows them.
    fn status(&self) -> (&'static str, String) {
        match self {
            Self::Failed(error) => ("failed", error.reason()),
            Self::Ignored(error) => ("ignored", error.reason()),
            Self::Done(results) | Self::Skipped(results) => status_of_results(results),
        }
    }
}

fn status_of_results(results: &SummaryFile) -> (&'static str, String) {
    match &results.damage {
        Some(damage) => ("damaged", damage.clone()),
        None => ("done", String::new()),
    }
}

/// Formats a value of the table.
type FormatValue = fn(&SummaryFile) -> String;

/// Names and values of the columns about results; without results they are empty.
const COLUMNS: [(&str, FormatValue); 20] = [
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
    ("positive_share", |r| share_of_time(r, |s| s.positive)),
    ("neutral_share", |r| share_of_time(r, |s| s.neutral)),
    ("negative_share", |r| share_of_time(r, |s| s.negative)),
    ("unknown_share", |r| share_of_time(r, |s| s.unknown)),
    ("positive_change_share", |r| {
        share_of_change(r, |s| s.positive)
    }),
    ("neutral_change_share", |r| {
        share_of_change(r, |s| s.neutral)
    }),
    ("negative_change_share", |r| {
        share_of_change(r, |s| s.negative)
    }),
    ("unknown_change_share", |r| {
        share_of_change(r, |s| s.unknown)
    }),
    ("fingerprint", |r| r.fingerprint.clone()),
    ("corrections", |r| {
        let applied = r.summary.corrections.as_ref();
        applied
            .map_or(0, |applied| applied.counts.total())
            .to_string()
    }),
];

fn optional(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn share_of_time(results: &SummaryFile, of_label: fn(&Shares) -> f64) -> String {
    optional(results.summary.scene.shares.as_ref().map(of_label))
}

/// Returns a share of the time of all persons with a baseline, by the attitude of the change.
fn share_of_change(results: &SummaryFile, of_label: fn(&Shares) -> f64) -> String {
    let (mut sum, mut total_ns) = (0.0, 0.0);
    for person in &results.summary.persons {
        let change = person.baseline_change.as_ref();
        if let Some(shares) = change.and_then(|change| change.shares.as_ref()) {
            let seen_ns = person.timeline.seen_ns as f64;
            sum += seen_ns * of_label(shares);
            total_ns += seen_ns;
        }
    }
    optional((total_ns > 0.0).then(|| (sum / total_ns * 1e4).round() / 1e4))
}

/// Writes a row; `first` are the columns before those about results.
fn write_row(csv: &mut csv::Writer<Vec<u8>>, first: [&str; 4], results: Option<&SummaryFile>) {
    let first = first.map(|text| spreadsheet::escape(text).into_owned());
    let values = COLUMNS
        .iter()
        .map(|(_, format)| results.map(format).unwrap_or_default());
    // Writing to memory does not fail, and all rows have as many fields.
    let _ = csv.write_record(first.into_iter().chain(values));
}

/// Formats the table: the recordings of the run, then `others`, those that have results of earlier
/// runs in the same folder. A recording that was skipped has the same row as one that was analyzed,
/// so that a run that was stopped and repeated ends with the same table as one that was not
/// stopped.
pub(super) fn table(
    jobs: &[RecordingJob],
    outcomes: &[Option<RecordingOutcome>],
    others: &[SummaryFile],
) -> Vec<u8> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let names = COLUMNS.iter().map(|(name, _)| *name);
    let header = ["name", "input", "status", "reason"];
    // Writing to memory does not fail, and all rows have as many fields.
    let _ = csv.write_record(header.into_iter().chain(names));
    for (job, outcome) in jobs.iter().zip(outcomes) {
        let outcome = outcome.as_ref();
        let (status, reason) =
            outcome.map_or(("not analyzed", String::new()), RecordingOutcome::status);
        let results = outcome.and_then(RecordingOutcome::results);
        let input = job.recording.display_name();
        write_row(&mut csv, [&job.name, &input, status, &reason], results);
    }
    for results in others {
        let (status, reason) = status_of_results(results);
        let recording = &results.recording;
        let first = [&recording.name, recording.input(), status, &reason];
        write_row(&mut csv, first, Some(results));
    }
    csv.into_inner().unwrap_or_default()
}
