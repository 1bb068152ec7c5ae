// SPDX-License-Identifier: MPL-2.0

//! Tests of `attitudeexport`: text for the metadata that frames carry.

use attitude::Label;
use attitude::record::Record;
use attitude::record::formats::jsonl::JSON_SCHEMA;
use gst::prelude::*;
use gst_check::Harness;
use gst_video::VideoFormat;
use gst_video::video_meta::VideoRegionOfInterestMeta;

use crate::support::*;

/// `faceattitude` with the tiny models, followed by `attitudeexport`.
struct Export {
    rig: Rig,
    export: Harness,
}

impl Export {
    fn new(properties: &[(&str, &str)], analyzer: &[(&str, &str)]) -> Self {
        let mut rig = Rig::tiny(&[("smoothing", "0"), ("messages", "sample")]);
        set_properties(&rig.element, analyzer);
        rig.next_pts = gst::ClockTime::from_seconds(10);
        let element = make_element("attitudeexport", properties);
        let mut export = Harness::with_element(&element, Some("sink"), Some("src"));
        export.set_src_caps(rig.info.to_caps().unwrap());
        Self { rig, export }
    }

    /// Passes a frame with a face of this luma, or without a face, through both elements.
    fn pass(&mut self, luma: Option<u8>) {
        let min_face_size = if luma.is_some() { 24u32 } else { 1000 };
        self.rig
            .element
            .set_property("min-face-size", min_face_size);
        let buffer = self.rig.pass_face(luma.unwrap_or(NEUTRAL));
        self.export.push(buffer).unwrap();
    }

    fn pulled(&mut self) -> Vec<gst::Buffer> {
        std::iter::from_fn(|| self.export.try_pull()).collect()
    }

    /// Returns start and end of each output buffer, in frames since the first frame, and its text.
    fn texts(&mut self) -> Vec<(u64, u64, String)> {
        let start = gst::ClockTime::from_seconds(10);
        let frames = |time: gst::ClockTime| (time - start) / FRAME;
        self.pulled()
            .iter()
            .map(|buffer| {
                let pts = buffer.pts().unwrap();
                let end = pts + buffer.duration().unwrap();
                (frames(pts), frames(end), text(buffer))
            })
            .collect()
    }
}

fn text(buffer: &gst::BufferRef) -> String {
    String::from_utf8(bytes(buffer)).unwrap()
}

fn records(buffers: &[gst::Buffer]) -> Vec<Record> {
    let schema = serde_json::from_str(JSON_SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    buffers
        .iter()
        .map(|buffer| {
            let line = text(buffer);
            let value = serde_json::from_str(&line).unwrap();
            validator
                .validate(&value)
                .map_err(|e| e.to_string())
                .unwrap();
            assert_eq!(line.matches('\n').count(), 1);
            serde_json::from_value(value).unwrap()
        })
        .collect()
}

#[test]
fn json_lines_contain_the_records_of_the_messages() {
    let mut export = Export::new(&[], &[]);
    for number in 0..20 {
        export.pass((number < 8).then_some(POSITIVE));
    }
    let buffers = export.pulled();
    let lines = records(&buffers);
    let mut messages = export.rig.records();
    assert_eq!(lines.len(), 4);
    for (line, message) in lines.iter().zip(&mut messages) {
        // The harness gives each element a stream of its own.
        message.stream.clone_from(&line.stream);
        assert_eq!(line, message);
    }
    assert!(lines[3].faces.is_empty(), "{:?}", lines[3]);
    for (buffer, line) in buffers.iter().zip(&lines) {
        assert_eq!(buffer.pts().map(|pts| pts.nseconds()), line.pts_ns);
        assert_eq!(buffer.duration(), Some(FRAME));
    }
}

#[test]
fn valence_quality_and_head_pose_are_read_from_the_metadata() {
    let mut export = Export::new(&[], &[]);
    for luma in [POSITIVE, NEGATIVE] {
        (0..5).for_each(|_| export.pass(Some(luma)));
    }
    let lines = records(&export.pulled());
    let messages = export.rig.records();
    for (line, message) in lines.iter().zip(&messages) {
        let (face, expected) = (&line.faces[0], &message.faces[0]);
        assert_eq!(face.valence, Some(face.scores.valence()));
        assert!(face.pose.is_some());
        assert_eq!((face.valence, face.pose), (expected.valence, expected.pose));
        assert_eq!(face.quality, expected.quality);
        let quality = face.quality.unwrap();
        assert!(quality > 0.7, "{quality}");
        let score = face.scores[face.attitude.attitude().unwrap()];
        assert_eq!(face.confidence, score * quality);
    }
    let [positive, negative] = &lines[..] else {
        panic!("{lines:?}");
    };
    assert!(positive.faces[0].valence > Some(0.5));
    assert!(negative.faces[0].valence < Some(-0.5));
}

#[test]
fn a_face_that_is_not_classified_has_no_valence_and_no_quality() {
    // The upstream region has no landmarks, and is cut off.
    let mut export = Export::new(&[], &[("detect-faces", "false")]);
    let mut buffer = export.rig.frame(&Patch(POSITIVE));
    let region = (WIDTH - 20, 32, 48, 48);
    VideoRegionOfInterestMeta::add(buffer.get_mut().unwrap(), "face", region);
    let passed = export.rig.push(buffer);
    export.export.push(passed).unwrap();
    let lines = records(&export.pulled());
    let face = &lines[0].faces[0];
    assert_eq!(
        (face.attitude, face.valence, face.quality, face.pose),
        (Label::Unknown, None, None, None)
    );
}

#[test]
fn the_interval_selects_the_frames() {
    for (interval, expected) in [
        ("sample", &[0, 5, 10][..]),
        ("change", &[0, 5]),
        ("frame", &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
    ] {
        let mut export = Export::new(&[("interval", interval)], &[]);
        for number in 0..12 {
            export.pass(Some(if number < 5 { NEUTRAL } else { POSITIVE }));
        }
        let lines = records(&export.pulled());
        let frames: Vec<_> = lines.iter().map(|line| line.frame).collect();
        assert_eq!(frames, expected, "{interval}");
        assert!(
            lines
                .iter()
                .all(|line| line.faces[0].fresh == (line.frame % 5 == 0))
        );
    }
}

#[test]
fn csv_has_one_header_and_one_row_per_face() {
    let mut export = Export::new(&[("format", "csv")], &[]);
    for luma in [None, Some(POSITIVE)] {
        (0..5).for_each(|_| export.pass(luma));
        export.export.push_event(gst::event::FlushStart::new());
        export.export.push_event(gst::event::FlushStop::new(true));
        let segment = gst::FormattedSegment::<gst::ClockTime>::new();
        export.export.push_event(gst::event::Segment::new(&segment));
    }
    let file: String = export.pulled().iter().map(|buffer| text(buffer)).collect();
    let lines: Vec<_> = file.lines().collect();
    assert_eq!(lines.len(), 2, "{file}");
    assert!(lines[0].starts_with("stream,frame,pts_ns,"));
    assert!(lines[0].ends_with(",baseline,valence_change,attitude_change"));
    assert!(lines[1].contains(",positive,"));
}

#[test]
fn webvtt_has_one_cue_per_attitude() {
    let mut export = Export::new(&[("format", "webvtt")], &[("sample-interval", "0")]);
    for number in 0..20 {
        export.pass(match number {
            0..4 => None,
            4..10 => Some(NEUTRAL),
            _ => Some(POSITIVE),
        });
    }
    assert!(export.export.push_event(gst::event::Eos::new()));
    let texts = export.texts();
    assert_eq!(texts[0].2, "WEBVTT\n\n");
    assert_eq!(
        texts[1..],
        [
            (
                4,
                10,
                "00:00:10.160 --> 00:00:10.400\n#1 neutral\n\n".to_owned()
            ),
            (
                10,
                20,
                "00:00:10.400 --> 00:00:10.800\n#1 positive\n\n".to_owned()
            ),
        ]
    );
}

#[test]
fn subtitles_for_a_muxer_have_no_gaps_and_are_pushed_when_they_begin() {
    let mut export = Export::new(&[("format", "text")], &[]);
    let mut covered = 0;
    let mut texts = Vec::new();
    for number in 0..60 {
        export.pass((number < 15).then_some(POSITIVE));
        for (start, end, text) in export.texts() {
            assert_eq!(start, covered);
            covered = end;
            texts.push(text);
        }
        assert!(covered > number, "frame {number}");
    }
    texts.dedup();
    assert_eq!(texts, ["#1 positive", " "]);
}

#[test]
fn open_segments_are_dropped_by_a_flush_and_written_by_a_new_stream() {
    for (is_flush, expected) in [(true, 0), (false, 1)] {
        let mut export = Export::new(&[("format", "webvtt")], &[]);
        (0..6).for_each(|_| export.pass(Some(NEUTRAL)));
        if is_flush {
            assert!(export.export.push_event(gst::event::FlushStart::new()));
            assert!(export.export.push_event(gst::event::FlushStop::new(true)));
        } else {
            assert!(
                export
                    .export
                    .push_event(gst::event::StreamStart::new("other"))
            );
        }
        let cues = export
            .pulled()
            .iter()
            .filter(|b| text(b).contains("-->"))
            .count();
        assert_eq!(cues, expected, "flush: {is_flush}");
    }
}

#[test]
fn frames_without_text_are_gaps_so_that_sinks_do_not_wait() {
    let mut export = Export::new(&[("interval", "change")], &[]);
    (0..3).for_each(|_| export.pass(None));
    assert!(export.pulled().is_empty());
    let events = std::iter::from_fn(|| export.export.try_pull_event());
    let types: Vec<_> = events.map(|event| event.type_()).collect();
    assert_eq!(
        types
            .iter()
            .filter(|&&kind| kind == gst::EventType::Gap)
            .count(),
        3
    );
    let position = |kind| types.iter().position(|&found| found == kind).unwrap();
    assert!(position(gst::EventType::StreamStart) < position(gst::EventType::Caps));
    assert!(position(gst::EventType::Caps) < position(gst::EventType::Segment));
    assert!(position(gst::EventType::Segment) < position(gst::EventType::Gap));
}

#[test]
fn the_time_of_day_is_written_if_the_source_provides_it() {
    let mut export = Export::new(&[], &[]);
    let mut buffer = export.rig.frame(&Patch(NEUTRAL));
    let caps = gst::Caps::new_empty_simple("timestamp/x-unix");
    let time = gst::ClockTime::from_seconds(1_700_000_000);
    gst::ReferenceTimestampMeta::add(buffer.get_mut().unwrap(), &caps, time, None);
    let buffer = export.rig.push(buffer);
    export.export.push(buffer).unwrap();
    let line = records(&export.pulled()).remove(0);
    assert_eq!(line.utc.as_deref(), Some("2023-11-14T22:13:20.000000000Z"));
    assert_eq!(export.rig.records()[0].utc, line.utc);
}

#[test]
fn caps_follow_the_format_and_frame_sizes_the_video() {
    for (format, name) in [
        ("jsonl", "application/x-ndjson"),
        ("csv", "text/csv"),
        ("webvtt", "application/x-subtitle-vtt"),
        ("text", "text/x-raw"),
        ("srt", "application/x-subtitle"),
    ] {
        let mut export = Export::new(&[("format", format)], &[]);
        export.pass(Some(NEUTRAL));
        let caps = export
            .export
            .element()
            .unwrap()
            .static_pad("src")
            .unwrap()
            .current_caps();
        assert_eq!(caps.unwrap().structure(0).unwrap().name(), name);
    }
    let mut export = Export::new(&[("interval", "frame")], &[]);
    export.pass(Some(NEUTRAL));
    let double = info(VideoFormat::Gray8, 2 * WIDTH, 2 * HEIGHT);
    export.rig.set_video(double.clone());
    export.export.set_src_caps(double.to_caps().unwrap());
    export.pass(Some(NEUTRAL));
    let sizes = records(&export.pulled())
        .iter()
        .map(|r| (r.width, r.height))
        .collect::<Vec<_>>();
    assert_eq!(sizes, [(WIDTH, HEIGHT), (2 * WIDTH, 2 * HEIGHT)]);
}

/// Frames of `attitudeexport` whose times exceed those of GStreamer do not end it.
#[track_caller]
fn assert_that_times_overflow_without_an_error(
    properties: &[(&str, &str)],
    framerate: &str,
    frames: impl Iterator<Item = gst::Buffer>,
) {
    let element = make_element("attitudeexport", properties);
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    let mut export = Harness::with_element(&element, Some("sink"), Some("src"));
    let caps = format!("video/x-raw,format=GRAY8,width=64,height=64,framerate={framerate}");
    export.set_src_caps_str(&caps);
    for frame in frames {
        assert_eq!(export.push(frame), Ok(gst::FlowSuccess::Ok));
    }
    assert!(export.push_event(gst::event::Eos::new()));
    let error = bus.pop_filtered(&[gst::MessageType::Error]);
    assert!(error.is_none(), "{error:?}");
    bus.set_flushing(true);
}

#[test]
fn times_that_exceed_those_of_gstreamer_are_no_times() {
    let frame = || gst::Buffer::with_size(64 * 64).unwrap();
    let of_68_years = "1/2147483647";
    for format in ["jsonl", "csv", "webvtt", "srt", "text"] {
        assert_that_times_overflow_without_an_error(
            &[("format", format), ("interval", "frame")],
            of_68_years,
            std::iter::repeat_with(frame).take(15),
        );
        let mut endless = frame();
        let buffer = endless.get_mut().unwrap();
        buffer.set_pts(gst::ClockTime::SECOND);
        buffer.set_duration(gst::ClockTime::MAX);
        assert_that_times_overflow_without_an_error(
            &[("format", format), ("interval", "frame")],
            "30/1",
            [endless, frame(), frame()].into_iter(),
        );
    }
}
