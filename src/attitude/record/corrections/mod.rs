// SPDX-License-Identifier: MPL-2.0

//! Corrections that a person makes to the analysis of a recording: `corrections.toml` in the folder
//! of its results.
//!
//! They are applied to the tracks of the recording in this order, whatever their order in the file:
//!
//! 1. Persons are found again: a person with [`FirstSeen`] is the one whose face was there then; all
//!    others keep the numbers of the analysis.
//! 2. Persons are split, then merged, each in the order of the file.
//! 3. Persons get their names and participants, or are excluded.
//! 4. Times are excluded.
//! 5. Attitudes are corrected. Where two corrections overlap, the later one in the file counts.
//!
//! A correction that has no effect, for example because its person does not exist, is listed in
//! [`AppliedCorrections::not_applied`]. Samples are never changed: the records of a recording remain
//! those of the analysis.
//!
//! Times are positions in the recording, and have millisecond precision: a sample is in a time span
//! if its time, rounded to milliseconds, is.

mod applied;
mod check;
mod time;

use serde::{Deserialize, Serialize};

pub use applied::{
    AppliedCorrections, CorrectionCounts, ExcludedPerson, ExcludedSpan, TimedEvent, TimedText,
};
pub use check::{CorrectionError, MAX_ENTRIES, MAX_NAME_CHARS};
pub use time::Position;
pub(crate) use time::rounded_ms;

use crate::Label;

/// File name.
pub const FILE: &str = "corrections.toml";

/// The version of the fields and their meaning.
pub const VERSION: u32 = 1;

/// The content of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Corrections {
    /// [`VERSION`].
    pub version: u32,
    /// Names of persons, and persons that are excluded.
    #[serde(default, rename = "person", skip_serializing_if = "Vec::is_empty")]
    pub persons: Vec<PersonCorrection>,
    /// Persons that are two.
    #[serde(default, rename = "split", skip_serializing_if = "Vec::is_empty")]
    pub splits: Vec<Split>,
    /// Persons that are one.
    #[serde(default, rename = "merge", skip_serializing_if = "Vec::is_empty")]
    pub merges: Vec<Merge>,
    /// Times that do not count.
    #[serde(default, rename = "exclude", skip_serializing_if = "Vec::is_empty")]
    pub exclusions: Vec<Exclusion>,
    /// Attitudes that a person sees in the recording.
    #[serde(default, rename = "attitude", skip_serializing_if = "Vec::is_empty")]
    pub attitudes: Vec<AttitudeCorrection>,
    /// Events.
    #[serde(default, rename = "event", skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Event>,
    /// Notes.
    #[serde(default, rename = "note", skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<NoteCorrection>,
}

/// Names a person, assigns it to a participant, or excludes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonCorrection {
    /// Number of the person.
    pub number: u32,
    /// Name, which no other person has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Id of the participant of a study; persons of several recordings may have the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participant: Option<String>,
    /// `true` if the person does not count, such as an interviewer or a face on a poster.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub excluded: bool,
    /// First sample of the person, by which it is found again if another analysis numbers persons
    /// differently.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<FirstSeen>,
}

/// Time and position of a face.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirstSeen {
    /// Time of the sample.
    pub time: Position,
    /// Horizontal center of the face, as a fraction of the width of the frame.
    pub x: f32,
    /// Vertical center of the face, as a fraction of the height of the frame.
    pub y: f32,
}

/// Makes two persons of one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// Number of the person, which the part before `time` keeps.
    pub person: u32,
    /// Time of the split.
    pub time: Position,
    /// Number of the part from `time` on; no other person has it.
    pub number: u32,
}

/// Makes one person of several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Merge {
    /// Number of the person, which the merged person keeps.
    pub person: u32,
    /// Numbers of the others. Other corrections with these numbers are about the merged person.
    pub with: Vec<u32>,
}

/// Excludes a time span.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exclusion {
    /// Number of the person; `None` excludes everyone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<u32>,
    /// Start, inclusive.
    pub start: Position,
    /// End, exclusive.
    pub end: Position,
    /// Reason for the exclusion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Corrects the attitude in a time span.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttitudeCorrection {
    /// Number of the person; `None` for the scene.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<u32>,
    /// Start, inclusive.
    pub start: Position,
    /// End, exclusive.
    pub end: Position,
    /// The attitude.
    pub attitude: Label,
}

/// An event of a study, such as a question or a stimulus.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Start.
    pub time: Position,
    /// End; `None` for an event without duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Position>,
    /// Name; several events may have the same.
    pub name: String,
}

/// A note at a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoteCorrection {
    /// Time of the note.
    pub time: Position,
    /// Text: 1 to [`MAX_CHARS`](super::note::MAX_CHARS) characters.
    pub text: String,
}

impl Default for Corrections {
    /// Returns a file without corrections.
    fn default() -> Self {
        Self {
            version: VERSION,
            persons: Vec::new(),
            splits: Vec::new(),
            merges: Vec::new(),
            exclusions: Vec::new(),
            attitudes: Vec::new(),
            events: Vec::new(),
            notes: Vec::new(),
        }
    }
}

impl Corrections {
    /// Returns `true` if there is no correction.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number of corrections.
    pub fn len(&self) -> usize {
        self.persons.len()
            + self.splits.len()
            + self.merges.len()
            + self.exclusions.len()
            + self.attitudes.len()
            + self.events.len()
            + self.notes.len()
    }
}

#[cfg(test)]
mod tests;
