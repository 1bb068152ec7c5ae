// SPDX-License-Identifier: MPL-2.0

//! Recordings with many small faces, and the limits that hide them.

use gst_video::VideoFormat;

use super::*;

/// Average faces in a grid, as in a call.
struct Gallery(Vec<Portrait>);

impl Gallery {
    const COLUMNS: u32 = 5;
    const ROWS: u32 = 3;
    const FACES: usize = (Self::COLUMNS * Self::ROWS) as usize;

    /// Width and height of the frames in pixels.
    const SIZE: (u32, u32) = (1280, 720);

    /// Side of a picture in pixels: in a detector input of 320 px, its face is too small to be found.
    const SIDE: u32 = 52;

    fn new() -> Self {
        let (width, height) = (Self::SIZE.0 / Self::COLUMNS, Self::SIZE.1 / Self::ROWS);
        let cells = (0..Self::ROWS).flat_map(|row| (0..Self::COLUMNS).map(move |c| (c, row)));
        let portraits = cells.map(|(column, row)| {
            let attitude = ["positive", "neutral", "negative"][(column + row) as usize % 3];
            let (left, top) = (column * width + width / 3, row * height + height / 3);
            Portrait::new(attitude, left, top, Self::SIDE)
        });
        Self(portraits.collect())
    }
}

impl Picture for Gallery {
    fn luma(&self, x: u32, y: u32) -> Option<u8> {
        self.0.iter().find_map(|portrait| portrait.luma(x, y))
    }
}

/// Writes a recording of a second.
pub fn write_gallery(path: &Path) {
    let info = info(VideoFormat::I420, Gallery::SIZE.0, Gallery::SIZE.1);
    let drawn = frame(&info, &Gallery::new());
    let frames = std::iter::repeat_n(drawn, 25);
    write_frames(path, &info, frames, MP4);
}

fn faces_per_sample(bench: &Bench) -> Vec<usize> {
    let records = bench.read("out/call/records.jsonl");
    let faces = |line: &str| {
        let record: Value = serde_json::from_str(line).unwrap();
        record["faces"].as_array().unwrap().len()
    };
    records.lines().map(faces).collect()
}

#[test]
fn small_faces_are_found_without_options_and_noted_with_them() {
    let bench = Bench::new();
    write_gallery(&bench.path("call.mp4"));
    bench
        .run_default_models(&["call.mp4"])
        .assert_status(0)
        .assert_said(&["Note: call.mp4: it shows small faces, so it was analyzed with a detector input of 640 px"]);
    assert_eq!(faces_per_sample(&bench), [Gallery::FACES; 5]);
    let summary = bench.json("out/call/summary.json");
    assert_eq!(summary["analysis"]["detector_size"], 640);
    assert_eq!(summary["analysis"]["settings"]["detector_size"], "auto");
    assert!(
        bench
            .read("out/call/report.html")
            .contains("it shows small faces")
    );

    bench
        .run_default_models(&["call.mp4", "--detector-size", "320"])
        .assert_status(0)
        .assert_said(&[
            "Note: call.mp4: small faces are missing: in 1 of 1 check, ",
            "use --detector-size 640",
        ]);
    assert!(
        faces_per_sample(&bench)
            .iter()
            .all(|&faces| faces < Gallery::FACES)
    );
    assert_eq!(
        bench.json("out/call/summary.json")["analysis"]["detector_size"],
        320
    );

    bench
        .run_default_models(&["call.mp4", "--faces", "4", "--detector-size", "640"])
        .assert_status(0)
        .assert_said(&["Note: call.mp4: 5 samples reached the maximum of 4 faces"]);
    assert_eq!(faces_per_sample(&bench), [4; 5]);
}

#[test]
fn a_recording_with_one_large_face_is_analyzed_once_and_without_a_note() {
    let bench = Bench::new();
    let portrait = Portrait::new("positive", 80, 16, 160);
    write_clip(&bench.path("call.mp4"), &[portrait], MP4);
    let run = bench.run_default_models(&["call.mp4", "--faces", "auto"]);
    run.assert_status(0);
    assert!(!run.problems().contains("Note"), "{}", run.problems());
    let summary = bench.json("out/call/summary.json");
    assert_eq!(summary["analysis"]["detector_size"], 320);
    assert_eq!(faces_per_sample(&bench), [1; 5]);
}
