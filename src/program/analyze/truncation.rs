// SPDX-License-Identifier: MPL-2.0

//! Detects files that are shorter than their container states. GStreamer may play such a file
//! without an error.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

mod gif;
mod ogg;

/// Describes what of a file is missing; `None` if nothing is. MP4 and QuickTime, Matroska and WebM,
/// and AVI state their length; Ogg states where its streams end, and GIF has a mark at its end.
///
/// # Errors
/// Returns an error if the file cannot be read.
pub(super) fn truncation(path: &Path) -> io::Result<Option<String>> {
    let mut file = BufReader::new(File::open(path)?);
    let len = file.get_ref().metadata()?.len();
    let missing = missing_part(&mut file, len);
    missing.or_else(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => Ok(None),
        _ => Err(error),
    })
}

/// Describes what is missing of `file`, which has `len` bytes.
pub(crate) fn missing_part(file: &mut (impl Read + Seek), len: u64) -> io::Result<Option<String>> {
    if ogg::is_ogg(file)? {
        let has_end = ogg::has_end(file, len)?;
        return Ok((!has_end).then(|| {
            "the file is cut off: it ends before its streams do; record or copy it again".to_owned()
        }));
    }
    if gif::is_gif(file)? {
        return match gif::damage(file) {
            Ok(damage) => Ok(damage.map(|position| {
                format!("the file is damaged from byte {position} of {len} on; the rest is lost")
            })),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Ok(Some("the file is cut off: it has no end mark".to_owned()))
            }
            Err(error) => Err(error),
        };
    }
    let stated = stated_len(file, len)?;
    Ok(stated.filter(|&stated| stated > len).map(|stated| {
        format!("the file is cut off: it has {len} bytes of the {stated} that it should have")
    }))
}

/// Types of the first box of MP4 and QuickTime files.
const FIRST_BOXES: [&[u8; 4]; 5] = [b"ftyp", b"moov", b"mdat", b"wide", b"free"];

/// Returns the number of bytes that the container states; `None` if it states none.
fn stated_len(file: &mut (impl Read + Seek), len: u64) -> io::Result<Option<u64>> {
    let mut head = [0; 12];
    file.read_exact(&mut head)?;
    file.rewind()?;
    match &head {
        [_, _, _, _, kind @ .., _, _, _, _] if FIRST_BOXES.contains(&kind) => {
            len_by_boxes(file, len).map(Some)
        }
        [b'R', b'I', b'F', b'F', size @ .., b'A', b'V', b'I', b' '] => {
            let size = size
                .first_chunk()
                .map_or(0, |size| u32::from_le_bytes(*size));
            // A recorder that was stopped leaves 0 here.
            Ok((size > 0).then_some(8 + u64::from(size)))
        }
        [0x1a, 0x45, 0xdf, 0xa3, ..] => len_by_elements(file, len),
        _ => Ok(None),
    }
}

/// Returns the end of the last box in bytes; see ISO/IEC 14496-12.
fn len_by_boxes(file: &mut (impl Read + Seek), len: u64) -> io::Result<u64> {
    let mut position = 0u64;
    // A box has a header of 8 bytes.
    while position.saturating_add(8) <= len {
        file.seek(SeekFrom::Start(position))?;
        let size = match u64::from(u32::from_be_bytes(bytes(file)?)) {
            // The box extends to the end of the file.
            0 => return Ok(position),
            1 => {
                file.seek_relative(4)?;
                u64::from_be_bytes(bytes(file)?)
            }
            size => size,
        };
        // A box is not smaller than its header.
        if size < 8 {
            return Ok(position);
        }
        position = position.saturating_add(size);
    }
    Ok(position)
}

/// Returns the end of the last element at the top level in bytes; see RFC 8794.
fn len_by_elements(file: &mut (impl Read + Seek), len: u64) -> io::Result<Option<u64>> {
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

/// Reads a number of variable length. If `is_size`, the marker bit of the length is removed, and an
/// unknown size is `None`.
fn variable_integer(file: &mut (impl Read + Seek), is_size: bool) -> io::Result<Option<u64>> {
    let [first] = bytes(file)?;
    let further_bytes = first.leading_zeros();
    if further_bytes >= 8 {
        return Ok(None);
    }
    let mut value = u64::from(first);
    if is_size {
        value &= (1 << (7 - further_bytes)) - 1;
    }
    for _ in 0..further_bytes {
        let [byte] = bytes(file)?;
        value = value << 8 | u64::from(byte);
    }
    let unknown = (1 << (7 * (further_bytes + 1))) - 1;
    Ok((!is_size || value != unknown).then_some(value))
}

fn bytes<const N: usize>(file: &mut (impl Read + Seek)) -> io::Result<[u8; N]> {
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
    fn missing_bytes_are_counted() {
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

    /// Returns an Ogg page of a stream with a number of bytes.
    fn ogg_page(flags: u8, stream: u8, len: u8) -> Vec<u8> {
        let mut page = [
            &b"OggS\0"[..],
            &[flags],
            &[0; 8],
            &[stream, 0, 0, 0],
            &[0; 8],
        ]
        .concat();
        page.extend([1, len]);
        page.extend(vec![b'x'; usize::from(len)]);
        page
    }

    #[test]
    fn an_ogg_file_ends_with_the_end_of_its_streams() {
        let [first, middle, last] = [2, 0, 4].map(|flags| ogg_page(flags, 1, 200));
        let whole = [&first[..], &middle, &last].concat();
        assert_eq!(missing(&whole), None);
        // In the last page, in its header, and between two pages.
        for cut in [1, 210, last.len()] {
            let cut = missing(&whole[..whole.len() - cut]).unwrap();
            assert!(cut.starts_with("the file is cut off"), "{cut}");
        }
        // The sound ends after the video.
        let [sound, sound_end] = [0, 4].map(|flags| ogg_page(flags, 2, 100));
        let both = [&first[..], &sound, &last, &sound_end].concat();
        assert_eq!(missing(&both), None);
        assert!(missing(&both[..both.len() - sound_end.len()]).is_some());
    }

    #[test]
    fn a_gif_ends_with_a_mark() {
        let colors = [1; 6];
        let image = [
            &b"\x2c\0\0\0\0\x02\0\x02\0\x80"[..],
            &colors,
            b"\x02\x03abc\0",
        ]
        .concat();
        let pause = b"\x21\xf9\x04\0\x0a\0\0\0";
        let head = [&b"GIF89a\x02\0\x02\0\x80\0\0"[..], &colors].concat();
        let whole = [&head[..], pause, &image, pause, &image, b"\x3b"].concat();
        assert_eq!(missing(&whole), None);
        assert_eq!(missing(&[&whole[..], b"something else"].concat()), None);
        for cut in [1, 3, 40] {
            let cut = missing(&whole[..whole.len() - cut]).unwrap();
            assert_eq!(cut, "the file is cut off: it has no end mark");
        }
        let mut damaged = whole.clone();
        damaged[head.len() + pause.len()] = 0;
        let damage = missing(&damaged).unwrap();
        assert!(
            damage.starts_with("the file is damaged from byte 27 of "),
            "{damage}"
        );
    }

    #[test]
    fn files_without_a_stated_length_miss_nothing() {
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
