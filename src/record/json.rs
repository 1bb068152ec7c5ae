// SPDX-License-Identifier: MPL-2.0

//! Records as JSON lines: <https://jsonlines.org>, as [`JSON_SCHEMA`] describes them.

use super::Record;

/// JSON Schema of a line.
pub const JSON_SCHEMA: &str = include_str!("record.schema.json");

/// Appends `record` to `lines`: one JSON object and a line feed.
pub fn write_line(record: &Record, lines: &mut Vec<u8>) {
    // Neither a record nor writing to memory can fail.
    if serde_json::to_writer(&mut *lines, record).is_ok() {
        lines.push(b'\n');
    }
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
}
