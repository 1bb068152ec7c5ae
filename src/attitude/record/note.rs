// SPDX-License-Identifier: MPL-2.0

//! Notes that a viewer writes during a live session. The session's file, which the page of
//! `gst-attitude serve` creates, contains each note in a line between the records.

use serde::{Deserialize, Serialize};

use super::cue::Cue;
use crate::clock::NS_PER_S;
use crate::timeline::Span;

/// JSON Schema of the line of a note.
pub const JSON_SCHEMA: &str = include_str!("note.schema.json");

/// Maximum number of characters of a note.
pub const MAX_CHARS: usize = 1000;

/// Time for which a note is shown as a subtitle.
const SHOWN_NS: u64 = 5 * NS_PER_S;

/// A note, as in the file of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// The text: 1 to [`MAX_CHARS`] characters.
    pub note: String,
    /// Running time of the note.
    pub running_time_ns: u64,
}

impl Note {
    /// Checks the length of the text.
    ///
    /// # Errors
    /// Returns an error if the text is empty or too long.
    pub(super) fn check(&self) -> Result<(), NoteError> {
        match self.note.chars().count() {
            0 => Err(NoteError::Empty),
            1..=MAX_CHARS => Ok(()),
            count => Err(NoteError::TooLong(count)),
        }
    }
}

/// A note is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// A field is missing, unknown or has an invalid value.
    #[error("{0}")]
    Fields(String),
    /// The text is empty.
    #[error("it is empty")]
    Empty,
    /// The text has this number of characters, more than [`MAX_CHARS`].
    #[error("it has {0} characters; the maximum is {MAX_CHARS}")]
    TooLong(usize),
}

/// A note with its time on the time scale of the samples.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimedNote {
    /// Time of the note, on the time scale of [`Record::time_ns`](super::Record::time_ns).
    pub time_ns: u64,
    /// The lines of the text, without blank lines and control characters.
    pub text: String,
}

impl TimedNote {
    /// Converts `note`; `shift_ns` is the time of a sample minus its running time.
    pub fn new(note: &Note, shift_ns: i128) -> Self {
        let time_ns = (i128::from(note.running_time_ns) + shift_ns).max(0);
        let visible = |line: &str| line.replace(char::is_control, " ").trim().to_owned();
        let lines = note.note.split(['\n', '\r']).map(visible);
        let lines: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
        Self {
            time_ns: u64::try_from(time_ns).unwrap_or(u64::MAX),
            text: lines.join("\n"),
        }
    }

    /// Returns the note as a subtitle.
    pub fn cue(&self) -> Cue {
        Cue {
            span: Span {
                start_ns: self.time_ns,
                end_ns: self.time_ns.saturating_add(SHOWN_NS),
            },
            text: format!("Note: {}", self.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(text: &str) -> Note {
        Note {
            note: text.to_owned(),
            running_time_ns: 2_000_000_000,
        }
    }

    #[test]
    fn the_schema_accepts_exactly_the_valid_notes() {
        let schema = serde_json::from_str(JSON_SCHEMA).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        for (text, is_valid) in [
            ("asked about the budget", true),
            ("", false),
            (&"é".repeat(MAX_CHARS), true),
            (&"é".repeat(MAX_CHARS + 1), false),
        ] {
            let note = note(text);
            let value = serde_json::to_value(&note).unwrap();
            assert_eq!(validator.is_valid(&value), is_valid, "{text}");
            assert_eq!(note.check().is_ok(), is_valid, "{text}");
        }
    }

    #[test]
    fn the_time_of_a_note_is_shifted_and_its_blank_lines_are_removed() {
        let timed = TimedNote::new(&note("  first\u{7}\r\n\n \tsecond\n"), -500_000_000);
        assert_eq!(
            (timed.time_ns, &*timed.text),
            (1_500_000_000, "first\nsecond")
        );
        let early = TimedNote::new(&note("x"), -i128::from(u64::MAX));
        assert_eq!(early.time_ns, 0);
        let late = TimedNote::new(&note("x"), i128::from(u64::MAX));
        assert_eq!(late.time_ns, u64::MAX);
        assert_eq!(late.cue().span.len_ns(), 0);
        assert_eq!(timed.cue().text, "Note: first\nsecond");
    }
}
