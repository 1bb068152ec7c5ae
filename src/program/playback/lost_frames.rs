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
    /// Set after the first frame without damage.
    has_begun: bool,
    /// Timestamp of the first packet if it is a keyframe.
    first_keyframe_ns: Option<u64>,
    /// Set if the container says which packets are keyframes.
    marks_keyframes: bool,
    /// Damage before the first frame without any.
    damage_at_start: Option<DamagedFrames>,
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
                let is_keyframe = !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT);
                lock(&packets.0).add_packet(pts.nseconds(), is_keyframe);
            }
            gst::PadProbeReturn::Ok
        });
    }

    /// Returns the frames that are missing or damaged, after playback up to the end; `None` if there
    /// are none.
    pub(super) fn damage(&self) -> Option<DamagedFrames> {
        let packets = lock(&self.0);
        packets.damage_at_end().filter(|_| packets.videos == 1)
    }
}

/// Returns `true` if the decoder outputs a frame for a packet.
fn has_frame(packet: &gst::BufferRef) -> bool {
    let others = gst::BufferFlags::DECODE_ONLY | gst::BufferFlags::HEADER;
    packet.size() >= MIN_PACKET_BYTES && !packet.flags().intersects(others)
}

impl Packets {
    fn add_packet(&mut self, pts_ns: u64, is_keyframe: bool) {
        if self.waiting_ns.is_empty() && self.latest_ns.is_none() && is_keyframe {
            self.first_keyframe_ns = Some(pts_ns);
        }
        self.marks_keyframes |= !is_keyframe;
        self.waiting_ns.insert(pts_ns);
        if self.waiting_ns.len() > MAX_WAITING {
            self.waiting_ns.pop_first();
        }
    }

    fn add_frame(&mut self, pts_ns: u64, is_damaged: bool) {
        let later = self.waiting_ns.split_off(&pts_ns.saturating_add(1));
        let mut passed = std::mem::replace(&mut self.waiting_ns, later);
        passed.remove(&pts_ns);
        // Packets that are late belong to earlier frames, and those before the keyframe to frames that
        // precede the recording.
        let first_ns = match self.latest_ns {
            Some(latest_ns) => latest_ns.saturating_add(1),
            None => self.first_keyframe_ns.unwrap_or(0),
        };
        let damage = if self.has_begun {
            &mut self.damage
        } else {
            &mut self.damage_at_start
        };
        add_lost(damage, &passed.split_off(&first_ns));
        if is_damaged {
            DamagedFrames::add(damage, pts_ns);
        }
        self.has_begun |= !is_damaged;
        self.latest_ns = self.latest_ns.max(Some(pts_ns));
    }

    /// Returns the damage after the last frame was added.
    fn damage_at_end(&self) -> Option<DamagedFrames> {
        // Without a keyframe at the start, the recording was cut from a longer one.
        let begins_with_keyframe = self.marks_keyframes && self.first_keyframe_ns.is_some();
        let at_start = self.damage_at_start.filter(|_| begins_with_keyframe);
        let mut at_end = None;
        if let Some(latest_ns) = self.latest_ns {
            let mut waiting = self.waiting_ns.clone();
            add_lost(
                &mut at_end,
                &waiting.split_off(&latest_ns.saturating_add(1)),
            );
        }
        let parts = [at_start, self.damage, at_end].into_iter().flatten();
        parts.reduce(|before, after| DamagedFrames {
            number: before.number + after.number,
            first_ns: before.first_ns,
            last_ns: after.last_ns,
        })
    }
}

/// Adds frames that are `lost`, if they are so many that this is damage.
fn add_lost(damage: &mut Option<DamagedFrames>, lost: &BTreeSet<u64>) {
    if lost.len() >= MIN_LOST {
        for &ns in lost {
            DamagedFrames::add(damage, ns);
        }
    }
}

impl DamagedFrames {
    /// Adds a frame to `damage`.
    fn add(damage: &mut Option<Self>, pts_ns: u64) {
        let damage = damage.get_or_insert(Self {
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

    /// Returns the damage if packets 0 to 19, of which 0 is the only keyframe, are decoded to `frames`,
    /// some of which are damaged.
    fn damage(frames: impl IntoIterator<Item = (u64, bool)>) -> Option<DamagedFrames> {
        damage_of(|pts_ns| pts_ns == 0, frames)
    }

    /// Returns the same with other keyframes.
    fn damage_of(
        is_keyframe: impl Fn(u64) -> bool,
        frames: impl IntoIterator<Item = (u64, bool)>,
    ) -> Option<DamagedFrames> {
        let mut packets = Packets::default();
        (0..20).for_each(|pts_ns| packets.add_packet(pts_ns, is_keyframe(pts_ns)));
        for (pts_ns, is_damaged) in frames {
            packets.add_frame(pts_ns, is_damaged);
        }
        packets.damage_at_end()
    }

    fn frames(number: usize, first_ns: u64, last_ns: u64) -> Option<DamagedFrames> {
        Some(DamagedFrames {
            number,
            first_ns,
            last_ns,
        })
    }

    #[test]
    fn several_packets_without_a_frame_are_damage() {
        let decoded = |range: std::ops::Range<u64>| range.map(|pts| (pts, false));
        assert_eq!(damage(decoded(0..20)), None);
        assert_eq!(
            damage(decoded(0..7).chain(decoded(12..20))),
            frames(5, 7, 11)
        );
        assert_eq!(damage(decoded(0..17)), frames(3, 17, 19));
        assert_eq!(damage(decoded(8..20)), frames(8, 0, 7));
    }

    #[test]
    fn packets_that_are_not_shown_are_no_damage() {
        assert_eq!(damage((0..20).step_by(2).map(|pts| (pts, false))), None);
        assert_eq!(damage((0..18).map(|pts| (pts, false))), None);
    }

    #[test]
    fn frames_that_precede_the_recording_are_no_damage() {
        // It was cut from a longer one: before the keyframe, nothing can be decoded.
        let decoded = || (8..20).map(|pts| (pts, false));
        assert_eq!(damage_of(|pts_ns| pts_ns == 8, decoded()), None);
        // The container does not say where keyframes are.
        assert_eq!(damage_of(|_| true, decoded()), None);
        // Packets behind the keyframe, of frames before it.
        let mut packets = Packets::default();
        for (pts_ns, is_keyframe) in [(4, true), (0, false), (1, false), (2, false), (5, false)] {
            packets.add_packet(pts_ns, is_keyframe);
        }
        packets.add_frame(4, false);
        packets.add_frame(5, false);
        assert_eq!(packets.damage_at_end(), None);
    }

    #[test]
    fn frames_that_the_decoder_marks_are_damage() {
        let marked =
            |range: std::ops::Range<u64>| (0..20).map(move |pts| (pts, range.contains(&pts)));
        assert_eq!(damage(marked(0..3)), frames(3, 0, 2));
        assert_eq!(damage_of(|_| true, marked(0..3)), None);
        assert_eq!(damage(marked(5..7)), frames(2, 5, 6));
    }
}
