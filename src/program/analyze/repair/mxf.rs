// SPDX-License-Identifier: MPL-2.0

//! Damage in MXF; see SMPTE ST 377-1. A file is a row of items with a key, a length and a value.

use std::io;
use std::ops::Range;

use super::{Gap, MAX_GAPS, Repair, Source};
use crate::worker::message::Patch;

/// First bytes of all keys, and of a file.
pub(super) const START: [u8; 4] = [0x06, 0x0e, 0x2b, 0x34];

/// Key of items without content.
const FILL: [u8; 16] = [
    0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x02, 0x03, 0x01, 0x02, 0x10, 0x01, 0x00, 0x00, 0x00,
];

/// Key of a segment of the index, without its last byte, which may vary. Demuxers expect frames at the
/// positions in it, also those that are lost; without it, they read one item after the other.
const INDEX: [u8; 15] = [
    0x06, 0x0e, 0x2b, 0x34, 0x02, 0x53, 0x01, 0x01, 0x0d, 0x01, 0x02, 0x01, 0x01, 0x10, 0x01,
];

const KEY_BYTES: u64 = FILL.len() as u64;

/// Number of bytes of the key and the length of an item that fills a gap.
const FILL_BYTES: u64 = KEY_BYTES + 9;

/// Number of items in a row that are valid behind damage.
const VALID_ITEMS: usize = 3;

/// Finds the damaged parts between items.
pub(super) fn repair(file: &Source) -> io::Result<Repair> {
    let mut gaps: Vec<Gap> = Vec::new();
    let mut further = Vec::new();
    let mut position = 0;
    while position < file.len && gaps.len() < MAX_GAPS {
        if let Some(end) = end_of_item(file, position)? {
            if file.array(position)? == Some(INDEX) {
                further.push(Patch {
                    offset: position,
                    bytes: FILL.to_vec(),
                });
            }
            position = end;
            continue;
        }
        let start = position;
        // A gap has space for an item.
        let first = start.saturating_add(FILL_BYTES);
        let is_candidate = |bytes: &[u8]| bytes.starts_with(&START);
        let is_start = |position| are_items(file, position);
        let Some(next) = file.find(first..file.len, is_candidate, is_start)? else {
            // Without an end, it is not a gap, but the end of a file that is cut off.
            break;
        };
        gaps.push(gap(start..next));
        position = next;
    }
    Ok(Repair { gaps, further })
}

fn gap(bytes: Range<u64>) -> Gap {
    let len = bytes.end - bytes.start - FILL_BYTES;
    // A length of eight bytes.
    let header = [&FILL[..], &[0x88], &len.to_be_bytes()].concat();
    Gap {
        bytes,
        header,
        times_ns: None,
    }
}

/// Returns `true` if there are valid items from `position` on.
fn are_items(file: &Source, mut position: u64) -> io::Result<bool> {
    for _ in 0..VALID_ITEMS {
        if position == file.len {
            break;
        }
        let Some(end) = end_of_item(file, position)? else {
            return Ok(false);
        };
        position = end;
    }
    Ok(true)
}

/// Returns the end of the item at `position`; `None` if there is none in the file.
fn end_of_item(file: &Source, position: u64) -> io::Result<Option<u64>> {
    if file.array(position)? != Some(START) {
        return Ok(None);
    }
    let Some([first]) = file.array(position + KEY_BYTES)? else {
        return Ok(None);
    };
    // A length is in one byte, or a byte has the number of bytes of the length.
    let (len, content) = match first {
        0..=0x7f => (u64::from(first), position + KEY_BYTES + 1),
        0x81..=0x88 => {
            let bytes = u64::from(first & 0x7f);
            let mut len = 0;
            for index in 0..bytes {
                let Some([byte]) = file.array(position + KEY_BYTES + 1 + index)? else {
                    return Ok(None);
                };
                len = len << 8 | u64::from(byte);
            }
            (len, position + KEY_BYTES + 1 + bytes)
        }
        _ => return Ok(None),
    };
    let end = content.saturating_add(len);
    Ok((end <= file.len).then_some(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Interrupt;

    fn item(len: u8) -> Vec<u8> {
        let mut item = START.to_vec();
        item.extend([1; 12]);
        item.extend([0x83, 0, 0, len]);
        item.extend(vec![7; usize::from(len)]);
        item
    }

    fn gaps(content: &[u8]) -> Vec<Gap> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.mxf");
        std::fs::write(&path, content).unwrap();
        repair(&Source::open(&path, &Interrupt::default()).unwrap())
            .unwrap()
            .gaps
    }

    #[test]
    fn damaged_items_are_skipped() {
        let mut content: Vec<u8> = (0..6).flat_map(|_| item(100)).collect();
        assert_eq!(gaps(&content), []);
        assert_eq!(gaps(&content[..content.len() - 5]), []);
        // The key of the second item.
        content[120..125].fill(0);
        let gaps = gaps(&content);
        assert_eq!(gaps.len(), 1);
        assert_eq!(gaps[0].bytes, 120..240);
        assert_eq!(gaps[0].header[..16], FILL);
        assert_eq!(gaps[0].header[16..], [0x88, 0, 0, 0, 0, 0, 0, 0, 95]);
    }
}
