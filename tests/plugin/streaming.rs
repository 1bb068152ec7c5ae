// SPDX-License-Identifier: MPL-2.0

//! Tests of events, queries, properties and states in mode `sync`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use gst::prelude::*;
use gst_video::{VideoFormat, VideoInfo, VideoMeta};

use crate::support::*;

#[test]
fn a_new_element_has_the_defaults_that_its_properties_declare() {
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
    assert_eq!(writable.count(), 34);
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
    let found = records.iter().map(|r| (r.frame, r.faces[0].track));
    assert_eq!(found.collect::<Vec<_>>(), [(0, 1), (2, 2), (0, 1)]);
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
        // Fails once the test has ended.
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
    for (gap_ms, track) in [(400, 1), (2_000, 2)] {
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
fn a_face_in_every_sample_keeps_its_track_at_any_sample_interval() {
    let mut rig = Rig::tiny(&[("sample-interval", "5000000000")]);
    let tracks_seen: Vec<_> = (0..300).map(|_| rig.track()).collect();
    assert!(
        tracks_seen.iter().all(|&track| track == 1),
        "{tracks_seen:?}"
    );
    assert_eq!(rig.stat("samples"), 3);

    for fps in [gst::Fraction::new(1, 3), gst::Fraction::new(0, 1)] {
        let slow = VideoInfo::builder(VideoFormat::I420, WIDTH, HEIGHT).fps(fps);
        let mut rig = Rig::tiny(&[]);
        rig.set_video(slow.build().unwrap());
        for _ in 0..4 {
            assert_eq!(rig.track(), 1, "{fps}");
            rig.next_pts += gst::ClockTime::from_seconds(3) - FRAME;
        }
        assert_eq!(rig.stat("samples"), 4);
    }
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
    for (jump_ms, track) in [(200, 1), (600, 2)] {
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
                ("detection-interval", ["0", "18446744073709551615"]),
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
        let message = bus.timed_pop_filtered(TIMEOUT, &end).unwrap();
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
fn the_latency_is_the_delay_of_sampled_frames() {
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
