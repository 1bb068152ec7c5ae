// SPDX-License-Identifier: MPL-2.0

//! The design of a study: recordings, participants, conditions and events, and the settings.

mod csv_file;
mod toml_file;
mod values;

use std::path::{Path, PathBuf};

use attitude::clock::NS_PER_S;
use attitude::record::corrections::Corrections;
use attitude::study::{EpochWindow, StudyParams};
use attitude::timeline::Span;

use crate::data_file::{DataError, FileMistake, Position, read_text};

/// Name of the alignment with the start of the analyzed parts of recordings, in tables.
pub(super) const START: &str = "start";

/// Maximum number of bins before or after an event.
const MAX_BINS: u64 = 10_000;

/// A study.
#[derive(Clone, Debug)]
pub(crate) struct Study {
    /// Title for the report.
    pub title: String,
    /// Folder with the results of `analyze`; `None` if the file does not name one.
    pub results: Option<PathBuf>,
    pub settings: StudySettings,
    /// Not empty.
    pub recordings: Vec<StudyRecording>,
}

/// Settings of a study.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct StudySettings {
    /// Bins around an event; the duration of bins is that of all averages over time.
    pub window: EpochWindow,
    /// `true` if values after an event are differences from those before it.
    pub is_corrected: bool,
    /// Minimum fraction of the time of an epoch during which the person must be seen.
    pub min_seen: f64,
    pub params: StudyParams,
}

impl Default for StudySettings {
    fn default() -> Self {
        Self {
            window: EpochWindow {
                before: 5,
                after: 20,
                bin_ns: NS_PER_S,
            },
            is_corrected: true,
            min_seen: 0.5,
            params: StudyParams::default(),
        }
    }
}

/// A recording of a participant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StudyRecording {
    /// Path of the recording as in the file, or the name of the folder with its results.
    pub file: String,
    /// The path, relative to the folder of the study's file.
    pub path: PathBuf,
    pub participant: String,
    /// `None` if only its events have conditions.
    pub condition: Option<String>,
    /// Number of the person in the results; `None` = the one that a correction assigns to the
    /// participant, else the one seen longest.
    pub person: Option<u32>,
    /// Start of the analyzed part, such as the onset of a stimulus.
    pub from_ns: u64,
    /// End of the analyzed part; `None` = the end of the recording.
    pub to_ns: Option<u64>,
    /// Times that are left out, sorted, without overlap.
    pub excluded: Vec<Span>,
    pub events: Vec<StudyEvent>,
}

impl StudyRecording {
    /// Adds the events of corrections that the study's file does not have, if the recording has a
    /// condition.
    pub(crate) fn add_events(&mut self, corrections: &Corrections) {
        let Some(condition) = &self.condition else {
            return;
        };
        for event in &corrections.events {
            let (name, start_ns) = (&event.name, event.time.ns());
            let is_known = |known: &StudyEvent| known.name == *name && known.start_ns == start_ns;
            if name != START && !self.events.iter().any(is_known) {
                self.events.push(StudyEvent {
                    name: name.clone(),
                    start_ns,
                    condition: condition.clone(),
                });
            }
        }
    }
}

/// An event in a recording.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StudyEvent {
    pub name: String,
    pub start_ns: u64,
    pub condition: String,
}

/// A mistake in a study's file that is not one of its syntax.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DesignMistake {
    #[error("a study must be a .toml or .csv file")]
    Format,
    #[error("{0}")]
    Toml(String),
    #[error("there is no recording; add [[recording]] tables, or recordings = \"FILE.csv\"")]
    NoRecording,
    #[error("'{0}' is empty; write a name")]
    Empty(&'static str),
    #[error("the event has no condition; add one to it or to its recording")]
    NoCondition,
    #[error("an event cannot have the name '{START}', which stands for the start of a recording")]
    ReservedName,
    #[error("the recording ends before it begins: 'to' must be after 'from'")]
    EmptyRecording,
    #[error("the recording '{0}' is listed before; list all of its events in one place")]
    SecondRecording(String),
    #[error(
        "the recording '{0}' has another {1} in an earlier row; use the same in all of its rows"
    )]
    Contradiction(String, &'static str),
    #[error("'{0}' must be a multiple of 'bin', and at most {MAX_BINS} times as long")]
    Bins(&'static str),
    #[error("'bin' must be from 100ms to 1h")]
    Bin,
    #[error("'after' must be longer than 0")]
    After,
    #[error("'before' must be longer than 0, or 'correct-baseline' must be false")]
    Baseline,
    #[error("'{0}' is not from {1}")]
    Range(&'static str, &'static str),
}

impl Study {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// Returns an error about the first mistake, with its line if it has one.
    pub(crate) fn read(path: &Path) -> Result<Self, DataError> {
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        let mut study = match extension.to_str() {
            _ if !path.is_file() => {
                return Err(Position::of_file(path).error(FileMistake::NotFound));
            }
            Some("toml") => toml_file::parse(path, &read_text(path)?)?,
            Some("csv") => Self {
                title: title(path),
                results: None,
                settings: StudySettings::default(),
                recordings: csv_file::parse(path, &read_text(path)?)?,
            },
            _ => return Err(Position::of_file(path).error(DesignMistake::Format)),
        };
        if study.recordings.is_empty() {
            return Err(Position::of_file(path).error(DesignMistake::NoRecording));
        }
        for recording in &mut study.recordings {
            recording.excluded = merged(std::mem::take(&mut recording.excluded));
        }
        Ok(study)
    }

    /// Returns the participants, in order of appearance.
    pub(crate) fn participants(&self) -> Vec<&str> {
        unique(
            self.recordings
                .iter()
                .map(|recording| recording.participant.as_str()),
        )
    }

    /// Returns the conditions of recordings and events, in order of appearance.
    pub(crate) fn conditions(&self) -> Vec<&str> {
        unique(self.recordings.iter().flat_map(|recording| {
            let of_events = recording
                .events
                .iter()
                .map(|event| event.condition.as_str());
            recording.condition.as_deref().into_iter().chain(of_events)
        }))
    }

    /// Returns the names of events, in order of appearance.
    pub(crate) fn events(&self) -> Vec<&str> {
        let events = self
            .recordings
            .iter()
            .flat_map(|recording| &recording.events);
        unique(events.map(|event| event.name.as_str()))
    }
}

/// Returns the title of a study without one: the name of its file.
fn title(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn unique<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = std::collections::HashSet::new();
    names.filter(|name| seen.insert(*name)).collect()
}

/// Returns the union of `spans` as sorted spans without overlap.
fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_by_key(|span| span.start_ns);
    let mut merged: Vec<Span> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start_ns <= last.end_ns => {
                last.end_ns = last.end_ns.max(span.end_ns)
            }
            _ => merged.push(span),
        }
    }
    merged
}

/// Checks a name of a participant, condition or event.
fn checked_name(name: &str, what: &'static str) -> Result<String, DesignMistake> {
    match name.trim() {
        "" => Err(DesignMistake::Empty(what)),
        name => Ok(name.to_owned()),
    }
}

/// Checks the name of an event.
fn checked_event(name: &str) -> Result<String, DesignMistake> {
    match checked_name(name, "name")? {
        name if name == START => Err(DesignMistake::ReservedName),
        name => Ok(name),
    }
}

#[cfg(test)]
mod tests;
