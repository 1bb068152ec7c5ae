// SPDX-License-Identifier: MPL-2.0

//! The pages that people look at: one of each recording, and the one that leads to them.

use std::path::Path;

use attitude::record::summary::Summarized;
use attitude::timeline::segments::Span;

use super::Work;
use super::document::Document;
use super::outcome::Outcome;
use super::settings::Settings;
use super::store::{At, Store, StoreError};
use crate::report::recording::Recording;
use crate::report::{address, index, page};

/// The name of a recording's page.
pub const REPORT: &str = "report.html";

/// The name of the page that leads to the others.
pub const INDEX: &str = "index.html";

/// The page of a recording, which is to lie in a folder in `results`.
pub fn report(
    document: &Document,
    summarized: &Summarized,
    settings: &Settings,
    results: &Path,
) -> String {
    let recording = Recording {
        address: address_of(&document.recording.uri, results),
        range: range(settings, document.recording.video.duration_ns),
        ..known(document)
    };
    page::report(&recording, summarized)
}

/// The page of a run.
///
/// # Errors
/// Where a recording's folder is not to be found.
pub fn index(
    works: &[Work],
    outcomes: &[Option<Outcome>],
    store: &Store,
) -> Result<String, StoreError> {
    let mut rows = Vec::new();
    for (work, outcome) in works.iter().zip(outcomes) {
        match outcome {
            Some(Outcome::Done(document) | Outcome::Skipped(document)) => {
                let path = store.path(&work.name).join(REPORT);
                let address = address::relative(store.folder(), &path).at(&path)?;
                rows.push((known(document), Ok((&document.summary, address))));
            }
            Some(Outcome::Failed(reason)) => {
                let recording = Recording {
                    name: work.input.file_name(),
                    ..Recording::default()
                };
                rows.push((recording, Err(reason.clone())));
            }
            Some(Outcome::PassedOver(_)) | None => {}
        }
    }
    let entries: Vec<index::Entry> = rows
        .iter()
        .map(|(recording, outcome)| index::Entry {
            recording,
            outcome: outcome.clone(),
        })
        .collect();
    Ok(index::index(&entries))
}

/// What a page tells of a recording wherever it lies.
fn known(document: &Document) -> Recording {
    let of = &document.recording;
    Recording {
        name: file_name(&of.uri).unwrap_or_else(|| of.name.clone()),
        duration_ns: of.video.duration_ns,
        size_px: Some((of.video.width, of.video.height)),
        model: document.analysis.models["attitude"]
            .as_str()
            .map(str::to_owned),
        provider: Some(document.analysis.provider.clone()),
        damage: document.damage.clone(),
        ..Recording::default()
    }
}

/// What a recording is called where it is.
fn file_name(uri: &str) -> Option<String> {
    let (path, _) = glib::filename_from_uri(uri).ok()?;
    Some(path.file_name()?.to_string_lossy().into_owned())
}

/// Where a page in a folder in `results` finds what is at `uri`; `None` where no browser does.
fn address_of(uri: &str, results: &Path) -> Option<String> {
    if let Ok((path, _)) = glib::filename_from_uri(uri) {
        let address = address::relative(results, &path).ok()?;
        return Some(format!("../{address}"));
    }
    let is_played = uri.starts_with("http://") || uri.starts_with("https://");
    is_played.then(|| uri.to_owned())
}

/// The part that was asked for; `None` for all of it.
fn range(settings: &Settings, duration_ns: Option<u64>) -> Option<Span> {
    let is_part = settings.from_ns.is_some() || settings.to_ns.is_some();
    let start_ns = settings.from_ns.unwrap_or(0);
    let end_ns = settings.to_ns.or(duration_ns)?;
    is_part.then_some(Span { start_ns, end_ns })
}
