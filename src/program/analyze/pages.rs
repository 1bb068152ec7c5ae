// SPDX-License-Identifier: MPL-2.0

//! HTML pages: `report.html` of each recording, and `index.html`, which lists them.

use std::collections::HashMap;
use std::path::Path;

use attitude::record::note::TimedNote;
use attitude::record::summary::{Summarized, Summary};
use attitude::timeline::Span;

use super::RecordingJob;
use super::outcome::RecordingOutcome;
use super::store::{StoreError, WriteContext};
use super::summary_json::{RequestedOutputs, SummaryFile};
use crate::corrections::{self, CorrectionsFile};
use crate::playback::annotation;
use crate::report::index::{self, AnalysisResult, Entry};
use crate::report::recording::RecordingFacts;
use crate::report::{address, page};

/// File name of a recording's page.
pub(crate) const REPORT: &str = "report.html";

/// File name of the list.
pub(crate) const INDEX: &str = "index.html";

/// Formats the page of a recording, for a folder in `results`.
pub(super) fn report(
    file: &SummaryFile,
    summarized: &Summarized,
    corrections: &CorrectionsFile,
    results: &Path,
) -> String {
    let requested = file.analysis.requested();
    let recording = RecordingFacts {
        address: address_of(&file.recording.uri, results),
        annotated: requested.annotate.then(|| annotation::FILE.to_owned()),
        range: range(&requested, file.recording.video.duration_ns),
        notes: notes(&file.summary),
        corrections: Some(corrections.clone()),
        ..facts(file)
    };
    page::report(&recording, summarized)
}

/// Formats the list of the recordings of a run, and of `others`, those that have results of earlier
/// runs in the same `folder`.
///
/// # Errors
/// Returns an error if the path from the list to a recording's page cannot be found.
pub(super) fn index(
    jobs: &[RecordingJob],
    outcomes: &[Option<RecordingOutcome>],
    others: &[SummaryFile],
    folder: &Path,
) -> Result<String, StoreError> {
    let report = |results: &SummaryFile| {
        let path = folder.join(&results.recording.name).join(REPORT);
        address::relative(folder, &path).write_context(&path)
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

/// Formats the list of recordings that have results in `folder`.
///
/// # Errors
/// Returns an error if the path from the list to a recording's page cannot be found.
pub(crate) fn list(results: &[SummaryFile], folder: &Path) -> Result<String, StoreError> {
    index(&[], &[], results, folder)
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
        remarks: remarks(file),
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
fn range(requested: &RequestedOutputs, duration_ns: Option<u64>) -> Option<Span> {
    let start_ns = requested.from_ns.unwrap_or(0);
    let end_ns = requested.to_ns.or(duration_ns)?;
    let is_part = requested.from_ns.is_some() || requested.to_ns.is_some();
    is_part.then_some(Span { start_ns, end_ns })
}

/// Returns the notes and events of the corrections, sorted by time.
fn notes(summary: &Summary) -> Vec<TimedNote> {
    let Some(applied) = &summary.corrections else {
        return Vec::new();
    };
    let events = applied.events.iter().map(|event| TimedNote {
        time_ns: event.span.start_ns,
        text: format!("Event: {}", event.name),
    });
    let notes = applied.notes.iter().map(|note| TimedNote {
        time_ns: note.time_ns,
        text: note.text.clone(),
    });
    let mut all: Vec<TimedNote> = events.chain(notes).collect();
    all.sort_by_key(|note| note.time_ns);
    all
}

/// Returns what a user should know about the recording, its analysis and its corrections.
fn remarks(file: &SummaryFile) -> Vec<String> {
    let mut remarks = file.notes.clone();
    if let Some(applied) = &file.summary.corrections {
        remarks.push(corrections::describe(applied));
        let problems = applied.not_applied.iter();
        remarks.extend(problems.map(|problem| format!("a correction has no effect: {problem}")));
    }
    remarks
}
