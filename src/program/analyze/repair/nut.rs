// SPDX-License-Identifier: MPL-2.0

//! Damage in NUT; see its specification by FFmpeg. A file is a row of packets, which begin with start codes
//! and state their length, and of frames, whose length follows from the tables in the main header. Demuxers
//! find the next syncpoint by themselves.

use std::io;

use super::{Gap, Source};

/// First bytes of a file.
pub(super) const START: [u8; 4] = *b"nut/";

/// Number of bytes of the text at the start of a file.
const ID_BYTES: u64 = 25;

/// First byte of all start codes, which is no frame code.
const N: u8 = b'N';
const MAIN: [u8; 8] = [N, b'M', 0x7a, 0x56, 0x1f, 0x5f, 0x04, 0xad];
const SYNCPOINT: [u8; 8] = [N, b'K', 0xe4, 0xad, 0xee, 0xca, 0x45, 0x69];
/// The other packets: streams, info, index.
const OTHERS: [[u8; 8]; 3] = [
    [N, b'S', 0x11, 0x40, 0x5b, 0xf2, 0xf9, 0xdb],
    [N, b'I', 0xab, 0x68, 0xb5, 0x96, 0xba, 0x78],
    [N, b'X', 0xdd, 0x67, 0x2f, 0x23, 0xe6, 0x4e],
];

/// Content from which on a packet has a checksum behind its length, and a frame has no elided header.
const LARGE_BYTES: u64 = 4096;
const CHECKSUM_BYTES: u64 = 4;

/// Maximum number of elided headers.
const MAX_ELIDED: u64 = 128;
/// Maximum number of further fields of a frame, which are for later versions of the format.
const MAX_RESERVED: u64 = 256;

/// What the flags of a frame say: the fields of its header.
mod flag {
    pub(super) const CODED_PTS: u64 = 1 << 3;
    pub(super) const STREAM_ID: u64 = 1 << 4;
    pub(super) const SIZE_MSB: u64 = 1 << 5;
    pub(super) const CHECKSUM: u64 = 1 << 6;
    pub(super) const RESERVED: u64 = 1 << 7;
    pub(super) const HEADER_IDX: u64 = 1 << 10;
    pub(super) const MATCH_TIME: u64 = 1 << 11;
    pub(super) const CODED: u64 = 1 << 12;
    pub(super) const INVALID: u64 = 1 << 13;
}

/// Returns the value that was read; ends the function with `None` if there is none.
macro_rules! read {
    ($read:expr) => {
        match $read? {
            Some(value) => value,
            None => return Ok(None),
        }
    };
}

/// Returns the damaged parts between packets and frames.
pub(super) fn gaps(file: &Source) -> io::Result<Vec<Gap>> {
    let Some(format) = Format::read(file)? else {
        return Ok(Vec::new());
    };
    let end_of = |position| match position {
        0 => Ok(Some(ID_BYTES)),
        _ => format.end_of_element(file, position),
    };
    let is_start = |position| Ok(end_of_packet(file, position)?.is_some());
    super::gaps_between(file, end_of, &SYNCPOINT, is_start)
}

/// The tables of the main header.
struct Format {
    /// By frame code.
    frames: Vec<FrameCode>,
    /// Lengths of the headers that frames leave out.
    elided_bytes: Vec<u64>,
    /// Maximum number of bytes between syncpoints, which a larger frame without a checksum may exceed
    /// once.
    max_distance: u64,
}

/// What a frame code stands for.
#[derive(Clone, Copy)]
struct FrameCode {
    flags: u64,
    size_mul: u64,
    size_lsb: u64,
    reserved: u64,
    header: u64,
}

impl Format {
    /// Reads the main header; returns `None` if there is none that is valid.
    fn read(file: &Source) -> io::Result<Option<Self>> {
        let mut reader = Reader::new(file, ID_BYTES);
        if reader.start_code()? != Some(MAIN) {
            return Ok(None);
        }
        Self::parse(&mut reader)
    }

    fn parse(reader: &mut Reader<'_>) -> io::Result<Option<Self>> {
        let len = read!(reader.number());
        if len > LARGE_BYTES {
            reader.skip(CHECKSUM_BYTES);
        }
        let version = read!(reader.number());
        if version > 3 {
            read!(reader.number());
        }
        let _streams = read!(reader.number());
        let max_distance = read!(reader.number());
        for _ in 0..read!(reader.number()) {
            read!(reader.number());
            read!(reader.number());
        }
        let mut frames = Vec::with_capacity(256);
        let (mut size_mul, mut header) = (1, 0);
        while frames.len() < 256 {
            let flags = read!(reader.number());
            let fields = read!(reader.number());
            let (mut size_lsb, mut reserved, mut count) = (0, 0, None);
            for field in 0..fields {
                // Signed numbers have as many bytes as others.
                let value = read!(reader.number());
                match field {
                    1 => size_mul = value,
                    3 => size_lsb = value,
                    4 => reserved = value,
                    5 => count = Some(value),
                    7 => header = value,
                    _ => {}
                }
            }
            let count = count.or_else(|| size_mul.checked_sub(size_lsb));
            let Some(count) = count.filter(|&count| count > 0) else {
                return Ok(None);
            };
            let mut added = 0;
            while added < count && frames.len() < 256 {
                let is_start_code = frames.len() == usize::from(N);
                frames.push(FrameCode {
                    flags: if is_start_code { flag::INVALID } else { flags },
                    size_mul,
                    size_lsb: size_lsb.saturating_add(added),
                    reserved,
                    header,
                });
                added += u64::from(!is_start_code);
            }
        }
        let mut elided_bytes = vec![0];
        let elided = read!(reader.number());
        if elided > MAX_ELIDED {
            return Ok(None);
        }
        for _ in 0..elided {
            let bytes = read!(reader.number());
            elided_bytes.push(bytes);
            reader.skip(bytes);
        }
        Ok(Some(Self {
            frames,
            elided_bytes,
            max_distance,
        }))
    }

    /// Returns the end of the packet or frame at `position`; `None` if there is none in the file.
    fn end_of_element(&self, file: &Source, position: u64) -> io::Result<Option<u64>> {
        let end = match file.array(position)? {
            Some([N]) => end_of_packet(file, position)?,
            _ => self.end_of_frame(&mut Reader::new(file, position))?,
        };
        Ok(end.filter(|&end| end <= file.len))
    }

    fn end_of_frame(&self, reader: &mut Reader<'_>) -> io::Result<Option<u64>> {
        let code = self.frames[usize::from(read!(reader.byte()))];
        let mut flags = code.flags;
        if flags & flag::CODED != 0 {
            flags ^= read!(reader.number());
        }
        if flags & flag::INVALID != 0 {
            return Ok(None);
        }
        if flags & flag::STREAM_ID != 0 {
            read!(reader.number());
        }
        if flags & flag::CODED_PTS != 0 {
            read!(reader.number());
        }
        let mut size = code.size_lsb;
        if flags & flag::SIZE_MSB != 0 {
            size = size.saturating_add(read!(reader.number()).saturating_mul(code.size_mul));
        }
        if flags & flag::MATCH_TIME != 0 {
            read!(reader.number());
        }
        let mut header = code.header;
        if flags & flag::HEADER_IDX != 0 {
            header = read!(reader.number());
        }
        let mut reserved = code.reserved;
        if flags & flag::RESERVED != 0 {
            reserved = read!(reader.number());
        }
        if reserved > MAX_RESERVED {
            return Ok(None);
        }
        for _ in 0..reserved {
            read!(reader.number());
        }
        if size > LARGE_BYTES {
            header = 0;
        }
        let elided = usize::try_from(header).ok();
        let elided = elided.and_then(|header| self.elided_bytes.get(header));
        let Some(size) = elided.and_then(|&elided| size.checked_sub(elided)) else {
            return Ok(None);
        };
        if flags & flag::CHECKSUM != 0 {
            reader.skip(CHECKSUM_BYTES);
        } else if size > self.max_distance.saturating_mul(2) {
            return Ok(None);
        }
        Ok(reader.position.checked_add(size))
    }
}

/// Returns the end of the packet at `position`; `None` if there is none in the file.
fn end_of_packet(file: &Source, position: u64) -> io::Result<Option<u64>> {
    let mut reader = Reader::new(file, position);
    let code = reader.start_code()?;
    let is_known = |code: [u8; 8]| code == MAIN || code == SYNCPOINT || OTHERS.contains(&code);
    if !code.is_some_and(is_known) {
        return Ok(None);
    }
    let len = read!(reader.number());
    if len > LARGE_BYTES {
        reader.skip(CHECKSUM_BYTES);
    }
    let end = reader.position.checked_add(len);
    Ok(end.filter(|&end| end <= file.len))
}

/// Reads fields one after the other; `None` at the end of the file.
struct Reader<'a> {
    file: &'a Source,
    position: u64,
}

impl<'a> Reader<'a> {
    fn new(file: &'a Source, position: u64) -> Self {
        Self { file, position }
    }

    fn skip(&mut self, bytes: u64) {
        self.position = self.position.saturating_add(bytes);
    }

    fn array<const LEN: usize>(&mut self) -> io::Result<Option<[u8; LEN]>> {
        let bytes = self.file.array(self.position)?;
        self.skip(LEN as u64);
        Ok(bytes)
    }

    fn start_code(&mut self) -> io::Result<Option<[u8; 8]>> {
        self.array()
    }

    fn byte(&mut self) -> io::Result<Option<u8>> {
        Ok(self.array::<1>()?.map(|[byte]| byte))
    }

    /// Reads a number of variable length: seven bits per byte, the highest bit of all but the last one
    /// is set. Returns `None` if it exceeds 64 bits, too.
    fn number(&mut self) -> io::Result<Option<u64>> {
        let (bytes, len): ([u8; 10], usize) = self.file.up_to(self.position)?;
        let mut value = 0u64;
        for (index, byte) in bytes[..len].iter().enumerate() {
            if value > u64::MAX >> 7 {
                break;
            }
            value = value << 7 | u64::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                self.skip(index as u64 + 1);
                return Ok(Some(value));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Interrupt;

    const FRAME_DATA_BYTES: u8 = 70;

    fn packet(code: [u8; 8], content: &[u8]) -> Vec<u8> {
        let len = u8::try_from(content.len()).unwrap();
        [&code[..], &[len], content].concat()
    }

    /// Returns a main header: frame code 0 is invalid; the others have a timestamp and a size.
    fn main() -> Vec<u8> {
        let times = [3, 1, 0x81, 0x80, 0, 1, 1, 25];
        let invalid = [0xc0, 0, 6, 0, 1, 0, 0, 0, 1];
        let others = [8 | 32, 6, 0, 1, 0, 0, 0, 0x81, 0x7e];
        let elided = [0];
        let content = [&times[..], &invalid, &others, &elided, &[0; 4]].concat();
        packet(MAIN, &content)
    }

    fn frame(time: u8) -> Vec<u8> {
        let data = [7; FRAME_DATA_BYTES as usize];
        [&[1, time, FRAME_DATA_BYTES][..], &data].concat()
    }

    #[test]
    fn damage_between_frames_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.nut");
        let gaps = |content: &[u8]| {
            std::fs::write(&path, content).unwrap();
            gaps(&Source::open(&path, &Interrupt::default()).unwrap()).unwrap()
        };
        let start = [&b"nut/multimedia container\0"[..], &main()].concat();
        let group = [packet(SYNCPOINT, &[0; 6]), frame(1), frame(2), frame(3)].concat();
        let end = packet(OTHERS[2], &[0; 20]);
        let content = [&start[..], &group.repeat(4), &end].concat();
        assert_eq!(gaps(&content), []);
        assert_eq!(gaps(&content[..content.len() - 30]), []);
        let mut content = content.clone();
        // From within the first frame of a group to within the third one.
        let second = start.len() + group.len();
        let first_frame = second + packet(SYNCPOINT, &[0; 6]).len();
        content[first_frame + 20..second + group.len() - 20].fill(0);
        let damaged = first_frame + frame(1).len()..second + group.len();
        let [gap] = &gaps(&content)[..] else {
            panic!("not one gap");
        };
        assert_eq!(gap.bytes, damaged.start as u64..damaged.end as u64);
    }

    #[test]
    fn a_header_that_is_not_valid_has_no_gaps() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.nut");
        for header in [
            &b""[..],
            &packet(MAIN, &[0xff; 100]),
            &packet(MAIN, &[0; 100]),
        ] {
            let content = [b"nut/multimedia container\0", header].concat();
            std::fs::write(&path, content).unwrap();
            let file = Source::open(&path, &Interrupt::default()).unwrap();
            assert_eq!(gaps(&file).unwrap(), []);
        }
    }
}
