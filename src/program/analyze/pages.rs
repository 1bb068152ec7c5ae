// SPDX-License-Identifier: MPL-2.0

//! HTML pages: `report.html` of each recording, and `index.html`, which lists them.

use std::path::Path;

use attitude::record::summary::Summarized;
use attitude::timeline::Span;

use super::RecordingJob;
use super::outcome::RecordingOutcome;
use super::settings::Settings;
use super::store::{Store, StoreError, WriteContext};
use super::summary_json::SummaryFile;
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
        range: range(settings, file.recording.video.duration_ns),
        ..facts(file)
    };
    page::report(&recording, summarized)
}

/// Formats the list of the recordings of a run.
///
/// # Errors
/// Returns an error if the path from the list to a recording's page cannot be found.
pub(super) fn index(
    jobs: &[RecordingJob],
    outcomes: &[Option<RecordingOutcome>],
    store: &Store,
) -> Result<String, StoreError> {
    let mut rows = Vec::new();
    for (job, outcome) in jobs.iter().zip(outcomes) {
        match outcome {
            Some(RecordingOutcome::Done(results) | RecordingOutcome::Skipped(results)) => {
                let path = store.path(&job.name).join(REPORT);
                let address = address::relative(store.folder(), &path).write_context(&path)?;
                let result = AnalysisResult::Report(&results.summary, address);
                rows.push((facts(results), result));
            }
            Some(RecordingOutcome::Failed(error)) => {
                let recording = RecordingFacts {
                    name: job.recording.file_name(),
                    ..RecordingFacts::default()
                };
                rows.push((recording, AnalysisResult::Failed(error.reason())));
            }
            Some(RecordingOutcome::Ignored(_)) | None => {}
        }
    }
    let entries: Vec<Entry> = rows
        .iter()
        .map(|(recording, result)| Entry { recording, result })
        .collect();
    Ok(index::index(&entries))
}

/// Returns the facts about a recording that a page shows, without its address.
fn facts(file: &SummaryFile) -> RecordingFacts {
    let recording = &file.recording;
    RecordingFacts {
        name: file_name(&recording.uri).unwrap_or_else(|| recording.name.clone()),
        duration_ns: recording.video.duration_ns,
        size_px: Some((recording.video.width, recording.video.height)),
        model: file.analysis.models["attitude"].as_str().map(str::to_owned),
        provider: Some(file.analysis.provider.clone()),
        damage: file.damage.clone(),
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
fn address_of(uri: &str, results: &Path) -> Option<String> {
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
