// SPDX-License-Identifier: MPL-2.0

//! Limits of the video that a visitor or a client sends.

use std::sync::Mutex;
use std::time::Instant;

use attitude::sync::lock;
use gst::prelude::*;

/// Factor by which a sender may exceed the bitrate that it was asked to keep.
const BITRATE_TOLERANCE: u64 = 2;
/// Time over which the bitrate is measured.
const BITRATE_WINDOW_S: u64 = 5;

/// Drops packets while the bitrate exceeds the limit for seconds, and calls `exceed` with a sentence
/// for the sender.
pub(crate) fn limit_bitrate(
    pad: &gst::Pad,
    max_bitrate_kbits: u32,
    exceed: impl Fn(String) + Send + Sync + 'static,
) {
    let max_bytes = u64::from(max_bitrate_kbits) * 1000 / 8 * BITRATE_WINDOW_S * BITRATE_TOLERANCE;
    let window = Mutex::new((Instant::now(), 0));
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let mut window = lock(&window);
        let (begin, bytes) = &mut *window;
        if begin.elapsed().as_secs() >= BITRATE_WINDOW_S {
            (*begin, *bytes) = (Instant::now(), 0);
        }
        *bytes += info.buffer().map_or(0, |buffer| buffer.size()) as u64;
        if *bytes <= max_bytes {
            return gst::PadProbeReturn::Ok;
        }
        exceed(format!(
            "the camera sent more than {max_bitrate_kbits} kbit/s for seconds"
        ));
        // Not `Drop`, after which GStreamer warns that the buffer is already gone.
        gst::PadProbeReturn::Handled
    });
}

/// Drops frames that exceed the size limit before they are decoded, and calls `exceed` with a
/// sentence for the sender.
pub(crate) fn limit_size(
    pad: &gst::Pad,
    (max_width, max_height): (u32, u32),
    exceed: impl Fn(String) + Send + Sync + 'static,
) {
    let max_pixels = u64::from(max_width) * u64::from(max_height);
    pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
        let Some(gst::EventView::Caps(caps)) = info.event().map(|event| event.view()) else {
            return gst::PadProbeReturn::Ok;
        };
        let size = caps.caps().structure(0).map(|structure| {
            let side = |name| {
                structure
                    .get::<i32>(name)
                    .ok()
                    .and_then(|side| u64::try_from(side).ok())
            };
            (side("width").unwrap_or(0), side("height").unwrap_or(0))
        });
        let (width, height) = size.unwrap_or_default();
        // By area: phones send portrait video.
        if width * height <= max_pixels {
            return gst::PadProbeReturn::Ok;
        }
        exceed(format!(
            "the camera sends {width}x{height}, but the limit is {max_width}x{max_height}"
        ));
        gst::PadProbeReturn::Handled
    });
}
