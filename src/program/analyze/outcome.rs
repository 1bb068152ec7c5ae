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
use attitude::data_table::DataKind::{Count, Number, Text};
use attitude::data_table::{DataTable, DataValue, TableSchema, column, value};
use attitude::timeline::Shares;

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

/// Name and columns of the table.
pub(crate) static SCHEMA: TableSchema = TableSchema {
    name: "summary",
    columns: &[
        column("name", Text, "name of the recording's folder"),
        column("input", Text, "path or address of the recording"),
        column("status", Text, "status of the recording").with_labels(&[
            value("done", "Analyzed to its end"),
            value("damaged", "Analyzed until the damage"),
            value("failed", "Not analyzed because of an error"),
            value("ignored", "File of a folder without video"),
            value("not analyzed", "The run was stopped before"),
        ]),
        column(
            "reason",
            Text,
            "reason for the status; empty for done and not analyzed",
        ),
        column(
            "duration_ns",
            Count,
            "duration of the recording, in nanoseconds",
        ),
        column("width", Count, "width of an upright frame in pixels"),
        column("height", Count, "height of an upright frame in pixels"),
        column("frames", Count, "number of decoded frames"),
        column("samples", Count, "number of analyzed frames"),
        column(
            "failed_samples",
            Count,
            "number of frames whose analysis failed",
        ),
        column(
            "samples_with_faces",
            Count,
            "number of analyzed frames in which a face was found",
        ),
        column("faces", Count, "number of faces in all samples"),
        column("persons", Count, "number of persons"),
        column(
            "seen_ns",
            Count,
            "time during which a face was seen, in nanoseconds",
        ),
        column(
            "positive_share",
            Number,
            "share of the time seen with a positive attitude, by the mean of all faces, 0 to 1",
        ),
        column(
            "neutral_share",
            Number,
            "share of the time seen with a neutral attitude, by the mean of all faces, 0 to 1",
        ),
        column(
            "negative_share",
            Number,
            "share of the time seen with a negative attitude, by the mean of all faces, 0 to 1",
        ),
        column(
            "unknown_share",
            Number,
            "share of the time seen with an unknown attitude, by the mean of all faces, 0 to 1",
        ),
        column(
            "positive_change_share",
            Number,
            "share of the time of the persons with a baseline, more positive than it, 0 to 1",
        ),
        column(
            "neutral_change_share",
            Number,
            "share of the time of the persons with a baseline, about as positive as it, 0 to 1",
        ),
        column(
            "negative_change_share",
            Number,
            "share of the time of the persons with a baseline, more negative than it, 0 to 1",
        ),
        column(
            "unknown_change_share",
            Number,
            "share of the time of the persons with a baseline, with an unknown attitude, 0 to 1",
        ),
        column(
            "fingerprint",
            Text,
            "hash of everything that the results depend on, except corrections",
        ),
        column(
            "corrections",
            Count,
            "number of corrections that a person made",
        ),
    ],
};

/// Number of columns before those about results.
const COLUMNS_OF_EVERY_RECORDING: usize = 4;

/// Returns the values of the columns about results.
fn values(results: &SummaryFile) -> Vec<DataValue> {
    let summary = &results.summary;
    let video = &results.recording.video;
    let shares = summary.scene.shares.as_ref();
    let share = |of_label: fn(&Shares) -> f64| DataValue::from(shares.map(of_label));
    let share_of_change = |of_label| DataValue::from(share_of_change(results, of_label));
    let corrections = summary.corrections.as_ref();
    vec![
        video.duration_ns.into(),
        video.width.into(),
        video.height.into(),
        video.frames.into(),
        summary.samples.into(),
        video.failed_samples.into(),
        summary.samples_with_faces.into(),
        summary.faces.into(),
        summary.persons.len().into(),
        summary.scene.seen_ns.into(),
        share(|shares| shares.positive),
        share(|shares| shares.neutral),
        share(|shares| shares.negative),
        share(|shares| shares.unknown),
        share_of_change(|shares| shares.positive),
        share_of_change(|shares| shares.neutral),
        share_of_change(|shares| shares.negative),
        share_of_change(|shares| shares.unknown),
        results.fingerprint.as_str().into(),
        corrections
            .map_or(0, |applied| applied.counts.total())
            .into(),
    ]
}

/// Returns a share of the time of all persons with a baseline, by the attitude of the change.
fn share_of_change(results: &SummaryFile, of_label: fn(&Shares) -> f64) -> Option<f64> {
    let (mut sum, mut total_ns) = (0.0, 0.0);
    for person in &results.summary.persons {
        let change = person.baseline_change.as_ref();
        if let Some(shares) = change.and_then(|change| change.shares.as_ref()) {
            let seen_ns = person.timeline.seen_ns as f64;
            sum += seen_ns * of_label(shares);
            total_ns += seen_ns;
        }
    }
    (total_ns > 0.0).then(|| (sum / total_ns * 1e4).round() / 1e4)
}

/// Adds a row; `first` are the columns before those about results.
fn push_row(
    table: &mut DataTable,
    first: [&str; COLUMNS_OF_EVERY_RECORDING],
    results: Option<&SummaryFile>,
) {
    let mut row: Vec<DataValue> = first.map(DataValue::from).to_vec();
    match results {
        Some(results) => row.extend(values(results)),
        None => row.resize(SCHEMA.columns.len(), DataValue::Missing),
    }
    table.push(row);
}

/// Returns the table: the recordings of the run, then `others`, those that have results of earlier
/// runs in the same folder. A recording that was skipped has the same row as one that was analyzed,
/// so that a run that was stopped and repeated ends with the same table as one that was not
/// stopped.
pub(super) fn table(
    jobs: &[RecordingJob],
    outcomes: &[Option<RecordingOutcome>],
    others: &[SummaryFile],
) -> DataTable {
    let mut table = DataTable::new(&SCHEMA);
    for (job, outcome) in jobs.iter().zip(outcomes) {
        let outcome = outcome.as_ref();
        let (status, reason) =
            outcome.map_or(("not analyzed", String::new()), RecordingOutcome::status);
        let results = outcome.and_then(RecordingOutcome::results);
        let input = job.recording.display_name();
        push_row(&mut table, [&job.name, &input, status, &reason], results);
    }
    for results in others {
        let (status, reason) = status_of_results(results);
        let recording = &results.recording;
        let first = [&recording.name, recording.input(), status, &reason];
        push_row(&mut table, first, Some(results));
    }
    table
}
