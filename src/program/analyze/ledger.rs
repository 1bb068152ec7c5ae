// SPDX-License-Identifier: MPL-2.0

//! `summary.csv`: what became of each recording of a run. A row a recording and not a person, so that
//! those are in it that failed, or show nobody; the persons are in each `summary.json`.

use attitude::timeline::shares::Shares;

use super::Work;
use super::document::Document;
use super::outcome::Outcome;

/// The name of its file.
pub const FILE: &str = "summary.csv";

type Value = fn(&Document) -> String;

/// Name and value of what is known of results; empty where there are none.
const COLUMNS: [(&str, Value); 15] = [
    ("duration_ns", |d| optional(d.recording.video.duration_ns)),
    ("width", |d| d.recording.video.width.to_string()),
    ("height", |d| d.recording.video.height.to_string()),
    ("frames", |d| d.recording.video.frames.to_string()),
    ("samples", |d| d.summary.samples.to_string()),
    ("failed_samples", |d| {
        d.recording.video.failed_samples.to_string()
    }),
    ("samples_with_faces", |d| {
        d.summary.samples_with_faces.to_string()
    }),
    ("faces", |d| d.summary.faces.to_string()),
    ("persons", |d| d.summary.persons.len().to_string()),
    ("seen_ns", |d| d.summary.scene.seen_ns.to_string()),
    ("positive_share", |d| share(d, |s| s.positive)),
    ("neutral_share", |d| share(d, |s| s.neutral)),
    ("negative_share", |d| share(d, |s| s.negative)),
    ("unknown_share", |d| share(d, |s| s.unknown)),
    ("fingerprint", |d| d.fingerprint.clone()),
];

fn optional(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn share(document: &Document, of: fn(&Shares) -> f64) -> String {
    optional(document.summary.scene.shares.as_ref().map(of))
}

/// The file's bytes. What was skipped is told like what was done: a run that goes on ends as one that
/// was not stopped.
pub fn table(works: &[Work], outcomes: &[Option<Outcome>]) -> csv::Result<Vec<u8>> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let names = COLUMNS.iter().map(|(name, _)| *name);
    csv.write_record(
        ["name", "input", "status", "reason"]
            .into_iter()
            .chain(names),
    )?;
    for (work, outcome) in works.iter().zip(outcomes) {
        let (status, reason) = match outcome {
            None => ("not analysed", ""),
            Some(Outcome::Failed(reason)) => ("failed", reason.as_str()),
            Some(Outcome::PassedOver(reason)) => ("passed over", *reason),
            Some(Outcome::Done(document) | Outcome::Skipped(document)) => match &document.damage {
                Some(damage) => ("damaged", damage.as_str()),
                None => ("done", ""),
            },
        };
        let document = outcome.as_ref().and_then(Outcome::document);
        let values = COLUMNS
            .iter()
            .map(|(_, value)| document.map(value).unwrap_or_default());
        let first = [&work.name, &work.input.told(), status, reason].map(str::to_owned);
        csv.write_record(first.into_iter().chain(values))?;
    }
    Ok(csv.into_inner().map_err(|error| error.into_error())?)
}
