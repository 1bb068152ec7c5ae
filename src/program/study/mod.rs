// SPDX-License-Identifier: MPL-2.0

//! `gst-attitude study`: tables, statistics and figures of recordings of several participants.
//!
//! ```text
//! design -> results (of analyze) -> epochs, per recording -> analysis -> tables | page (figures, methods)
//! ```

use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use attitude::data_table::DataTable;

use analysis::{Alignment, ConditionResult};
pub(crate) use arguments::Arguments;
use design::Study;
use epochs::MeasuredRecording;
use results::RecordingResults;

use crate::analyze::AnalyzeError;
use crate::data_file::DataError;
use crate::exit::Status;
use crate::numbers::count;
use crate::table_files::TableFormat;
use crate::{atomic_file, codebook, console, parallel};

mod arguments;

mod design;

mod epochs;
mod results;

mod analysis;

mod tables;
pub(crate) use tables::TABLES;

mod figures;
mod methods;
mod page;

/// File names.
const PAGE: &str = "study.html";
const METHODS: &str = "methods.txt";

/// Maximum number of recordings that are read at the same time by default; each takes memory for its
/// samples.
const MAX_JOBS: usize = 8;

/// A study cannot be analyzed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StudyError {
    #[error(transparent)]
    Design(#[from] DataError),
    #[error(transparent)]
    Analyze(#[from] AnalyzeError),
    #[error("cannot start the analysis")]
    Arguments(#[from] clap::Error),
    #[error("the analysis was interrupted")]
    Interrupted,
    #[error("no recording of the study could be used; the reasons are above")]
    Nothing,
    #[error("cannot create the folder {path}: {source}; choose another --output")]
    CreateFolder { path: PathBuf, source: io::Error },
    #[error(
        "cannot write {path}: {source}; check its permissions and the free space, or choose another --output"
    )]
    Write { path: PathBuf, source: io::Error },
}

impl StudyError {
    /// Returns `true` if the study's file or the arguments are wrong.
    pub(crate) fn is_usage(&self) -> bool {
        match self {
            Self::Design(_) | Self::Arguments(_) => true,
            Self::Analyze(error) => error.is_usage(),
            _ => false,
        }
    }
}

/// A recording of a study.
struct RecordingEntry {
    /// `None` if there are no results.
    results: Option<RecordingResults>,
    /// The measures, or the reason why there are none.
    measured: Result<MeasuredRecording, String>,
}

/// All results of a study.
struct StudyResults {
    study: Study,
    /// In the order of the study.
    recordings: Vec<RecordingEntry>,
    alignments: Vec<Alignment>,
}

impl StudyResults {
    /// Returns the conditions of all alignments, with their names.
    fn conditions(&self) -> impl Iterator<Item = (&Alignment, &ConditionResult, &str)> {
        let names = self.study.conditions();
        self.alignments.iter().flat_map(move |alignment| {
            let names = names.clone();
            let conditions = alignment.conditions.iter();
            conditions.map(move |result| (alignment, result, names[result.condition]))
        })
    }
}

/// Analyzes the study.
///
/// # Errors
/// Returns an error if the study's file is wrong, no recording can be used, or a file cannot be
/// written.
pub(crate) fn run(arguments: &Arguments) -> Result<Status, StudyError> {
    let mut study = Study::read(&arguments.study)?;
    let output = &arguments.output;
    std::fs::create_dir_all(output).map_err(|source| StudyError::CreateFolder {
        path: output.clone(),
        source,
    })?;
    let folder = arguments
        .results
        .as_ref()
        .or(study.results.as_ref())
        .unwrap_or(output);
    let results = match results::find(&study, folder) {
        Err(StudyError::Interrupted) => return Ok(Status::Interrupted),
        results => results?,
    };
    for (recording, results) in study.recordings.iter_mut().zip(&results) {
        if let Some(Ok(corrections)) = results.as_ref().map(|results| &results.corrections) {
            recording.add_events(corrections);
        }
    }
    let jobs = jobs(arguments, study.recordings.len());
    let recordings = read(&study, results, jobs, folder);
    for (recording, entry) in study.recordings.iter().zip(&recordings) {
        match &entry.measured {
            Err(reason) => console::error(format_args!("{}: {reason}", recording.file)),
            Ok(measured) => report_exclusions(&recording.file, measured, recording),
        }
    }
    let alignments = analysis::analyze(&study, &recordings, jobs);
    if alignments.is_empty() {
        return Err(StudyError::Nothing);
    }
    let results = StudyResults {
        study,
        recordings,
        alignments,
    };
    write(&results, output)?;
    let failed = results
        .recordings
        .iter()
        .filter(|entry| entry.measured.is_err())
        .count();
    console::line(format_args!(
        "{} of {} in {}; wrote {}",
        count(results.recordings.len() - failed, "recording"),
        count(results.study.participants().len(), "participant"),
        count(results.study.conditions().len(), "condition"),
        output.join(PAGE).display()
    ));
    Ok(Status::of(failed == 0))
}

fn jobs(arguments: &Arguments, recordings: usize) -> NonZeroUsize {
    let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let jobs = arguments
        .jobs
        .map_or_else(|| cores().min(MAX_JOBS), NonZeroUsize::get);
    NonZeroUsize::new(jobs.min(recordings)).unwrap_or(NonZeroUsize::MIN)
}

/// Reads the recordings, several at the same time.
fn read(
    study: &Study,
    results: Vec<Option<RecordingResults>>,
    jobs: NonZeroUsize,
    folder: &Path,
) -> Vec<RecordingEntry> {
    let participants = study.participants();
    let items: Vec<_> = results.iter().enumerate().collect();
    let mut states = vec![(); jobs.get()];
    let measured = parallel::run(&mut states, &items, |(), &(number, results)| {
        let recording = &study.recordings[number];
        let participant = participants
            .iter()
            .position(|name| *name == recording.participant);
        let measured = match results {
            Some(results) => {
                let participant = participant.unwrap_or_default();
                epochs::read(recording, results, &study.settings, participant, number)
            }
            None => Err(no_results(&recording.path, folder)),
        };
        Ok::<_, std::convert::Infallible>(measured)
    });
    let measured = measured.outputs.into_iter().flatten();
    let entry = |(results, measured)| RecordingEntry { results, measured };
    results.into_iter().zip(measured).map(entry).collect()
}

/// Returns the reason why a recording has no results.
fn no_results(path: &Path, folder: &Path) -> String {
    match path.is_file() {
        true => "it could not be analyzed; the reason is above".to_owned(),
        false => format!(
            "there is neither a file {} nor a folder with its results in {}; correct the path in the study's file",
            path.display(),
            folder.display()
        ),
    }
}

/// Reports which epochs of a recording are left out.
fn report_exclusions(file: &str, measured: &MeasuredRecording, recording: &design::StudyRecording) {
    if let (Some(reason), Some(_)) = (&measured.whole.exclusion, &recording.condition) {
        console::warn(format_args!(
            "{file}: left out of the averages from the start: {reason}"
        ));
    }
    for (event, checked) in recording.events.iter().zip(&measured.events) {
        if let Some(reason) = &checked.exclusion {
            let time = attitude::clock::position(event.start_ns);
            console::warn(format_args!(
                "{file}: the event '{}' at {time} is left out: {reason}",
                event.name
            ));
        }
    }
}

/// Writes all files.
fn write(results: &StudyResults, output: &Path) -> Result<(), StudyError> {
    let error = |path: &Path, source| StudyError::Write {
        path: path.to_owned(),
        source,
    };
    let write_table = |table: &DataTable, format: TableFormat| {
        let path = format.path(output, table);
        let written = format.write(&path, table);
        written.map_err(|source| error(&path, source))
    };
    for table in tables::tables(results) {
        for format in TableFormat::ALL {
            write_table(&table, format)?;
        }
    }
    for table in codebook::tables() {
        write_table(&table, TableFormat::Csv)?;
    }
    let methods = methods::methods(results);
    for (name, text) in [
        (METHODS, methods.to_text()),
        (PAGE, page::page(results, &methods, output)),
    ] {
        let path = output.join(name);
        atomic_file::replace_with(&path, text.as_bytes()).map_err(|source| error(&path, source))?;
    }
    Ok(())
}
