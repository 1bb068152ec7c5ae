// SPDX-License-Identifier: MPL-2.0

//! The end of a GIF; see the GIF89a specification. A file is a header and a row of blocks.

use std::io::{self, Read, Seek, SeekFrom};

/// First bytes of a file, without the version.
const START: &[u8; 3] = b"GIF";
const EXTENSION: u8 = 0x21;
const IMAGE: u8 = 0x2c;
const TRAILER: u8 = 0x3b;

/// Returns `true` if `file` begins with a header.
pub(super) fn is_gif(file: &mut (impl Read + Seek)) -> io::Result<bool> {
    let head = super::bytes::<3>(file)?;
    file.rewind()?;
    Ok(head == *START)
}

/// Returns the position at which `file` has no block, although it has not ended; `None` if it is whole.
///
/// # Errors
/// Returns an error of the kind `UnexpectedEof` if the file is cut off.
pub(super) fn damage(file: &mut (impl Read + Seek)) -> io::Result<Option<u64>> {
    let [flags] = {
        file.seek(SeekFrom::Start(10))?;
        super::bytes(file)?
    };
    file.seek_relative(2 + color_table_len(flags))?;
    loop {
        let [introducer] = super::bytes(file)?;
        match introducer {
            EXTENSION => file.seek_relative(1)?,
            IMAGE => {
                let [.., flags] = super::bytes::<9>(file)?;
                // Behind the colors is the size of codes.
                file.seek_relative(color_table_len(flags) + 1)?;
            }
            TRAILER => return Ok(None),
            _ => return file.stream_position().map(|position| Some(position - 1)),
        }
        loop {
            let [len] = super::bytes(file)?;
            if len == 0 {
                break;
            }
            file.seek_relative(len.into())?;
        }
    }
}

/// Returns the number of bytes of the colors after a descriptor with these flags.
fn color_table_len(flags: u8) -> i64 {
    match flags & 0x80 {
        0 => 0,
        _ => 3 << ((flags & 7) + 1),
    }
}
