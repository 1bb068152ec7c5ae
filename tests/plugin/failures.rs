// SPDX-License-Identifier: MPL-2.0

//! Tests of failures: the stream continues if possible, and messages on the bus describe the
//! failure.

use gst::prelude::*;
use gst_video::VideoFormat;

use attitude::Label;

use crate::support::*;

/// Removes the messages of this type, errors or warnings, from the bus and returns their texts.
fn messages(rig: &Rig, kind: gst::MessageType) -> Vec<String> {
    std::iter::from_fn(|| rig.bus.pop_filtered(&[kind]))
        .map(|message| problem(&message))
        .collect()
}

/// Returns a rig with a classifier that fails on every crop that is not black.
fn failing_rig(properties: &[(&str, &str)]) -> Rig {
    let fails = model("fails");
    let mut all = vec![("attitude-model", &fails[..]), ("sample-interval", "0")];
    all.extend(properties);
    Rig::tiny(&all)
}

#[test]
fn an_invalid_setting_prevents_the_start_and_is_named_in_the_error() {
    for (property, file, reason) in [
        (
            "detector-model",
            "/nowhere/faces.onnx".into(),
            "No such file",
        ),
        (
            "attitude-model",
            model("truncated"),
            "ONNX Runtime rejects it",
        ),
        (
            "attitude-model",
            model("one-face"),
            "set it as detector-model",
        ),
        ("attitude-model", model("five-scores"), "expected ?x3"),
        ("detector-model", model("detector-bad-shape"), "'map_8'"),
        (
            "mapping",
            "good=happiness".into(),
            "invalid attitude 'good'",
        ),
        (
            "mapping",
            "positive=hapiness".into(),
            "lists 'hapiness', which is not a label of the model; its labels are neutral, happiness",
        ),
    ] {
        let refusal = refusal(&element(&[(property, &file)]));
        assert!(
            refusal.contains(reason) && (property == "mapping" || refusal.contains(&file)),
            "{refusal}"
        );
    }
}

#[test]
fn settings_that_the_provider_does_not_have_prevent_the_start() {
    for (properties, reason) in [
        (
            &[("provider-options", "use_tf32")][..],
            "property provider-options: 'use_tf32' is not a list of options",
        ),
        (
            &[("provider-options", "use_tf32=1")],
            "'auto' has no options",
        ),
        (
            &[("execution-provider", "cpu"), ("gpu-mem-limit", "1000000")],
            "'cpu' does not use gpu-mem-limit",
        ),
        (
            &[("provider-library", "/nowhere/libep.so")],
            "'auto' does not use provider-library",
        ),
    ] {
        let refusal = refusal(&element(properties));
        assert!(refusal.contains(reason), "{refusal}");
    }
}

#[test]
fn the_element_starts_after_a_failed_start_once_its_settings_are_valid() {
    let element = element(&[("attitude-model", "/nowhere/attitude.onnx")]);
    assert!(element.set_state(gst::State::Paused).is_err());
    element.set_property("attitude-model", None::<&str>);
    element.set_state(gst::State::Paused).unwrap();
    element.set_state(gst::State::Null).unwrap();
}

#[test]
fn an_unavailable_provider_causes_a_warning_and_a_fallback_or_an_error() {
    for provider in ["cuda", "tensorrt", "openvino", "webgpu"] {
        let rig = Rig::tiny(&[("execution-provider", provider), ("fallback", "warn")]);
        let active = rig.element.property::<String>("active-provider");
        if active == provider {
            println!("skipped: {provider} runs here");
            continue;
        }
        assert_eq!(active, "cpu");
        let warnings = messages(&rig, gst::MessageType::Warning);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        let reason = format!("'{provider}' cannot run");
        assert!(warnings[0].contains(&reason), "{warnings:?}");

        let properties = [("execution-provider", provider), ("fallback", "error")];
        let refusal = refusal(&element(&properties));
        assert!(refusal.contains(&reason), "{refusal}");
    }
    for provider in ["auto", "cpu"] {
        let rig = Rig::tiny(&[("execution-provider", provider)]);
        assert_eq!(messages(&rig, gst::MessageType::Warning), [""; 0]);
    }
}

#[test]
fn frames_pass_if_inference_fails_with_one_warning_per_second() {
    let mut rig = failing_rig(&[]);
    for _ in 0..5 {
        rig.pass();
    }
    let warnings = messages(&rig, gst::MessageType::Warning);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].contains("cannot analyze a frame"),
        "{warnings:?}"
    );
    assert_eq!([rig.stat("frames"), rig.stat("failures")], [5, 5]);
    std::thread::sleep(std::time::Duration::from_millis(1_050));
    rig.pass();
    assert_eq!(messages(&rig, gst::MessageType::Warning).len(), 1);
}

#[test]
fn a_successful_analysis_resets_the_count_of_failures() {
    // A black face has a low quality.
    let mut rig = failing_rig(&[("min-confidence", "0")]);
    for _ in 0..3 {
        (0..9).for_each(|_| drop(rig.pass_face(NEUTRAL)));
        let found = regions(&rig.pass_face(0));
        assert_eq!(found[0].label, "negative");
    }
    assert_eq!(messages(&rig, gst::MessageType::Error), [""; 0]);
    assert_eq!(rig.stat("failures"), 27);
}

#[test]
fn ten_failures_in_a_row_are_an_error() {
    for mode in ["sync", "live"] {
        let mut rig = failing_rig(&[("mode", mode)]);
        let mut passed = 0;
        let error = loop {
            let buffer = rig.frame(&Patch(NEUTRAL));
            match rig.harness.push(buffer) {
                Ok(_) => passed += 1,
                Err(error) => break error,
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
            assert!(passed < 10_000, "{mode}: no error");
        };
        assert_eq!(error, gst::FlowError::Error, "{mode}");
        assert!(passed >= 9, "{mode}: {passed}");
        let errors = messages(&rig, gst::MessageType::Error);
        assert_eq!(errors.len(), 1, "{mode}: {errors:?}");
        assert!(
            errors[0].contains("10 samples in a row failed"),
            "{errors:?}"
        );
        // In a live stream, a sample in flight may have failed too.
        let max_failures = if mode == "live" { 11 } else { 10 };
        let failures = rig.stat("failures");
        assert!(
            (10..=max_failures).contains(&failures),
            "{mode}: {failures}"
        );
    }
}

#[test]
fn a_buffer_too_short_for_its_caps_passes_with_a_warning() {
    for mode in ["sync", "live"] {
        let mut rig = Rig::tiny(&[("mode", mode), ("overlay", "true")]);
        let mut short = gst::Buffer::with_size(10).unwrap();
        short.get_mut().unwrap().set_pts(gst::ClockTime::ZERO);
        let passed = rig.push(short);
        assert_eq!(passed.size(), 10);
        let warnings = messages(&rig, gst::MessageType::Warning);
        assert!(
            warnings[0].contains("10 bytes cannot be mapped as 320x192"),
            "{warnings:?}"
        );
        rig.next_pts = gst::ClockTime::SECOND;
        assert_eq!(rig.pass().size(), rig.info.size());
    }
}

#[test]
fn a_frame_whose_meta_describes_more_than_the_buffer_holds_is_not_analyzed() {
    for (stride, reason) in [(100_000, "plane 0 has"), (-320, "negative stride")] {
        for mode in ["sync", "live"] {
            let mut rig = Rig::tiny(&[("mode", mode), ("overlay", "true")]);
            let mut buffer = rig.frame(&Patch(NEUTRAL));
            let luma = (WIDTH * HEIGHT) as usize;
            gst_video::VideoMeta::add_full(
                buffer.get_mut().unwrap(),
                gst_video::VideoFrameFlags::empty(),
                VideoFormat::I420,
                WIDTH,
                HEIGHT,
                &[0, luma, luma + luma / 4],
                &[stride, 160, 160],
            )
            .unwrap();
            let size = buffer.size();
            assert_eq!(rig.push(buffer).size(), size);
            let warnings = messages(&rig, gst::MessageType::Warning);
            assert!(warnings[0].contains(reason), "{mode}: {warnings:?}");
            rig.next_pts = gst::ClockTime::SECOND;
            assert_eq!(rig.pass().size(), rig.info.size());
        }
    }
}

#[test]
fn a_meta_of_another_size_than_the_caps_does_not_change_the_frames_size() {
    let mut rig = Rig::tiny(&[("messages", "sample")]);
    let large = info(VideoFormat::I420, 2 * WIDTH, 2 * HEIGHT);
    let mut buffer = frame(&large, &Patch(NEUTRAL));
    gst_video::VideoMeta::add(
        buffer.get_mut().unwrap(),
        gst_video::VideoFrameFlags::empty(),
        VideoFormat::I420,
        2 * WIDTH,
        2 * HEIGHT,
    )
    .unwrap();
    buffer.get_mut().unwrap().set_pts(gst::ClockTime::ZERO);
    rig.push(buffer);
    let record = &rig.records()[0];
    assert_eq!((record.width, record.height), (WIDTH, HEIGHT));
    assert_eq!(record.faces[0].bbox, [64.0, 32.0, 48.0, 48.0]);
}

#[test]
fn frames_of_one_pixel_and_frames_of_8k_pass() {
    for format in [VideoFormat::I420, VideoFormat::Yuy2, VideoFormat::Bgr] {
        for (width, height) in [(1, 1), (1, 500), (500, 1), (7680, 4320)] {
            let element = element(&[
                ("mode", "sync"),
                ("overlay", "true"),
                ("messages", "sample"),
                ("min-face-size", "0"),
                ("detector-size", if width == 7680 { "320" } else { "0" }),
            ]);
            let mut rig = Rig::new(element, info(format, width, height));
            rig.pass();
            assert_eq!(rig.stat("samples"), 1, "{format} {width}x{height}");
            assert_eq!(rig.records().len(), 1);
            assert_eq!(messages(&rig, gst::MessageType::Warning), [""; 0]);
        }
    }
}

#[test]
fn of_960_faces_at_most_max_faces_are_tracked() {
    let many = model("many-faces");
    for max_faces in ["1", "16", "512"] {
        let mut rig = Rig::tiny(&[
            ("detector-model", &many),
            ("min-face-size", "0"),
            ("max-faces", max_faces),
            ("overlay", "true"),
            ("sample-interval", "0"),
        ]);
        for _ in 0..3 {
            assert_eq!(regions(&rig.pass()).len().to_string(), max_faces);
        }
    }
}

#[test]
fn scores_of_nan_leave_the_attitude_unknown() {
    let nan = model("nan");
    let mut rig = Rig::tiny(&[
        ("attitude-model", &nan),
        ("overlay", "true"),
        ("messages", "sample"),
    ]);
    let found = regions(&rig.pass());
    assert_eq!((&found[0].label[..], found[0].confidence), ("unknown", 0.0));
    assert_eq!(found[0].scores, [0.0; 3]);
    assert_eq!(rig.records()[0].faces[0].attitude, Label::Unknown);
}

#[test]
fn faces_with_coordinates_of_nan_are_ignored() {
    let nan = model("nan-faces");
    let mut rig = Rig::tiny(&[
        ("detector-model", &nan),
        ("overlay", "true"),
        ("messages", "sample"),
    ]);
    assert_eq!(tracks(&rig.pass()), [0; 0]);
    assert!(rig.records()[0].faces.is_empty());
}

/// Returns a rig with a classifier that never ends on crops that are not black.
fn endless_rig(properties: &[(&str, &str)]) -> Rig {
    let endless = model("endless");
    let mut all = vec![
        ("attitude-model", &endless[..]),
        ("sample-interval", "0"),
        ("inference-timeout", "100000000"),
    ];
    all.extend(properties);
    Rig::tiny(&all)
}

#[test]
fn an_inference_that_takes_too_long_is_stopped_and_counts_as_failed() {
    let mut rig = endless_rig(&[]);
    rig.pass();
    let warnings = messages(&rig, gst::MessageType::Warning);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let reason = "the network was stopped after 100ms without a result";
    assert!(warnings[0].contains(reason), "{warnings:?}");
    assert!(warnings[0].contains("raise inference-timeout"));
    // The same network runs again.
    rig.pass_face(0);
    assert_eq!([rig.stat("samples"), rig.stat("failures")], [1, 1]);
    for _ in 1..10 {
        rig.pass();
    }
    let buffer = rig.frame(&Patch(NEUTRAL));
    assert_eq!(rig.harness.push(buffer), Err(gst::FlowError::Error));
    let errors = messages(&rig, gst::MessageType::Error);
    assert!(
        errors[0].contains("10 samples in a row failed"),
        "{errors:?}"
    );
}

#[test]
fn the_end_of_a_live_stream_does_not_wait_for_an_endless_inference() {
    let mut rig = endless_rig(&[("mode", "live")]);
    let started = std::time::Instant::now();
    rig.pass();
    rig.pass();
    assert!(rig.harness.push_event(gst::event::Eos::new()));
    rig.element.set_state(gst::State::Null).unwrap();
    let elapsed = started.elapsed();
    // A multiple of the timeout, on a busy machine.
    assert!(elapsed < std::time::Duration::from_secs(30), "{elapsed:?}");
}

#[test]
fn more_faces_than_max_faces_cause_one_warning_per_stream() {
    let many = model("many-faces");
    let mut rig = Rig::tiny(&[
        ("detector-model", &many),
        ("min-face-size", "0"),
        ("sample-interval", "0"),
        ("max-faces", "5"),
    ]);
    for _ in 0..3 {
        rig.pass();
    }
    let is_expected = |warnings: &[String]| {
        let number = |text| {
            warnings
                .iter()
                .filter(|warning| warning.contains(text))
                .count()
        };
        // The faces are as small as they are many.
        number("more than 5 faces") == 1
            && number("smaller than 24 px in the detector's input") == 1
    };
    let warnings = messages(&rig, gst::MessageType::Warning);
    assert!(is_expected(&warnings), "{warnings:?}");
    assert_eq!(rig.stat("over-max-faces"), 3);
    rig.begin_stream("another");
    rig.pass();
    let warnings = messages(&rig, gst::MessageType::Warning);
    assert!(is_expected(&warnings), "{warnings:?}");
}

#[test]
fn frames_without_timestamps_have_assumed_times_and_cause_one_warning() {
    let mut rig = Rig::tiny(&[("messages", "sample"), ("sample-interval", "0")]);
    for _ in 0..3 {
        let mut buffer = rig.frame(&Patch(NEUTRAL));
        buffer.get_mut().unwrap().set_pts(gst::ClockTime::NONE);
        rig.push(buffer);
    }
    let records = rig.records();
    let times: Vec<_> = records
        .iter()
        .map(|record| record.running_time_ns)
        .collect();
    assert_eq!(times, [0, 1, 2].map(|frame| Some(frame * FRAME.nseconds())));
    let mut rig = Rig::tiny(&[]);
    for _ in 0..3 {
        let mut buffer = rig.frame(&Patch(NEUTRAL));
        buffer.get_mut().unwrap().set_pts(gst::ClockTime::NONE);
        rig.push(buffer);
    }
    let warnings = messages(&rig, gst::MessageType::Warning);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].contains("frames have no timestamps"),
        "{warnings:?}"
    );
}
