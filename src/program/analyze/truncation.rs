// SPDX-License-Identifier: MPL-2.0

//! Whether a file ends before its container says that it does. GStreamer plays what there is and
//! says nothing.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// What is missing of a file, as far as its container tells: MP4 and QuickTime, Matroska and WebM,
/// and AVI do.
pub fn truncation(path: &Path) -> io::Result<Option<String>> {
    let mut file = File::open(path)?;
    let len = file.metadata()?.len();
    let told = told_len(&mut file, len).or_else(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => Ok(None),
        _ => Err(error),
    })?;
    Ok(told.filter(|&told| told > len).map(|told| {
        format!("the file is cut off: it has {len} bytes of the {told} that it should have")
    }))
}

/// What MP4 and QuickTime files begin with.
const FIRST_BOXES: [&[u8; 4]; 5] = [b"ftyp", b"moov", b"mdat", b"wide", b"free"];

/// How many bytes the container says there are, at least.
fn told_len(file: &mut File, len: u64) -> io::Result<Option<u64>> {
    let mut head = [0; 12];
    file.read_exact(&mut head)?;
    file.rewind()?;
    match &head {
        [_, _, _, _, kind @ .., _, _, _, _] if FIRST_BOXES.contains(&kind) => {
            told_by_boxes(file, len).map(Some)
        }
        [b'R', b'I', b'F', b'F', size @ .., b'A', b'V', b'I', b' '] => {
            let size = size
                .first_chunk()
                .map_or(0, |size| u32::from_le_bytes(*size));
            // Recorders that were stopped leave 0 there.
            Ok((size > 0).then_some(8 + u64::from(size)))
        }
        [0x1a, 0x45, 0xdf, 0xa3, ..] => told_by_elements(file, len),
        _ => Ok(None),
    }
}

/// The end of the last box, see ISO/IEC 14496-12.
fn told_by_boxes(file: &mut File, len: u64) -> io::Result<u64> {
    let mut position = 0u64;
    // A box has a header of 8 bytes.
    while position.saturating_add(8) <= len {
        file.seek(SeekFrom::Start(position))?;
        let size = match u64::from(u32::from_be_bytes(bytes(file)?)) {
            // Up to the end of the file.
            0 => return Ok(position),
            1 => {
                file.seek_relative(4)?;
                u64::from_be_bytes(bytes(file)?)
            }
            size => size,
        };
        // Less than its header: no box.
        if size < 8 {
            return Ok(position);
        }
        position = position.saturating_add(size);
    }
    Ok(position)
}

/// The end of the last element at the top, see RFC 8794.
fn told_by_elements(file: &mut File, len: u64) -> io::Result<Option<u64>> {
    while file.stream_position()? < len {
        variable_integer(file, false)?;
        let Some(size) = variable_integer(file, true)? else {
            return Ok(None);
        };
        let position = file.stream_position()?.saturating_add(size);
        if position > len {
            return Ok(Some(position));
        }
        file.seek(SeekFrom::Start(position))?;
    }
    Ok(None)
}

/// The next number of variable length; without the bit that tells the length if `is_size`, where
/// `None` is an unknown size.
fn variable_integer(file: &mut File, is_size: bool) -> io::Result<Option<u64>> {
    let [first] = bytes(file)?;
    let more = first.leading_zeros();
    if more >= 8 {
        return Ok(None);
    }
    let mut value = u64::from(first);
    if is_size {
        value &= (1 << (7 - more)) - 1;
    }
    for _ in 0..more {
        let [byte] = bytes(file)?;
        value = value << 8 | u64::from(byte);
    }
    let unknown = (1 << (7 * (more + 1))) - 1;
    Ok((!is_size || value != unknown).then_some(value))
}

fn bytes<const N: usize>(file: &mut File) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(content: &[u8]) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, content).unwrap();
        truncation(&path).unwrap()
    }

    #[test]
    fn what_a_container_misses_is_told() {
        let mp4 = b"\0\0\0\x0cftypisom\0\0\0\x0cmdat1234\0\0\0\x01moov\0\0\0\0\0\0\0\x12ab";
        let mkv = b"\x1a\x45\xdf\xa3\x82ab\x18\x53\x80\x67\x84abcd";
        let avi = b"RIFF\x08\0\0\0AVI abcd";
        for whole in [&mp4[..], mkv, avi] {
            assert_eq!(missing(whole), None);
            let cut = missing(&whole[..whole.len() - 1]).unwrap();
            assert!(
                cut.contains(&format!("of the {} that", whole.len())),
                "{cut}"
            );
        }
    }

    #[test]
    fn what_tells_no_length_misses_nothing() {
        for content in [
            &b""[..],
            b"text",
            b"plain text, longer than any head",
            // A box and an element up to the end of the file, and one of an unknown size.
            b"\0\0\0\x0cftypisom\0\0\0\0mdat1234",
            b"\x1a\x45\xdf\xa3\x82ab\x18\x53\x80\x67\xffabcd",
            b"\x1a\x45\xdf\xa3\x00\x00\x00\x00\x00\x00\x00\x00",
            b"RIFF\0\0\0\0AVI abcd",
        ] {
            assert_eq!(missing(content), None, "{content:?}");
        }
    }
}
