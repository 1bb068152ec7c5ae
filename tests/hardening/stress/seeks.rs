// SPDX-License-Identifier: MPL-2.0

//! Seeks and flushes, with a branch of stock elements beside it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gst::prelude::*;

use super::support::*;
use super::{StopAtEnd, random, rounds};

/// Counts the buffers that reach the element with this name since the last flush.
fn count(pipeline: &gst::Bin, name: &str) -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let pad = pipeline.by_name(name).unwrap().static_pad("sink").unwrap();
    let kinds = gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_FLUSH;
    pad.add_probe(kinds, move |_, probe| {
        match &probe.data {
            Some(gst::PadProbeData::Buffer(_)) => counted.fetch_add(1, Ordering::SeqCst),
            _ => counted.swap(0, Ordering::SeqCst),
        };
        gst::PadProbeReturn::Ok
    });
    count
}

/// Seeks to the start, and plays to the end.
fn play_from_start(pipeline: &gst::Element) {
    let seqnum = gst::Seqnum::next();
    let seek = gst::event::Seek::builder(
        1.0,
        gst::SeekFlags::FLUSH | gst::SeekFlags::ACCURATE,
        gst::SeekType::Set,
        gst::ClockTime::ZERO,
        gst::SeekType::None,
        gst::ClockTime::NONE,
    );
    assert!(pipeline.send_event(seek.seqnum(seqnum).build()));
    pipeline.set_state(gst::State::Playing).unwrap();
    let bus = pipeline.bus().unwrap();
    let end = [gst::MessageType::Eos, gst::MessageType::Error];
    loop {
        let message = bus.timed_pop_filtered(TIMEOUT, &end);
        let message = message.expect("the pipeline hangs");
        assert_eq!(message.type_(), gst::MessageType::Eos, "{message:?}");
        // The pipeline may have reached the end before the seek, too.
        if message.seqnum() == seqnum {
            return;
        }
    }
}

#[test]
fn after_any_seeks_the_same_frames_arrive_as_without_the_elements() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.mkv");
    write_clip(
        &path,
        &[Patch(POSITIVE), Patch(NEGATIVE)],
        "jpegenc ! matroskamux",
    );
    let pipeline = gst::parse::launch(&format!(
        "filesrc location={} ! matroskademux ! jpegdec ! tee name=t \
         t. ! queue ! faceattitude overlay=true {} ! attitudeoverlay ! \
         attitudeexport interval=frame ! fakesink name=export sync=false \
         t. ! queue ! videoconvert ! fakesink name=stock sync=false",
        path.display(),
        tiny_launch()
    ))
    .unwrap();
    let _stop = StopAtEnd(pipeline.clone());
    let bin = pipeline.downcast_ref::<gst::Bin>().unwrap();
    let (export, stock) = (count(bin, "export"), count(bin, "stock"));
    let mut random = random(2);
    pipeline.set_state(gst::State::Paused).unwrap();
    pipeline.state(TIMEOUT).0.unwrap();
    for round in 0..rounds(60) {
        for _ in 0..random.below(6) {
            let target = gst::ClockTime::from_mseconds(random.below(2200) as u64);
            let flags = *random.choice(&[
                gst::SeekFlags::FLUSH,
                gst::SeekFlags::FLUSH | gst::SeekFlags::ACCURATE,
                gst::SeekFlags::FLUSH | gst::SeekFlags::KEY_UNIT,
            ]);
            let _ = pipeline.seek_simple(flags, target);
            let state = *random.choice(&[gst::State::Paused, gst::State::Playing]);
            pipeline.set_state(state).unwrap();
        }
        play_from_start(&pipeline);
        let counts = (export.load(Ordering::SeqCst), stock.load(Ordering::SeqCst));
        assert_eq!(counts, (50, 50), "round {round}");
    }
}
