// SPDX-License-Identifier: MPL-2.0

//! Reads files of publishers, for the fuzz targets in `tests/hardening`.

use std::path::Path;

use crate::error::SpoolError;
use crate::message::Message;
use crate::spool::Spool;

/// Number of bytes of messages that a spool may have.
const MAX_BYTES: u64 = 1 << 20;

/// Opens the spool at `path`, appends a message, and removes all messages. Returns their number.
///
/// # Errors
/// Returns an error if the file is not a spool.
///
/// # Panics
/// Panics if the messages of an open spool cannot be read and removed, or are not in their order.
pub fn spool(path: &Path) -> Result<usize, SpoolError> {
    let mut spool = Spool::open(path, MAX_BYTES)?;
    let message = Message {
        topic: "faces".to_owned(),
        key: "camera".to_owned(),
        payload: b"{}".to_vec(),
        published_at: None,
    };
    spool.append(&message).expect("a message can be appended");
    let batch = spool.peek(usize::MAX).expect("all messages can be read");
    assert_eq!(batch.messages.len(), spool.len());
    assert_eq!(batch.messages.last(), Some(&message));
    spool
        .acknowledge(&batch)
        .expect("all messages can be removed");
    assert_eq!((spool.len(), spool.bytes()), (0, 0));
    Ok(batch.messages.len())
}
