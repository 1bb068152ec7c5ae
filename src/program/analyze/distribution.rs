// SPDX-License-Identifier: MPL-2.0

//! Interface for programs that distribute recordings over machines: prints the plan before, and reads the
//! outcomes after.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Task;
use super::inputs::{Recording, printable};
use super::outcome::{NO_VIDEO, RecordingOutcome};

/// A line of the plan.
#[derive(Serialize)]
struct PlannedRecording<'a> {
    name: &'a str,
    input: String,
    uri: &'a str,
    fingerprint: &'a str,
    done: bool,
}

/// Formats the plan, one line per recording. With `is_forced` none is done.
pub(super) fn plan(tasks: &[Task], is_forced: bool) -> serde_json::Result<String> {
    let line = |task: &Task| {
        let planned = PlannedRecording {
            name: &task.name,
            input: task.recording.display_name(),
            uri: &task.recording.uri,
            fingerprint: &task.fingerprint,
            done: task.is_done() && !is_forced,
        };
        Ok(serde_json::to_string(&planned)? + "\n")
    };
    tasks.iter().map(line).collect()
}

/// The file of `--collect` is wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CollectError {
    #[error("cannot read {}", printable(.path))]
    Read { path: PathBuf, source: io::Error },
    #[error("{}:{line}: not an outcome of a recording", printable(.path))]
    Line {
        path: PathBuf,
        line: usize,
        source: serde_json::Error,
    },
}

/// Outcomes that another program collected, by URI: the reason if there are no results, else `None`.
pub(super) struct CollectedOutcomes(HashMap<String, Option<String>>);

#[derive(Deserialize)]
struct CollectedOutcome {
    uri: String,
    reason: Option<String>,
}

impl CollectedOutcomes {
    /// Reads a file with one JSON object per line.
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
            Ok((outcome.uri, outcome.reason))
        });
        outcomes.collect::<Result<_, _>>().map(Self)
    }

    /// Returns `true` if the file lists `recording`.
    pub(super) fn contains(&self, recording: &Recording) -> bool {
        self.0.contains_key(&recording.uri)
    }

    /// Returns the outcome of a recording that the file lists.
    pub(super) fn outcome(&self, task: &Task) -> RecordingOutcome {
        let reason = self.0.get(&task.recording.uri).cloned().flatten();
        match (reason, &task.earlier) {
            // The other program names each recording, including those that this one found in a folder.
            (Some(reason), _) if reason == NO_VIDEO && !task.recording.is_named => {
                RecordingOutcome::Ignored(NO_VIDEO)
            }
            (Some(reason), _) => RecordingOutcome::Failed(reason),
            (None, Some(results)) if task.is_done() => RecordingOutcome::Skipped(results.clone()),
            (None, _) => {
                let reason = "it has changed since it was planned; run this command again";
                RecordingOutcome::Failed(reason.to_owned())
            }
        }
    }
}
