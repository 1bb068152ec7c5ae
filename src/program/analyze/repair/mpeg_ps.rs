// SPDX-License-Identifier: MPL-2.0

//! Damage in MPEG program streams; see ISO/IEC 13818-1 and 11172-1. A file is a row of packs, which are
//! headers and packets. Demuxers find the next pack by themselves.

use std::io;

use super::{Gap, Source};

/// Start of a pack, and of a file.
pub(super) const START: [u8; 4] = [0, 0, 1, PACK];
const PACK: u8 = 0xba;
/// Last start code of a stream.
const END: u8 = 0xb9;
/// Lowest start code of headers and packets that state their length.
const FIRST_WITH_LENGTH: u8 = 0xbb;

/// Number of packets in a row that are valid behind damage.
const VALID_PACKETS: usize = 3;

/// Returns the damaged parts between packets.
pub(super) fn gaps(file: &Source) -> io::Result<Vec<Gap>> {
    let end_of = |position| end_of_packet(file, position);
    let is_start = |position| are_packets(file, position);
    super::gaps_between(file, end_of, &START, is_start)
}

/// Returns `true` if there are valid packets from `position` on.
fn are_packets(file: &Source, mut position: u64) -> io::Result<bool> {
    for _ in 0..VALID_PACKETS {
        if position == file.len {
            break;
        }
        let Some(end) = end_of_packet(file, position)? else {
            return Ok(false);
        };
        position = end;
    }
    Ok(true)
}

/// Returns the end of the header or packet at `position`; `None` if there is none in the file.
fn end_of_packet(file: &Source, position: u64) -> io::Result<Option<u64>> {
    let (bytes, len): ([u8; 14], usize) = file.up_to(position)?;
    let size = match (&bytes[..len], len) {
        ([0, 0, 1, END, ..], _) => 4,
        // In MPEG-2, the last three bits are the number of bytes that fill the header.
        ([0, 0, 1, PACK, mark, .., stuffing], 14) if mark >> 6 == 0b01 => {
            14 + u64::from(stuffing & 7)
        }
        ([0, 0, 1, PACK, mark, ..], _) if mark >> 4 == 0b0010 => 12,
        ([0, 0, 1, code, high, low, ..], _) if *code >= FIRST_WITH_LENGTH => {
            6 + u64::from(u16::from_be_bytes([*high, *low]))
        }
        _ => return Ok(None),
    };
    let end = position + size;
    Ok((end <= file.len).then_some(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Interrupt;

    #[test]
    fn damage_between_packets_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.mpg");
        let gaps = |content: &[u8]| {
            std::fs::write(&path, content).unwrap();
            gaps(&Source::open(&path, &Interrupt::default()).unwrap()).unwrap()
        };
        let packet = [&[0, 0, 1, 0xe0, 0, 60][..], &[7; 60]].concat();
        let mpeg_2 = [&START[..], &[0x44], &[4; 8], &[0xf9, 0xff]].concat();
        let mpeg_1 = [&START[..], &[0x21], &[4; 7]].concat();
        for header in [mpeg_2, mpeg_1] {
            let pack = [&header[..], &packet, &packet].concat();
            let content = [&pack.repeat(5)[..], &[0, 0, 1, 0xb9], &[0; 20]].concat();
            assert_eq!(gaps(&content), []);
            assert_eq!(gaps(&content[..content.len() - 50]), []);
            let mut content = content.clone();
            let len = pack.len();
            content[len + header.len()..2 * len + 4].fill(0xaa);
            let start = (len + header.len()) as u64;
            assert_eq!(gaps(&content)[0].bytes, start..2 * len as u64 + len as u64);
        }
    }
}
