// SPDX-License-Identifier: MPL-2.0

//! The start of the sound in MPEG-TS; see ISO/IEC 13818-1. If the clock of a program begins with its
//! video, `tsdemux` cannot convert the timestamps of sound that precedes it, and may convert none.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Amount of data in which sound and video begin.
const MAX_BYTES: u64 = 8 << 20;

const SYNC: u8 = 0x47;

/// Size of a packet.
const PACKET_BYTES: usize = 188;

/// Number of bytes from one packet to the next: with a time in front, as in files of camcorders, and
/// with error correction behind.
const SPACINGS: [usize; 3] = [PACKET_BYTES, 192, 204];

/// Number of bits of a timestamp, which wraps around.
const TIMESTAMP_BITS: u32 = 33;

/// Timestamps per second.
const TIMESTAMPS_PER_S: u64 = 90_000;

/// Maximum time between the starts of sound and video. A longer one is a change of the clock.
const MAX_LEAD_S: u64 = 600;

/// Returns the time from the start of the sound to the start of the video, in nanoseconds; `None` if
/// the file at `path` is another one, or the sound does not start first.
///
/// # Errors
/// Returns an error if the file cannot be read.
pub(super) fn sound_lead_ns(path: &Path) -> io::Result<Option<u64>> {
    let mut head = [0; 3 * 204];
    let mut file = File::open(path)?;
    let len = read_up_to(&mut file, &mut head)?;
    let Some((first, spacing)) = packets(&head[..len]) else {
        return Ok(None);
    };
    let mut data = head[..len].to_vec();
    file.take(MAX_BYTES).read_to_end(&mut data)?;
    Ok(lead_ns(data[first..].chunks(spacing)))
}

/// Reads until `buffer` is full or the file ends; returns the number of bytes.
fn read_up_to(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut len = 0;
    while len < buffer.len() {
        match file.read(&mut buffer[len..])? {
            0 => break,
            read => len += read,
        }
    }
    Ok(len)
}

/// Returns the position of the first packet, and the number of bytes from one to the next; `None` if
/// `head` is not the start of a transport stream.
fn packets(head: &[u8]) -> Option<(usize, usize)> {
    SPACINGS.into_iter().find_map(|spacing| {
        let first = if spacing == 192 { 4 } else { 0 };
        let is_packet = |index: usize| head.get(first + index * spacing) == Some(&SYNC);
        (0..3).all(is_packet).then_some((first, spacing))
    })
}

/// Returns the lead of the sound in `packets`.
fn lead_ns<'a>(packets: impl Iterator<Item = &'a [u8]>) -> Option<u64> {
    let (mut sound, mut video) = (None, None);
    for (kind, timestamp) in packets.filter_map(start_of_unit) {
        match kind {
            Kind::Sound => sound = sound.or(Some(timestamp)),
            Kind::Video => video = video.or(Some(timestamp)),
        }
        if let (Some(sound), Some(video)) = (sound, video) {
            let modulus = 1u64 << TIMESTAMP_BITS;
            let lead = (video + modulus - sound) % modulus;
            let is_plausible = (1..MAX_LEAD_S * TIMESTAMPS_PER_S).contains(&lead);
            return is_plausible.then(|| lead * 1_000_000 / (TIMESTAMPS_PER_S / 1000));
        }
    }
    None
}

/// Kind of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Sound,
    Video,
}

/// Returns the kind and the timestamp of the unit that starts in `packet`; `None` if none does, or it
/// has no timestamp.
fn start_of_unit(packet: &[u8]) -> Option<(Kind, u64)> {
    let [SYNC, flags, _, control, ..] = *packet else {
        return None;
    };
    let (starts, has_adaptation, has_payload) =
        (flags & 0x40 != 0, control & 0x20 != 0, control & 0x10 != 0);
    if !starts || !has_payload {
        return None;
    }
    let start = match has_adaptation {
        true => 5 + usize::from(*packet.get(4)?),
        false => 4,
    };
    let [0, 0, 1, stream, _, _, _, timestamps, _, a, b, c, d, e, ..] = *packet.get(start..)? else {
        return None;
    };
    let kind = match stream {
        // MPEG, and private streams such as AC-3.
        0xc0..=0xdf | 0xbd | 0xfd => Kind::Sound,
        0xe0..=0xef => Kind::Video,
        _ => return None,
    };
    let [a, b, c, d, e] = [a, b, c, d, e].map(u64::from);
    let timestamp = (a >> 1 & 7) << 30 | b << 22 | (c >> 1) << 15 | d << 7 | e >> 1;
    (timestamps & 0x80 != 0).then_some((kind, timestamp))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a packet in which a unit with this timestamp starts.
    fn packet(stream: u8, timestamp: u64) -> Vec<u8> {
        let bits = |shift: u32, mask: u64| (timestamp >> shift & mask) as u8;
        let mut packet = vec![SYNC, 0x41, 0, 0x30, 7, 0, 0, 0, 0, 0, 0, 0];
        packet.extend([0, 0, 1, stream, 0, 0, 0x80, 0x80, 5]);
        packet.extend([
            0x21 | bits(30, 7) << 1,
            bits(22, 0xff),
            bits(15, 0x7f) << 1 | 1,
        ]);
        packet.extend([bits(7, 0xff), bits(0, 0x7f) << 1 | 1]);
        packet.resize(PACKET_BYTES, 0xff);
        packet
    }

    fn lead(content: &[u8]) -> Option<u64> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.ts");
        std::fs::write(&path, content).unwrap();
        sound_lead_ns(&path).unwrap()
    }

    #[test]
    fn the_lead_is_the_difference_of_the_first_timestamps() {
        let units = |sound, video| {
            let units = [
                (0xc0, sound),
                (0xc0, sound + 9000),
                (0xe0, video),
                (0xe0, video + 3600),
            ];
            units.map(|(stream, timestamp)| packet(stream, timestamp % (1 << TIMESTAMP_BITS)))
        };
        let second = TIMESTAMPS_PER_S;
        assert_eq!(
            lead(&units(126_000, 126_000 + 3 * second).concat()),
            Some(3_000_000_000)
        );
        // Across the end of the range.
        let late = (1 << TIMESTAMP_BITS) - second;
        assert_eq!(
            lead(&units(late, late + 2 * second).concat()),
            Some(2_000_000_000)
        );
        // The video is first, at the same time, or on another clock.
        assert_eq!(lead(&units(5 * second, 3 * second).concat()), None);
        assert_eq!(lead(&units(second, second).concat()), None);
        assert_eq!(lead(&units(second, 2000 * second).concat()), None);
        // With a time in front of each packet.
        let timed = units(0, second).map(|unit| [&[0; 4][..], &unit].concat());
        assert_eq!(lead(&timed.concat()), Some(1_000_000_000));
    }

    #[test]
    fn other_files_have_no_lead() {
        for content in [&b""[..], b"G", &[SYNC; 300], &[0; 1000]] {
            assert_eq!(lead(content), None);
        }
    }
}
