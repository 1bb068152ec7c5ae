// SPDX-License-Identifier: MPL-2.0

//! Damage in fragmented MP4; see ISO/IEC 14496-12. A file is a row of boxes with a size, a type and
//! content; a fragment is a box `moof` and one with its data.

use std::io;
use std::ops::Range;

use super::{Gap, MAX_GAPS, Source};

/// Type of the first box, and of those of a fragment and of unused space.
pub(super) const FILE_TYPE: [u8; 4] = *b"ftyp";
const FRAGMENT: [u8; 4] = *b"moof";
const UNUSED: [u8; 4] = *b"free";

const HEADER_BYTES: u64 = 8;

/// Returns the damaged parts between boxes, up to a fragment or the end.
pub(super) fn gaps(file: &Source) -> io::Result<Vec<Gap>> {
    let mut gaps = Vec::new();
    let mut position = 0;
    let mut is_fragmented = false;
    while position + HEADER_BYTES <= file.len && gaps.len() < MAX_GAPS {
        if let Some((kind, end)) = next_box(file, position)? {
            is_fragmented |= kind == FRAGMENT;
            position = end;
            continue;
        }
        let is_candidate = |bytes: &[u8]| bytes.get(4..) == Some(&FRAGMENT);
        let is_start = |next| is_fragment(file, next);
        let next = file.find(position + HEADER_BYTES..file.len, is_candidate, is_start)?;
        // A file without fragments has all its frames in one box.
        if next.is_none() && (!is_fragmented || has_type(file, position)?) {
            break;
        }
        let next = next.unwrap_or(file.len);
        gaps.push(gap(position..next));
        position = next;
    }
    Ok(gaps)
}

fn gap(bytes: Range<u64>) -> Gap {
    let len = bytes.end - bytes.start;
    let header = match u32::try_from(len) {
        Ok(len) => [len.to_be_bytes(), UNUSED].concat(),
        Err(_) => [&1_u32.to_be_bytes()[..], &UNUSED, &len.to_be_bytes()].concat(),
    };
    Gap {
        bytes,
        header,
        times_ns: None,
    }
}

/// Returns the type and the end of the box at `position`; `None` if there is none in the file.
fn next_box(file: &Source, position: u64) -> io::Result<Option<([u8; 4], u64)>> {
    let (Some(size), Some(kind)) = (file.array(position)?, kind(file, position)?) else {
        return Ok(None);
    };
    let size = match u32::from_be_bytes(size) {
        // It extends to the end of the file.
        0 => file.len - position,
        1 => match file.array(position + HEADER_BYTES)? {
            Some(size) => u64::from_be_bytes(size),
            None => return Ok(None),
        },
        size => u64::from(size),
    };
    let end = position.saturating_add(size);
    Ok((size >= HEADER_BYTES && end <= file.len).then_some((kind, end)))
}

/// Returns the type of the box at `position`; `None` if it is not one.
fn kind(file: &Source, position: u64) -> io::Result<Option<[u8; 4]>> {
    let kind: Option<[u8; 4]> = file.array(position + 4)?;
    // The first character of some types is a copyright sign.
    let is_text = |byte: &u8| byte.is_ascii_graphic() || [b' ', 0xa9].contains(byte);
    Ok(kind.filter(|kind| kind.iter().all(is_text)))
}

/// Returns `true` if the box at `position` has a type, and thus does not end in the file.
fn has_type(file: &Source, position: u64) -> io::Result<bool> {
    Ok(kind(file, position)?.is_some())
}

/// Returns `true` if there is a fragment at `position`, and a box follows it.
fn is_fragment(file: &Source, position: u64) -> io::Result<bool> {
    if kind(file, position)? != Some(FRAGMENT) {
        return Ok(false);
    }
    Ok(match next_box(file, position)? {
        Some((_, end)) => end == file.len || kind(file, end)?.is_some(),
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Interrupt;

    fn make(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let size = HEADER_BYTES as u32 + content.len() as u32;
        [&size.to_be_bytes()[..], kind, content].concat()
    }

    fn fragment() -> Vec<u8> {
        [make(b"moof", &[0; 24]), make(b"mdat", &[7; 60])].concat()
    }

    fn gaps(content: &[u8]) -> Vec<Gap> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.mp4");
        std::fs::write(&path, content).unwrap();
        super::gaps(&Source::open(&path, &Interrupt::default()).unwrap()).unwrap()
    }

    #[test]
    fn damaged_fragments_are_skipped() {
        let head = [make(b"ftyp", b"isom"), make(b"moov", &[0; 40])].concat();
        let whole = [&head[..], &fragment().repeat(4)].concat();
        assert_eq!(gaps(&whole), []);
        assert_eq!(gaps(&whole[..whole.len() - 5]), []);
        let mut content = whole.clone();
        let start = head.len() + fragment().len();
        content[start..start + 10].fill(0);
        let gap = &gaps(&content)[0];
        assert_eq!(gap.bytes, start as u64..(start + 100) as u64);
        assert_eq!(gap.header, b"\0\0\0\x64free");
        // The last fragment.
        let mut content = whole.clone();
        let start = head.len() + 3 * fragment().len();
        content[start..start + 10].fill(0);
        assert_eq!(gaps(&content)[0].bytes, start as u64..whole.len() as u64);
    }

    #[test]
    fn a_file_without_fragments_has_no_gaps() {
        let content = [make(b"ftyp", b"isom"), make(b"mdat", &[7; 60]), vec![0; 50]].concat();
        assert_eq!(gaps(&content), []);
    }
}
