// SPDX-License-Identifier: MPL-2.0

//! Counts the progress of playback with probes on pads.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use attitude::sync::lock;
use gst::prelude::*;
use serde::{Deserialize, Serialize};

/// Progress of playback, and what is known about the video.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Number of frames that reached the analysis.
    pub(crate) frames: u64,
    /// Number of samples whose analysis failed.
    pub(crate) failed_samples: u64,
    /// Amount of data that was read. Data that is read again does not count, so that an element
    /// that reads the same data for ever makes no progress.
    pub(crate) bytes_read: u64,
    /// Set while a frame is analyzed, which may take minutes for the first one on a GPU.
    pub(crate) is_analyzing: bool,
    /// Position of the latest frame in the recording.
    pub(crate) position_ns: Option<u64>,
    /// End of the latest frame; `None` if it is not known how long the frame is shown.
    pub(crate) end_ns: Option<u64>,
    /// Timestamp of position 0; 0 if timestamps are positions.
    pub(crate) origin_ns: u64,
    /// Duration of the recording.
    pub(crate) duration_ns: Option<u64>,
    /// Numerator and denominator of the frames per second; `None` if it varies.
    pub(crate) frame_rate: Option<(i32, i32)>,
}

/// Counters that probes update.
#[derive(Clone, Default)]
pub(super) struct Counters(Arc<Counts>);

#[derive(Default)]
struct Counts {
    bytes_read: AtomicU64,
    frames_in: AtomicU64,
    frames_out: AtomicU64,
    /// Timestamp of the latest frame, in nanoseconds plus 1; 0 if it has none.
    latest_pts: AtomicU64,
    /// Duration of the latest frame in nanoseconds; 0 if it is unknown.
    latest_duration: AtomicU64,
}

impl Counters {
    /// Counts what the elements that read files and addresses in `source` read.
    pub(super) fn watch_reading(&self, source: &gst::Element) {
        let Some(bin) = source.downcast_ref::<gst::Bin>() else {
            return;
        };
        let counters = self.clone();
        bin.connect_deep_element_added(move |_, _, element| {
            if element.element_flags().contains(gst::ElementFlags::SOURCE)
                && let Some(pad) = element.static_pad("src")
                // A bin has the flag of a source in it.
                && !element.is::<gst::Bin>()
            {
                counters.watch_reader(&pad);
            }
        });
    }

    fn watch_reader(&self, pad: &gst::Pad) {
        let counters = self.clone();
        let coverage = Mutex::new(Coverage::default());
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            if let Some(buffer) = info.buffer() {
                let bytes = lock(&coverage).add(buffer.offset(), buffer.size() as u64);
                counters.0.bytes_read.fetch_add(bytes, Ordering::Relaxed);
            }
            gst::PadProbeReturn::Ok
        });
    }

    /// Counts the frames between `input` and `output`, the pads of the analysis.
    pub(super) fn watch_analysis(&self, input: &gst::Pad, output: &gst::Pad) {
        let counters = self.clone();
        input.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            let pts = info.buffer().and_then(|buffer| buffer.pts());
            let duration = info.buffer().and_then(|buffer| buffer.duration());
            let duration_ns = duration.map_or(0, gst::ClockTime::nseconds);
            counters
                .0
                .latest_duration
                .store(duration_ns, Ordering::Relaxed);
            let latest = pts.map_or(0, |pts| pts.nseconds().saturating_add(1));
            counters.0.latest_pts.store(latest, Ordering::Relaxed);
            counters.0.frames_in.fetch_add(1, Ordering::Relaxed);
            gst::PadProbeReturn::Ok
        });
        let counters = self.clone();
        output.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
            counters.0.frames_out.fetch_add(1, Ordering::Relaxed);
            gst::PadProbeReturn::Ok
        });
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.0.bytes_read.load(Ordering::Relaxed)
    }

    /// Returns the number of frames that reached the analysis.
    pub(super) fn frames(&self) -> u64 {
        self.0.frames_in.load(Ordering::Relaxed)
    }

    /// Returns `true` if a frame is in the analysis.
    pub(super) fn is_analyzing(&self) -> bool {
        self.0.frames_out.load(Ordering::Relaxed) < self.frames()
    }

    /// Returns the timestamp of the latest frame; `None` if there is none.
    pub(super) fn latest_pts(&self) -> Option<gst::ClockTime> {
        let latest = self.0.latest_pts.load(Ordering::Relaxed);
        latest.checked_sub(1).map(gst::ClockTime::from_nseconds)
    }

    /// Returns the duration of the latest frame in nanoseconds; `None` if it is unknown.
    pub(super) fn latest_duration_ns(&self) -> Option<u64> {
        let duration_ns = self.0.latest_duration.load(Ordering::Relaxed);
        Some(duration_ns).filter(|&duration_ns| duration_ns > 0)
    }
}

/// Granularity of [`Coverage`] below the highest position.
const BLOCK_BYTES: u64 = 64 * 1024;

/// The data of a source that was read.
#[derive(Default)]
struct Coverage {
    /// End of the data that was read.
    end: u64,
    /// The blocks that were read.
    blocks: HashSet<u64>,
}

impl Coverage {
    /// Adds data of this offset and size; returns the amount of data that is new. `offset` is
    /// `u64::MAX` if it is unknown.
    fn add(&mut self, offset: u64, bytes: u64) -> u64 {
        if offset == u64::MAX {
            return bytes;
        }
        let end = offset.saturating_add(bytes);
        let blocks = offset / BLOCK_BYTES..end.div_ceil(BLOCK_BYTES);
        let new_blocks = blocks.filter(|&block| self.blocks.insert(block)).count() as u64;
        match end > self.end {
            true => {
                let new_bytes = end - self.end.max(offset);
                self.end = end;
                new_bytes
            }
            false => new_blocks * BLOCK_BYTES,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_that_is_read_again_does_not_count() {
        let mut coverage = Coverage::default();
        assert_eq!(coverage.add(0, 4096), 4096);
        assert_eq!(coverage.add(1000, 4096), 1000);
        assert_eq!(coverage.add(0, 5096), 0);
        assert_eq!(coverage.add(10 * BLOCK_BYTES, 1), 1);
        // A block in the gap.
        assert_eq!(coverage.add(5 * BLOCK_BYTES, 100), BLOCK_BYTES);
        assert_eq!(coverage.add(5 * BLOCK_BYTES, 100), 0);
        assert_eq!(coverage.add(u64::MAX, 10), 10);
    }
}
