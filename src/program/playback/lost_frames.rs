// SPDX-License-Identifier: MPL-2.0

//! Finds frames that a decoder leaves out or marks as damaged. Decoders conceal damage, and post no error
//! for it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use attitude::sync::lock;
use gst::prelude::*;

use super::demuxers::{on_demuxer, reads_playlists};
use super::times::{is_video_stream, stream_time};

/// Minimum number of packets between two frames that is damage. Some codecs have packets without a
/// frame, such as VP8's references for later frames, or one per field; these are single.
const MIN_LOST: usize = 3;

/// Minimum size of a packet with a frame. Shorter ones repeat the frame before them.
const MIN_PACKET_BYTES: usize = 16;

/// Maximum number of packets that wait for their frames, more than any decoder holds back. It bounds
/// the memory if the video is not decoded.
const MAX_WAITING: usize = 10_000;

/// Compares the packets of the only video with its frames.
#[derive(Clone, Default)]
pub(super) struct LostFrames(Arc<Mutex<Packets>>);

#[derive(Default)]
struct Packets {
    /// Number of video streams.
    videos: usize,
    /// Timestamps of packets without a frame up to now.
    waiting_ns: BTreeSet<u64>,
    /// Timestamp of the latest frame.
    latest_ns: Option<u64>,
    /// Set after the first frame without damage. Before it, frames may refer to those of a longer
    /// recording, from which this one was cut.
    has_begun: bool,
    damage: Option<DamagedFrames>,
}

/// Frames that are missing or damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DamagedFrames {
    pub(super) number: usize,
    /// Timestamp of the first and the last one.
    pub(super) first_ns: u64,
    pub(super) last_ns: u64,
}

impl LostFrames {
    /// Observes the packets of the demuxers in `source`, and the frames at `frames`.
    pub(super) fn watch(&self, source: &gst::Element, frames: &gst::Pad) {
        let packets = self.clone();
        on_demuxer(source, move |demuxer, factory| {
            if !reads_playlists(factory) {
                let packets = packets.clone();
                demuxer.connect_pad_added(move |_, pad| packets.watch_stream(pad));
            }
        });
        let packets = self.clone();
        frames.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            if let Some(buffer) = info.buffer()
                && let Some(pts) = buffer.pts()
            {
                let is_damaged = buffer.flags().contains(gst::BufferFlags::CORRUPTED);
                lock(&packets.0).add_frame(pts.nseconds(), is_damaged);
            }
            gst::PadProbeReturn::Ok
        });
    }

    fn watch_stream(&self, pad: &gst::Pad) {
        if !is_video_stream(pad) {
            return;
        }
        lock(&self.0).videos += 1;
        let packets = self.clone();
        pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
            if let Some(buffer) = info.buffer()
                && let Some(pts) = buffer.pts()
                && has_frame(buffer)
                // Frames outside the segment are decoded, but not shown.
                && stream_time(pad, pts).is_some()
            {
                lock(&packets.0).add_packet(pts.nseconds());
            }
            gst::PadProbeReturn::Ok
        });
    }

    /// Returns the frames that are missing or damaged; `None` if there are none.
    pub(super) fn damage(&self) -> Option<DamagedFrames> {
        let packets = lock(&self.0);
        packets.damage.filter(|_| packets.videos == 1)
    }
}

/// Returns `true` if the decoder outputs a frame for a packet.
fn has_frame(packet: &gst::BufferRef) -> bool {
    let others = gst::BufferFlags::DECODE_ONLY | gst::BufferFlags::HEADER;
    packet.size() >= MIN_PACKET_BYTES && !packet.flags().intersects(others)
}

impl Packets {
    fn add_packet(&mut self, pts_ns: u64) {
        self.waiting_ns.insert(pts_ns);
        if self.waiting_ns.len() > MAX_WAITING {
            self.waiting_ns.pop_first();
        }
    }

    fn add_frame(&mut self, pts_ns: u64, is_damaged: bool) {
        let later = self.waiting_ns.split_off(&pts_ns.saturating_add(1));
        let mut passed = std::mem::replace(&mut self.waiting_ns, later);
        passed.remove(&pts_ns);
        if self.has_begun {
            // Packets that are late belong to earlier frames.
            let latest_ns = self.latest_ns.unwrap_or(0);
            let lost: Vec<u64> = passed.into_iter().filter(|&ns| ns > latest_ns).collect();
            if lost.len() >= MIN_LOST {
                lost.into_iter().for_each(|ns| self.add_damage(ns));
            }
            if is_damaged {
                self.add_damage(pts_ns);
            }
        }
        self.has_begun |= !is_damaged;
        self.latest_ns = self.latest_ns.max(Some(pts_ns));
    }

    fn add_damage(&mut self, pts_ns: u64) {
        let damage = self.damage.get_or_insert(DamagedFrames {
            number: 0,
            first_ns: pts_ns,
            last_ns: pts_ns,
        });
        damage.number += 1;
        damage.last_ns = damage.last_ns.max(pts_ns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the damage if packets 0 to 19 are decoded to `frames`, some of which are damaged.
    fn damage(frames: impl IntoIterator<Item = (u64, bool)>) -> Option<DamagedFrames> {
        let mut packets = Packets::default();
        (0..20).for_each(|pts_ns| packets.add_packet(pts_ns));
        for (pts_ns, is_damaged) in frames {
            packets.add_frame(pts_ns, is_damaged);
        }
        packets.damage
    }

    #[test]
    fn several_packets_without_a_frame_are_damage() {
        assert_eq!(damage((0..20).map(|pts| (pts, false))), None);
        let lost = (0..20).filter(|pts| !(7..12).contains(pts));
        let expected = DamagedFrames {
            number: 5,
            first_ns: 7,
            last_ns: 11,
        };
        assert_eq!(damage(lost.map(|pts| (pts, false))), Some(expected));
    }

    #[test]
    fn packets_that_are_not_shown_and_those_before_the_first_frame_are_none() {
        assert_eq!(damage((0..20).step_by(2).map(|pts| (pts, false))), None);
        assert_eq!(damage((8..20).map(|pts| (pts, false))), None);
    }

    #[test]
    fn frames_that_the_decoder_marks_are_damage_except_at_the_start() {
        let marked =
            |range: std::ops::Range<u64>| (0..20).map(move |pts| (pts, range.contains(&pts)));
        assert_eq!(damage(marked(0..3)), None);
        let expected = DamagedFrames {
            number: 2,
            first_ns: 5,
            last_ns: 6,
        };
        assert_eq!(damage(marked(5..7)), Some(expected));
    }
}
