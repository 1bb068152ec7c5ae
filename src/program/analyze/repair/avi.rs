// SPDX-License-Identifier: MPL-2.0

//! Damage in AVI; see Microsoft's "AVI RIFF File Reference". A file is a row of chunks with a name, a
//! size and content; lists are chunks of chunks.

use std::io;
use std::ops::Range;

use super::{Gap, MAX_GAPS, Repair, Source};
use crate::worker::message::Patch;

/// First bytes of a file of any kind of RIFF.
pub(super) const START: [u8; 4] = *b"RIFF";

const HEADER_BYTES: u64 = 8;
/// Number of bytes of the header of a list and its kind.
const LIST_HEADER_BYTES: u64 = 12;
/// Number of bytes of an entry of the index.
const ENTRY_BYTES: u64 = 16;

const UNUSED: [u8; 4] = *b"JUNK";
/// Name of the index at the end of a file, whose entries have the names of chunks, and of the indexes
/// of OpenDML. Without them, demuxers read one chunk after the other.
const INDEX: [u8; 4] = *b"idx1";
const OPEN_DML_INDEX: [u8; 4] = *b"indx";

/// Number of chunks in a row that are valid behind damage.
const VALID_CHUNKS: usize = 4;

/// A chunk.
#[derive(Clone, Copy)]
struct Chunk {
    name: [u8; 4],
    /// Position of the next chunk, which is the first one in a list.
    next: u64,
}

/// Finds the damaged parts between chunks, and a damaged index.
pub(super) fn repair(file: &Source) -> io::Result<Repair> {
    let mut gaps: Vec<Gap> = Vec::new();
    let mut indexes = Vec::new();
    let end = end(file)?;
    let mut position = 0;
    while position < end && gaps.len() < MAX_GAPS {
        if let Some(chunk) = chunk(file, position, end)? {
            if chunk.name == INDEX && !is_index(file, position + HEADER_BYTES..chunk.next)? {
                gaps.push(gap(position..chunk.next));
            } else if [INDEX, OPEN_DML_INDEX].contains(&chunk.name) {
                indexes.push(Patch {
                    offset: position,
                    bytes: UNUSED.to_vec(),
                });
            }
            position = chunk.next;
            continue;
        }
        if is_cut_off(file, position, end)? {
            break;
        }
        // Chunks have an even size, so others than those at an even distance cannot be reached.
        let is_candidate = |bytes: &[u8]| bytes.first_chunk().is_some_and(is_name);
        let is_start =
            |next: u64| Ok((next - position).is_multiple_of(2) && are_chunks(file, next, end)?);
        let next = file.find(position + HEADER_BYTES..end, is_candidate, is_start)?;
        let next = next.unwrap_or(end);
        if next < position + HEADER_BYTES {
            break;
        }
        gaps.push(gap(position..next));
        position = next;
    }
    let further = if gaps.is_empty() { Vec::new() } else { indexes };
    Ok(Repair { gaps, further })
}

fn gap(bytes: Range<u64>) -> Gap {
    let len = (bytes.end - bytes.start).saturating_sub(HEADER_BYTES);
    let len = u32::try_from(len).unwrap_or(u32::MAX);
    Gap {
        bytes,
        header: [UNUSED, len.to_le_bytes()].concat(),
        times_ns: None,
    }
}

/// Returns the end of the chunks in the file; 0 if it is not AVI.
fn end(file: &Source) -> io::Result<u64> {
    if file.array(HEADER_BYTES)? != Some(*b"AVI ") {
        return Ok(0);
    }
    // Files of more than a gigabyte are several RIFF chunks in a row.
    let mut end = 0;
    while file.array(end)? == Some(START) {
        let Some(size) = size(file, end)?.filter(|&size| size > 0) else {
            return Ok(file.len);
        };
        end += HEADER_BYTES + size;
    }
    Ok(end.min(file.len))
}

/// Returns the number of bytes of the content of a chunk, up to the next chunk.
fn size(file: &Source, position: u64) -> io::Result<Option<u64>> {
    let size = file.array(position + 4)?;
    Ok(size.map(|size| u64::from(u32::from_le_bytes(size)).next_multiple_of(2)))
}

/// Returns the chunk at `position`; `None` if there is none before `end`.
fn chunk(file: &Source, position: u64, end: u64) -> io::Result<Option<Chunk>> {
    let (Some(name), Some(size)) = (name(file, position)?, size(file, position)?) else {
        return Ok(None);
    };
    let next = match &name {
        b"RIFF" | b"LIST" => position + LIST_HEADER_BYTES,
        _ => position + HEADER_BYTES + size,
    };
    // The last chunk may lack the byte that makes its size even.
    Ok((next <= end + 1).then_some(Chunk { name, next }))
}

/// Returns the name of the chunk at `position`; `None` if it is not one.
fn name(file: &Source, position: u64) -> io::Result<Option<[u8; 4]>> {
    Ok(file.array(position)?.filter(is_name))
}

fn is_name(bytes: &[u8; 4]) -> bool {
    bytes
        .iter()
        .all(|byte| byte.is_ascii_graphic() || *byte == b' ')
}

/// Returns `true` if the chunk at `position` does not end in the file.
fn is_cut_off(file: &Source, position: u64, end: u64) -> io::Result<bool> {
    Ok(position + HEADER_BYTES > end || end == file.len && name(file, position)?.is_some())
}

/// Returns `true` if there are valid chunks from `position` on.
fn are_chunks(file: &Source, mut position: u64, end: u64) -> io::Result<bool> {
    for _ in 0..VALID_CHUNKS {
        if position >= end {
            break;
        }
        let Some(chunk) = chunk(file, position, end)? else {
            return Ok(false);
        };
        position = chunk.next;
    }
    Ok(true)
}

/// Returns `true` if all entries of an index have the name of a chunk, and their offsets rise and lie in
/// the file, as do the ends of the chunks.
fn is_index(file: &Source, content: Range<u64>) -> io::Result<bool> {
    let mut latest = 0;
    let mut position = content.start;
    while position + ENTRY_BYTES <= content.end.min(file.len) {
        let number =
            |offset| io::Result::Ok(file.array(position + offset)?.map_or(0, u32::from_le_bytes));
        let (offset, size): (u32, u32) = (number(8)?, number(12)?);
        // Offsets count from the start of the file or of a list in it.
        let is_inside = u64::from(offset) + u64::from(size) <= file.len;
        if name(file, position)?.is_none() || offset < latest || !is_inside {
            return Ok(false);
        }
        latest = offset;
        position += ENTRY_BYTES;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Interrupt;

    fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let mut chunk = [&name[..], &(content.len() as u32).to_le_bytes(), content].concat();
        chunk.resize(chunk.len().next_multiple_of(2), 0);
        chunk
    }

    fn list(name: &[u8; 4], kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        chunk(name, &[&kind[..], content].concat())
    }

    fn file() -> Vec<u8> {
        let frames: Vec<u8> = (0..10).flat_map(|_| chunk(b"00dc", &[7; 41])).collect();
        let index = [&b"00dc"[..], &[0; 12]].concat().repeat(10);
        let content = [
            list(b"LIST", b"hdrl", &chunk(b"avih", &[0; 56])),
            list(b"LIST", b"movi", &frames),
            chunk(b"idx1", &index),
        ];
        list(b"RIFF", b"AVI ", &content.concat())
    }

    /// Position of the first frame, and number of bytes of each.
    const FRAMES: usize = 12 + 76 + 12;
    const FRAME_BYTES: usize = 50;

    fn repair(content: &[u8]) -> Repair {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.avi");
        std::fs::write(&path, content).unwrap();
        super::repair(&Source::open(&path, &Interrupt::default()).unwrap()).unwrap()
    }

    #[test]
    fn a_file_without_damage_has_no_gaps() {
        let content = file();
        assert_eq!(repair(&content), Repair::default());
        for cut in [1, 30, 200, 300] {
            assert_eq!(repair(&content[..content.len() - cut]), Repair::default());
        }
        let followed = [&content[..], b"something else"].concat();
        assert_eq!(repair(&followed), Repair::default());
        assert_eq!(
            repair(b"RIFF\x08\0\0\0WAVE\0\0\0\0\0\0\0\0"),
            Repair::default()
        );
    }

    #[test]
    fn damaged_chunks_are_skipped_and_the_index_is_not_used() {
        let mut content = file();
        let start = FRAMES + 3 * FRAME_BYTES;
        content[start..start + 60].fill(0);
        let repair = repair(&content);
        let end = start + 2 * FRAME_BYTES;
        assert_eq!(repair.gaps.len(), 1);
        assert_eq!(repair.gaps[0].bytes, start as u64..end as u64);
        assert_eq!(repair.gaps[0].header, b"JUNK\x5c\0\0\0");
        let index = FRAMES + 10 * FRAME_BYTES;
        assert_eq!(repair.further[0].offset, index as u64);
    }

    #[test]
    fn a_damaged_index_is_skipped() {
        let mut content = file();
        let index = FRAMES + 10 * FRAME_BYTES;
        // The name, the offset and the size of the second entry.
        for position in [index + 24, index + 34, index + 38] {
            let before = content[position];
            content[position] = 0xff;
            let repair = repair(&content);
            assert_eq!(repair.gaps.len(), 1);
            assert_eq!(repair.gaps[0].bytes, index as u64..content.len() as u64);
            content[position] = before;
        }
    }
}
