// SPDX-License-Identifier: MPL-2.0

//! HTML pages: `report.html` of each recording, and `index.html`, which lists them.

use std::collections::HashMap;
use std::path::Path;

use attitude::record::summary::Summarized;
use attitude::timeline::Span;

use super::RecordingJob;
use super::outcome::RecordingOutcome;
use super::settings::Settings;
use super::store::{Store, StoreError, WriteContext};
use super::summary_json::SummaryFile;
use crate::playback::annotation;
use crate::report::index::{self, AnalysisResult, Entry};
use crate::report::recording::RecordingFacts;
use crate::report::{address, page};

/// File name of a recording's page.
pub(super) const REPORT: &str = "report.html";

/// File name of the list.
pub(super) const INDEX: &str = "index.html";

/// Formats the page of a recording, for a folder in `results`.
pub(super) fn report(
    file: &SummaryFile,
    summarized: &Summarized,
    settings: &Settings,
    results: &Path,
) -> String {
    let recording = RecordingFacts {
        address: address_of(&file.recording.uri, results),
        annotated: settings.annotate.then(|| annotation::FILE.to_owned()),
        range: range(settings, file.recording.video.duration_ns),
        ..facts(file)
    };
    page::report(&recording, summarized)
}

/// Formats the list of the recordings of a run, and of `others`, those that have results of earlier
/// runs in the same folder.
///
/// # Errors
/// Returns an error if the path from the list to a recording's page cannot be found.
pub(super) fn index(
    jobs: &[RecordingJob],
    outcomes: &[Option<RecordingOutcome>],
    others: &[SummaryFile],
    store: &Store,
) -> Result<String, StoreError> {
    let report = |results: &SummaryFile| {
        let path = store.path(&results.recording.name).join(REPORT);
        address::relative(store.folder(), &path).write_context(&path)
    };
    let mut rows: Vec<Row> = Vec::new();
    for (job, outcome) in jobs.iter().zip(outcomes) {
        let (recording, result) = match outcome {
            Some(RecordingOutcome::Done(results) | RecordingOutcome::Skipped(results)) => {
                let result = AnalysisResult::Report(&results.summary, report(results)?);
                (facts(results), result)
            }
            Some(RecordingOutcome::Failed(error)) => {
                let recording = RecordingFacts {
                    name: job.recording.file_name(),
                    ..RecordingFacts::default()
                };
                (recording, AnalysisResult::Failed(error.reason()))
            }
            Some(RecordingOutcome::Ignored(_)) | None => continue,
        };
        rows.push(Row {
            recording,
            input: job.recording.display_name(),
            result,
        });
    }
    for results in others {
        rows.push(Row {
            recording: facts(results),
            input: results.recording.input().to_owned(),
            result: AnalysisResult::Report(&results.summary, report(results)?),
        });
    }
    name_uniquely(&mut rows);
    let entries: Vec<Entry> = rows
        .iter()
        .map(|row| Entry {
            recording: &row.recording,
            result: &row.result,
        })
        .collect();
    Ok(index::index(&entries))
}

/// A row of the list.
struct Row<'a> {
    recording: RecordingFacts,
    /// Path or address of the recording.
    input: String,
    result: AnalysisResult<'a>,
}

/// Replaces names that several recordings have with their paths or addresses.
fn name_uniquely(rows: &mut [Row]) {
    let mut recordings: HashMap<String, usize> = HashMap::new();
    for row in &*rows {
        *recordings.entry(row.recording.name.clone()).or_default() += 1;
    }
    for row in rows {
        if recordings[&row.recording.name] > 1 {
            row.recording.name.clone_from(&row.input);
        }
    }
}

/// Returns the facts about a recording that a page shows, without its address.
fn facts(file: &SummaryFile) -> RecordingFacts {
    let recording = &file.recording;
    RecordingFacts {
        name: file_name(&recording.uri).unwrap_or_else(|| recording.name.clone()),
        origin_ns: recording.video.origin_ns,
        duration_ns: recording.video.duration_ns,
        size_px: Some((recording.video.width, recording.video.height)),
        model: file.analysis.models["attitude"].as_str().map(str::to_owned),
        provider: Some(file.analysis.provider.clone()),
        damage: file.damage.clone(),
        remarks: file.notes.clone(),
        ..RecordingFacts::default()
    }
}

/// Returns the name of the file at `uri`.
fn file_name(uri: &str) -> Option<String> {
    let (path, _) = glib::filename_from_uri(uri).ok()?;
    Some(path.file_name()?.to_string_lossy().into_owned())
}

/// Returns the address of `uri` for a page in a folder in `results`; `None` if browsers cannot play
/// it.
pub(super) fn address_of(uri: &str, results: &Path) -> Option<String> {
    if let Ok((path, _)) = glib::filename_from_uri(uri) {
        let address = address::relative(results, &path).ok()?;
        return Some(format!("../{address}"));
    }
    let is_http = uri.starts_with("http://") || uri.starts_with("https://");
    is_http.then(|| uri.to_owned())
}

/// Returns the analyzed part; `None` if it is the whole recording.
fn range(settings: &Settings, duration_ns: Option<u64>) -> Option<Span> {
    let start_ns = settings.from_ns.unwrap_or(0);
    let end_ns = settings.to_ns.or(duration_ns)?;
    settings.is_part().then_some(Span { start_ns, end_ns })
}
