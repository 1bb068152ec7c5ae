// SPDX-License-Identifier: MPL-2.0

//! Damage in Ogg; see RFC 3533. Demuxers find the next page by themselves.

use std::io;

use super::{Gap, Source};

/// First bytes of a page.
pub(super) const START: [u8; 4] = *b"OggS";

/// Number of bytes of the header of a page before the sizes of its segments.
const HEADER_BYTES: u64 = 27;

/// Returns the damaged parts between pages.
pub(super) fn gaps(file: &Source) -> io::Result<Vec<Gap>> {
    let end_of = |position| end_of_page(file, position);
    super::gaps_between(file, end_of, &START, |position| is_page(file, position))
}

/// Returns `true` if there is a page at `position` that the next one or the end of the file follows.
fn is_page(file: &Source, position: u64) -> io::Result<bool> {
    Ok(match end_of_page(file, position)? {
        Some(end) => end == file.len || file.array(end)? == Some(START),
        None => false,
    })
}

/// Returns the end of the page at `position`; `None` if there is none in the file.
fn end_of_page(file: &Source, position: u64) -> io::Result<Option<u64>> {
    let header: Option<[u8; HEADER_BYTES as usize]> = file.array(position)?;
    let Some([b'O', b'g', b'g', b'S', 0, .., segments]) = header else {
        return Ok(None);
    };
    let segments = usize::from(segments);
    let (sizes, available): ([u8; 255], usize) = file.up_to(position + HEADER_BYTES)?;
    if available < segments {
        return Ok(None);
    }
    let content: u64 = sizes[..segments].iter().map(|&size| u64::from(size)).sum();
    let end = position + HEADER_BYTES + segments as u64 + content;
    Ok((end <= file.len).then_some(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Interrupt;

    #[test]
    fn damage_between_pages_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.ogv");
        let gaps = |content: &[u8]| {
            std::fs::write(&path, content).unwrap();
            gaps(&Source::open(&path, &Interrupt::default()).unwrap()).unwrap()
        };
        let page = [&b"OggS\0"[..], &[0; 21], &[2, 40, 30], &[7; 70]].concat();
        let mut content = page.repeat(5);
        assert_eq!(gaps(&content), []);
        assert_eq!(gaps(&content[..content.len() - 5]), []);
        content[page.len() + 80..2 * page.len() + 20].fill(0);
        let gap = &gaps(&content)[0];
        let len = page.len() as u64;
        assert_eq!(gap.bytes, 2 * len..3 * len);
    }
}
