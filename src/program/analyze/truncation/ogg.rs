// SPDX-License-Identifier: MPL-2.0

//! The end of an Ogg file; see RFC 3533.

use std::collections::HashMap;
use std::io::{self, Read, Seek, SeekFrom};

/// The first bytes of a page: the capture pattern and the version.
const PAGE: &[u8; 5] = b"OggS\0";
/// Number of bytes of the header of a page before the sizes of its segments.
const HEADER_LEN: usize = 27;
/// Maximum number of bytes of a page.
const MAX_PAGE_LEN: u64 = 65_307;
/// Flag of the last page of a stream.
const END_OF_STREAM: u8 = 4;

/// Returns `true` if `file` begins with a page.
pub(super) fn is_ogg(file: &mut (impl Read + Seek)) -> io::Result<bool> {
    let head = super::bytes::<5>(file)?;
    file.rewind()?;
    Ok(head == *PAGE)
}

/// Returns `true` if `file`, which has `len` bytes, ends with the last page of a stream, and
/// so do all streams that have a page shortly before.
pub(super) fn has_end(file: &mut (impl Read + Seek), len: u64) -> io::Result<bool> {
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(len.saturating_sub(3 * MAX_PAGE_LEN)))?;
    file.read_to_end(&mut tail)?;
    let mut is_ended = HashMap::new();
    let mut end = 0;
    let starts = tail.windows(PAGE.len()).enumerate();
    for (start, _) in starts.filter(|(_, bytes)| bytes == PAGE) {
        // The bytes of a page may look like the start of a page.
        if start < end {
            continue;
        }
        let Some(page_end) = page_end(&tail[start..]) else {
            return Ok(false);
        };
        let [flags, serial] = [5..6, 14..18].map(|range| &tail[start..][range]);
        is_ended.insert(serial, flags[0] & END_OF_STREAM != 0);
        end = start + page_end;
    }
    Ok(is_ended.values().all(|&is_ended| is_ended) && end <= tail.len())
}

/// Returns the number of bytes of the page at the start of `bytes`; `None` if its header is cut
/// off.
fn page_end(bytes: &[u8]) -> Option<usize> {
    let segments = usize::from(*bytes.get(HEADER_LEN - 1)?);
    let sizes = bytes.get(HEADER_LEN..HEADER_LEN + segments)?;
    let content: usize = sizes.iter().map(|&size| usize::from(size)).sum();
    Some(HEADER_LEN + segments + content)
}
