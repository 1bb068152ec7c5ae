// SPDX-License-Identifier: MPL-2.0

//! The durations in the header of MP4 and QuickTime files; see ISO/IEC 14496-12.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Position of a duration in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DurationField {
    /// Offset in bytes.
    pub(crate) offset: u64,
    /// Number of bytes.
    pub(crate) len: u64,
}

/// Returns the duration of the movie in the file at `path` if it hides the video from GStreamer:
/// `qtdemux` takes a video of less than a fifth of that duration for a preview, and skips it. A
/// recording whose camera was on for a short time has no other video.
///
/// # Errors
/// Returns an error if the file cannot be read, or is not such a file.
pub(super) fn duration_that_hides_video(path: &Path) -> io::Result<Option<DurationField>> {
    let mut file = File::open(path)?;
    let len = file.metadata()?.len();
    hiding_duration(&mut file, len)
}

/// Returns the duration in `file`, which has `len` bytes, like [`duration_that_hides_video`].
pub(crate) fn hiding_duration(
    file: &mut (impl Read + Seek),
    len: u64,
) -> io::Result<Option<DurationField>> {
    let whole = Content { start: 0, end: len };
    let Some(movie) = find(file, whole, *b"moov")? else {
        return Ok(None);
    };
    let Some(header) = find(file, movie, *b"mvhd")? else {
        return Ok(None);
    };
    let total = Duration::read(file, header)?;
    // In fragmented files, `qtdemux` skips nothing.
    if total.units == 0 || find(file, movie, *b"mvex")?.is_some() {
        return Ok(None);
    }
    let mut has_video = false;
    let mut next = movie;
    while let Some((kind, track)) = next_box(file, &mut next)? {
        if kind == *b"trak"
            && let Some(duration) = video_duration(file, track)?
        {
            has_video = true;
            if !is_preview(&duration, &total) {
                return Ok(None);
            }
        }
    }
    Ok(has_video.then_some(total.field))
}

/// Returns `true` if `qtdemux` takes a track for a preview; the rounding is that of `qtdemux`.
fn is_preview(track: &Duration, total: &Duration) -> bool {
    let of_movie = u128::from(track.per_second) * u128::from(total.units);
    let of_track = u128::from(total.per_second) * u128::from(track.units);
    of_movie > 0 && of_track * 10 / of_movie < 2
}

/// Returns the duration of a track; `None` if it is not a video.
fn video_duration(file: &mut (impl Read + Seek), track: Content) -> io::Result<Option<Duration>> {
    let Some(media) = find(file, track, *b"mdia")? else {
        return Ok(None);
    };
    let Some(handler) = find(file, media, *b"hdlr")? else {
        return Ok(None);
    };
    file.seek(SeekFrom::Start(handler.start + 8))?;
    if bytes::<4>(file)? != *b"vide" {
        return Ok(None);
    }
    let header = find(file, media, *b"mdhd")?;
    header
        .map(|header| Duration::read(file, header))
        .transpose()
}

/// Start and end of the content of a box in bytes.
#[derive(Clone, Copy)]
struct Content {
    start: u64,
    end: u64,
}

/// Returns the content of the first box of `kind` in `parent`; `None` if there is none.
fn find(
    file: &mut (impl Read + Seek),
    mut parent: Content,
    kind: [u8; 4],
) -> io::Result<Option<Content>> {
    while let Some((found, content)) = next_box(file, &mut parent)? {
        if found == kind {
            return Ok(Some(content));
        }
    }
    Ok(None)
}

/// Returns the kind and the content of the box at the start of `rest`, and removes it from `rest`;
/// `None` at the end.
fn next_box(
    file: &mut (impl Read + Seek),
    rest: &mut Content,
) -> io::Result<Option<([u8; 4], Content)>> {
    // A box has a header of 8 bytes.
    if rest.end.saturating_sub(rest.start) < 8 {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(rest.start))?;
    let size = u64::from(u32::from_be_bytes(bytes(file)?));
    let kind = bytes(file)?;
    let (size, header_len) = match size {
        0 => (rest.end - rest.start, 8),
        1 => (u64::from_be_bytes(bytes(file)?), 16),
        size => (size, 8),
    };
    if size < header_len {
        return Ok(None);
    }
    let end = rest.start.saturating_add(size).min(rest.end);
    let content = Content {
        start: rest.start.saturating_add(header_len),
        end,
    };
    rest.start = end;
    Ok(Some((kind, content)))
}

/// A duration in a header.
struct Duration {
    units: u64,
    per_second: u32,
    field: DurationField,
}

impl Duration {
    /// Reads the duration in `header`, the content of a box `mvhd` or `mdhd`.
    fn read(file: &mut (impl Read + Seek), header: Content) -> io::Result<Self> {
        file.seek(SeekFrom::Start(header.start))?;
        // The version, flags, and two times, whose size depends on the version.
        let [version, ..] = bytes::<4>(file)?;
        let len = match version {
            1 => 8,
            _ => 4,
        };
        file.seek(SeekFrom::Start(header.start + 4 + 2 * len))?;
        let per_second = u32::from_be_bytes(bytes(file)?);
        let units = match version {
            1 => u64::from_be_bytes(bytes(file)?),
            _ => u64::from(u32::from_be_bytes(bytes(file)?)),
        };
        Ok(Self {
            units,
            per_second,
            field: DurationField {
                offset: header.start + 8 + 2 * len,
                len,
            },
        })
    }
}

fn bytes<const N: usize>(file: &mut (impl Read + Seek)) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make_box(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let size = 8 + content.len() as u32;
        [&size.to_be_bytes()[..], kind, content].concat()
    }

    /// Returns a header in version 0 with a duration of milliseconds.
    fn header(kind: &[u8; 4], duration_ms: u32) -> Vec<u8> {
        let content = [0, 0, 0, 1000, duration_ms].map(u32::to_be_bytes).concat();
        make_box(kind, &content)
    }

    fn track(handler: &[u8; 4], duration_ms: u32) -> Vec<u8> {
        let handler = make_box(b"hdlr", &[&[0; 8], &handler[..]].concat());
        let media = [header(b"mdhd", duration_ms), handler].concat();
        make_box(b"trak", &make_box(b"mdia", &media))
    }

    fn field(content: &[u8]) -> Option<DurationField> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("movie.mp4");
        std::fs::write(&path, content).unwrap();
        duration_that_hides_video(&path).unwrap()
    }

    fn movie(parts: &[Vec<u8>]) -> Vec<u8> {
        let movie = make_box(b"moov", &parts.concat());
        [make_box(b"ftyp", b"isom"), movie].concat()
    }

    #[test]
    fn a_short_video_beside_a_long_sound_is_hidden() {
        let sound = track(b"soun", 20_000);
        let with_video = |duration_ms| {
            let parts = [
                header(b"mvhd", 20_000),
                track(b"vide", duration_ms),
                sound.clone(),
            ];
            field(&movie(&parts))
        };
        // 12 bytes of `ftyp`, the headers of `moov` and `mvhd`, and 16 bytes before it.
        let expected = DurationField { offset: 44, len: 4 };
        assert_eq!(with_video(3_000), Some(expected));
        assert_eq!(with_video(3_999), Some(expected));
        assert_eq!(with_video(4_000), None);
    }

    #[test]
    fn nothing_is_hidden_without_a_video_and_beside_a_longer_one() {
        let total = header(b"mvhd", 20_000);
        let preview = track(b"vide", 100);
        let video = track(b"vide", 20_000);
        for parts in [
            vec![total.clone(), track(b"soun", 100)],
            vec![total.clone(), preview.clone(), video],
            vec![header(b"mvhd", 0), preview.clone()],
            vec![total, preview, make_box(b"mvex", b"")],
        ] {
            assert_eq!(field(&movie(&parts)), None);
        }
        for other in [&b""[..], b"text", b"plain text, longer than a header"] {
            assert_eq!(field(other), None);
        }
    }

    #[test]
    fn a_header_with_64_bits_is_read() {
        let mut content = vec![1, 0, 0, 0];
        content.extend([0; 16]);
        content.extend(1000u32.to_be_bytes());
        content.extend(20_000u64.to_be_bytes());
        let parts = [make_box(b"mvhd", &content), track(b"vide", 3_000)];
        let expected = DurationField { offset: 52, len: 8 };
        assert_eq!(field(&movie(&parts)), Some(expected));
    }
}
