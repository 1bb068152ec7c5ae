// SPDX-License-Identifier: MPL-2.0

//! Records as JSON lines: <https://jsonlines.org>, as [`JSON_SCHEMA`] describes them. A session's file
//! has [notes](super::note) on lines between them.

use serde::Deserialize;
use serde::de::IgnoredAny;
use thiserror::Error;

use super::note::Note;
use super::{Record, SCHEMA};

/// JSON Schema of a line.
pub const JSON_SCHEMA: &str = include_str!("record.schema.json");

/// Appends `record` to `lines`: one JSON object and a line feed.
pub fn write_line(record: &Record, lines: &mut Vec<u8>) {
    // Neither a record nor writing to memory can fail.
    if serde_json::to_writer(&mut *lines, record).is_ok() {
        lines.push(b'\n');
    }
}

/// What a line holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// A record.
    Record(Record),
    /// A note of a session.
    Note(Note),
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LineError {
    /// It is of another version.
    #[error("schema {0}, but {SCHEMA} is what is known here")]
    Schema(u32),
    /// It ends too early.
    #[error("it is cut short: {0}")]
    CutShort(String),
    /// It is neither a record nor a note.
    #[error("it is no record as attitudeexport writes them with format=jsonl: {0}")]
    NoRecord(String),
    /// It is meant for a note.
    #[error("it is no note as a session has them: {0}")]
    NoNote(String),
}

/// Reads a line.
///
/// # Errors
/// Where it is neither a record of the version [`SCHEMA`] nor a note.
pub fn read_line(line: &[u8]) -> Result<Line, LineError> {
    let line = line.trim_ascii_end();
    match serde_json::from_slice::<Record>(line) {
        Ok(record) if record.schema == SCHEMA => Ok(Line::Record(record)),
        Ok(Record { schema, .. }) => Err(LineError::Schema(schema)),
        Err(error) if error.is_eof() => Err(LineError::CutShort(told(&error))),
        // Only now, as nearly all lines are records.
        Err(_) if is_note(line) => read_note(line).map(Line::Note).map_err(LineError::NoNote),
        Err(error) => Err(LineError::NoRecord(told(&error))),
    }
}

fn read_note(line: &[u8]) -> Result<Note, String> {
    let note: Note = serde_json::from_slice(line).map_err(|error| told(&error))?;
    note.problem().map_or(Ok(note), Err)
}

/// Without the number of the line, which is another one in its file.
fn told(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column", " at column")
}

/// Whether `line` is an object that is meant for a note.
fn is_note(line: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Marked {
        #[serde(rename = "note")]
        _note: IgnoredAny,
    }
    serde_json::from_slice::<Marked>(line).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
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
        write_line(record, &mut lines);
        assert_eq!(lines.iter().filter(|&&byte| byte == b'\n').count(), 1);
        serde_json::from_slice(&lines).unwrap()
    }

    #[test]
    fn every_line_is_as_the_schema_says() {
        let mut unjudged = one_face();
        unjudged.faces[0].landmarks = None;
        unjudged.faces[0].attitude = "unknown".to_owned();
        unjudged.faces[0].emotions.clear();
        for record in [one_face(), without_faces(), unjudged] {
            assert_eq!(problem(&written(&record)), None);
        }
    }

    #[test]
    fn the_schema_refuses_what_is_no_record() {
        for (place, wrong) in [
            ("/faces/0/scores/positive", serde_json::json!(2.0)),
            ("/faces/0/attitude", serde_json::json!("cheerful")),
            ("/faces/0/track", serde_json::json!(0)),
            ("/faces/0/box", serde_json::json!([1, 2, 3])),
            ("/pts_ns", serde_json::json!(-1)),
            ("/schema", serde_json::json!(2)),
        ] {
            let mut value = written(&one_face());
            *value.pointer_mut(place).unwrap() = wrong;
            assert!(problem(&value).is_some(), "{place}");
        }
        let mut value = written(&one_face());
        value.as_object_mut().unwrap().remove("width");
        assert!(problem(&value).is_some());
    }

    #[test]
    fn lines_are_read_back() {
        let mut lines = Vec::new();
        write_line(&one_face(), &mut lines);
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
    fn what_is_wrong_with_a_line_is_told() {
        for (line, expected) in [
            (r#"{"note":"x","#, "it is cut short"),
            (r#"{"note":"x"}"#, "missing field `running_time_ns`"),
            (
                r#"{"note":7,"running_time_ns":0}"#,
                "no note as a session has",
            ),
            (r#"{"note":"x","running_time_ns":1.5}"#, "1.5"),
            (r#"{"note":"","running_time_ns":0}"#, "empty"),
            (r#"{"frame":0}"#, "missing field `schema`"),
            ("[]", "no record"),
            ("\u{FF}", "no record"),
        ] {
            let told = read_line(line.as_bytes()).unwrap_err().to_string();
            assert!(told.contains(expected), "{line}: {told}");
        }
        let mut later = one_face();
        later.schema = 2;
        let mut line = Vec::new();
        write_line(&later, &mut line);
        assert!(matches!(read_line(&line), Err(LineError::Schema(2))));
    }
}
