// SPDX-License-Identifier: MPL-2.0

//! Interface for programs that distribute recordings over machines: the plan that `--plan` prints,
//! and the outcomes that such a program collects in the file of `--collect`.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::RecordingJob;
use super::inputs::{Recording, printable};
use super::outcome::{RecordingError, RecordingOutcome};

/// A line of the plan.
#[derive(Serialize)]
struct PlannedRecording<'a> {
    name: &'a str,
    input: String,
    uri: &'a str,
    fingerprint: &'a str,
    done: bool,
}

/// Formats the plan, one JSON object per line and recording. If `is_forced`, no recording counts as
/// done.
pub(super) fn plan(jobs: &[RecordingJob], is_forced: bool) -> serde_json::Result<String> {
    let line = |job: &RecordingJob| {
        let planned = PlannedRecording {
            name: &job.name,
            input: job.recording.display_name(),
            uri: &job.recording.uri,
            fingerprint: &job.fingerprint,
            done: job.current_results().is_some() && !is_forced,
        };
        Ok(serde_json::to_string(&planned)? + "\n")
    };
    jobs.iter().map(line).collect()
}

/// The file of `--collect` cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CollectError {
    #[error("cannot read the file of --collect, {}", printable(.path))]
    Read { path: PathBuf, source: io::Error },
    #[error(
        "{}:{line}: expected a JSON object such as {{\"uri\": \"file:///a.mp4\", \"reason\": null}}",
        printable(.path)
    )]
    Line {
        path: PathBuf,
        line: usize,
        source: serde_json::Error,
    },
}

/// Outcomes that another program collected, by URI.
pub(super) struct CollectedOutcomes(HashMap<String, CollectedOutcome>);

/// A line of the file of `--collect`: the outcome of one recording.
#[derive(Deserialize)]
struct CollectedOutcome {
    uri: String,
    /// Reason why there are no results; `None` if there are.
    reason: Option<String>,
    /// See [`RecordingError::code`].
    code: Option<String>,
}

impl CollectedOutcomes {
    /// Reads a file with one JSON object per line.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, or a line is not an outcome.
    pub(super) fn read(path: &Path) -> Result<Self, CollectError> {
        let text = std::fs::read_to_string(path).map_err(|source| CollectError::Read {
            path: path.to_owned(),
            source,
        })?;
        let outcomes = text.lines().enumerate().map(|(index, line)| {
            let outcome: CollectedOutcome =
                serde_json::from_str(line).map_err(|source| CollectError::Line {
                    path: path.to_owned(),
                    line: index + 1,
                    source,
                })?;
            Ok((outcome.uri.clone(), outcome))
        });
        outcomes.collect::<Result<_, _>>().map(Self)
    }

    /// Returns `true` if the file lists `recording`.
    pub(super) fn contains(&self, recording: &Recording) -> bool {
        self.0.contains_key(&recording.uri)
    }

    /// Returns the outcome of a recording: the error in the file, else the results in the output
    /// folder, else an error, since the recording has changed.
    pub(super) fn outcome(&self, job: &RecordingJob) -> RecordingOutcome {
        let collected = self.0.get(&job.recording.uri);
        if let Some(CollectedOutcome {
            reason: Some(reason),
            code,
            ..
        }) = collected
        {
            let error = RecordingError::collected(reason.clone(), code.as_deref());
            return RecordingOutcome::without_results(&job.recording, error);
        }
        match job.current_results() {
            Some(results) => RecordingOutcome::Skipped(Box::new(results.clone())),
            None => {
                let error = RecordingError::ChangedSincePlan;
                RecordingOutcome::without_results(&job.recording, error)
            }
        }
    }
}
