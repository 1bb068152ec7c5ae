// SPDX-License-Identifier: MPL-2.0

//! Damage in Matroska and WebM; see RFC 8794 and RFC 9559. The elements of clusters are read one after
//! the other, as demuxers do.

use std::io;
use std::ops::Range;

use super::{Gap, MAX_GAPS, Source};

/// First bytes of a file.
pub(super) const START: [u8; 4] = [0x1a, 0x45, 0xdf, 0xa3];

const SEGMENT: u32 = 0x1853_8067;
const INFO: u32 = 0x1549_a966;
const TIMESTAMP_SCALE: u32 = 0x2a_d7b1;
const CLUSTER: u32 = 0x1f43_b675;
const TIMESTAMP: u32 = 0xe7;
const SIMPLE_BLOCK: u32 = 0xa3;
const BLOCK_GROUP: u32 = 0xa0;
const VOID: u8 = 0xec;

/// Elements of a segment, except clusters: seek head, info, tracks, cues, attachments, chapters, tags.
const OF_SEGMENT: [u32; 7] = [
    0x114d_9b74,
    INFO,
    0x1654_ae6b,
    0x1c53_bb6b,
    0x1941_a469,
    0x1043_a770,
    0x1254_c367,
];

/// Elements of a cluster: timestamp, silent tracks, position, size of the previous cluster, blocks;
/// and two that are allowed everywhere: checksum and unused space.
const OF_CLUSTER: [u32; 8] = [
    TIMESTAMP,
    0x5854,
    0xa7,
    0xab,
    SIMPLE_BLOCK,
    BLOCK_GROUP,
    0xbf,
    VOID as u32,
];

/// Maximum number of bytes of the id and the size of an element.
const MAX_HEADER_BYTES: u64 = 12;

/// Number of elements in a row that are valid behind damage.
const VALID_ELEMENTS: usize = 4;

/// Nanoseconds per unit of timestamps if the file does not state them.
const DEFAULT_SCALE_NS: u64 = 1_000_000;

/// Returns the damaged parts between elements of the segment.
pub(super) fn gaps(file: &Source) -> io::Result<Vec<Gap>> {
    let mut gaps = Vec::new();
    let Some(segment) = segment(file)? else {
        return Ok(gaps);
    };
    let mut reader = Reader {
        file,
        end: segment.end.unwrap_or(file.len).min(file.len),
        scale_ns: DEFAULT_SCALE_NS,
        cluster_time: None,
        cluster_end: None,
        latest_ns: None,
    };
    let mut position = segment.content;
    let mut open_gap: Option<(Range<u64>, Option<u64>)> = None;
    while position < reader.end && gaps.len() < MAX_GAPS {
        if let Some(next) = reader.read(position)? {
            if let Some((bytes, before_ns)) = &open_gap
                && let Some(after_ns) = reader.latest_ns
            {
                gaps.extend(gap(
                    bytes.clone(),
                    before_ns.map(|before_ns| before_ns..after_ns),
                ));
                open_gap = None;
            }
            position = next;
            continue;
        }
        let next = reader.find_element(position + 1)?;
        if next.is_none() && reader.is_cut_off(position)? {
            break;
        }
        let next = next.unwrap_or(reader.end);
        let start = open_gap.take().map_or(position, |(bytes, _)| bytes.start);
        open_gap = Some((start..next, reader.latest_ns.take()));
        position = next;
    }
    if let Some((bytes, _)) = open_gap {
        gaps.extend(gap(bytes, None));
    }
    Ok(gaps)
}

/// Returns a gap; `None` if it is too short for an element.
fn gap(bytes: Range<u64>, times_ns: Option<Range<u64>>) -> Option<Gap> {
    let len = bytes.end - bytes.start;
    let header = match len {
        0 | 1 => return None,
        // The size has a length of one byte, whose first bit is the marker of the length.
        2..=127 => vec![VOID, 0x80 | (len - 2) as u8],
        _ => {
            let mut header = vec![VOID];
            header.extend(((1 << 56) | (len - 9)).to_be_bytes());
            header
        }
    };
    Some(Gap {
        bytes,
        header,
        times_ns: times_ns.filter(|times| times.start <= times.end),
    })
}

/// An element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Element {
    id: u32,
    /// Start of its content.
    content: u64,
    /// End of its content; `None` if it is unknown.
    end: Option<u64>,
}

/// Returns the segment; `None` if there is none.
fn segment(file: &Source) -> io::Result<Option<Element>> {
    let header = element(file, 0)?;
    let Some(end) = header.and_then(|header| header.end) else {
        return Ok(None);
    };
    let segment = element(file, end)?;
    Ok(segment.filter(|segment| segment.id == SEGMENT))
}

/// Returns the element at `position`; `None` if there is none.
fn element(file: &Source, position: u64) -> io::Result<Option<Element>> {
    let Some((id, content)) = number(file, position, 4)? else {
        return Ok(None);
    };
    let Some((size, content)) = number(file, content, 8)? else {
        return Ok(None);
    };
    let marker = marker(content - position - id_len(id));
    let size = size & !marker;
    Ok(Some(Element {
        id: id as u32,
        content,
        end: (size != marker - 1).then(|| content.saturating_add(size)),
    }))
}

/// Returns `true` if this is the id of an element of a segment or a cluster.
fn is_known(id: u32) -> bool {
    id == CLUSTER || OF_SEGMENT.contains(&id) || OF_CLUSTER.contains(&id)
}

/// Returns the number of bytes of an id.
fn id_len(id: u64) -> u64 {
    u64::from(u64::BITS - id.leading_zeros()).div_ceil(8)
}

/// Returns the bit that marks a number of this many bytes.
fn marker(bytes: u64) -> u64 {
    1 << (7 * bytes)
}

/// Returns a number of variable length, with its marker, and the position after it; `None` if it is
/// longer than `max_bytes`, or the file ends.
fn number(file: &Source, position: u64, max_bytes: usize) -> io::Result<Option<(u64, u64)>> {
    let (bytes, available) = file.up_to::<8>(position)?;
    let len = bytes[0].leading_zeros() as usize + 1;
    if len > available || len > max_bytes {
        return Ok(None);
    }
    let value = bytes[..len]
        .iter()
        .fold(0, |value, &byte| value << 8 | u64::from(byte));
    Ok(Some((value, position + len as u64)))
}

/// Reads the elements of a segment in their order.
struct Reader<'a> {
    file: &'a Source,
    /// End of the segment, or of the file.
    end: u64,
    /// Nanoseconds per unit of timestamps.
    scale_ns: u64,
    /// Timestamp of the cluster.
    cluster_time: Option<u64>,
    /// End of the cluster, if it is known.
    cluster_end: Option<u64>,
    /// Timestamp of the latest block.
    latest_ns: Option<u64>,
}

impl Reader<'_> {
    /// Reads the element at `position`; returns the position of the next one. In a cluster, that is
    /// its first element. Returns `None` if there is no valid element.
    fn read(&mut self, position: u64) -> io::Result<Option<u64>> {
        let Some(element) = self.valid_element(position)? else {
            return self.end_of_unknown_element(position);
        };
        match (element.id, element.end) {
            (CLUSTER, end) => {
                (self.cluster_time, self.cluster_end) = (None, end);
                Ok(Some(element.content))
            }
            (_, None) => Ok(None),
            (id, Some(end)) => {
                match id {
                    INFO => self.read_info(element.content, end)?,
                    TIMESTAMP => self.cluster_time = self.unsigned(element.content, end)?,
                    SIMPLE_BLOCK => self.read_block_time(element.content)?,
                    BLOCK_GROUP => {
                        if let Some(block) = self::element(self.file, element.content)? {
                            self.read_block_time(block.content)?;
                        }
                    }
                    _ => {}
                }
                Ok(Some(end))
            }
        }
    }

    /// Returns the end of the element at `position`, of which nothing is known; `None` if no valid
    /// elements follow it.
    fn end_of_unknown_element(&self, position: u64) -> io::Result<Option<u64>> {
        let element = element(self.file, position)?;
        let end = element.and_then(|element| element.end);
        Ok(match end.filter(|&end| end <= self.end) {
            Some(end) if self.is_valid(end)? => Some(end),
            _ => None,
        })
    }

    /// Returns the element at `position` if it is known and lies in the file.
    fn valid_element(&self, position: u64) -> io::Result<Option<Element>> {
        let element = element(self.file, position)?;
        let Some(element) = element else {
            return Ok(None);
        };
        // The size of a cluster does not matter, as its elements are read.
        let is_inside = element.id == CLUSTER || element.end.is_some_and(|end| end <= self.end);
        if !is_known(element.id) || !is_inside {
            return Ok(None);
        }
        if element.id == SIMPLE_BLOCK {
            // Its content has the number of a track, a time of two bytes, and flags, of which three
            // bits are reserved.
            let Some((_, time)) = number(self.file, element.content, 8)? else {
                return Ok(None);
            };
            let flags = self.file.array(time + 2)?;
            if flags.is_none_or(|[flags]: [u8; 1]| flags & 0x70 != 0) {
                return Ok(None);
            }
        }
        Ok(Some(element))
    }

    /// Returns `true` if the element at `position` does not end in the file.
    fn is_cut_off(&self, position: u64) -> io::Result<bool> {
        if self.end < self.file.len {
            return Ok(false);
        }
        if position + MAX_HEADER_BYTES > self.end {
            return Ok(true);
        }
        let element = element(self.file, position)?;
        Ok(element.is_some_and(|element| {
            is_known(element.id) && element.end.is_none_or(|end| end > self.end)
        }))
    }

    /// Returns the position of the first element at or after `position` that valid elements follow;
    /// `None` if there is none. Blocks count only in their cluster, whose time they need.
    fn find_element(&self, position: u64) -> io::Result<Option<u64>> {
        let cluster_end = self.cluster_end.unwrap_or(0);
        let is_block = |bytes: &[u8]| {
            let id = bytes.first().copied().map(u32::from);
            id.is_some_and(|id| [SIMPLE_BLOCK, BLOCK_GROUP].contains(&id))
        };
        let is_top_level = |bytes: &[u8]| {
            let id = bytes.first_chunk().copied().map(u32::from_be_bytes);
            id.is_some_and(|id| id == CLUSTER || OF_SEGMENT.contains(&id))
        };
        // Behind the cluster, no block counts.
        let blocks_end = cluster_end.clamp(position, self.end);
        let is_candidate = |bytes: &[u8]| is_block(bytes) || is_top_level(bytes);
        let is_valid = |position| self.is_valid(position);
        match self
            .file
            .find(position..blocks_end, is_candidate, is_valid)?
        {
            None => self.file.find(blocks_end..self.end, is_top_level, is_valid),
            found => Ok(found),
        }
    }

    /// Returns `true` if there are valid elements from `position` on.
    fn is_valid(&self, mut position: u64) -> io::Result<bool> {
        for _ in 0..VALID_ELEMENTS {
            if position == self.end {
                break;
            }
            let Some(element) = self.valid_element(position)? else {
                return Ok(false);
            };
            position = match (element.id, element.end) {
                (CLUSTER, _) => element.content,
                (_, Some(end)) => end,
                (_, None) => return Ok(false),
            };
        }
        Ok(true)
    }

    /// Reads the scale of timestamps.
    fn read_info(&mut self, mut position: u64, end: u64) -> io::Result<()> {
        while position < end {
            let Some(element) = element(self.file, position)? else {
                return Ok(());
            };
            let Some(element_end) = element.end else {
                return Ok(());
            };
            if element.id == TIMESTAMP_SCALE
                && let Some(scale_ns) = self.unsigned(element.content, element_end)?
            {
                self.scale_ns = scale_ns;
            }
            position = element_end;
        }
        Ok(())
    }

    /// Reads the time of a block from its content.
    fn read_block_time(&mut self, content: u64) -> io::Result<()> {
        let Some((_, time)) = number(self.file, content, 8)? else {
            return Ok(());
        };
        let time = self.file.array(time)?.map(i16::from_be_bytes);
        let times = self.cluster_time.zip(time);
        let time = times.and_then(|(cluster, block)| cluster.checked_add_signed(block.into()));
        self.latest_ns = time.map(|time| time.saturating_mul(self.scale_ns));
        Ok(())
    }

    /// Returns the content of an element as a number; `None` if it is too long.
    fn unsigned(&self, content: u64, end: u64) -> io::Result<Option<u64>> {
        if end.saturating_sub(content) > 8 {
            return Ok(None);
        }
        let mut value = 0;
        for position in content..end {
            let Some([byte]) = self.file.array(position)? else {
                return Ok(None);
            };
            value = value << 8 | u64::from(byte);
        }
        Ok(Some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Interrupt;

    /// Returns an element with a size of one byte.
    fn make(id: &[u8], content: &[u8]) -> Vec<u8> {
        [id, &[0x80 | content.len() as u8], content].concat()
    }

    fn block(time: u8) -> Vec<u8> {
        make(
            &[0xa3],
            &[0x81, 0, time, 0x80, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
        )
    }

    fn cluster(time: u8) -> Vec<u8> {
        let blocks: Vec<u8> = (0..5).flat_map(|index| block(index * 10)).collect();
        let content = [make(&[0xe7], &[time]), blocks].concat();
        make(&CLUSTER.to_be_bytes(), &content)
    }

    /// Returns a file with three clusters, and the positions of these.
    fn file() -> (Vec<u8>, [usize; 3]) {
        let info = make(
            &INFO.to_be_bytes(),
            &make(&[0x2a, 0xd7, 0xb1], &[0x0f, 0x42, 0x40]),
        );
        let mut file = [
            make(&START, b"webm"),
            SEGMENT.to_be_bytes().to_vec(),
            vec![0xff],
            info,
        ]
        .concat();
        let positions = [0, 50, 100].map(|time| {
            let position = file.len();
            file.extend(cluster(time));
            position
        });
        (file, positions)
    }

    fn gaps(content: &[u8]) -> Vec<Gap> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.webm");
        std::fs::write(&path, content).unwrap();
        super::gaps(&Source::open(&path, &Interrupt::default()).unwrap()).unwrap()
    }

    #[test]
    fn a_file_without_damage_has_no_gaps() {
        let (content, _) = file();
        assert_eq!(gaps(&content), []);
        // Nor has one that is cut off.
        assert_eq!(gaps(&content[..content.len() - 7]), []);
    }

    #[test]
    fn an_unknown_element_is_no_damage() {
        let (content, [_, second, _]) = file();
        let unknown = make(&[0x4f, 0xff], b"something");
        let content = [&content[..second], &unknown, &content[second..]].concat();
        assert_eq!(gaps(&content), []);
    }

    #[test]
    fn a_damaged_block_is_skipped() {
        let (mut content, [_, second, _]) = file();
        // The second block, after the header and the timestamp.
        let start = second + 5 + 3 + 18;
        content[start..start + 10].fill(0);
        let gaps = gaps(&content);
        let ms = 1_000_000;
        assert_eq!(gaps.len(), 1);
        assert_eq!(gaps[0].bytes, start as u64..start as u64 + 18);
        assert_eq!(gaps[0].header, [VOID, 0x80 | 16]);
        assert_eq!(gaps[0].times_ns, Some(50 * ms..70 * ms));
    }

    #[test]
    fn damage_up_to_the_end_is_a_gap() {
        let (mut content, [_, _, third]) = file();
        // The second block, after the header and the timestamp.
        let start = third + 5 + 3 + 18;
        content[start..].fill(0x04);
        assert_eq!(gaps(&content)[0].bytes, start as u64..content.len() as u64);
    }

    #[test]
    fn without_the_header_of_a_cluster_its_blocks_are_skipped() {
        let (mut content, [_, second, third]) = file();
        content[second..second + 4].fill(0);
        let gaps = gaps(&content);
        assert_eq!(gaps.len(), 1);
        assert_eq!(gaps[0].bytes, second as u64..third as u64);
        let ms = 1_000_000;
        assert_eq!(gaps[0].times_ns, Some(40 * ms..100 * ms));
    }

    #[test]
    fn a_long_gap_has_a_header_of_nine_bytes() {
        let gap = gap(1000..1300, None).unwrap();
        assert_eq!(gap.header, [VOID, 1, 0, 0, 0, 0, 0, 1, 35]);
        assert!(self::gap(5..6, None).is_none());
    }
}
