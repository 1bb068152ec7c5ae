// SPDX-License-Identifier: MPL-2.0

//! Reading of files that are damaged in the middle. A demuxer stops at the first data that it does not
//! understand, or skips more than that without a word. Most containers have elements for unused space:
//! the damaged part becomes one, and the demuxer continues behind it.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

use attitude::clock;

use crate::exit::Interrupt;
use crate::numbers::count;
use crate::worker::message::Patch;

mod avi;
mod matroska;
mod mp4;
mod mpeg_ps;
mod mxf;
mod nut;
mod ogg;

/// Maximum number of gaps; a file with more has hardly a frame that can be decoded.
const MAX_GAPS: usize = 1000;

/// Number of bytes by which an element may be recognized: a size and a type.
const CANDIDATE_BYTES: usize = 8;

/// Maximum number of parts in the description.
const MAX_LISTED: usize = 3;

/// The damaged parts of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Repair {
    gaps: Vec<Gap>,
    /// Further changes with which a demuxer reads the rest.
    further: Vec<Patch>,
}

/// A damaged part of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Gap {
    bytes: Range<u64>,
    /// Header of an element of unused space, with which a demuxer skips these bytes; empty if it finds
    /// their end by itself.
    header: Vec<u8>,
    /// Timestamps of the frames before and after it, if they are known.
    times_ns: Option<Range<u64>>,
}

impl Repair {
    /// Finds the damaged parts of the file at `path`; returns `None` if there are none, or the
    /// container is another one.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, or the run must end.
    pub(crate) fn of(path: &Path, interrupt: &Interrupt) -> io::Result<Option<Self>> {
        let file = Source::open(path, interrupt)?;
        let repair = match (file.array(0)?, file.array(4)?) {
            (Some(avi::START), _) => avi::repair(&file)?,
            (Some(matroska::START), _) => matroska::gaps(&file)?.into(),
            (Some(mpeg_ps::START), _) => mpeg_ps::gaps(&file)?.into(),
            (Some(mxf::START), _) => mxf::repair(&file)?,
            (Some(nut::START), _) => nut::gaps(&file)?.into(),
            (Some(ogg::START), _) => ogg::gaps(&file)?.into(),
            (_, Some(mp4::FILE_TYPE)) => mp4::gaps(&file)?.into(),
            _ => return Ok(None),
        };
        Ok((!repair.gaps.is_empty()).then_some(repair))
    }

    /// Returns the changes with which a demuxer skips the damaged parts.
    pub(crate) fn patches(&self) -> Vec<Patch> {
        let patch = |gap: &Gap| Patch {
            offset: gap.bytes.start,
            bytes: gap.header.clone(),
        };
        let patches = self.gaps.iter().map(patch);
        patches.chain(self.further.iter().cloned()).collect()
    }

    /// Describes the damage; `None` if there is none. `origin_ns` is the timestamp of position 0, and
    /// `further` describes damage that was found when the repaired file was played.
    pub(crate) fn describe(&self, origin_ns: u64, further: Option<&str>) -> Option<String> {
        if self.gaps.is_empty() {
            return further.map(str::to_owned);
        }
        let damaged: u64 = self
            .gaps
            .iter()
            .map(|gap| gap.bytes.end - gap.bytes.start)
            .sum();
        let position = |ns: u64| clock::position(ns.saturating_sub(origin_ns));
        let parts = self.gaps.iter().filter_map(|gap| gap.times_ns.as_ref());
        let parts: Vec<String> = parts
            .map(|times| format!("{} to {}", position(times.start), position(times.end)))
            .collect();
        let mut text = format!(
            "{} of the file are damaged and were skipped",
            count(damaged, "byte")
        );
        if !parts.is_empty() {
            let listed = parts[..parts.len().min(MAX_LISTED)].join(", ");
            text += &format!(", from {listed}");
        }
        if parts.len() > MAX_LISTED {
            text += &format!(" and in {} more parts", parts.len() - MAX_LISTED);
        }
        if let Some(further) = further {
            text += &format!("; {further}");
        }
        Some(text)
    }
}

impl From<Vec<Gap>> for Repair {
    fn from(gaps: Vec<Gap>) -> Self {
        Self {
            gaps,
            further: Vec::new(),
        }
    }
}

/// Returns the damaged parts between the elements of a file whose demuxers find the next element by
/// themselves. `end_of` returns the end of the element at a position. The first element behind damage
/// begins with `start`, and `is_start` returns whether elements continue there.
fn gaps_between(
    file: &Source,
    end_of: impl Fn(u64) -> io::Result<Option<u64>>,
    start: &[u8],
    is_start: impl Fn(u64) -> io::Result<bool>,
) -> io::Result<Vec<Gap>> {
    let mut gaps = Vec::new();
    let mut position = 0;
    while position < file.len && gaps.len() < MAX_GAPS {
        if let Some(end) = end_of(position)? {
            position = end;
            continue;
        }
        let begins = |bytes: &[u8]| bytes.starts_with(start);
        let Some(next) = file.find(position + 1..file.len, begins, &is_start)? else {
            // Without an end, it is not a gap, but the end of a file that is cut off.
            break;
        };
        gaps.push(Gap {
            bytes: position..next,
            header: Vec::new(),
            times_ns: None,
        });
        position = next;
    }
    Ok(gaps)
}

/// A file, read at any position.
struct Source {
    file: File,
    len: u64,
    interrupt: Interrupt,
}

impl Source {
    fn open(path: &Path, interrupt: &Interrupt) -> io::Result<Self> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        Ok(Self {
            file,
            len,
            interrupt: interrupt.clone(),
        })
    }

    /// Returns the bytes from `position` on; `None` if the file ends before.
    fn array<const N: usize>(&self, position: u64) -> io::Result<Option<[u8; N]>> {
        let (bytes, len) = self.up_to(position)?;
        Ok((len == N).then_some(bytes))
    }

    /// Returns the bytes from `position` on, and how many of them are in the file; the others are 0.
    fn up_to<const N: usize>(&self, position: u64) -> io::Result<([u8; N], usize)> {
        let mut bytes = [0; N];
        let len = self.fill(&mut bytes, position)?;
        Ok((bytes, len))
    }

    /// Reads from `position` on until `bytes` are filled or the file ends; returns the number of bytes.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, or the run must end: to read all of a large file may
    /// take minutes.
    fn fill(&self, bytes: &mut [u8], position: u64) -> io::Result<usize> {
        if self.interrupt.is_set() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let mut filled = 0;
        while filled < bytes.len() {
            match self
                .file
                .read_at(&mut bytes[filled..], position.saturating_add(filled as u64))
            {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    /// Returns the first position in `range` at which elements start; `None` if there is none.
    /// `is_candidate` is called for the bytes at each position, at most [`CANDIDATE_BYTES`], and
    /// `is_start`, which may read, for the positions of candidates only.
    fn find(
        &self,
        range: Range<u64>,
        is_candidate: impl Fn(&[u8]) -> bool,
        is_start: impl Fn(u64) -> io::Result<bool>,
    ) -> io::Result<Option<u64>> {
        const BLOCK: usize = 1 << 16;
        let mut block = vec![0; BLOCK + CANDIDATE_BYTES - 1];
        let mut position = range.start;
        while position < range.end {
            let filled = self.fill(&mut block, position)?;
            let starts = filled.min(BLOCK).min((range.end - position) as usize);
            for index in 0..starts {
                let bytes = &block[index..filled.min(index + CANDIDATE_BYTES)];
                let candidate = position + index as u64;
                if is_candidate(bytes) && is_start(candidate)? {
                    return Ok(Some(candidate));
                }
            }
            if filled <= BLOCK {
                break;
            }
            position += BLOCK as u64;
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_described_with_positions() {
        let second = clock::NS_PER_S;
        let gap = |start, times_ns| Gap {
            bytes: start..start + 100,
            header: Vec::new(),
            times_ns,
        };
        let repair = Repair {
            gaps: vec![gap(1000, Some(9 * second..10 * second)), gap(5000, None)],
            further: Vec::new(),
        };
        assert_eq!(
            repair.describe(6 * second, None).unwrap(),
            "200 bytes of the file are damaged and were skipped, from 0:03.0 to 0:04.0"
        );
        let text = repair.describe(0, Some("and more")).unwrap();
        assert!(text.ends_with("0:10.0; and more"), "{text}");
        assert_eq!(Repair::default().describe(0, None), None);
    }

    #[test]
    fn bytes_are_found_across_blocks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut content = vec![0; 200_000];
        for position in [65_534, 131_075] {
            content[position..position + 4].copy_from_slice(b"mark");
        }
        std::fs::write(&path, content).unwrap();
        let interrupt = Interrupt::default();
        let source = Source::open(&path, &interrupt).unwrap();
        let is_mark = |bytes: &[u8]| bytes.starts_with(b"mark");
        let find = |range| source.find(range, is_mark, |_| Ok(true)).unwrap();
        assert_eq!(find(0..200_000), Some(65_534));
        assert_eq!(find(65_535..200_000), Some(131_075));
        assert_eq!(find(0..65_534), None);
        assert_eq!(find(131_076..200_000), None);
    }

    #[test]
    fn an_interrupted_run_does_not_read_to_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, vec![0; 200_000]).unwrap();
        let interrupt = Interrupt::default();
        let source = Source::open(&path, &interrupt).unwrap();
        let stop = |position| {
            interrupt.stop();
            assert!(position < 65_536);
            Ok(false)
        };
        let error = source.find(0..200_000, |_| true, stop).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Interrupted);
    }

    #[test]
    fn other_files_have_nothing_to_repair() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for content in [&b""[..], b"te", b"plain text, longer than any header"] {
            std::fs::write(&path, content).unwrap();
            assert_eq!(Repair::of(&path, &Interrupt::default()).unwrap(), None);
        }
    }
}
