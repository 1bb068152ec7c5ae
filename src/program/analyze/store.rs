// SPDX-License-Identifier: MPL-2.0

//! The folder for the results. A recording's folder appears in it only when it is complete.
//!
//! Results are written to a hidden folder beside, which is renamed when they are on the disk.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use attitude::data_table::DataTable;

use super::inputs::printable;
use super::summary_json::{self, SummaryFile};
use crate::atomic_file::{self, PARTIAL};
use crate::table_files::TableFormat;

/// Name of the file that is locked while a run writes to the folder.
const LOCK: &str = ".gst-attitude.lock";
/// Prefix of folders that are being replaced.
const REPLACED: &str = ".replaced-";

/// The results cannot be written. This ends the run, as it does not depend on the recording.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("{}: it is not a folder; choose another --output", printable(.0))]
    NotAFolder(PathBuf),
    #[error(
        "{}: the folder for the results cannot be created: {source}; choose another --output",
        printable(.path)
    )]
    Create { path: PathBuf, source: io::Error },
    #[error(
        "{}: the folder for the results cannot be written to: {source}; choose another --output",
        printable(.path)
    )]
    Open { path: PathBuf, source: io::Error },
    #[error(
        "{}: another gst-attitude analyze is writing to this folder; wait for it, or choose another --output",
        printable(.0)
    )]
    InUse(PathBuf),
    #[error(
        "cannot read {}: {source}; correct its permissions, or choose another --output",
        printable(.path)
    )]
    Read { path: PathBuf, source: io::Error },
    #[error(
        "cannot write {}: {source}; check its permissions and the free space, then run this command again",
        printable(.path)
    )]
    Write {
        path: PathBuf,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Adds the path to an error of writing.
pub(super) trait WriteContext<T> {
    fn write_context(self, path: &Path) -> Result<T, StoreError>;
}

impl<T, E: Into<Box<dyn std::error::Error + Send + Sync>>> WriteContext<T> for Result<T, E> {
    fn write_context(self, path: &Path) -> Result<T, StoreError> {
        self.map_err(|error| StoreError::Write {
            path: path.to_owned(),
            source: error.into(),
        })
    }
}

/// The lock of a folder for results, which is held until it is dropped.
pub(crate) struct Lock {
    file: File,
    /// Warning to print if the folder cannot be locked.
    warning: Option<String>,
}

impl Lock {
    /// Locks `folder` against other runs and programs that write to it.
    ///
    /// # Errors
    /// Returns an error if the folder cannot be written to, or another program has locked it.
    pub(crate) fn acquire(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(LOCK);
        let file = File::options().create(true).append(true).open(&path);
        let file = file.map_err(|source| StoreError::Open {
            path: folder.to_owned(),
            source,
        })?;
        let warning = match file.try_lock() {
            Ok(()) => None,
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse(folder.to_owned())),
            // Some network file systems do not support locks.
            Err(TryLockError::Error(error)) => Some(format!(
                "{} cannot be locked ({error}); make sure that no other run writes to this folder",
                printable(&path)
            )),
        };
        Ok(Self { file, warning })
    }
}

/// The folder for the results, locked against other runs while it is open.
pub(super) struct Store {
    folder: PathBuf,
    /// Holds the lock.
    _lock: File,
    /// Warning to print if the folder cannot be locked.
    pub warning: Option<String>,
}

impl Store {
    /// Opens the folder, creates it if necessary, and removes what a killed run has left.
    ///
    /// # Errors
    /// Returns an error if the folder cannot be written to, or another run has it open.
    pub(super) fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = || folder.to_owned();
        std::fs::create_dir_all(folder).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => StoreError::NotAFolder(path()),
            _ => StoreError::Create {
                path: path(),
                source,
            },
        })?;
        let Lock { file, warning } = Lock::acquire(folder)?;
        let store = Self {
            folder: folder.to_owned(),
            _lock: file,
            warning,
        };
        store.remove_remains()?;
        Ok(store)
    }

    /// Returns the folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the path of `name` in the folder.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Returns all names in the folder, each with its results; `None` for an entry without results.
    pub(super) fn summaries(&self) -> Result<HashMap<String, Option<SummaryFile>>, StoreError> {
        let mut summaries = HashMap::new();
        for name in self.entries()? {
            let file = summary_json::read(&self.folder.join(&name));
            summaries.insert(name, file);
        }
        Ok(summaries)
    }

    /// Creates a hidden folder, which becomes the folder `name` when it is complete.
    pub(super) fn begin(&self, name: &str) -> Result<PartialFolder, StoreError> {
        let partial = PartialFolder {
            path: self.folder.join(format!("{PARTIAL}{name}")),
            replaced: self.folder.join(format!("{REPLACED}{name}")),
            complete: self.folder.join(name),
            folder: self.folder.clone(),
        };
        std::fs::create_dir(&partial.path).write_context(&partial.path)?;
        Ok(partial)
    }

    /// Writes a file of the run, which replaces an older one only when it is complete.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.folder.join(name);
        atomic_file::replace_with(&path, bytes).write_context(&path)
    }

    /// Writes a table of the run, which replaces an older one only when it is complete.
    pub(super) fn write_table(&self, table: &DataTable) -> Result<(), StoreError> {
        let path = TableFormat::Csv.path(&self.folder, table);
        TableFormat::Csv.write(&path, table).write_context(&path)
    }

    /// Returns the names in the folder, except those that are not Unicode, which are not results.
    fn entries(&self) -> Result<Vec<String>, StoreError> {
        let failed = |source| StoreError::Read {
            path: self.folder.clone(),
            source,
        };
        let entries = std::fs::read_dir(&self.folder).map_err(failed)?;
        let names = entries.filter_map(|entry| match entry {
            Ok(entry) => entry.file_name().into_string().ok().map(Ok),
            Err(error) => Some(Err(error)),
        });
        names.collect::<io::Result<_>>().map_err(failed)
    }

    /// Removes incomplete results of a killed run, and restores those that it was about to replace.
    fn remove_remains(&self) -> Result<(), StoreError> {
        for name in self.entries()? {
            let path = self.folder.join(&name);
            if let Some(name) = name.strip_prefix(REPLACED) {
                let complete = self.folder.join(name);
                // A run that was killed between the two renames of a commit leaves only the older
                // results.
                match complete.exists() {
                    true => remove(&path).write_context(&path)?,
                    false => std::fs::rename(&path, complete).write_context(&path)?,
                }
            } else if name.starts_with(PARTIAL) {
                remove(&path).write_context(&path)?;
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

/// A recording's folder that is being written. It is removed unless it is committed.
pub(super) struct PartialFolder {
    path: PathBuf,
    replaced: PathBuf,
    complete: PathBuf,
    folder: PathBuf,
}

impl PartialFolder {
    /// Returns its path while it is hidden.
    pub(super) fn hidden_path(&self) -> &Path {
        &self.path
    }

    /// Returns the path of a file in it.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes all files to the disk, and gives the folder its name.
    pub(super) fn commit(self) -> Result<(), StoreError> {
        for entry in std::fs::read_dir(&self.path).write_context(&self.path)? {
            let path = entry.write_context(&self.path)?.path();
            File::open(&path)
                .and_then(|file| file.sync_all())
                .write_context(&path)?;
        }
        let sync = |folder: &Path| {
            File::open(folder)
                .and_then(|file| file.sync_all())
                .write_context(folder)
        };
        sync(&self.path)?;
        let is_replacing = self.complete.exists();
        if is_replacing {
            std::fs::rename(&self.complete, &self.replaced).write_context(&self.complete)?;
        }
        std::fs::rename(&self.path, &self.complete).write_context(&self.complete)?;
        sync(&self.folder)?;
        if is_replacing {
            remove(&self.replaced).write_context(&self.replaced)?;
        }
        Ok(())
    }
}

impl Drop for PartialFolder {
    fn drop(&mut self) {
        // The folder is gone if it was committed. If this fails, the next run removes it.
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
    fn complete_results_replace_older_ones() {
        let (folder, store) = store();
        for text in ["one", "another"] {
            write(&store, "talk", text);
            assert_eq!(visible(folder.path()), ["talk"]);
            let written = std::fs::read_to_string(store.path("talk").join("text"));
            assert_eq!(written.unwrap(), text);
        }
    }

    #[test]
    fn incomplete_results_leave_nothing() {
        let (folder, store) = store();
        let partial = store.begin("talk").unwrap();
        std::fs::write(partial.path("text"), "half").unwrap();
        drop(partial);
        assert!(visible(folder.path()).is_empty());
    }

    #[test]
    fn the_remains_of_a_killed_run_are_removed() {
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
    fn a_folder_cannot_be_opened_twice() {
        let (folder, _store) = store();
        let error = Store::open(folder.path()).err().unwrap().to_string();
        assert!(error.contains("another gst-attitude analyze"), "{error}");
    }
}
