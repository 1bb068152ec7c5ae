// SPDX-License-Identifier: MPL-2.0

use std::time::Instant;

use attitude::{Label, Scores};

use attitude::record::FaceRecord;
use attitude::record::Record;
use attitude::record::formats::{csv, webvtt};
use attitude::statistics::SplitMix64;
use serde_json::json;

use super::*;

const S: u64 = 1_000_000_000;

/// Maximum time for an export of any session.
const MAX_WORK: Duration = Duration::from_secs(120);

fn face(track: u32) -> FaceRecord {
    let scores = Scores {
        positive: 0.8,
        neutral: 0.1,
        negative: 0.1,
    };
    FaceRecord {
        track,
        bbox: [100.0, 20.0, 40.0, 50.0],
        attitude: Label::POSITIVE,
        scores,
        ..FaceRecord::default()
    }
}

fn record(time_ns: u64, faces: Vec<FaceRecord>) -> Vec<u8> {
    let record = Record {
        schema: 1,
        stream: "camera".to_owned(),
        running_time_ns: Some(time_ns),
        stream_time_ns: Some(time_ns),
        faces,
        ..Record::default()
    };
    let mut line = Vec::new();
    jsonl::write_line(&record, &mut line).unwrap();
    line
}

fn note(text: &str, running_time_ns: u64) -> Vec<u8> {
    let note = json!({"note": text, "running_time_ns": running_time_ns});
    (note.to_string() + "\n").into_bytes()
}

fn text(format: &formats::Format, lines: &[u8]) -> String {
    String::from_utf8(records_in(format, lines, S / 5).unwrap()).unwrap()
}

#[test]
fn a_table_has_a_row_per_face_and_none_for_notes() {
    let faces = [record(0, vec![face(1), face(2)]), record(S, vec![])].concat();
    let noted = [faces.clone(), note("x", S)].concat();
    let rows = text(&csv::FORMAT, &noted);
    assert_eq!(rows.lines().count(), 3);
    assert_eq!(rows, text(&csv::FORMAT, &faces));
}

#[test]
fn cues_are_sorted_by_their_beginnings() {
    let mut lines: Vec<u8> = (0..30)
        .flat_map(|i| record(i * S / 5, vec![face(1)]))
        .collect();
    lines.extend(note("<late>", 3 * S));
    lines.extend(note("early", S));
    assert_eq!(
        text(&webvtt::FORMAT, &lines),
        "WEBVTT\n\n\
         00:00:00.000 --> 00:00:06.000\n#1 positive\n\n\
         00:00:01.000 --> 00:00:06.000\nNote: early\n\n\
         00:00:03.000 --> 00:00:08.000\nNote: &lt;late&gt;\n\n"
    );
}

#[test]
fn errors_name_the_line() {
    let first = record(0, vec![face(1)]);
    for export in Export::all() {
        for (rest, expected) in [
            (&b"{}\n"[..], "line 2: the line is not a record"),
            (
                b"{\"note\":1,\"running_time_ns\":0}\n",
                "line 2: the line is not a note",
            ),
            (b"\xff\xfe\n", "line 2: "),
        ] {
            let error = export.file(&[&first, rest].concat(), 0).unwrap_err();
            let error = error.to_string();
            assert!(error.contains(expected), "{}: {error}", export.extension());
        }
        let error = export.file(b"", 0).unwrap_err().to_string();
        assert_eq!(error, "the file contains no record");
    }
}

/// Returns the largest number of records that a session's file can contain, as short as possible.
/// `content` returns the time in ns and the tracks of a record by its number.
fn short_records(content: impl Fn(u64) -> (u64, std::ops::Range<u64>)) -> Vec<u8> {
    let mut lines = String::new();
    for index in 0.. {
        let (time_ns, tracks) = content(index);
        let faces = tracks.map(|track| {
            // Chance, so that a mean has an interval, which takes time.
            let positive = u8::from(SplitMix64(index).unit_fraction() < 0.5);
            format!(
                r#"{{"track":{track},"box":[1,1,1,1],"detection":0,"attitude":"neutral","confidence":0,"scores":{{"positive":{positive},"neutral":1,"negative":0}},"raw":{{"positive":0,"neutral":0,"negative":0}},"fresh":true,"age_ns":0}}"#
            )
        });
        let faces = faces.collect::<Vec<_>>().join(",");
        let line = format!(
            r#"{{"schema":1,"stream":"","frame":0,"width":0,"height":0,"running_time_ns":{time_ns},"faces":[{faces}]}}"#
        );
        if lines.len() + line.len() >= MAX_BODY_BYTES {
            break;
        }
        lines += &(line + "\n");
    }
    lines.into_bytes()
}

/// Extreme values, which no camera causes but a client may send.
#[test]
fn hostile_sessions_are_exported_in_limited_time() {
    let wild = |track: u32| FaceRecord {
        bbox: [f32::MAX, f32::MIN, f32::MAX, f32::MIN_POSITIVE],
        age_ns: u64::MAX,
        detection: f32::MAX,
        ..face(track)
    };
    let times = [0, 1, u64::MAX / 2, 5, u64::MAX - 1, u64::MAX, u64::MAX, 7];
    let far_apart: Vec<u8> = times
        .into_iter()
        .flat_map(|ns| {
            [
                record(ns, vec![wild(1), wild(1), wild(u32::MAX)]),
                note("\n\n00:00 --> 00:01\n=<b>", ns),
            ]
        })
        .flatten()
        .collect();
    let tracks = short_records(|index| (index * 50_000_000, index * 1000..(index + 1) * 1000));
    let one_track = short_records(|index| (index * S, 1..2));
    let notes = [
        record(0, vec![]),
        note(&"é".repeat(1000), 3 * S).repeat(10_000),
    ]
    .concat();
    for (name, lines) in [
        ("times far apart", far_apart),
        ("maximum number of tracks", tracks),
        ("maximum number of samples of a track", one_track),
        ("10,000 long notes", notes),
    ] {
        assert!(lines.len() <= MAX_BODY_BYTES, "{name}: {}", lines.len());
        for export in Export::all() {
            let began = Instant::now();
            let file = export.file(&lines, S / 5).unwrap();
            let took = began.elapsed();
            let extension = export.extension();
            println!("{name}: {extension} of {} bytes, {took:?}", file.len());
            assert!(took < MAX_WORK, "{name}: {extension} took {took:?}");
        }
    }
}

#[test]
fn a_short_session_cannot_become_an_unlimited_export() {
    let faces = (1..5000).map(face).collect();
    let long = Record {
        schema: 1,
        stream: "x".repeat(1_000_000),
        running_time_ns: Some(0),
        faces,
        ..Record::default()
    };
    let mut line = Vec::new();
    jsonl::write_line(&long, &mut line).unwrap();
    let error = records_in(&csv::FORMAT, &line, 0).unwrap_err().to_string();
    assert!(error.contains("longer than 256 MiB"), "{error}");
}
