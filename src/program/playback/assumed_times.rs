// SPDX-License-Identifier: MPL-2.0

//! Timestamps for frames that have none, as in dumps of cameras and raw streams of a codec.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use attitude::sync::lock;
use gst::prelude::*;

/// Frame rate of a stream that states none, as in other programs.
const DEFAULT_FRAME_RATE: (i32, i32) = (25, 1);

/// Counts the frames whose timestamps are assumed.
#[derive(Clone, Default)]
pub(super) struct AssumedTimes(Arc<AtomicU64>);

impl AssumedTimes {
    /// Sets the timestamps of frames at `pad` that have none: each follows the frame before it at
    /// the frame rate.
    pub(super) fn add_to(&self, pad: &gst::Pad) {
        let count = self.0.clone();
        let previous = Mutex::new(None);
        pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
            let Some(buffer) = info.buffer_mut() else {
                return gst::PadProbeReturn::Ok;
            };
            let mut previous = lock(&previous);
            if buffer.pts().is_none() {
                let duration = frame_duration(pad);
                let next = previous.map_or(gst::ClockTime::ZERO, |previous: gst::ClockTime| {
                    previous.saturating_add(duration)
                });
                let buffer = buffer.make_mut();
                buffer.set_pts(next);
                buffer.set_duration(duration);
                count.fetch_add(1, Ordering::Relaxed);
            }
            *previous = buffer.pts();
            gst::PadProbeReturn::Ok
        });
    }

    /// Describes the assumption; `None` if all frames have timestamps.
    pub(super) fn note(&self) -> Option<String> {
        let frames = self.0.load(Ordering::Relaxed);
        (frames > 0).then(|| {
            format!(
                "{frames} frames have no timestamps; their times are assumed from the frame rate, \
                 or 25 frames per second if it is unknown"
            )
        })
    }
}

/// Returns the duration of a frame according to the caps of `pad`.
fn frame_duration(pad: &gst::Pad) -> gst::ClockTime {
    let caps = pad.current_caps();
    let structure = caps.as_ref().and_then(|caps| caps.structure(0));
    let rate = structure.and_then(|s| s.get::<gst::Fraction>("framerate").ok());
    let rate = rate.map(|rate| (rate.numer(), rate.denom()));
    let (numerator, denominator) = rate
        .filter(|&(numerator, denominator)| numerator > 0 && denominator > 0)
        .unwrap_or(DEFAULT_FRAME_RATE);
    let second = gst::ClockTime::SECOND;
    second
        .mul_div_round(denominator as u64, numerator as u64)
        .unwrap_or(second)
}
