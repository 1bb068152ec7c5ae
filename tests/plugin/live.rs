// SPDX-License-Identifier: MPL-2.0

//! Tests of mode `live`: frames are never delayed, however long an inference takes. `slow.onnx`
//! takes from a tenth of a second on a fast machine to half a second.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use gst::prelude::*;

use attitude::Label;

use crate::support::*;

/// Returns a rig with slow inference, and with tracks that do not time out on a busy machine.
fn slow_rig(properties: &[(&str, &str)]) -> Rig {
    let slow = model("slow");
    let mut all = vec![
        ("mode", "live"),
        ("attitude-model", &slow[..]),
        ("track-timeout", "60000000000"),
    ];
    all.extend(properties);
    Rig::tiny(&all)
}

/// Passes frames of this luma in real time, up to the first that carries a face; returns that face.
fn pass_until_face(rig: &mut Rig, luma: u8) -> Region {
    let started = Instant::now();
    while started.elapsed() < TIMEOUT.into() {
        if let Some(region) = regions(&rig.pass_face(luma)).pop() {
            return region;
        }
        std::thread::sleep(FRAME.into());
    }
    panic!("no result");
}

#[test]
fn frames_pass_at_once_while_an_inference_takes_longer_than_a_sample_interval() {
    const FRAMES: u64 = 120;
    // Every second frame.
    const INTERVAL: Duration = Duration::from_nanos(66_666_666);
    let mut rig = slow_rig(&[("sample-interval", &INTERVAL.as_nanos().to_string())]);
    let started = Instant::now();
    let mut delays = Vec::new();
    let mut found = Vec::new();
    for number in 0..FRAMES {
        rig.next_pts = gst::ClockTime::SECOND * number / 30;
        let buffer = rig.frame(&Patch(NEUTRAL));
        let due = started + Duration::from_nanos(buffer.pts().unwrap().nseconds());
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let before = Instant::now();
        rig.harness.push(buffer).unwrap();
        delays.push(before.elapsed());
        found.push(regions(&rig.harness.pull().unwrap()));
    }
    delays.sort();
    let quantile = |percent: usize| delays[delays.len() * percent / 100];
    let (median, p99, longest) = (quantile(50), quantile(99), delays[delays.len() - 1]);
    println!("delay of a frame: p50 {median:?}, p99 {p99:?}, maximum {longest:?}");
    assert!(
        delays[delays.len() - 3] < Duration::from_millis(100),
        "{delays:?}"
    );

    let fresh: Vec<_> = found
        .iter()
        .flatten()
        .filter(|face| face.is_fresh)
        .collect();
    assert!(fresh.len() >= 2, "{found:?}");
    assert!(
        fresh.iter().all(|face| Duration::from(face.age) > INTERVAL),
        "{fresh:?}"
    );
    assert_eq!(fresh.len() as u64, rig.stat("samples"));
    let first = found.iter().position(|faces| !faces.is_empty()).unwrap();
    assert!(found[first][0].is_fresh);
    for pair in found[first..].windows(2) {
        assert!(
            pair[1][0].is_fresh || pair[1][0].age > pair[0][0].age,
            "{pair:?}"
        );
    }

    assert!(rig.harness.push_event(gst::event::Eos::new()));
    // Each frame that was due was analyzed or replaced by a newer one.
    assert!(rig.stat("skipped") > 0);
    assert_eq!(rig.stat("samples") + rig.stat("skipped"), FRAMES / 2);
    assert_eq!(rig.stat("frames"), FRAMES);
}

#[test]
fn frames_carry_a_face_from_result_to_result_if_results_come_later_than_its_timeout() {
    let mut rig = slow_rig(&[("track-timeout", "300000000")]);
    let first = pass_until_face(&mut rig, NEUTRAL);
    let mut carried = 0;
    for _ in 0..50 {
        std::thread::sleep(FRAME.into());
        let found = regions(&rig.pass());
        carried += u32::from(found.iter().any(|face| face.track == first.track));
    }
    // All of them, unless other work on the machine makes an inference twice as long.
    println!("carried by {carried} of 50 frames");
    assert!(carried > 25, "{carried} of 50");
}

#[test]
fn the_end_of_the_stream_waits_for_pending_results() {
    let mut rig = slow_rig(&[("messages", "sample")]);
    let (sender, at_end) = mpsc::channel();
    let pad = rig.element.static_pad("src").unwrap();
    let bus = rig.bus.clone();
    pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, probe| {
        if probe
            .event()
            .is_some_and(|event| event.type_() == gst::EventType::Eos)
        {
            sender.send(records(&bus)).unwrap();
        }
        gst::PadProbeReturn::Ok
    });
    assert!(regions(&rig.pass()).is_empty());
    assert!(rig.harness.push_event(gst::event::Eos::new()));
    let records = at_end.recv_timeout(TIMEOUT.into()).unwrap();
    assert_eq!((records.len(), records[0].frame), (1, 0));
    assert_eq!(records[0].faces[0].attitude, Label::NEUTRAL);
}

#[test]
fn a_flush_discards_pending_results() {
    let mut rig = slow_rig(&[("messages", "sample")]);
    rig.pass_face(POSITIVE);
    rig.flush();
    let face = pass_until_face(&mut rig, NEGATIVE);
    assert_eq!((&face.label[..], face.is_fresh), ("negative", true));
    let records = rig.records();
    let attitudes: Vec<_> = records.iter().map(|r| r.faces[0].attitude).collect();
    assert_eq!(attitudes, [Label::NEGATIVE]);
}

#[test]
fn a_new_stream_discards_pending_results() {
    let mut rig = slow_rig(&[]);
    rig.pass_face(POSITIVE);
    rig.begin_stream("other");
    let face = pass_until_face(&mut rig, NEGATIVE);
    assert_eq!((face.track, &face.label[..]), (1, "negative"));
}

#[test]
fn the_element_can_be_stopped_during_an_inference() {
    for state in [gst::State::Ready, gst::State::Null] {
        let mut rig = slow_rig(&[("sample-interval", "0")]);
        // One sample is in flight, the other is pending.
        rig.pass();
        rig.pass();
        let started = Instant::now();
        rig.element.set_state(state).unwrap();
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "{:?}",
            started.elapsed()
        );
        // It starts again with new counters.
        rig.element.set_state(gst::State::Playing).unwrap();
        assert_eq!(rig.stat("frames"), 0);
    }
}

#[test]
fn the_mode_is_live_if_upstream_is_live() {
    init();
    for (is_live, mode, waits) in [
        (true, "auto", false),
        (false, "auto", true),
        (true, "sync", true),
        (false, "live", false),
    ] {
        let pipeline = gst::parse::launch(&format!(
            "videotestsrc is-live={is_live} num-buffers=1 ! {LAUNCH_CAPS} ! \
             faceattitude name=faces mode={mode} {} ! fakesink name=sink sync=false",
            tiny_launch()
        ))
        .unwrap();
        let bin = pipeline.downcast_ref::<gst::Bin>().unwrap();
        let (sender, first) = mpsc::channel();
        let pad = bin.by_name("sink").unwrap().static_pad("sink").unwrap();
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, probe| {
            sender.send(regions(probe.buffer().unwrap())).unwrap();
            gst::PadProbeReturn::Ok
        });
        pipeline.set_state(gst::State::Playing).unwrap();
        // The first frame has a result only if it waited for it.
        let has_result = !first.recv_timeout(TIMEOUT.into()).unwrap().is_empty();
        assert_eq!(has_result, waits, "is-live={is_live} mode={mode}");
        pipeline.set_state(gst::State::Null).unwrap();
    }
}
