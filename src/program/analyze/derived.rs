// SPDX-License-Identifier: MPL-2.0

//! The files of a recording that are computed from its samples and its corrections: the exports, the
//! page and the summary. If the corrections change, they are computed again from the records; the
//! recording is not.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use attitude::record::exports::{AnalyzedRecording, EXPORTS};
use attitude::record::formats::jsonl;
use attitude::record::summary::{Summarized, SummaryBuilder};
use attitude::timeline::{RecordingEnd, TimelineParams};

use super::pages;
use super::store::{StoreError, WriteContext};
use super::summary_json::{self, SummaryFile};
use crate::atomic_file;
use crate::corrections::{CorrectionsError, CorrectionsFile};
use crate::report::address;
use crate::report::records::{self, Entry, RecordsError};

/// The files cannot be computed again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RefreshError {
    #[error(transparent)]
    Corrections(#[from] CorrectionsError),
    #[error(
        "{} is missing, without which corrections cannot be applied; analyze the recording again",
        .0.display()
    )]
    NoRecords(PathBuf),
    #[error("cannot read {}", .0.display())]
    Read(PathBuf, #[source] io::Error),
    #[error("{}", .0.display())]
    Records(PathBuf, #[source] RecordsError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Writes the files into `folder`; returns the content of the summary. The folder will be in the
/// folder `results`.
pub(super) fn write(
    folder: &Path,
    mut file: SummaryFile,
    samples: SummaryBuilder,
    params: &TimelineParams,
    corrections: &CorrectionsFile,
    results: &Path,
) -> Result<SummaryFile, StoreError> {
    let summarized = samples.finish_corrected(params, &corrections.corrections);
    file.summary = summarized.summary.clone();
    file.corrections_sha256 = corrections.sha256();
    write_exports(folder, &file, &summarized, results)?;
    write_page(folder, &file, &summarized, corrections, results)?;
    // Last: the others belong to it.
    let path = folder.join(summary_json::FILE);
    let json = serde_json::to_string_pretty(&file).write_context(&path)? + "\n";
    atomic_file::replace_with(&path, json.as_bytes()).write_context(&path)?;
    Ok(file)
}

fn write_page(
    folder: &Path,
    file: &SummaryFile,
    summarized: &Summarized,
    corrections: &CorrectionsFile,
    results: &Path,
) -> Result<(), StoreError> {
    let page = pages::report(file, summarized, corrections, results);
    let path = folder.join(pages::REPORT);
    atomic_file::replace_with(&path, page.as_bytes()).write_context(&path)
}

/// Writes the requested exports.
fn write_exports(
    folder: &Path,
    file: &SummaryFile,
    summarized: &Summarized,
    results: &Path,
) -> Result<(), StoreError> {
    let recording = &file.recording;
    let relative_url = pages::address_of(&recording.uri, results);
    let relative_path = relative_path(&recording.uri, results);
    let modified_ns = recording.identity.modified_ns;
    let formats = file.analysis.requested().formats;
    let recording = AnalyzedRecording {
        name: &recording.name,
        uri: &recording.uri,
        relative_url: relative_url.as_deref(),
        relative_path: relative_path.as_deref(),
        modified: modified_ns.map(|ns| UNIX_EPOCH + Duration::from_nanos(ns)),
        duration_ns: recording.video.duration_ns,
        frames_per_second: recording.video.frames_per_second,
        summarized,
    };
    let is_requested = |name: &str| formats.iter().any(|format| format == name);
    let exports = EXPORTS.iter().filter(|it| is_requested(it.file.name));
    for (name, write) in exports.flat_map(|export| export.files()) {
        let path = folder.join(name);
        atomic_file::replace(&path, |output| write(&recording, output)).write_context(&path)?;
    }
    Ok(())
}

/// Returns the path of the file at `uri` relative to a folder in `results`; `None` if it is no file.
fn relative_path(uri: &str, results: &Path) -> Option<String> {
    let (file, _) = glib::filename_from_uri(uri).ok()?;
    let path = Path::new("..").join(address::relative_path(results, &file).ok()?);
    Some(path.to_string_lossy().into_owned())
}

/// Writes the files in the results `folder` of a recording again if its corrections have changed
/// since `file`, the content of its summary; returns the new content, or `None` if it is up to date.
///
/// # Errors
/// Returns an error if the corrections or the records cannot be read, or a file cannot be written.
pub(crate) fn refresh(
    folder: &Path,
    file: &SummaryFile,
) -> Result<Option<SummaryFile>, RefreshError> {
    let corrections = CorrectionsFile::read(folder)?;
    if corrections.sha256() == file.corrections_sha256 {
        return Ok(None);
    }
    let path = folder.join(records_file());
    let records = File::open(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => RefreshError::NoRecords(path.clone()),
        _ => RefreshError::Read(path.clone(), error),
    })?;
    let mut samples = SummaryBuilder::default();
    records::for_each(BufReader::new(records), |entry| {
        if let Entry::Record(record) = entry {
            samples.add(&record);
        }
        Ok(())
    })
    .map_err(|error| RefreshError::Records(path, error))?;
    let video = &file.recording.video;
    samples.set_end(RecordingEnd {
        last_frame_ns: video.end_ns,
        limit_ns: limit_ns(video.duration_ns, file.analysis.requested().to_ns),
    });
    let results = folder.parent().unwrap_or(folder);
    let params = file.summary.params;
    let file = write(
        folder,
        file.clone(),
        samples,
        &params,
        &corrections,
        results,
    )?;
    Ok(Some(file))
}

/// Returns the time until which the last sample is shown at most.
pub(super) fn limit_ns(duration_ns: Option<u64>, to_ns: Option<u64>) -> Option<u64> {
    duration_ns.into_iter().chain(to_ns).min()
}

/// Returns the name of the file of records from which the files are computed again.
fn records_file() -> &'static str {
    let file = jsonl::FORMAT.file.as_ref();
    file.map_or("", |file| file.name)
}
