// SPDX-License-Identifier: MPL-2.0

//! Mode `sync`: metadata, messages, events, queries and states.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use gst::prelude::*;
use gst_video::video_meta::VideoRegionOfInterestMeta;
use gst_video::{VideoFormat, VideoInfo, VideoMeta};

mod common;
use common::*;

/// Longer than anything here takes: a test that waits for it fails instead of hanging.
const FOREVER: gst::ClockTime = gst::ClockTime::from_seconds(60);

#[test]
fn every_frame_carries_the_face_and_says_how_old_its_attitude_is() {
    let info = info(VideoFormat::I420, WIDTH, HEIGHT);
    let mut rig = Rig::new(element(&[("mode", "sync")]), info);
    let portrait = Portrait::new("positive", 90, 20, 140);
    for number in 0..12u64 {
        let buffer = rig.frame(&portrait);
        let found = regions(&rig.push(buffer));
        let [face] = &found[..] else {
            panic!("frame {number}: {found:?}");
        };
        assert_eq!((face.track, &face.label[..]), (1, "positive"), "{number}");
        assert_eq!(face.age, FRAME * (number % 5), "frame {number}");
        assert_eq!(face.is_fresh, number % 5 == 0, "frame {number}");
        let (x, y, w, h) = face.bbox;
        let (center_x, center_y) = (x + w / 2, y + h / 2);
        assert!(
            center_x.abs_diff(160) < 20 && center_y.abs_diff(90) < 25,
            "{face:?}"
        );
    }
}

#[test]
fn a_region_has_the_params_that_dl_streamer_reads() {
    let buffer = Rig::tiny(&[("smoothing", "0")]).pass();
    let roi = buffer.meta::<VideoRegionOfInterestMeta>().unwrap();
    assert_eq!((roi.roi_type(), roi.rect()), ("face", face_rect()));
    let described: Vec<_> = roi
        .params()
        .flat_map(|param| {
            let name = param.name().to_string();
            let fields = param
                .iter()
                .map(|(field, value)| (field.to_string(), value.type_()));
            fields
                .map(|(field, kind)| format!("{name} {field}: {kind}"))
                .collect::<Vec<_>>()
        })
        .collect();
    let attitude = "classification_layer_name:attitude";
    let mut expected: Vec<_> = ["x_min", "x_max", "y_min", "y_max", "confidence"]
        .map(|field| format!("detection {field}: gdouble"))
        .to_vec();
    expected.extend([
        "detection label_id: gint".into(),
        "object_id id: gint".into(),
    ]);
    for (fields, kind) in [
        (
            &["label", "model_name", "attribute_name", "type"][..],
            "gchararray",
        ),
        (&["label_id", "tensor_id"], "gint"),
        (
            &["confidence", "positive", "neutral", "negative"],
            "gdouble",
        ),
        (&["raw-positive", "raw-neutral", "raw-negative"], "gdouble"),
        (&["age-ns"], "guint64"),
        (&["fresh"], "gboolean"),
    ] {
        expected.extend(
            fields
                .iter()
                .map(|field| format!("{attitude} {field}: {kind}")),
        );
    }
    let sorted = |mut lines: Vec<String>| {
        lines.sort();
        lines
    };
    assert_eq!(sorted(described), sorted(expected));
    let param = roi.params().find(|p| p.name() == attitude).unwrap();
    let text = |field| param.get::<String>(field).unwrap();
    assert_eq!(text("attribute_name"), "attitude");
    assert_eq!(text("type"), "classification_result");
    assert_eq!(
        (text("label"), text("model_name")),
        ("neutral".into(), "brightness".into())
    );
    assert_eq!(param.get::<f64>("raw-neutral"), param.get::<f64>("neutral"));
    let detection = roi.params().find(|p| p.name() == "detection").unwrap();
    assert_eq!(
        detection.get::<f64>("x_min").unwrap(),
        f64::from(64.0f32 / 320.0)
    );
    assert_eq!(
        detection.get::<f64>("y_max").unwrap(),
        f64::from(80.0f32 / 192.0)
    );
}

#[test]
fn a_fresh_element_has_the_defaults_that_its_properties_declare() {
    let element = element(&[]);
    let own = element.list_properties();
    let own = own.iter().filter(|p| p.owner_type() == element.type_());
    let writable = own.filter(|p| p.flags().contains(glib::ParamFlags::WRITABLE));
    for property in writable.clone() {
        let value = element.property_value(property.name());
        let default = property.default_value();
        assert_eq!(
            format!("{value:?}"),
            format!("{default:?}"),
            "{}",
            property.name()
        );
    }
    assert_eq!(writable.count(), 19);
    assert_eq!(element.property::<u64>("sample-interval"), 200_000_000);
}

#[test]
fn another_size_ends_the_tracks_and_another_format_does_not() {
    let mut rig = Rig::tiny(&[]);
    assert_eq!(rig.track(), 1);
    rig.set_video(info(VideoFormat::Bgrx, WIDTH, HEIGHT));
    assert_eq!(rig.track(), 1);
    rig.set_video(info(VideoFormat::Gray8, 2 * WIDTH, 2 * HEIGHT));
    let found = regions(&rig.pass());
    assert_eq!((found[0].track, found[0].bbox), (2, (128, 64, 96, 96)));
    assert!(found[0].is_fresh);
}

#[test]
fn a_flush_ends_the_tracks_and_another_stream_counts_from_one() {
    let mut rig = Rig::tiny(&[("messages", "sample")]);
    assert_eq!((rig.track(), rig.track()), (1, 1));
    rig.flush();
    assert_eq!((rig.track(), rig.track()), (2, 2));
    rig.begin_stream("other");
    assert_eq!(rig.track(), 1);
    let records = rig.records();
    let told = records.iter().map(|r| (r.frame, r.faces[0].track));
    assert_eq!(told.collect::<Vec<_>>(), [(0, 1), (2, 2), (0, 1)]);
    assert_eq!(records[2].stream, "other");
    assert_ne!(records[0].stream, "other");
}

#[test]
fn a_seek_while_playing_goes_on_with_new_tracks() {
    init();
    let pipeline = gst::parse::launch(&format!(
        "videotestsrc ! {LAUNCH_CAPS} ! faceattitude {} ! fakesink name=sink sync=false",
        tiny_launch()
    ))
    .unwrap();
    let sink = pipeline
        .downcast_ref::<gst::Bin>()
        .unwrap()
        .by_name("sink")
        .unwrap();
    let (sender, frames) = mpsc::sync_channel(0);
    let pad = sink.static_pad("sink").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, probe| {
        let buffer = probe.buffer().unwrap();
        // Fails when the test has seen enough.
        let _ = sender.send((buffer.pts().unwrap(), tracks(buffer)));
        gst::PadProbeReturn::Ok
    });
    pipeline.set_state(gst::State::Playing).unwrap();
    let target = gst::ClockTime::from_seconds(100);
    let mut frames_iter = frames.iter();
    assert!(frames_iter.by_ref().take(10).all(|frame| frame.1 == [1]));
    let seek = {
        let pipeline = pipeline.clone();
        std::thread::spawn(move || pipeline.seek_simple(gst::SeekFlags::FLUSH, target))
    };
    let after: Vec<_> = frames_iter
        .skip_while(|frame| frame.0 < target)
        .take(10)
        .collect();
    assert_eq!(after[0].0, target);
    assert!(after.iter().all(|frame| frame.1 == [2]), "{after:?}");
    drop(frames);
    seek.join().unwrap().unwrap();
    pipeline.set_state(gst::State::Null).unwrap();
}

#[test]
fn tracks_outlast_a_short_gap_and_end_in_a_long_one() {
    let mut rig = Rig::tiny(&[]);
    assert_eq!(rig.track(), 1);
    for (gap_ms, track) in [(400, 1), (1_200, 2)] {
        let gap = gst::ClockTime::from_mseconds(gap_ms);
        let event = gst::event::Gap::builder(rig.next_pts).duration(gap).build();
        assert!(rig.harness.push_event(event));
        rig.next_pts += gap;
        assert_eq!(rig.track(), track);
    }
    let events = std::iter::from_fn(|| rig.harness.try_pull_event());
    assert_eq!(
        events.filter(|e| e.type_() == gst::EventType::Gap).count(),
        2
    );
}

#[test]
fn a_face_that_every_sample_finds_keeps_its_track_however_rare_samples_are() {
    let mut rig = Rig::tiny(&[("sample-interval", "5000000000")]);
    let tracks_seen: Vec<_> = (0..300).map(|_| rig.track()).collect();
    assert!(
        tracks_seen.iter().all(|&track| track == 1),
        "{tracks_seen:?}"
    );
    assert_eq!(rig.stat("samples"), 3);

    let slow = VideoInfo::builder(VideoFormat::I420, WIDTH, HEIGHT)
        .fps(gst::Fraction::new(1, 3))
        .build()
        .unwrap();
    let mut rig = Rig::tiny(&[]);
    rig.set_video(slow);
    for _ in 0..4 {
        assert_eq!(rig.track(), 1);
        rig.next_pts += gst::ClockTime::from_seconds(3) - FRAME;
    }
    assert_eq!(rig.stat("samples"), 4);
}

#[test]
fn frames_without_a_time_of_their_own_are_sampled_by_the_frame_rate() {
    for pts in [None, Some(gst::ClockTime::from_seconds(3))] {
        let mut rig = Rig::tiny(&[]);
        for number in 0..11u64 {
            let mut buffer = rig.frame(&Patch(NEUTRAL));
            buffer.get_mut().unwrap().set_pts(pts);
            let found = regions(&rig.push(buffer));
            assert_eq!(
                found[0].is_fresh,
                number % 5 == 0,
                "{pts:?}, frame {number}"
            );
            assert_eq!((found[0].track, found[0].age), (1, FRAME * (number % 5)));
        }
    }
}

#[test]
fn going_back_in_time_ends_the_tracks() {
    let mut rig = Rig::tiny(&[]);
    rig.next_pts = gst::ClockTime::from_seconds(5);
    assert_eq!((rig.track(), rig.track()), (1, 1));
    rig.next_pts = gst::ClockTime::from_seconds(2);
    assert_eq!((rig.track(), rig.track()), (2, 2));
}

#[test]
fn a_discontinuity_ends_the_tracks_only_beyond_the_timeout() {
    let mut rig = Rig::tiny(&[("track-timeout", "300000000")]);
    assert_eq!(rig.track(), 1);
    for (jump_ms, track) in [(200, 1), (400, 2)] {
        rig.next_pts += gst::ClockTime::from_mseconds(jump_ms);
        let mut buffer = rig.frame(&Patch(NEUTRAL));
        buffer
            .get_mut()
            .unwrap()
            .set_flags(gst::BufferFlags::DISCONT);
        assert_eq!(tracks(&rig.push(buffer)), [track]);
    }
}

#[test]
fn properties_can_be_changed_while_frames_pass() {
    let mut rig = Rig::tiny(&[]);
    let ages = |rig: &mut Rig| [0; 3].map(|_| regions(&rig.pass())[0].age.mseconds());
    assert_eq!(ages(&mut rig), [0, 40, 80]);
    rig.element.set_property("sample-interval", 0u64);
    assert_eq!(ages(&mut rig)[1..], [0, 0]);

    let is_done = AtomicBool::new(false);
    let element = rig.element.clone();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let values = [
                ("sample-interval", ["0", "200000000"]),
                ("min-face-size", ["0", "1000"]),
                ("max-faces", ["1", "512"]),
                ("detection-threshold", ["0", "1"]),
                ("overlap-threshold", ["0", "1"]),
                ("min-confidence", ["0", "1"]),
                ("smoothing", ["0", "18446744073709551615"]),
                ("track-timeout", ["0", "18446744073709551615"]),
                ("messages", ["none", "sample"]),
                ("roi-meta", ["false", "true"]),
                ("overlay", ["false", "true"]),
            ];
            for (turn, (name, values)) in values.iter().cycle().enumerate() {
                element.set_property_from_str(name, values[turn / 7 % 2]);
                let _: gst::Structure = element.property("stats");
                if is_done.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        for _ in 0..500 {
            rig.pass();
        }
        is_done.store(true, Ordering::Relaxed);
    });
    assert_eq!(rig.stat("frames"), 506);
}

#[test]
fn starts_and_stops_two_hundred_times() {
    init();
    let pipeline = gst::parse::launch(&format!(
        "videotestsrc num-buffers=2 ! {LAUNCH_CAPS} ! faceattitude name=faces {} ! \
         fakesink sync=false",
        tiny_launch()
    ))
    .unwrap();
    let bin = pipeline.downcast_ref::<gst::Bin>().unwrap();
    let faces = bin.by_name("faces").unwrap();
    let end = [gst::MessageType::Eos, gst::MessageType::Error];
    for _ in 0..200 {
        pipeline.set_state(gst::State::Playing).unwrap();
        let bus = pipeline.bus().unwrap();
        let message = bus.timed_pop_filtered(FOREVER, &end).unwrap();
        assert_eq!(message.type_(), gst::MessageType::Eos);
        let stats: gst::Structure = faces.property("stats");
        assert_eq!(
            (stats.get("frames"), stats.get("samples")),
            (Ok(2u64), Ok(1u64))
        );
        assert!(
            faces
                .property::<Option<String>>("active-provider")
                .is_some()
        );
        pipeline.set_state(gst::State::Null).unwrap();
        assert!(
            faces
                .property::<Option<String>>("active-provider")
                .is_none()
        );
    }
}

#[test]
fn serialized_events_and_frames_keep_their_order() {
    let mut rig = Rig::tiny(&[("sample-interval", "0")]);
    let (sender, passed) = mpsc::channel();
    let both = gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM;
    let pad = rig.element.static_pad("src").unwrap();
    pad.add_probe(both, move |_, probe| {
        let time = match &probe.data {
            Some(gst::PadProbeData::Buffer(buffer)) => buffer.pts(),
            Some(gst::PadProbeData::Event(event)) => event
                .structure()
                .and_then(|structure| structure.get("after").ok()),
            _ => None,
        };
        sender.send(time).unwrap();
        gst::PadProbeReturn::Ok
    });
    let times: Vec<_> = (0..20)
        .map(|_| {
            let after = rig.next_pts;
            rig.pass();
            let structure = gst::Structure::builder("mark")
                .field("after", after)
                .build();
            assert!(
                rig.harness
                    .push_event(gst::event::CustomDownstream::new(structure))
            );
            after
        })
        .collect();
    let passed: Vec<_> = passed.try_iter().flatten().collect();
    assert_eq!(
        passed,
        times.iter().flat_map(|&time| [time; 2]).collect::<Vec<_>>()
    );
}

#[test]
fn the_latency_is_what_samples_hold_frames_up() {
    for (mode, adds) in [("sync", true), ("live", false)] {
        let mut rig = Rig::tiny(&[("mode", mode)]);
        let upstream = gst::ClockTime::from_mseconds(50);
        rig.harness.set_upstream_latency(upstream);
        assert_eq!(rig.harness.query_latency(), Some(upstream));
        rig.pass();
        assert_eq!(rig.harness.query_latency() > Some(upstream), adds, "{mode}");
        let message = rig.bus.pop_filtered(&[gst::MessageType::Latency]);
        assert_eq!(message.is_some(), adds, "{mode}");
    }
}

#[test]
fn upstream_may_use_any_stride() {
    let rig = Rig::tiny(&[]);
    let caps = rig.info.to_caps().unwrap();
    let mut query = gst::query::Allocation::new(Some(&caps), true);
    assert!(rig.element.static_pad("sink").unwrap().query(&mut query));
    assert!(query.find_allocation_meta::<VideoMeta>().is_some());
}

#[test]
fn messages_come_as_often_as_asked_and_say_what_the_frame_carries() {
    for (messages, frames) in [
        ("none", &[][..]),
        ("change", &[0, 5]),
        ("sample", &[0, 5, 10]),
    ] {
        let mut rig = Rig::tiny(&[("messages", messages), ("smoothing", "0")]);
        let mut found = Vec::new();
        for luma in [NEUTRAL, POSITIVE, POSITIVE] {
            found.push(regions(&rig.pass_face(luma)).remove(0));
            (0..4).for_each(|_| drop(rig.pass_face(luma)));
        }
        let records = rig.records();
        assert!(
            records.iter().map(|r| r.frame).eq(frames.iter().copied()),
            "{records:?}"
        );
        for record in &records {
            let (face, region) = (&record.faces[0], &found[record.frame as usize / 5]);
            assert_eq!(
                (&face.attitude, face.track as i32),
                (&region.label, region.track)
            );
            assert_eq!(record.pts_ns, Some((FRAME * record.frame).nseconds()));
            assert_eq!(face.bbox, [64.0, 32.0, 48.0, 48.0]);
        }
    }
}

#[test]
fn statistics_count_frames_samples_and_faces() {
    let mut rig = Rig::tiny(&[]);
    assert_eq!(rig.stat("frames"), 0);
    (0..7).for_each(|_| drop(rig.pass()));
    let counts = ["frames", "samples", "skipped", "failures", "faces"];
    assert_eq!(counts.map(|name| rig.stat(name)), [7, 2, 0, 0, 1]);
    assert!(rig.stat("detection-time") > 0 && rig.stat("classification-time") > 0);
    assert_eq!(rig.element.property::<String>("active-provider"), "cpu");
}
