// SPDX-License-Identifier: MPL-2.0

//! The results of `analyze` for the recordings of a study.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use attitude::record::corrections::Corrections;

use super::StudyError;
use super::design::{Study, StudyRecording};
use crate::analyze::summary_json::{self, SummaryFile};
use crate::corrections::CorrectionsFile;
use crate::exit::Status;
use crate::{Command, analyze, console, numbers};

/// Results of `analyze` for a recording.
#[derive(Clone, Debug)]
pub(super) struct RecordingResults {
    /// Folder of the recording.
    pub folder: PathBuf,
    /// Content of its summary, without scene and persons.
    pub file: SummaryFile,
    /// The corrections in the folder, or why they cannot be read.
    pub corrections: Result<Corrections, String>,
}

/// Returns the results of each recording of the study, in the folder `results`. Recordings without
/// results are analyzed first; `None` for those that cannot be.
///
/// # Errors
/// Returns an error if the analysis cannot start, or is interrupted.
pub(super) fn find(
    study: &Study,
    results: &Path,
) -> Result<Vec<Option<RecordingResults>>, StudyError> {
    let found = |index: &Index| -> Vec<Option<RecordingResults>> {
        let recordings = study.recordings.iter();
        recordings
            .map(|recording| index.find(recording).cloned())
            .collect()
    };
    let before = found(&Index::read(results));
    let recordings = study.recordings.iter().zip(&before);
    let missing: Vec<&Path> = recordings
        .filter(|(recording, results)| results.is_none() && recording.path.is_file())
        .map(|(recording, _)| recording.path.as_path())
        .collect();
    if missing.is_empty() {
        return Ok(before);
    }
    let count = numbers::count(missing.len(), "recording");
    console::line(format_args!(
        "{count} without results in {}: analyzing",
        results.display()
    ));
    match analyze(&missing, results)? {
        Status::Interrupted => Err(StudyError::Interrupted),
        Status::Success | Status::Failure => Ok(found(&Index::read(results))),
    }
}

/// Analyzes recordings with the default options of `analyze`.
fn analyze(recordings: &[&Path], results: &Path) -> Result<Status, StudyError> {
    let mut words: Vec<OsString> = ["gst-attitude", "analyze", "--output"]
        .map(OsString::from)
        .to_vec();
    words.extend([results.into(), "--".into()]);
    words.extend(recordings.iter().map(|path| path.as_os_str().to_owned()));
    match crate::parse(words.into_iter())?.command {
        Command::Analyze(arguments) => Ok(analyze::run(&arguments)?),
        _ => Ok(Status::Failure), // Does not happen: the words are those of `analyze`.
    }
}

/// All results in a folder.
#[derive(Default)]
struct Index {
    all: Vec<RecordingResults>,
    /// Indices by the name of the folder, and by the path of the recording.
    by_name: HashMap<String, usize>,
    by_path: HashMap<PathBuf, usize>,
    /// Indices by the name of the recording's file; `None` if several have it.
    by_file_name: HashMap<OsString, Option<usize>>,
}

impl Index {
    /// Reads the summaries in the folder. What is not a summary is ignored.
    fn read(folder: &Path) -> Self {
        let mut index = Self::default();
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        folders.sort();
        for folder in folders {
            if let Some(mut file) = summary_json::read(&folder) {
                // They are large, and not needed.
                file.summary.persons = Vec::new();
                file.summary.scene = Default::default();
                let corrections = CorrectionsFile::read(&folder)
                    .map(|file| file.corrections)
                    .map_err(|error| console::chain(&error));
                index.add(RecordingResults {
                    folder,
                    file,
                    corrections,
                });
            }
        }
        index
    }

    fn add(&mut self, results: RecordingResults) {
        let number = self.all.len();
        let name = results.folder.file_name().unwrap_or_default();
        self.by_name
            .insert(name.to_string_lossy().into_owned(), number);
        if let Ok((path, _)) = glib::filename_from_uri(&results.file.recording.uri) {
            let file_name = path.file_name().unwrap_or_default().to_owned();
            let of_name = self.by_file_name.entry(file_name);
            of_name
                .and_modify(|of_name| *of_name = None)
                .or_insert(Some(number));
            self.by_path.insert(path, number);
        }
        self.all.push(results);
    }

    /// Returns the results of a recording: by the name of the folder, by the recording's path, or, if
    /// the recording is not there, by the name of its file.
    fn find(&self, recording: &StudyRecording) -> Option<&RecordingResults> {
        let by_name = self.by_name.get(&recording.file).copied();
        let by_path = || {
            let path = recording.path.canonicalize().ok()?;
            let absolute = std::path::absolute(&recording.path).ok()?;
            [path, absolute]
                .iter()
                .find_map(|path| self.by_path.get(path).copied())
        };
        let by_file_name = || {
            let name = recording
                .path
                .file_name()
                .filter(|_| !recording.path.exists())?;
            *self.by_file_name.get(name)?
        };
        let number = by_name.or_else(by_path).or_else(by_file_name)?;
        self.all.get(number)
    }
}
