// SPDX-License-Identifier: MPL-2.0

//! JSON lines (<https://jsonlines.org>): one record per line. The file of a live session also
//! contains lines with [notes](crate::record::note).

use std::io::{self, Write};

use serde::Deserialize;
use serde::de::IgnoredAny;
use thiserror::Error;

use super::{Format, Output, RecordingFile, TimedRecord};
use crate::record::note::{Note, NoteError};
use crate::record::{Record, SCHEMA};

/// The format; see the [module](self).
pub static FORMAT: Format = Format {
    name: "jsonl",
    description: "JSON lines: one line per frame, with all its faces",
    caps: Some("application/x-ndjson"),
    file: Some(RecordingFile {
        name: "records.jsonl",
        media_type: "application/x-ndjson",
        is_default: true,
    }),
    writer: |_| Ok(Box::new(Writer)),
};

struct Writer;

impl super::Writer for Writer {
    fn write(&mut self, frame: &TimedRecord, output: &mut Output) -> io::Result<()> {
        if frame.is_selected {
            write_line(frame.record, &mut *output)?;
            output.end_piece(frame.span);
        }
        Ok(())
    }
}

/// JSON Schema of the line of a record.
pub const JSON_SCHEMA: &str = include_str!("../record.schema.json");

/// Writes `record` as one JSON object and a line feed.
///
/// # Errors
/// Returns the errors of `lines`.
pub fn write_line(record: &Record, mut lines: impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut lines, record)?;
    lines.write_all(b"\n")
}

/// The content of a line.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// A record.
    Record(Record),
    /// A note of a session.
    Note(Note),
}

/// A line is invalid.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LineError {
    /// The record has another schema version.
    #[error("the record has schema {0}, but only schema {SCHEMA} is supported")]
    Schema(u32),
    /// The line ends too early.
    #[error("the line is cut short: {0}")]
    CutShort(String),
    /// The line is neither a record nor a note; with the reason why it is not a record.
    #[error("the line is not a record as attitudeexport writes with format=jsonl: {0}")]
    NotARecord(String),
    /// The line has the field `note`, but is not a note.
    #[error("the line is not a note of a live session: {0}")]
    NotANote(NoteError),
}

/// Parses a line.
///
/// # Errors
/// Returns an error if the line is neither a record with the schema version [`SCHEMA`] nor a note.
pub fn read_line(line: &[u8]) -> Result<Line, LineError> {
    let line = line.trim_ascii_end();
    match serde_json::from_slice::<Record>(line) {
        Ok(record) if record.schema == SCHEMA => Ok(Line::Record(record)),
        Ok(Record { schema, .. }) => Err(LineError::Schema(schema)),
        Err(error) if error.is_eof() => Err(LineError::CutShort(message(&error))),
        // Nearly all lines are records, so a note is only looked for if there is no record.
        Err(_) if is_note(line) => read_note(line).map(Line::Note).map_err(LineError::NotANote),
        Err(error) => Err(LineError::NotARecord(message(&error))),
    }
}

fn read_note(line: &[u8]) -> Result<Note, NoteError> {
    let note: Note =
        serde_json::from_slice(line).map_err(|error| NoteError::Fields(message(&error)))?;
    note.check()?;
    Ok(note)
}

/// Formats `error` without its line number, which is always 1.
fn message(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column", " at column")
}

/// Returns `true` if `line` is an object with the field `note`.
fn is_note(line: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct WithNote {
        #[serde(rename = "note")]
        _note: IgnoredAny,
    }
    serde_json::from_slice::<WithNote>(line).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Label;
    use crate::record::tests::{one_face, without_faces};

    fn problem(value: &serde_json::Value) -> Option<String> {
        let schema = serde_json::from_str(JSON_SCHEMA).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        validator
            .validate(value)
            .err()
            .map(|error| error.to_string())
    }

    fn written(record: &Record) -> serde_json::Value {
        let mut lines = Vec::new();
        write_line(record, &mut lines).unwrap();
        assert_eq!(lines.iter().filter(|&&byte| byte == b'\n').count(), 1);
        serde_json::from_slice(&lines).unwrap()
    }

    #[test]
    fn every_line_matches_the_schema() {
        let mut unclassified = one_face();
        unclassified.faces[0].landmarks = None;
        unclassified.faces[0].attitude = Label::Unknown;
        unclassified.faces[0].emotions.clear();
        let mut tagged = one_face();
        tagged.source = Some("hall".to_owned());
        tagged.tags = "room=42".parse().unwrap();
        for record in [one_face(), without_faces(), unclassified, tagged] {
            assert_eq!(problem(&written(&record)), None);
        }
    }

    #[test]
    fn the_schema_rejects_other_lines() {
        for (path, wrong) in [
            ("/faces/0/scores/positive", serde_json::json!(2.0)),
            ("/faces/0/attitude", serde_json::json!("cheerful")),
            ("/faces/0/track", serde_json::json!(0)),
            ("/faces/0/box", serde_json::json!([1, 2, 3])),
            ("/pts_ns", serde_json::json!(-1)),
            ("/schema", serde_json::json!(2)),
        ] {
            let mut value = written(&one_face());
            *value.pointer_mut(path).unwrap() = wrong;
            assert!(problem(&value).is_some(), "{path}");
        }
        let mut value = written(&one_face());
        value.as_object_mut().unwrap().remove("width");
        assert!(problem(&value).is_some());
    }

    #[test]
    fn lines_are_read_back() {
        let mut lines = Vec::new();
        write_line(&one_face(), &mut lines).unwrap();
        let read = read_line(&lines).unwrap();
        assert_eq!(read, Line::Record(one_face()));
        let note = Note {
            note: "asked about the budget".to_owned(),
            running_time_ns: 12_340_000_000,
        };
        let line = r#"{"running_time_ns":12340000000,"note":"asked about the budget"}"#;
        assert_eq!(read_line(line.as_bytes()).unwrap(), Line::Note(note));
    }

    #[test]
    fn errors_say_why_a_line_cannot_be_read() {
        for (line, expected) in [
            (r#"{"note":"x","#, "the line is cut short"),
            (r#"{"note":"x"}"#, "missing field `running_time_ns`"),
            (
                r#"{"note":7,"running_time_ns":0}"#,
                "not a note of a live session",
            ),
            (r#"{"note":"x","running_time_ns":1.5}"#, "1.5"),
            (r#"{"note":"","running_time_ns":0}"#, "empty"),
            (r#"{"frame":0}"#, "missing field `schema`"),
            ("[]", "not a record"),
            ("\u{FF}", "not a record"),
        ] {
            let message = read_line(line.as_bytes()).unwrap_err().to_string();
            assert!(message.contains(expected), "{line}: {message}");
        }
        let invalid = serde_json::to_string(&one_face()).unwrap();
        let invalid = invalid.replace(r#""positive","confidence""#, r#""cheerful","confidence""#);
        let error = read_line(invalid.as_bytes()).unwrap_err();
        assert!(
            error.to_string().contains("invalid attitude 'cheerful'"),
            "{error}"
        );
        let mut later = one_face();
        later.schema = 2;
        let mut line = Vec::new();
        write_line(&later, &mut line).unwrap();
        assert!(matches!(read_line(&line), Err(LineError::Schema(2))));
    }
}
