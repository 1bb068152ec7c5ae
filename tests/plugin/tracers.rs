// SPDX-License-Identifier: MPL-2.0

//! Tests with GStreamer's tracers: the time that `faceattitude` delays frames, and that it drops
//! none. `slow.onnx` takes a third of a second or more.

use std::time::Duration;

use crate::support::*;

const FRAMES: usize = 3;
/// Half the usual inference time of `slow.onnx`, to allow for faster machines.
const SLOW: Duration = Duration::from_millis(150);

/// Runs a pipeline of [`FRAMES`] frames, with one face each, through `faceattitude` with
/// `properties`. Returns the output of `tracers`.
fn traced(tracers: &str, properties: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let detector = model("one-face");
    let attitude = model("slow");
    let output = with_plugin("timeout", folder.path())
        .args(["--kill-after=5", "60", "gst-launch-1.0", "-q"])
        .args(["videotestsrc", &format!("num-buffers={FRAMES}"), "!"])
        .args(["video/x-raw,width=160,height=96,framerate=5/1", "!"])
        .args(["faceattitude", "name=analysis", "sample-interval=0"])
        .args(properties.split(' '))
        .arg(format!("detector-model={detector}"))
        .arg(format!("attitude-model={attitude}"))
        .args(["!", "fakesink"])
        .env("GST_TRACERS", tracers)
        .env("GST_DEBUG", "GST_TRACER:7")
        .env("GST_DEBUG_NO_COLOR", "1")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{text}");
    text
}

const LATENCY: &str = "latency(flags=element)";

/// Returns `true` if pipelines end with this tracer; with GStreamer 1.26 they do not.
fn latency_tracer_works() -> bool {
    let launch = "10 gst-launch-1.0 -q videotestsrc num-buffers=1 ! identity ! fakesink";
    let ended = std::process::Command::new("timeout")
        .args(launch.split(' '))
        .env("GST_TRACERS", LATENCY)
        .status();
    let works = ended.unwrap().success();
    if !works {
        println!("skipped: the tracer latency keeps pipelines of this GStreamer from ending");
    }
    works
}

/// Returns the time each frame spends in the element, as reported by the tracer `latency`.
fn latencies(properties: &str) -> Vec<Duration> {
    let text = traced(LATENCY, properties);
    let lines = text
        .lines()
        .filter(|line| line.contains("element-latency,") && line.contains("(string)analysis,"));
    let time_ns = |line: &str| {
        let (_, rest) = line.split_once("time=(guint64)").unwrap();
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next().unwrap();
        digits.parse().unwrap()
    };
    lines
        .map(|line| Duration::from_nanos(time_ns(line)))
        .collect()
}

#[test]
fn the_latency_tracer_reports_the_analysis_time_of_synchronous_frames() {
    if !latency_tracer_works() {
        return;
    }
    let times = latencies("mode=sync");
    assert_eq!(times.len(), FRAMES);
    assert!(times.iter().all(|&time| time > SLOW), "{times:?}");
}

#[test]
fn the_latency_tracer_reports_no_delay_of_live_frames() {
    if !latency_tracer_works() {
        return;
    }
    let times = latencies("mode=live");
    assert_eq!(times.len(), FRAMES);
    assert!(times.iter().all(|&time| time < SLOW), "{times:?}");
}

#[test]
fn the_stats_tracer_counts_the_same_number_of_frames_before_and_after_the_element() {
    let text = traced("stats", "mode=sync");
    // The tracer writes the name of an element once, and its number for each frame.
    let number_of = |element: &str| -> String {
        let line = text
            .lines()
            .find(|line| line.contains("new-element,") && line.contains(element));
        let (_, rest) = line.unwrap().split_once("ix=(uint)").unwrap();
        rest.split(',').next().unwrap().to_owned()
    };
    let analysis = number_of("name=(string)analysis");
    let count = |field: &str| {
        let wanted = format!(" {field}=(uint){analysis},");
        let frames = text.lines().filter(|line| line.contains(" buffer, "));
        frames.filter(|line| line.contains(&wanted)).count()
    };
    assert_eq!(count("peer-element-ix"), FRAMES);
    assert_eq!(count("element-ix"), FRAMES);
}
