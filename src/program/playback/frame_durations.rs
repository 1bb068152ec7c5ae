// SPDX-License-Identifier: MPL-2.0

//! Durations of frames. A demuxer derives the duration of a packet from the packet after it, which
//! is not the frame after it if a codec reorders frames. A frame that is shown for seconds, as in
//! recordings of screens, may thus have the duration of a short one.

use std::sync::{Arc, Mutex};

use attitude::sync::lock;
use gst::prelude::*;

/// Sets the duration of each frame at the source pad `pad` to the time until the next frame. For
/// this, a frame waits for the next one.
pub(super) fn set_frame_durations(pad: &gst::Pad) {
    let waiting: Arc<Mutex<Option<gst::Buffer>>> = Arc::default();
    let frame = waiting.clone();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let Some(gst::PadProbeData::Buffer(next)) = &mut info.data else {
            return gst::PadProbeReturn::Ok;
        };
        let mut waiting = lock(&frame);
        let Some(mut buffer) = waiting.replace(next.clone()) else {
            return gst::PadProbeReturn::Drop;
        };
        let times = buffer.pts().zip(next.pts());
        if let Some(duration) = times.and_then(|(pts, next)| next.checked_sub(pts))
            && duration > gst::ClockTime::ZERO
            && buffer.duration() != Some(duration)
        {
            buffer.make_mut().set_duration(duration);
        }
        *next = buffer;
        gst::PadProbeReturn::Ok
    });
    let events = gst::PadProbeType::EVENT_DOWNSTREAM | gst::PadProbeType::EVENT_FLUSH;
    pad.add_probe(events, move |pad, info| {
        let Some(event) = info.event() else {
            return gst::PadProbeReturn::Ok;
        };
        match event.type_() {
            gst::EventType::FlushStop => drop(lock(&waiting).take()),
            // The frame belongs to what precedes these events.
            gst::EventType::StreamStart
            | gst::EventType::Caps
            | gst::EventType::Segment
            | gst::EventType::Eos => {
                let last = lock(&waiting).take();
                if let (Some(last), Some(peer)) = (last, pad.peer()) {
                    // If this fails, so does the next frame.
                    let _ = peer.chain(last);
                }
            }
            // The gap is part of the time of the frame that waits.
            gst::EventType::Gap if lock(&waiting).is_some() => return gst::PadProbeReturn::Drop,
            _ => {}
        }
        gst::PadProbeReturn::Ok
    });
}
