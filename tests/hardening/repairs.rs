// SPDX-License-Identifier: MPL-2.0

//! Recordings that are damaged in the middle.

use std::fs;

use gst_attitude::fuzzing::repair;

use crate::file::with_file;

/// Finds the damage in the recording. The changes with which a demuxer skips it are in the file, in
/// their order.
pub(crate) fn run(data: &[u8]) {
    with_file(data, |path| {
        let patches = repair(path).expect("the file can be read");
        for (offset, bytes) in &patches {
            let end = offset + bytes.len() as u64;
            assert!(end <= data.len() as u64, "{offset}, {bytes:?}");
        }
        let mut repaired = data.to_vec();
        for (offset, bytes) in &patches {
            let start = *offset as usize;
            repaired[start..start + bytes.len()].copy_from_slice(bytes);
        }
        fs::write(path, repaired).expect("the file can be written");
        repair(path).expect("the file can be read");
    });
}
