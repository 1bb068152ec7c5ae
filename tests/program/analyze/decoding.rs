// SPDX-License-Identifier: MPL-2.0

//! What is decoded of a recording, and the times of its frames.

use gst_video::VideoFormat;

use super::*;

const TS: &str = "x264enc speed-preset=ultrafast ! mpegtsmux";

/// Returns the positions of the samples of a recording in milliseconds, rounded.
fn positions_ms(bench: &Bench, name: &str) -> Vec<u64> {
    let records = bench.read(&format!("out/{name}/records.jsonl"));
    let position_ms = |line: &str| {
        let record: Value = serde_json::from_str(line).unwrap();
        (record["stream_time_ns"].as_u64().unwrap() + 500_000) / 1_000_000
    };
    records.lines().map(position_ms).collect()
}

fn duration_ms(bench: &Bench, name: &str) -> u64 {
    let summary = bench.json(&format!("out/{name}/summary.json"));
    summary["recording"]["duration_ns"].as_u64().unwrap() / 1_000_000
}

/// Asserts that times are equal, except that containers round them.
fn assert_near(times_ms: &[u64], expected_ms: &[u64]) {
    let is_near = |(a, b): (&u64, &u64)| a.abs_diff(*b) <= 2;
    let are_near = times_ms.iter().zip(expected_ms).all(is_near);
    assert!(
        times_ms.len() == expected_ms.len() && are_near,
        "{times_ms:?} instead of {expected_ms:?}"
    );
}

#[test]
fn the_first_timestamp_is_the_start_of_the_recording() {
    let bench = Bench::new();
    let late = |encoding| format!("identity ts-offset=6000000000 ! {encoding}");
    bench.clip("whole.mp4").encode("stream.ts", TS);
    bench.encode("piece.mkv", &late(MATROSKA));
    let inputs = ["whole.mp4", "piece.mkv", "stream.ts"];
    bench.analyze(&inputs);
    let expected = positions_ms(&bench, "whole");
    assert_eq!((expected.len(), expected[0]), (15, 0));
    for name in ["piece", "stream"] {
        assert_near(&positions_ms(&bench, name), &expected);
        assert_near(&[duration_ms(&bench, name)], &[3000]);
        assert_eq!(
            bench.read(&format!("out/{name}/attitude.vtt")),
            bench.read("out/whole/attitude.vtt")
        );
    }
    bench.analyze(&[&inputs[..], &["--from", "1", "--to", "2"]].concat());
    for name in ["whole", "piece", "stream"] {
        let positions = positions_ms(&bench, name);
        assert_eq!(positions.len(), 5, "{name}: {positions:?}");
        assert!(
            (1000..1045).contains(&positions[0]),
            "{name}: {positions:?}"
        );
    }
}

#[test]
fn sound_that_starts_before_the_video_is_the_start_of_a_transport_stream() {
    let bench = Bench::new();
    init();
    // The clock of the program begins with the video.
    run_pipeline(&format!(
        "mpegtsmux name=muxer prog-map=\"program_map,sink_65=1,sink_66=1,PCR_1=sink_65\" ! filesink location={} \
         videotestsrc num-buffers=75 timestamp-offset=2000000000 ! video/x-raw,width=320,height=192,framerate=25/1 \
         ! x264enc speed-preset=ultrafast ! queue ! muxer.sink_65 \
         audiotestsrc num-buffers=50 samplesperbuffer=4410 ! audio/x-raw,rate=44100 ! avenc_aac ! aacparse \
         ! queue max-size-time=0 max-size-bytes=0 max-size-buffers=0 ! muxer.sink_66",
        bench.path("late.ts").display(),
    ));
    // Without the clock, no packet has a timestamp for GStreamer.
    let mut stream = std::fs::read(bench.path("late.ts")).unwrap();
    for packet in stream.chunks_mut(188) {
        let has_fields = packet[3] & 0x20 != 0 && packet[4] > 0;
        packet[5] &= if has_fields { !0x10 } else { 0xff };
    }
    std::fs::write(bench.path("no-clock.ts"), stream).unwrap();
    bench.analyze(&["late.ts", "no-clock.ts", "--annotate"]);
    // The annotated video has the same times.
    let annotated = bench.path("out/no-clock/annotated.mp4");
    std::fs::rename(annotated, bench.path("annotated.mp4")).unwrap();
    let assert_late = |name| {
        let positions = positions_ms(&bench, name);
        assert_eq!(positions.len(), 15);
        assert!(
            (1900..2100).contains(&positions[0]),
            "{name}: {positions:?}"
        );
    };
    assert_late("late");
    assert_late("no-clock");
    bench.analyze(&["annotated.mp4"]);
    assert_late("annotated");
}

/// Writes a recording with three seconds of video, which begin at `video_start_s`, and a sound of
/// `sound_s` seconds.
fn with_sound(bench: &Bench, name: &str, video_start_s: u64, sound_s: u64) {
    run_pipeline(&format!(
        "videotestsrc num-buffers=75 timestamp-offset={} ! video/x-raw,width=320,height=192,framerate=25/1 \
         ! x264enc speed-preset=ultrafast ! queue ! mp4mux name=muxer ! filesink location={} \
         audiotestsrc num-buffers={} samplesperbuffer=4410 ! audio/x-raw,rate=44100 ! avenc_aac \
         ! queue max-size-time=0 max-size-bytes=0 max-size-buffers=0 ! muxer.",
        video_start_s * 1_000_000_000,
        bench.path(name).display(),
        sound_s * 10
    ));
}

#[test]
fn a_video_that_is_much_shorter_than_the_sound_is_analyzed() {
    let bench = Bench::new();
    with_sound(&bench, "talk.mp4", 0, 20);
    for options in [&[][..], &["--annotate"]] {
        bench.analyze(&[&["talk.mp4", "--force"], options].concat());
        assert_eq!(positions_ms(&bench, "talk").len(), 15);
    }
}

#[test]
fn a_part_without_frames_is_reported() {
    let bench = Bench::new();
    with_sound(&bench, "late.mp4", 5, 8);
    bench.analyze(&["late.mp4", "--annotate"]);
    let positions = positions_ms(&bench, "late");
    assert_eq!((positions.len(), positions[0]), (15, 5000));
    for options in [&[][..], &["--annotate"]] {
        bench
            .run(&[&["late.mp4", "--from", "1", "--to", "3"], options].concat())
            .assert_status(1)
            .assert_said(&["late.mp4: it has no frame between --from and --to"]);
    }
}

#[test]
fn a_picture_that_stands_is_on_the_screen() {
    let bench = Bench::new();
    let info = info(VideoFormat::I420, WIDTH, HEIGHT);
    let frames = (0..50).map(|number| {
        // The second half begins four seconds later.
        let time = FRAME * number + gst::ClockTime::SECOND * (4 * (number / 25));
        (time, frame(&info, &Patch(NEUTRAL)))
    });
    write_timed_frames(&bench.path("talk.mkv"), &info, frames, MATROSKA);
    bench.analyze(&["talk.mkv"]);
    let positions = positions_ms(&bench, "talk");
    // The frame that stands is a sample, besides those at the interval.
    assert_near(&positions[4..7], &[800, 960, 5000]);
    let summary = bench.json("out/talk/summary.json");
    assert_eq!(summary["scene"]["gaps"], serde_json::json!([]));
    assert_near(
        &[summary["scene"]["seen_ns"].as_u64().unwrap() / 1_000_000],
        &[6000],
    );
    let subtitles = bench.read("out/talk/attitude.vtt");
    // The track ends during the picture that stands, but it is shown up to the next one.
    assert!(
        subtitles.contains("00:00:00.000 --> 00:00:05.000"),
        "{subtitles}"
    );
    assert!(
        subtitles.contains("00:00:05.000 --> 00:00:06.000"),
        "{subtitles}"
    );
}

#[test]
fn frames_without_timestamps_have_assumed_times() {
    let bench = Bench::new();
    bench.encode("dump.mjpeg", "jpegenc");
    // In a folder, it is no picture.
    let run = bench.run(&["."]);
    run.assert_status(0)
        .assert_said(&["dump.mjpeg: ", " frames have no timestamps"]);
    let positions: Vec<u64> = (0..15).map(|sample| sample * 200).collect();
    assert_eq!(positions_ms(&bench, "dump"), positions);
    let notes = bench.json("out/dump/summary.json")["notes"].clone();
    assert_eq!(notes.as_array().unwrap().len(), 1, "{notes}");
}

#[test]
fn a_recording_whose_size_changes_has_one_size() {
    let bench = Bench::new();
    for (name, width, height) in [("large.mjpeg", WIDTH, HEIGHT), ("small.mjpeg", 160, 96)] {
        let info = info(VideoFormat::I420, width, height);
        let frames = (0..25).map(|_| frame(&info, &Patch(NEUTRAL)));
        write_frames(&bench.path(name), &info, frames, "jpegenc");
    }
    let parts = ["large.mjpeg", "small.mjpeg"].map(|name| std::fs::read(bench.path(name)).unwrap());
    std::fs::write(bench.path("both.mjpeg"), parts.concat()).unwrap();
    bench.analyze(&["both.mjpeg", "--annotate"]);
    let records = bench.read("out/both/records.jsonl");
    let sizes = records.lines().map(|line| {
        let record: Value = serde_json::from_str(line).unwrap();
        [&record["width"], &record["height"]].map(|side| side.as_u64().unwrap())
    });
    let sizes: Vec<[u64; 2]> = sizes.collect();
    assert_eq!(sizes, vec![[320, 192]; 10]);
    let persons = bench.json("out/both/summary.json")["persons"].clone();
    assert_eq!(persons.as_array().unwrap().len(), 1);
    let video = bench.path("out/both/annotated.mp4");
    let played = Played::launch(&format!(
        "filesrc location={} ! decodebin ! videoconvert ! video/x-raw,width=320,height=192 ! appsink name=sink",
        video.display()
    ));
    assert_eq!(played.count(), 50);
}

#[test]
fn a_recording_of_an_upright_phone_is_analyzed_upright_and_not_smaller() {
    let bench = Bench::new();
    bench.clip("phone.mp4");
    turn_mp4(&bench.path("phone.mp4"));
    bench.analyze(&["phone.mp4"]);
    let records = bench.read("out/phone/records.jsonl");
    for line in records.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        assert_eq!(record["width"], HEIGHT);
        assert_eq!(record["height"], WIDTH);
    }
    assert!(!records.is_empty());
}

#[test]
fn sound_of_any_layout_is_in_the_annotated_video() {
    let bench = Bench::new();
    for (name, channels) in [("recorder.mov", 4), ("mixer.mov", 16)] {
        run_pipeline(&format!(
            "videotestsrc num-buffers=25 ! video/x-raw,width=320,height=192,framerate=25/1 ! {} \
             ! qtmux name=muxer ! filesink location={} audiotestsrc num-buffers=10 samplesperbuffer=4410 \
             ! audio/x-raw,format=S16LE,rate=44100,channels={channels},channel-mask=(bitmask)0 ! queue \
             ! muxer.",
            "x264enc speed-preset=ultrafast tune=zerolatency ! queue",
            bench.path(name).display()
        ));
    }
    bench.analyze(&["recorder.mov", "mixer.mov", "--annotate"]);
    for name in ["recorder", "mixer"] {
        let video = std::fs::read(bench.path(&format!("out/{name}/annotated.mp4"))).unwrap();
        assert!(video.windows(4).any(|bytes| bytes == b"soun"), "{name}");
    }
}

#[test]
fn a_web_page_with_the_name_of_a_video_is_no_recording() {
    let bench = Bench::new();
    let page = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body></body></html>\n";
    std::fs::write(bench.path("talk.mp4"), page.repeat(100)).unwrap();
    bench
        .run(&["talk.mp4"])
        .assert_status(1)
        .assert_said(&["talk.mp4: it is not a recording that GStreamer can read"]);
}

#[test]
fn sound_that_is_longer_than_the_video_is_no_damage() {
    let bench = Bench::new();
    with_sound(&bench, "talk.mp4", 0, 8);
    bench.analyze(&["talk.mp4"]);
    assert_eq!(positions_ms(&bench, "talk").len(), 15);
}

#[test]
fn a_limit_of_faces_that_may_hide_people_is_noted() {
    let bench = Bench::new();
    bench.clip("talk.mp4");
    bench
        .run(&["talk.mp4", "--max-faces", "1"])
        .assert_status(0)
        .assert_said(&["Note: talk.mp4: 15 samples reached the maximum of 1 face"]);
}

#[test]
fn notes_are_in_the_summary_the_report_and_the_events() {
    let bench = Bench::new();
    bench.clip("talk.mp4");
    let arguments = ["talk.mp4", "--max-faces", "1", "--json"];
    for kind in ["done", "skipped"] {
        let run = bench.run(&arguments);
        let events = run.assert_status(0).events();
        let event = events.iter().find(|event| event["event"] == kind);
        let notes = &event.unwrap_or_else(|| panic!("no {kind} in {events:?}"))["notes"];
        assert_eq!(*notes, bench.json("out/talk/summary.json")["notes"]);
        let mut notes = notes.as_array().unwrap().iter().filter_map(Value::as_str);
        let note = notes.find(|note| note.starts_with("15 samples reached the maximum"));
        let note = note.unwrap();
        let page = bench.read("out/talk/report.html");
        assert!(
            page.contains(&format!("<strong>Note: </strong>{note}</p>")),
            "{page}"
        );
    }
    bench
        .run(&["talk.mp4", "--max-faces", "2", "--json"])
        .assert_status(0);
    assert!(
        !bench
            .read("out/talk/report.html")
            .contains("reached the maximum")
    );
}

#[test]
fn nothing_is_seen_for_longer_than_the_part_that_is_analyzed() {
    let bench = Bench::new();
    bench.clip("talk.mp4");
    for (part, length_ns) in [
        (&[][..], 3_000_000_000_u64),
        (&["--to", "1.9"], 1_900_000_000),
        (&["--from", "1", "--to", "2.05"], 1_050_000_000),
    ] {
        bench.analyze(&[&["talk.mp4"], part].concat());
        let summary = bench.json("out/talk/summary.json");
        let seen_ns = summary["scene"]["seen_ns"].as_u64().unwrap();
        assert!(
            seen_ns > length_ns / 2 && seen_ns <= length_ns,
            "{part:?}: {seen_ns}"
        );
    }
}

#[test]
fn data_that_are_damaged_in_the_middle_are_skipped() {
    let bench = Bench::new();
    bench.long_clip("whole.mp4", 8);
    let byte_stream = "video/x-h264,stream-format=byte-stream ! avimux";
    for (name, muxer, byte) in [
        // The demuxer posts an error about an id without a size, and nothing about an id that is too
        // long: it continues with the next cluster.
        ("error.mkv", "matroskamux", 0x1f),
        ("silent.mkv", "matroskamux", 0x04),
        ("chunks.avi", byte_stream, 0),
        ("fragments.mp4", "mp4mux fragment-duration=500", 0),
    ] {
        run_pipeline(&format!(
            "filesrc location={} ! qtdemux ! h264parse ! {muxer} ! filesink location={}",
            bench.path("whole.mp4").display(),
            bench.path(name).display()
        ));
        let mut content = std::fs::read(bench.path(name)).unwrap();
        let (middle, len) = (content.len() / 2, content.len() / 20);
        content[middle..middle + len].fill(byte);
        std::fs::write(bench.path(name), content).unwrap();
        bench.run(&[name]).assert_status(1).assert_said(&[
            &format!("{name}: damaged: "),
            " of the file are damaged and were skipped",
        ]);
        let positions = positions_ms(&bench, name.split_once('.').map_or(name, |(stem, _)| stem));
        assert!(
            positions.last().is_some_and(|&ms| ms > 7500),
            "{name}: {positions:?}"
        );
        assert!(positions.len() > 30, "{name}: {positions:?}");
    }
}

#[test]
fn frames_that_cannot_be_decoded_are_damage() {
    let bench = Bench::new();
    init();
    run_pipeline(&format!(
        "videotestsrc num-buffers=200 pattern=ball ! video/x-raw,width=320,height=192,framerate=25/1 \
         ! x264enc speed-preset=ultrafast key-int-max=50 ! mp4mux ! filesink location={}",
        bench.path("whole.mp4").display()
    ));
    bench.analyze(&["whole.mp4"]);
    let whole = std::fs::read(bench.path("whole.mp4")).unwrap();
    // The boxes are in this order.
    let position_of = |kind| whole.windows(4).position(|bytes| bytes == kind).unwrap();
    let (data, index) = (position_of(b"mdat") + 12, position_of(b"moov") - 4);
    let len = (index - data) / 20;
    for (name, start, from) in [
        ("start.mp4", data, "from 0:00.0 to 0:0"),
        ("middle.mp4", (data + index) / 2, "from 0:0"),
        ("end.mp4", index - len, "from 0:07."),
    ] {
        let mut content = whole.clone();
        content[start..start + len].fill(0x1f);
        std::fs::write(bench.path(name), content).unwrap();
        bench.run(&[name]).assert_status(1).assert_said(&[
            &format!("{name}: damaged: "),
            &format!(" frames cannot be decoded or have damage, {from}"),
        ]);
    }
    let last_ms = positions_ms(&bench, "middle").pop();
    assert!(last_ms.is_some_and(|ms| ms > 7500), "{last_ms:?}");
}
