// SPDX-License-Identifier: MPL-2.0

//! The corrections that a summary contains.

use serde::{Deserialize, Serialize};

use super::{Corrections, Exclusion};
use crate::timeline::Span;

/// Corrections that were applied to a summary, as far as its timelines do not show them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AppliedCorrections {
    /// Numbers of corrections by kind, with those that had no effect.
    pub counts: CorrectionCounts,
    /// The corrections that had no effect, each with the reason as a sentence.
    pub not_applied: Vec<String>,
    /// The persons that are excluded.
    pub excluded_persons: Vec<ExcludedPerson>,
    /// The time spans that are excluded.
    pub excluded: Vec<ExcludedSpan>,
    /// The events, sorted by time.
    pub events: Vec<TimedEvent>,
    /// The notes, sorted by time.
    pub notes: Vec<TimedText>,
}

/// Numbers of corrections by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorrectionCounts {
    /// Persons that are named, assigned or excluded.
    pub persons: usize,
    /// Splits of a person.
    pub splits: usize,
    /// Merges of persons.
    pub merges: usize,
    /// Excluded time spans.
    pub exclusions: usize,
    /// Corrected attitudes.
    pub attitudes: usize,
    /// Events.
    pub events: usize,
    /// Notes.
    pub notes: usize,
}

/// A person that is excluded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExcludedPerson {
    /// Number of the person.
    pub id: u32,
    /// Name; `None` if it has none.
    pub name: Option<String>,
}

/// A time span that is excluded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExcludedSpan {
    /// The time span.
    #[serde(flatten)]
    pub span: Span,
    /// Number of the person; `None` if everyone is excluded.
    pub person: Option<u32>,
    /// Reason for the exclusion.
    pub reason: Option<String>,
}

/// An event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimedEvent {
    /// Name.
    pub name: String,
    /// Time span, empty if the event has no duration.
    #[serde(flatten)]
    pub span: Span,
}

/// A note.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimedText {
    /// Time of the note.
    pub time_ns: u64,
    /// Text.
    pub text: String,
}

impl CorrectionCounts {
    /// Counts the corrections of a file.
    pub fn of(corrections: &Corrections) -> Self {
        Self {
            persons: corrections.persons.len(),
            splits: corrections.splits.len(),
            merges: corrections.merges.len(),
            exclusions: corrections.exclusions.len(),
            attitudes: corrections.attitudes.len(),
            events: corrections.events.len(),
            notes: corrections.notes.len(),
        }
    }

    /// Returns the number of all corrections.
    pub fn total(&self) -> usize {
        self.persons
            + self.splits
            + self.merges
            + self.exclusions
            + self.attitudes
            + self.events
            + self.notes
    }
}

impl ExcludedSpan {
    /// Creates the span of `exclusion`, which concerns the person `person`.
    pub(crate) fn new(exclusion: &Exclusion, person: Option<u32>) -> Self {
        Self {
            span: Span {
                start_ns: exclusion.start.ns(),
                end_ns: exclusion.end.ns(),
            },
            person,
            reason: exclusion.reason.clone(),
        }
    }
}

impl AppliedCorrections {
    /// Creates the corrections of a file that need no tracks: numbers, events and notes.
    pub(crate) fn new(corrections: &Corrections) -> Self {
        let events = corrections.events.iter().map(|event| TimedEvent {
            name: event.name.clone(),
            span: Span {
                start_ns: event.time.ns(),
                end_ns: event.end.unwrap_or(event.time).ns(),
            },
        });
        let mut events: Vec<TimedEvent> = events.collect();
        events.sort_by_key(|event| event.span.start_ns);
        let notes = corrections.notes.iter().map(|note| TimedText {
            time_ns: note.time.ns(),
            text: note.text.clone(),
        });
        let mut notes: Vec<TimedText> = notes.collect();
        notes.sort_by_key(|note| note.time_ns);
        Self {
            counts: CorrectionCounts::of(corrections),
            events,
            notes,
            ..Self::default()
        }
    }
}
