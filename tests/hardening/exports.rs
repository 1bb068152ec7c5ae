// SPDX-License-Identifier: MPL-2.0

//! Exports of sessions, whose lines a page sends.

use gst_attitude::fuzzing::export;

/// Exports the session in all formats. What is exported is well-formed.
pub(crate) fn run(data: &[u8]) {
    for (extension, exported) in export(data) {
        match exported {
            Ok(bytes) => check(extension, &bytes),
            Err(error) => assert!(!error.is_empty()),
        }
    }
}

fn check(extension: &str, bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).expect("an export is text");
    match extension {
        "csv" => {
            let mut table = csv::Reader::from_reader(bytes);
            for row in table.records() {
                let row = row.expect("all rows have as many cells");
                assert!(!row.iter().any(is_formula), "{row:?}");
            }
        }
        "vtt" | "srt" => {
            assert_eq!(text.starts_with("WEBVTT\n"), extension == "vtt");
            // In the text of a cue, an arrow would begin the next cue.
            for line in text.lines().filter(|line| line.contains("-->")) {
                assert!(is_timing(line), "{line}");
            }
        }
        "html" => assert!(text.starts_with("<!DOCTYPE html>")),
        _ => panic!("{extension} is not checked"),
    }
}

/// Returns `true` if a spreadsheet takes the cell for a formula.
fn is_formula(cell: &str) -> bool {
    let is_number = cell.parse::<f64>().is_ok();
    cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number
}

/// Returns `true` if the line is `TIME --> TIME`, with settings or without.
fn is_timing(line: &str) -> bool {
    let is_time = |text: &str| {
        let is_of_time = |letter: char| letter.is_ascii_digit() || ":.,".contains(letter);
        !text.is_empty() && text.chars().all(is_of_time)
    };
    let words: Vec<&str> = line.split(' ').collect();
    matches!(words[..], [start, "-->", end, ..] if is_time(start) && is_time(end))
        && line.matches("-->").count() == 1
}
