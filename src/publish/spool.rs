// SPDX-License-Identifier: MPL-2.0

//! The spool: messages in a file until the broker has acknowledged them.
//!
//! The file survives the end of the process, kill -9 included. It is not synchronized to the disk,
//! which would take longer than the time between samples; after a power failure the latest messages
//! may be missing.

use std::collections::VecDeque;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use queue_file::QueueFile;

use crate::error::SpoolError;
use crate::message::Message;

/// Messages in a file, the oldest first.
pub(crate) struct Spool {
    path: PathBuf,
    file: QueueFile,
    max_bytes: u64,
    /// Sum of the lengths of the messages.
    bytes: u64,
    /// Length and time of publication of each message.
    entries: VecDeque<(u64, Option<Instant>)>,
    /// Number of messages that were removed since the spool was opened.
    removed: u64,
    /// Locked while the spool is open.
    _lock: File,
}

/// Messages at the front of the spool.
pub(crate) struct SpooledBatch {
    pub(crate) messages: Vec<Message>,
    /// Number of messages that had been removed when the batch was read.
    first: u64,
}

impl Spool {
    /// Opens or creates a spool.
    pub(crate) fn open(path: &Path, max_bytes: u64) -> Result<Self, SpoolError> {
        let lock = lock(path)?;
        let damaged = |reason: queue_file::Error| match reason {
            queue_file::Error::Io { source } => SpoolError::Open {
                path: path.to_owned(),
                error: source,
            },
            reason => SpoolError::Damaged {
                path: path.to_owned(),
                reason: reason.to_string(),
            },
        };
        let mut file = QueueFile::open(path).map_err(damaged)?;
        restrict_to_user(path).map_err(|error| SpoolError::Open {
            path: path.to_owned(),
            error,
        })?;
        file.set_sync_writes(false);
        file.set_overwrite_on_remove(false);
        // A message that cannot be decoded would be in the way of all that follow.
        let messages = file.iter().map_while(|entry| {
            let message = Message::decode(&entry);
            message.map(|_| (entry.len() as u64, None))
        });
        let entries: VecDeque<_> = messages.collect();
        if entries.len() != file.size() {
            return Err(SpoolError::Damaged {
                path: path.to_owned(),
                reason: "a message cannot be read".to_owned(),
            });
        }
        let mut spool = Self {
            path: path.to_owned(),
            bytes: entries.iter().map(|(bytes, _)| bytes).sum(),
            entries,
            file,
            max_bytes,
            removed: 0,
            _lock: lock,
        };
        spool.make_room(0).map_err(|reason| SpoolError::Damaged {
            path: path.to_owned(),
            reason,
        })?;
        Ok(spool)
    }

    /// Returns the number of messages.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns the sum of the lengths of the messages.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Appends a message. Returns the number of older messages that were dropped to make room.
    pub(crate) fn append(&mut self, message: &Message) -> Result<u64, String> {
        let encoded = message.encode();
        let bytes = encoded.len() as u64;
        let dropped = self.make_room(bytes)?;
        self.file
            .add(&encoded)
            .map_err(|error| self.problem("cannot write", &error))?;
        self.bytes += bytes;
        self.entries.push_back((bytes, message.published_at));
        Ok(dropped)
    }

    /// Removes the oldest messages until there is room for `bytes`. Returns their number.
    fn make_room(&mut self, bytes: u64) -> Result<u64, String> {
        let mut dropped = 0;
        while self.bytes + bytes > self.max_bytes && !self.entries.is_empty() {
            self.remove(1)?;
            dropped += 1;
        }
        Ok(dropped)
    }

    /// Reads the first messages, at most `max_len`.
    pub(crate) fn peek(&self, max_len: usize) -> Result<SpooledBatch, String> {
        let messages = std::iter::zip(self.file.iter(), &self.entries)
            .take(max_len)
            .map(|(entry, &(_, published_at))| {
                let message = Message::decode(&entry)?;
                Some(Message {
                    published_at,
                    ..message
                })
            });
        let messages: Option<Vec<_>> = messages.collect();
        let expected = max_len.min(self.len());
        let messages = messages.filter(|messages| messages.len() == expected);
        let damaged = || self.problem("cannot read", &"a message is damaged");
        Ok(SpooledBatch {
            messages: messages.ok_or_else(damaged)?,
            first: self.removed,
        })
    }

    /// Removes the messages of `batch`, except those that were dropped in the meantime. Returns the
    /// number of messages that were removed.
    pub(crate) fn acknowledge(&mut self, batch: &SpooledBatch) -> Result<u64, String> {
        let end = batch.first + batch.messages.len() as u64;
        let count = end.saturating_sub(self.removed);
        self.remove(usize::try_from(count).unwrap_or(usize::MAX))?;
        Ok(count)
    }

    fn remove(&mut self, count: usize) -> Result<(), String> {
        let count = count.min(self.entries.len());
        self.file
            .remove_n(count)
            .map_err(|error| self.problem("cannot write", &error))?;
        for (bytes, _) in self.entries.drain(..count) {
            self.bytes -= bytes;
        }
        self.removed += count as u64;
        Ok(())
    }

    fn problem(&self, action: &str, reason: &dyn std::fmt::Display) -> String {
        format!("{action} the spool {}: {reason}", self.path.display())
    }
}

/// Locks the spool at `path`.
fn lock(path: &Path) -> Result<File, SpoolError> {
    let failed = |error| SpoolError::Open {
        path: path.to_owned(),
        error,
    };
    // A file of its own: the spool must not exist before it has a header.
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let mut options = File::options();
    options.write(true).create(true).truncate(false);
    let lock = options.open(&name).map_err(failed)?;
    restrict_to_user(Path::new(&name)).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(SpoolError::InUse(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Lets only the user read and write a file.
#[cfg(unix)]
fn restrict_to_user(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
}

/// Does nothing: on other platforms, a file has the permissions of its folder.
#[cfg(not(unix))]
fn restrict_to_user(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::tests::{message, numbers};

    const MAX_BYTES: u64 = 1 << 20;

    /// Appends messages; returns the number of messages that were dropped.
    fn append(spool: &mut Spool, numbers: std::ops::Range<u8>) -> u64 {
        let append = |number| spool.append(&message(number)).unwrap();
        numbers.map(append).sum()
    }

    #[test]
    fn messages_stay_until_they_are_acknowledged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spool");
        let mut spool = Spool::open(&path, MAX_BYTES).unwrap();
        append(&mut spool, 0..5);
        let batch = spool.peek(3).unwrap();
        assert_eq!(numbers(&batch.messages), [0, 1, 2]);
        drop(spool);
        let mut spool = Spool::open(&path, MAX_BYTES).unwrap();
        let batch = spool.peek(3).unwrap();
        assert_eq!(numbers(&batch.messages), [0, 1, 2]);
        assert_eq!(spool.acknowledge(&batch), Ok(3));
        drop(spool);
        let spool = Spool::open(&path, MAX_BYTES).unwrap();
        assert_eq!(numbers(&spool.peek(9).unwrap().messages), [3, 4]);
    }

    #[test]
    fn a_full_spool_drops_the_oldest_messages() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = message(0).encode().len() as u64;
        let mut spool = Spool::open(&folder.path().join("spool"), 4 * bytes).unwrap();
        assert_eq!(append(&mut spool, 0..3), 0);
        let batch = spool.peek(2).unwrap();
        assert_eq!(append(&mut spool, 3..6), 2);
        assert_eq!(spool.bytes(), 4 * bytes);
        // Both messages of the batch have been dropped.
        assert_eq!(spool.acknowledge(&batch), Ok(0));
        assert_eq!(numbers(&spool.peek(9).unwrap().messages), [2, 3, 4, 5]);
    }

    #[test]
    fn a_spool_has_one_user() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spool");
        let spool = Spool::open(&path, MAX_BYTES).unwrap();
        assert!(matches!(
            Spool::open(&path, MAX_BYTES),
            Err(SpoolError::InUse(_))
        ));
        drop(spool);
        assert!(Spool::open(&path, MAX_BYTES).is_ok());
    }

    #[test]
    fn another_file_is_refused_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        std::fs::write(&path, "x".repeat(10_000)).unwrap();
        let error = Spool::open(&path, MAX_BYTES).err().unwrap();
        assert!(matches!(error, SpoolError::Damaged { .. }), "{error}");
        assert_eq!(std::fs::read(&path).unwrap().len(), 10_000);
        let path = folder.path().join("spool");
        let mut queue = QueueFile::open(&path).unwrap();
        queue.add(b"of another program").unwrap();
        drop(queue);
        let error = Spool::open(&path, MAX_BYTES).err().unwrap();
        assert!(matches!(error, SpoolError::Damaged { .. }), "{error}");
        let missing = Spool::open(&folder.path().join("no/spool"), MAX_BYTES);
        assert!(matches!(missing, Err(SpoolError::Open { .. })));
    }
}
