// SPDX-License-Identifier: MPL-2.0

//! The results under review: which files the server may read, and how corrections reach them.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use attitude::record::corrections::FILE;

use crate::analyze::derived::{self, RefreshError};
use crate::analyze::pages;
use crate::analyze::store::{Lock, StoreError};
use crate::analyze::summary_json::{self, SummaryFile};
use crate::console;
use crate::corrections::{self, WriteError};
use crate::playback::annotation;

/// Maximum time to wait for another program that writes to the results.
const MAX_WAIT: Duration = Duration::from_secs(2);

/// Time between two attempts to lock the results.
const RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// There are no results to review.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResultsError {
    #[error("cannot read {}", .0.display())]
    Read(PathBuf, #[source] io::Error),
    #[error(
        "{}: it contains no results of gst-attitude analyze; name the folder of its --output",
        .0.display()
    )]
    NoResults(PathBuf),
}

/// Corrections cannot be saved.
#[derive(Debug, thiserror::Error)]
pub(super) enum SaveError {
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A page cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(super) enum PageError {
    #[error(transparent)]
    Refresh(#[from] RefreshError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot read {}", .0.display())]
    Read(PathBuf, #[source] io::Error),
    #[error("{}: it is damaged; analyze the recording again with --force", .0.display())]
    Damaged(PathBuf, #[source] serde_json::Error),
}

/// A file that the server may send, by its purpose. Paths are those of recordings' folders, if they
/// are not those of files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Index,
    Report(PathBuf),
    Corrections(PathBuf),
    Media(PathBuf),
}

/// The results of a run of `analyze`.
pub(super) struct Results {
    /// The folder, without symbolic links.
    folder: PathBuf,
    /// Folders of recordings.
    recordings: Vec<PathBuf>,
    /// What may be sent, by path. Pages refer to recordings by relative paths, so that paths in
    /// addresses are those of the file system.
    targets: HashMap<PathBuf, Target>,
}

impl Results {
    /// Finds the recordings in `folder`, which `analyze` wrote, or is the folder of a recording.
    ///
    /// # Errors
    /// Returns an error if there are no results.
    pub(super) fn find(folder: &Path) -> Result<Self, ResultsError> {
        let read = |error| ResultsError::Read(folder.to_owned(), error);
        let found = folder.canonicalize().map_err(read)?;
        let is_recording = |path: &Path| path.join(summary_json::FILE).is_file();
        let (folder, recordings) = match (is_recording(&found), found.parent()) {
            (true, Some(parent)) => (parent.to_owned(), vec![found.clone()]),
            _ => {
                let entries = found.read_dir().map_err(read)?;
                let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
                let is_visible = |path: &PathBuf| {
                    let name = path.file_name().and_then(|name| name.to_str());
                    name.is_some_and(|name| !name.starts_with('.'))
                };
                let mut recordings: Vec<PathBuf> = paths
                    .filter(|path| is_visible(path) && is_recording(path))
                    .collect();
                recordings.sort();
                (found, recordings)
            }
        };
        if recordings.is_empty() {
            return Err(ResultsError::NoResults(folder));
        }
        let mut targets = HashMap::from([(folder.join(pages::INDEX), Target::Index)]);
        for path in &recordings {
            let annotated = path.join(annotation::FILE);
            targets.insert(path.join(pages::REPORT), Target::Report(path.clone()));
            targets.insert(path.join(FILE), Target::Corrections(path.clone()));
            targets.insert(annotated.clone(), Target::Media(annotated));
            if let Ok(file) = summary(path)
                && let Some(media) = file.recording.file()
            {
                targets.insert(media.clone(), Target::Media(media));
            }
        }
        Ok(Self {
            folder,
            recordings,
            targets,
        })
    }

    /// Returns the number of recordings.
    pub(super) fn len(&self) -> usize {
        self.recordings.len()
    }

    /// Returns the path of the page that lists the recordings, or of the only report.
    pub(super) fn first_page(&self) -> PathBuf {
        match &self.recordings[..] {
            [recording] => recording.join(pages::REPORT),
            _ => self.folder.join(pages::INDEX),
        }
    }

    /// Returns what is at a path; `None` if it may not be sent.
    pub(super) fn target(&self, path: &Path) -> Option<&Target> {
        self.targets.get(path)
    }

    /// Formats the page that lists the recordings.
    pub(super) fn index(&self) -> Result<String, PageError> {
        let mut files = BTreeMap::new();
        for path in &self.recordings {
            let mut file = summary(path)?;
            // The folder may have been renamed.
            let name = path.file_name().unwrap_or_default();
            file.recording.name = name.to_string_lossy().into_owned();
            files.insert(path, file);
        }
        let files: Vec<SummaryFile> = files.into_values().collect();
        Ok(pages::list(&files, &self.folder)?)
    }

    /// Returns the report of the recording in `folder`, after its corrections are applied.
    pub(super) fn report(&self, folder: &Path) -> Result<String, PageError> {
        self.refresh(folder)?;
        let path = folder.join(pages::REPORT);
        std::fs::read_to_string(&path).map_err(|error| PageError::Read(path, error))
    }

    /// Applies the corrections of the recording in `folder`; returns `true` if they have changed.
    fn refresh(&self, folder: &Path) -> Result<bool, PageError> {
        let lock = self.lock();
        let _lock = match lock {
            Ok(lock) => lock,
            // The run of `analyze` that holds the lock applies them.
            Err(StoreError::InUse(_)) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        Ok(derived::refresh(folder, &summary(folder)?)?.is_some())
    }

    /// Applies the corrections of all recordings; returns the number of those that have changed.
    pub(super) fn refresh_all(&self, warn: impl Fn(String)) -> usize {
        let refresh = |folder: &&PathBuf| {
            self.refresh(folder).unwrap_or_else(|error| {
                warn(console::chain(&error));
                false
            })
        };
        self.recordings.iter().filter(refresh).count()
    }

    /// Replaces the corrections of the recording in `folder` if they still have the revision
    /// `expected`; returns the new revision.
    pub(super) fn save(
        &self,
        folder: &Path,
        text: &str,
        expected: &str,
    ) -> Result<String, SaveError> {
        let _lock = self.lock()?;
        Ok(corrections::write(folder, text, expected)?)
    }

    /// Locks the results against other programs, and against other requests.
    fn lock(&self) -> Result<Lock, StoreError> {
        let deadline = Instant::now() + MAX_WAIT;
        loop {
            match Lock::acquire(&self.folder) {
                Err(StoreError::InUse(_)) if Instant::now() < deadline => {
                    std::thread::sleep(RETRY_INTERVAL);
                }
                result => return result,
            }
        }
    }
}

/// Reads the summary in the results `folder` of a recording.
fn summary(folder: &Path) -> Result<SummaryFile, PageError> {
    let path = folder.join(summary_json::FILE);
    let bytes = std::fs::read(&path).map_err(|error| PageError::Read(path.clone(), error))?;
    serde_json::from_slice(&bytes).map_err(|error| PageError::Damaged(path, error))
}
