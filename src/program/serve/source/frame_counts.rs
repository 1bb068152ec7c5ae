// SPDX-License-Identifier: MPL-2.0

//! Counts the frames of the source, to detect that it has stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gst::prelude::*;

/// Numbers of frames that entered and left an element that delays them.
#[derive(Clone, Default)]
pub(crate) struct FrameCounts(Arc<Counts>);

#[derive(Default)]
struct Counts {
    entered: AtomicU64,
    left: AtomicU64,
}

impl FrameCounts {
    /// Counts the frames of `pacer`.
    pub(crate) fn watch(&self, pacer: &gst::Element) {
        for (name, is_input) in [("sink", true), ("src", false)] {
            let counts = self.0.clone();
            let count = move |_: &gst::Pad, _: &mut gst::PadProbeInfo| {
                let counter = if is_input {
                    &counts.entered
                } else {
                    &counts.left
                };
                counter.fetch_add(1, Ordering::Relaxed);
                gst::PadProbeReturn::Ok
            };
            if let Some(pad) = pacer.static_pad(name) {
                pad.add_probe(gst::PadProbeType::BUFFER, count);
            }
        }
    }

    /// Returns the number of frames that left the element; `None` while a frame waits in it for its
    /// time, or for the first viewer.
    pub(crate) fn progress(&self) -> Option<u64> {
        let left = self.0.left.load(Ordering::Relaxed);
        let entered = self.0.entered.load(Ordering::Relaxed);
        (entered <= left).then_some(left)
    }
}
