// SPDX-License-Identifier: MPL-2.0

//! Tests of the file's fields; those of their effects are beside the summary.

use serde_json::{Value, json};

use super::*;

/// Returns the problem with a file that has version 1 and these fields.
fn problem(fields: Value) -> String {
    let mut file = json!({"version": 1});
    let object = file.as_object_mut().unwrap();
    object.extend(fields.as_object().unwrap().clone());
    match serde_json::from_value::<Corrections>(file) {
        Ok(corrections) => corrections.check().unwrap_err().to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn times_are_text_or_seconds_and_have_milliseconds() {
    let parse = |value: Value| serde_json::from_value::<Position>(value);
    for (value, ns, text) in [
        (json!("1:02:03.5"), 3_723_500_000_000, "1:02:03.5"),
        (json!("90"), 90_000_000_000, "1:30"),
        (json!(0), 0, "0:00"),
        (json!(0.0625), 63_000_000, "0:00.063"),
        (json!("0:10.0004"), 10_000_000_000, "0:10"),
    ] {
        let position = parse(value).unwrap();
        assert_eq!((position.ns(), &*position.to_string()), (ns, text));
        assert_eq!(parse(json!(text)).unwrap(), position);
    }
    for wrong in [
        json!("noon"),
        json!(-1),
        json!("1:75"),
        json!(1e12),
        json!(null),
    ] {
        let error = parse(wrong.clone()).unwrap_err().to_string();
        assert!(error.contains("1:02:03.5"), "{wrong}: {error}");
    }
}

#[test]
fn wrong_files_are_refused_with_the_entry_and_the_value() {
    let span = |start, end| json!({"start": start, "end": end});
    for (fields, expected) in [
        (json!({"version": 2}), "version is 2"),
        (json!({"persons": []}), "unknown field `persons`"),
        (
            json!({"person": [{"number": 1, "nam": "A"}]}),
            "unknown field `nam`",
        ),
        (
            json!({"person": [{"number": 0}]}),
            "[[person]] no. 1: there is no person 0",
        ),
        (
            json!({"person": [{"number": 1}, {"number": 1}]}),
            "no. 2: person 1 is listed twice",
        ),
        (
            json!({"person": [{"number": 1, "name": " "}]}),
            "name is empty",
        ),
        (
            json!({"person": [{"number": 1, "name": "x".repeat(101)}]}),
            "101 characters; the maximum is 100",
        ),
        (
            json!({"person": [{"number": 1, "name": "a\u{202E}b"}]}),
            "U+202E",
        ),
        (
            json!({"person": [{"number": 1, "participant": "a\nb"}]}),
            "participant contains the character U+000A",
        ),
        (
            json!({"person": [{"number": 1, "name": "Person 2"}]}),
            "has another meaning",
        ),
        (
            json!({"person": [{"number": 1, "name": "A"}, {"number": 2, "name": "a"}]}),
            "another person is called",
        ),
        (
            json!({"person": [{"number": 1, "seen": {"time": 1, "x": 1e9, "y": 0}}]}),
            "not in the frame",
        ),
        (
            json!({"split": [{"person": 1, "time": 1, "number": 1}]}),
            "number 1 is used already",
        ),
        (
            json!({"merge": [{"person": 1, "with": []}]}),
            "'with' is empty",
        ),
        (
            json!({"merge": [{"person": 1, "with": [2, 1]}]}),
            "person 1 is merged with itself",
        ),
        (
            json!({"exclude": [span(1, 2), span(3, 3)]}),
            "[[exclude]] no. 2: its end, 0:03, is not after its start",
        ),
        (
            json!({"attitude": [{"start": 1, "end": 2, "attitude": "cheerful"}]}),
            "invalid attitude 'cheerful'",
        ),
        (
            json!({"event": [{"time": 2, "end": 1, "name": "question"}]}),
            "[[event]] no. 1",
        ),
        (
            json!({"note": [{"time": 2, "text": "x".repeat(1001)}]}),
            "1001 characters",
        ),
        (
            json!({"note": vec![json!({"time": 2, "text": "x"}); 10_001]}),
            "10001 corrections",
        ),
        (
            json!({"merge": [{"person": 1, "with": vec![2; 10_000]}]}),
            "10001 corrections",
        ),
    ] {
        let found = problem(fields.clone());
        assert!(found.contains(expected), "{fields}: {found}");
    }
}

#[test]
fn a_file_without_corrections_is_empty() {
    let corrections: Corrections = serde_json::from_value(json!({"version": 1})).unwrap();
    assert_eq!(corrections, Corrections::default());
    assert!(corrections.is_empty() && corrections.check().is_ok());
    let note = json!({"version": 1, "note": [{"time": "0:01", "text": "one\ntwo"}]});
    let noted: Corrections = serde_json::from_value(note.clone()).unwrap();
    assert!(!noted.is_empty() && noted.check().is_ok());
    assert_eq!(serde_json::to_value(&noted).unwrap(), note);
}
