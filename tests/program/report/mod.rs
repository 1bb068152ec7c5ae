// SPDX-License-Identifier: MPL-2.0

//! `gst-attitude report`: its messages, and its pages in a browser.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::support::*;

mod browser;
mod pages;

/// A folder for the data of a test, in which the program runs.
struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> &Self {
        std::fs::write(self.path(name), text).unwrap();
        self
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_gst-attitude"))
            .arg("report")
            .args(arguments)
            .current_dir(self.0.path())
            .output()
            .unwrap()
    }

    /// Writes pages, which must succeed.
    fn report(&self, arguments: &[&str]) -> &Self {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", problem(&output));
        self
    }
}

fn problem(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Scores of a face from a time in seconds on; `None` while it is away.
type Script<'a> = &'a [(f64, Option<[f32; 3]>)];

const POSITIVE: Option<[f32; 3]> = Some([0.8, 0.15, 0.05]);
const NEUTRAL: Option<[f32; 3]> = Some([0.1, 0.8, 0.1]);
const NEGATIVE: Option<[f32; 3]> = Some([0.05, 0.15, 0.8]);
const UNCLEAR: Option<[f32; 3]> = Some([0.34, 0.33, 0.33]);

/// Returns a face with `scores`.
fn face(track: usize, scores: [f32; 3]) -> serde_json::Value {
    let names = ["positive", "neutral", "negative"];
    let best = (0..3)
        .max_by(|&a, &b| scores[a].total_cmp(&scores[b]))
        .unwrap();
    let label = if scores[best] < 0.5 {
        "unknown"
    } else {
        names[best]
    };
    let [positive, neutral, negative] = scores;
    let scores =
        serde_json::json!({"positive": positive, "neutral": neutral, "negative": negative});
    serde_json::json!({
        "track": track, "box": [100.0 * track as f64, 20.0, 40.0, 50.0], "landmarks": null,
        "detection": 0.9, "attitude": label, "confidence": 0.8, "scores": scores, "raw": scores,
        "fresh": true, "age_ns": 0,
    })
}

/// Returns the line of a frame.
fn record(time_s: f64, faces: &[serde_json::Value]) -> String {
    let time_ns = (time_s * 1e9).round() as u64;
    let record = serde_json::json!({
        "schema": 1, "stream": "</script><script>alert(1)</script>", "frame": 0, "pts_ns": time_ns,
        "running_time_ns": time_ns, "stream_time_ns": time_ns, "utc": null, "width": 1280,
        "height": 720, "faces": faces,
    });
    format!("{record}\n")
}

/// Returns the line of a note.
fn note(time_s: f64, text: &str) -> String {
    let time_ns = (time_s * 1e9).round() as u64;
    let note = serde_json::json!({"note": text, "running_time_ns": time_ns});
    format!("{note}\n")
}

/// Returns five samples per second, until `end_s`, of faces that follow `scripts`.
fn records(end_s: f64, scripts: &[Script]) -> String {
    let samples = (end_s * 5.0) as u32;
    let lines = (0..samples).map(|sample| {
        let time_s = f64::from(sample) / 5.0;
        let faces = scripts.iter().enumerate().filter_map(|(index, script)| {
            let now = script.iter().rev().find(|(from_s, _)| *from_s <= time_s)?;
            Some(face(index + 1, now.1?))
        });
        record(time_s, &faces.collect::<Vec<_>>())
    });
    lines.collect()
}

/// Returns twenty seconds of two faces: one that changes and is away for a while, one that comes
/// late.
fn two_faces() -> String {
    let changing: Script = &[
        (0.0, NEUTRAL),
        (8.0, POSITIVE),
        (12.0, None),
        (16.0, NEGATIVE),
    ];
    let late: Script = &[(10.0, UNCLEAR), (14.0, NEUTRAL)];
    records(20.0, &[changing, late])
}
