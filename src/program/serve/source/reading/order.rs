// SPDX-License-Identifier: MPL-2.0

//! Finds out whether the frames of a stream are in their order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use gst::prelude::*;

use super::super::super::end::{Ending, Reason};
use super::super::codec::Codec;
use super::Reading;

/// Number of frames after which a live stream counts as free of B-frames.
const ORDERED_FRAMES: usize = 8;
/// Maximum step back of B-frames; after larger ones the stream has restarted.
const MAX_DISORDER: gst::ClockTime = gst::ClockTime::SECOND;

impl Reading {
    /// Ends the reading at a B-frame, which WebRTC cannot carry; the next reading transcodes.
    pub(super) fn watch_order(self: &Arc<Self>) {
        let Some(pad) = self.producer.appsink().static_pad("sink") else {
            return;
        };
        let reading = Arc::downgrade(self);
        let (latest, seen) = (AtomicU64::new(0), AtomicUsize::new(0));
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            let Some(pts) = info.buffer().and_then(|buffer| buffer.pts()) else {
                return gst::PadProbeReturn::Ok;
            };
            let latest_ns = latest.swap(pts.nseconds(), Ordering::Relaxed);
            let back_ns = latest_ns.saturating_sub(pts.nseconds());
            let is_in_order = back_ns == 0 || back_ns > MAX_DISORDER.nseconds();
            let seen = seen.fetch_add(1, Ordering::Relaxed) + 1;
            if is_in_order && seen != ORDERED_FRAMES {
                return gst::PadProbeReturn::Ok;
            }
            if let Some(reading) = reading.upgrade() {
                match is_in_order {
                    true => reading.open_as(Codec::H264),
                    false => {
                        reading.playability.transcode();
                        let name = reading.origin.name();
                        let problem = format!(
                            "{name}: it has B-frames and is transcoded from now on; connect again"
                        );
                        reading.end(Ending::new(Reason::Failed, problem));
                    }
                }
            }
            gst::PadProbeReturn::Ok
        });
    }
}
