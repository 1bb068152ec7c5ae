// SPDX-License-Identifier: MPL-2.0

//! The folder for the results, in which each recording's folder appears whole or not at all.
//!
//! Results are written to a hidden folder beside, which is renamed when they are on the disk.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::document::{self, Document};
use super::inputs::told;

const LOCK: &str = ".gst-attitude.lock";
/// What the names of folders begin with that are being written, and that are being replaced.
const PARTIAL: &str = ".partial-";
const REPLACED: &str = ".replaced-";

/// Why results cannot be kept: no recording's fault.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", told(.path))]
pub struct StoreError {
    path: PathBuf,
    reason: String,
}

impl StoreError {
    pub fn new(path: &Path, reason: impl ToString) -> Self {
        Self {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }
}

/// Names the path that something failed at.
pub trait At<T> {
    fn at(self, path: &Path) -> Result<T, StoreError>;
}

impl<T, E: ToString> At<T> for Result<T, E> {
    fn at(self, path: &Path) -> Result<T, StoreError> {
        self.map_err(|error| StoreError::new(path, error))
    }
}

/// The folder, this program's alone while it is open.
pub struct Store {
    folder: PathBuf,
    /// Open and locked as long as the store is.
    _lock: File,
    /// Why others are not kept out, where they are not.
    pub warning: Option<String>,
}

impl Store {
    /// Opens the folder, made where there is none, and clears away what a run that was killed has
    /// left.
    ///
    /// # Errors
    /// Where it cannot be written to, or another run has it open.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        std::fs::create_dir_all(folder)
            .map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => "it is not a folder".to_owned(),
                _ => format!("the folder for the results cannot be made: {error}"),
            })
            .at(folder)?;
        let path = folder.join(LOCK);
        let lock = File::options()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(|error| format!("the folder for the results cannot be written to: {error}"))
            .at(folder)?;
        let warning = match lock.try_lock() {
            Ok(()) => None,
            Err(TryLockError::WouldBlock) => {
                let reason = "another gst-attitude analyze is writing to this folder; wait for it, or \
                              take another folder";
                return Err(StoreError::new(folder, reason));
            }
            // Some network file systems know no locks.
            Err(TryLockError::Error(error)) => Some(format!(
                "{} cannot be locked ({error}): see to it that no other run writes to this folder",
                told(&path)
            )),
        };
        let store = Self {
            folder: folder.to_owned(),
            _lock: lock,
            warning,
        };
        store.clear()?;
        Ok(store)
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The place of what is called `name`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// What there is by name: the documents of results, `None` for all else.
    pub fn known(&self) -> Result<HashMap<String, Option<Document>>, StoreError> {
        let mut known = HashMap::new();
        for name in self.entries()? {
            let path = self.folder.join(&name).join(document::FILE);
            let document = std::fs::read(path).ok();
            let document = document.and_then(|bytes| serde_json::from_slice(&bytes).ok());
            known.insert(name, document);
        }
        Ok(known)
    }

    /// A hidden folder for the results that are to be called `name`.
    pub fn begin(&self, name: &str) -> Result<Partial, StoreError> {
        let partial = Partial {
            path: self.folder.join(format!("{PARTIAL}{name}")),
            replaced: self.folder.join(format!("{REPLACED}{name}")),
            whole: self.folder.join(name),
            folder: self.folder.clone(),
        };
        std::fs::create_dir(&partial.path).at(&partial.path)?;
        Ok(partial)
    }

    /// Writes a file of the whole run, so that nobody ever sees half of it.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.folder.join(format!("{PARTIAL}{name}"));
        let written = std::fs::write(&path, bytes)
            .and_then(|()| File::open(&path)?.sync_all())
            .and_then(|()| std::fs::rename(&path, self.folder.join(name)));
        if written.is_err() {
            // It is hidden, and the next run clears it away.
            let _ = std::fs::remove_file(&path);
        }
        written.at(&self.folder.join(name))
    }

    /// Names in the folder; one that is no Unicode is nobody's of ours.
    fn entries(&self) -> Result<Vec<String>, StoreError> {
        let entries = std::fs::read_dir(&self.folder).at(&self.folder)?;
        let names = entries.filter_map(|entry| match entry {
            Ok(entry) => entry.file_name().into_string().ok().map(Ok),
            Err(error) => Some(Err(error)),
        });
        names.collect::<io::Result<_>>().at(&self.folder)
    }

    fn clear(&self) -> Result<(), StoreError> {
        for name in self.entries()? {
            let path = self.folder.join(&name);
            if let Some(whole) = name.strip_prefix(REPLACED) {
                let whole = self.folder.join(whole);
                // Killed between two renames: what was to be replaced is better than nothing.
                match whole.exists() {
                    true => remove(&path).at(&path)?,
                    false => std::fs::rename(&path, whole).at(&path)?,
                }
            } else if name.starts_with(PARTIAL) {
                remove(&path).at(&path)?;
            }
        }
        Ok(())
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match path.is_dir() {
        true => std::fs::remove_dir_all(path),
        false => std::fs::remove_file(path),
    }
}

/// A recording's folder that is being written. It is removed unless it gets whole.
pub struct Partial {
    path: PathBuf,
    replaced: PathBuf,
    whole: PathBuf,
    folder: PathBuf,
}

impl Partial {
    /// The place of its file of this name.
    pub fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Puts what was written on the disk, and into its place.
    pub fn commit(self) -> Result<(), StoreError> {
        for entry in std::fs::read_dir(&self.path).at(&self.path)? {
            let path = entry.at(&self.path)?.path();
            File::open(&path)
                .and_then(|file| file.sync_all())
                .at(&path)?;
        }
        let sync = |folder: &Path| {
            File::open(folder)
                .and_then(|file| file.sync_all())
                .at(folder)
        };
        sync(&self.path)?;
        let is_replacing = self.whole.exists();
        if is_replacing {
            std::fs::rename(&self.whole, &self.replaced).at(&self.whole)?;
        }
        std::fs::rename(&self.path, &self.whole).at(&self.whole)?;
        sync(&self.folder)?;
        if is_replacing {
            remove(&self.replaced).at(&self.replaced)?;
        }
        Ok(())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // Nothing is there any more where it got whole; what stays, the next run clears away.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        (folder, store)
    }

    fn write(store: &Store, name: &str, text: &str) {
        let partial = store.begin(name).unwrap();
        std::fs::write(partial.path("text"), text).unwrap();
        partial.commit().unwrap();
    }

    fn visible(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != LOCK).collect()
    }

    #[test]
    fn results_appear_whole_and_replace_older_ones() {
        let (folder, store) = store();
        for text in ["one", "another"] {
            write(&store, "talk", text);
            assert_eq!(visible(folder.path()), ["talk"]);
            let written = std::fs::read_to_string(store.path("talk").join("text"));
            assert_eq!(written.unwrap(), text);
        }
    }

    #[test]
    fn what_does_not_get_whole_leaves_nothing() {
        let (folder, store) = store();
        let partial = store.begin("talk").unwrap();
        std::fs::write(partial.path("text"), "half").unwrap();
        drop(partial);
        assert!(visible(folder.path()).is_empty());
    }

    #[test]
    fn what_a_killed_run_has_left_is_cleared_away() {
        let (folder, store) = store();
        write(&store, "talk", "old");
        drop(store);
        let path = |name: &str| folder.path().join(name);
        std::fs::rename(path("talk"), path(".replaced-talk")).unwrap();
        std::fs::create_dir(path(".partial-talk")).unwrap();
        std::fs::write(path(".partial-summary.csv"), "half").unwrap();
        let _store = Store::open(folder.path()).unwrap();
        assert_eq!(visible(folder.path()), ["talk"]);
    }

    #[test]
    fn a_folder_is_open_once() {
        let (folder, _store) = store();
        let error = Store::open(folder.path()).err().unwrap().to_string();
        assert!(error.contains("another gst-attitude analyze"), "{error}");
    }
}
