// SPDX-License-Identifier: MPL-2.0

//! Tests of `pipelines/consume_meta.py`: it prints the metadata and messages that Rust reads. If
//! Debian's Python has no bindings of GStreamer, these tests are skipped.

use std::process::Output;
use std::sync::{Arc, Mutex};

use attitude::{Label, Scores};

use attitude::record::{FaceRecord, Record};
use gst::prelude::*;

use crate::support::*;

/// Runs the script with this argument; returns `None` if Python cannot run it.
fn consume(argument: &str) -> Option<Output> {
    if !has_bindings(&["Gst", "GstVideo"]) {
        return None;
    }
    let script = project("pipelines/consume_meta.py");
    let folder = tempfile::tempdir().unwrap();
    let mut python = with_plugin(SYSTEM_PYTHON, folder.path());
    Some(python.arg(script).arg(argument).output().unwrap())
}

/// Returns a pipeline that analyzes a positive and a neutral face side by side.
fn two_faces() -> String {
    let picture = |attitude: &str| {
        let file = fixture(&format!("{attitude}.png"));
        format!(
            "filesrc location={} ! pngdec ! imagefreeze num-buffers=30 ! videoconvert ! videoscale \
             ! video/x-raw,format=I420,width=240,height=240,framerate=25/1 ! both. ",
            file.display()
        )
    };
    format!(
        "{}{}compositor name=both sink_1::xpos=240 ! video/x-raw,format=I420,width=480,height=240 \
         ! faceattitude name=faces mode=sync messages=sample ! fakesink",
        picture("positive"),
        picture("neutral")
    )
}

/// Returns the line that the script prints for a face.
fn line(kind: &str, time_ns: u64, bbox: [f32; 4], face: &FaceRecord) -> String {
    let seconds = |ns: u64| ns as f64 / 1e9;
    let [left, top, width, height] = bbox;
    format!(
        "{kind} {:.3} face {} box {left:.0},{top:.0},{width:.0},{height:.0} {} {:.2} \
         scores {:.2},{:.2},{:.2} quality {:.2} {} age {:.3}",
        seconds(time_ns),
        face.track,
        face.attitude,
        face.confidence,
        face.scores.positive,
        face.scores.neutral,
        face.scores.negative,
        face.quality.unwrap(),
        if face.fresh { "fresh" } else { "kept" },
        seconds(face.age_ns),
    )
}

/// Returns the lines that the script must print for a frame.
fn frame_lines(buffer: &gst::BufferRef) -> Vec<String> {
    let of_region = |region: &Region| {
        let (left, top, width, height) = region.bbox;
        let [positive, neutral, negative] = region.scores.map(|score| score as f32);
        let face = FaceRecord {
            track: region.track as u32,
            attitude: Label::from_name(&region.label).unwrap(),
            confidence: region.confidence as f32,
            scores: Scores {
                positive,
                neutral,
                negative,
            },
            quality: region.quality.map(|quality| quality as f32),
            fresh: region.is_fresh,
            age_ns: region.age.nseconds(),
            ..FaceRecord::default()
        };
        let bbox = [left, top, width, height].map(|number| number as f32);
        line("frame", buffer.pts().unwrap().nseconds(), bbox, &face)
    };
    regions(buffer).iter().map(of_region).collect()
}

/// Runs a pipeline, and returns the lines that the script must print for its frames and for its
/// messages.
fn expected_lines(description: &str) -> (Vec<String>, Vec<String>) {
    init();
    let pipeline = gst::parse::launch(description).unwrap();
    let pipeline = pipeline.downcast::<gst::Pipeline>().unwrap();
    let frames = Arc::new(Mutex::new(Vec::new()));
    let pad = pipeline
        .by_name("faces")
        .unwrap()
        .static_pad("src")
        .unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, {
        let frames = frames.clone();
        move |_, info| {
            let lines = frame_lines(info.buffer().unwrap());
            frames.lock().unwrap().extend(lines);
            gst::PadProbeReturn::Ok
        }
    });
    let mut messages = Vec::new();
    for record in run_for_records(&pipeline) {
        let time_ns = record.running_time_ns.unwrap();
        let faces = record.faces.iter();
        messages.extend(faces.map(|face| line("message", time_ns, face.bbox, face)));
    }
    (std::mem::take(&mut frames.lock().unwrap()), messages)
}

#[test]
fn the_script_prints_the_metadata_and_messages_of_the_element() {
    let description = two_faces();
    let Some(output) = consume(&description) else {
        return;
    };
    assert!(output.status.success(), "{output:?}");
    // Debian 13's ONNX Runtime registers operators twice and complains of it.
    let complaints = String::from_utf8(output.stderr).unwrap();
    let is_known = |line: &str| line.is_empty() || line.starts_with("Schema error: ");
    assert!(complaints.lines().all(is_known), "{complaints}");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = |kind| text.lines().filter(move |line| line.starts_with(kind));
    let (frames, messages) = expected_lines(&description);
    assert_eq!(frames.len(), 2 * 30);
    assert_eq!(messages.len(), 2 * 6);
    for attitude in [" positive ", " neutral "] {
        let count = frames.iter().filter(|line| line.contains(attitude)).count();
        assert_eq!(count, 30, "{attitude}: {frames:#?}");
    }
    assert_eq!(lines("frame").collect::<Vec<_>>(), frames);
    assert_eq!(lines("message").collect::<Vec<_>>(), messages);
}

#[test]
fn a_failing_script_prints_the_error_and_exits_with_status_1() {
    for (argument, problem) in [
        ("/nowhere.mp4", "no such file: /nowhere.mp4"),
        ("videotestsrc ! fakesink", "no element named faces"),
        (
            "videotestsrc ! nosuchelement name=faces ! fakesink",
            "nosuchelement",
        ),
        (
            "videotestsrc ! faceattitude name=faces detector-model=/nowhere ! fakesink",
            "/nowhere",
        ),
    ] {
        let Some(output) = consume(argument) else {
            return;
        };
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(problem) && !text.contains(".c("), "{text}");
    }
}

#[test]
fn the_help_contains_an_example() {
    let Some(output) = consume("--help") else {
        return;
    };
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("consume_meta.py interview.mp4"), "{text}");
}

#[test]
fn the_script_prints_the_attitudes_that_the_export_writes() {
    let Some(clip) = shared("clips/woman2.mp4") else {
        return;
    };
    let analysis = format!(
        "filesrc location={} ! decodebin ! videoconvert ! faceattitude name=faces mode=sync messages=none",
        clip.display()
    );
    let Some(output) = consume(&format!("{analysis} ! fakesink")) else {
        return;
    };
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let printed = text.lines().map(|line| line.split(' ').nth(6).unwrap());

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lines");
    run_pipeline(&format!(
        "{analysis} ! attitudeexport interval=frame ! filesink location={}",
        file.display()
    ));
    let lines = std::fs::read_to_string(file).unwrap();
    let exported: Vec<_> = lines
        .lines()
        .flat_map(|line| serde_json::from_str::<Record>(line).unwrap().faces)
        .map(|face| face.attitude)
        .collect();
    assert!(exported.len() > 400, "{}", exported.len());
    assert!(printed.eq(exported.iter().map(|label| label.name())));
}
