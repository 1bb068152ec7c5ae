// SPDX-License-Identifier: MPL-2.0

//! `attitudeexport`: what it writes of what frames carry.

use attitude::Label;
use attitude::record::Record;
use attitude::record::formats::jsonl::JSON_SCHEMA;
use gst::prelude::*;
use gst_check::Harness;
use gst_video::VideoFormat;

use crate::support::*;

/// `faceattitude` with the tiny models and `attitudeexport` behind it.
struct Export {
    rig: Rig,
    export: Harness,
}

impl Export {
    fn new(properties: &[(&str, &str)], analyzer: &[(&str, &str)]) -> Self {
        let mut rig = Rig::tiny(&[("smoothing", "0"), ("messages", "sample")]);
        for (name, value) in analyzer {
            rig.element.set_property_from_str(name, value);
        }
        rig.next_pts = gst::ClockTime::from_seconds(10);
        let element = gst::ElementFactory::make("attitudeexport").build().unwrap();
        for (name, value) in properties {
            element.set_property_from_str(name, value);
        }
        let mut export = Harness::with_element(&element, Some("sink"), Some("src"));
        export.set_src_caps(rig.info.to_caps().unwrap());
        Self { rig, export }
    }

    /// A frame with a face of that brightness, or with none, goes through both.
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

    /// Each buffer's start and end in frames since the first one, and its text.
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
fn json_lines_say_what_the_messages_say() {
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
fn the_interval_says_which_frames_are_written_about() {
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
fn csv_has_the_names_once_and_a_row_for_each_face() {
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
    assert!(lines[1].contains(",positive,"));
}

#[test]
fn webvtt_has_a_cue_from_where_an_attitude_starts_to_where_it_ends() {
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
fn subtitles_for_a_muxer_have_no_hole_and_come_when_they_begin() {
    let mut export = Export::new(&[("format", "text")], &[]);
    let mut covered = 0;
    let mut said = Vec::new();
    for number in 0..60 {
        export.pass((number < 15).then_some(POSITIVE));
        for (start, end, text) in export.texts() {
            assert_eq!(start, covered);
            covered = end;
            said.push(text);
        }
        assert!(covered > number, "frame {number}");
    }
    said.dedup();
    assert_eq!(said, ["#1 positive", " "]);
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
fn frames_of_which_there_is_nothing_to_say_are_gaps_so_that_sinks_do_not_wait() {
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
fn caps_follow_the_format_and_sizes_the_video() {
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

/// Runs a pipeline to its end.
fn run(description: &str) {
    init();
    let pipeline = gst::parse::launch(description).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let bus = pipeline.bus().unwrap();
    let end = [gst::MessageType::Eos, gst::MessageType::Error];
    let minute = gst::ClockTime::from_seconds(60);
    let message = bus.timed_pop_filtered(minute, &end).expect("it hangs");
    assert_eq!(message.type_(), gst::MessageType::Eos, "{message:?}");
    pipeline.set_state(gst::State::Null).unwrap();
}

/// The cues that GStreamer's own parser finds in a file: start, end, text.
fn parsed(
    location: &std::path::Path,
    demuxer: &str,
) -> Vec<(gst::ClockTime, gst::ClockTime, String)> {
    let buffers = Played::launch(&format!(
        "filesrc location={} ! {demuxer} ! text/x-raw ! appsink name=sink",
        location.display()
    ));
    let cue = |buffer: gst::Buffer| {
        let pts = buffer.pts().unwrap();
        let text = text(&buffer).trim_end_matches('\0').to_owned();
        (pts, pts + buffer.duration().unwrap_or_default(), text)
    };
    buffers.map(cue).collect()
}

/// Red, green and blue that the box of a face has.
fn color(attitude: Label) -> [u8; 3] {
    match attitude {
        Label::POSITIVE => [0x56, 0xB4, 0xE9],
        Label::NEUTRAL => [0xF0, 0xE4, 0x42],
        Label::NEGATIVE => [0xD5, 0x5E, 0x00],
        Label::Unknown => [0x99; 3],
    }
}

/// On how many sides of a face, within a few pixels of it, a frame of such a width in BGRx has a
/// pixel of about that colour.
fn colored_sides(frame: &gst::BufferRef, width: u32, bbox: [f32; 4], color: [u8; 3]) -> usize {
    let pixels = frame.map_readable().unwrap();
    let height = (pixels.len() / 4) as i32 / width as i32;
    let is_colored = |(x, y): (i32, i32)| {
        let is_inside = (0..width as i32).contains(&x) && (0..height).contains(&y);
        let at = (y * width as i32 + x) as usize * 4;
        // The encoder shifts colours.
        is_inside && (0..3).all(|c| pixels[at + 2 - c].abs_diff(color[c]) < 40)
    };
    let [x, y, w, h] = bbox.map(|edge| edge.round() as i32);
    let (middle_x, middle_y) = (x + w / 2, y + h / 2);
    let has = |place: &dyn Fn(i32) -> (i32, i32)| (1..12).any(|d| is_colored(place(d)));
    [
        has(&|d| (x - d, middle_y)),
        has(&|d| (x + w + d, middle_y)),
        has(&|d| (middle_x, y - d)),
        has(&|d| (middle_x, y + h + d)),
    ]
    .into_iter()
    .filter(|&is| is)
    .count()
}

/// Writes an annotated video with subtitles and three files in one pass, and checks that all tell the
/// same of every frame.
fn check_one_pass(source: &str, analyzer: &str, muxer: &str, demuxer: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    run(&format!(
        "{source} ! faceattitude {analyzer} ! tee name=t \
         t. ! queue ! attitudeoverlay ! videoconvert ! x264enc tune=zerolatency speed-preset=ultrafast ! \
         queue ! {muxer} name=m ! filesink location={} \
         t. ! queue ! attitudeexport format=text ! queue ! m. \
         t. ! queue ! attitudeexport interval=frame ! filesink location={} \
         t. ! queue ! attitudeexport interval=frame format=csv ! filesink location={} \
         t. ! queue ! attitudeexport format=webvtt ! filesink location={} \
         t. ! queue ! attitudeexport format=srt ! filesink location={}",
        file("video").display(),
        file("jsonl").display(),
        file("csv").display(),
        file("vtt").display(),
        file("srt").display(),
    ));
    let lines = std::fs::read_to_string(file("jsonl")).unwrap();
    let records: Vec<Record> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let mut reader = csv::Reader::from_path(file("csv")).unwrap();
    let mut rows = reader.records().map(Result::unwrap);
    let whole = parsed(&file("vtt"), "subparse");
    assert_eq!(parsed(&file("srt"), "subparse"), whole);
    let pieces = parsed(&file("video"), demuxer);
    assert!(records.len() > 50);
    let mut frames = Played::launch(&format!(
        // GStreamer 1.26 does not always survive it where it decodes into the next element's memory.
        "filesrc location={} ! {} ! h264parse ! avdec_h264 direct-rendering=false ! \
         videoconvert ! video/x-raw,format=BGRx ! appsink name=sink",
        file("video").display(),
        demuxer.replace("subtitle", "video")
    ));
    let (mut boxes, mut colored) = (0, 0);
    for record in &records {
        let frame = frames.next().unwrap();
        let said: Vec<_> = record
            .faces
            .iter()
            .map(|face| format!("#{} {}", face.track, face.attitude))
            .collect();
        for face in &record.faces {
            let row = rows.next().unwrap();
            assert_eq!(row[1].parse(), Ok(record.frame));
            assert_eq!(row[8].parse(), Ok(face.track));
            assert_eq!(row[14], *face.attitude.name());
            assert_eq!(row[15].parse(), Ok(face.confidence));
            let sides = colored_sides(&frame, record.width, face.bbox, color(face.attitude));
            boxes += 1;
            colored += usize::from(sides >= 3);
        }
        // In the middle of the frame, as files of subtitles round their times.
        let middle_ns = record.stream_time_ns.unwrap() + 15_000_000;
        let middle = gst::ClockTime::from_nseconds(middle_ns);
        let at = |cues: &[(gst::ClockTime, gst::ClockTime, String)]| {
            let is_shown =
                |(start, end): (gst::ClockTime, gst::ClockTime)| start <= middle && middle < end;
            let cue = cues.iter().find(|(start, end, _)| is_shown((*start, *end)));
            cue.map_or(String::new(), |(_, _, text)| text.trim().to_owned())
        };
        assert_eq!(at(&whole), said.join("\n"), "frame {}", record.frame);
        assert_eq!(at(&pieces), said.join("\n"), "frame {}", record.frame);
    }
    assert!(rows.next().is_none() && frames.next().is_none());
    assert_eq!(colored, boxes);
}

#[test]
fn one_pass_writes_a_video_with_subtitles_and_three_files_that_agree_on_every_frame() {
    let generated = format!("videotestsrc num-buffers=60 pattern=white ! {LAUNCH_CAPS}");
    let clip = shared("clips/woman2.mp4").map(|path| {
        format!(
            "filesrc location={} ! decodebin ! videoconvert",
            path.display()
        )
    });
    for (muxer, demuxer) in [("mp4mux", "qtdemux"), ("matroskamux", "matroskademux")] {
        let demuxer = format!("{demuxer} name=demuxer demuxer.subtitle_0");
        check_one_pass(&generated, &tiny_launch(), muxer, &demuxer);
        if let Some(clip) = &clip {
            check_one_pass(clip, "", muxer, &demuxer);
        }
    }
}

#[test]
fn dropped_attitudes_cause_a_warning_with_a_remedy() {
    init();
    for reader in ["attitudeexport", "attitudeoverlay"] {
        let pipeline = gst::parse::launch(&format!(
            "videotestsrc num-buffers=20 pattern=white ! {LAUNCH_CAPS} ! \
             faceattitude analytics-meta=false {} ! videoconvert ! video/x-raw,format=RGB ! {reader} ! \
             fakesink",
            tiny_launch()
        ))
        .unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        let bus = pipeline.bus().unwrap();
        let kinds = [
            gst::MessageType::Warning,
            gst::MessageType::Error,
            gst::MessageType::Eos,
        ];
        let minute = gst::ClockTime::from_seconds(60);
        let messages = std::iter::from_fn(|| bus.timed_pop_filtered(minute, &kinds));
        let warnings: Vec<_> = messages
            .take_while(|message| message.type_() == gst::MessageType::Warning)
            .map(|message| problem(&message))
            .collect();
        assert_eq!(warnings.len(), 1, "{reader} {warnings:?}");
        assert!(
            warnings[0].contains("right after faceattitude"),
            "{warnings:?}"
        );
        pipeline.set_state(gst::State::Null).unwrap();
        bus.set_flushing(true);
    }
}
