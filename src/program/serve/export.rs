// SPDX-License-Identifier: MPL-2.0

//! A session's file as something else: a table, subtitles, a report. It comes with the request and is
//! gone with the answer.

use std::sync::Arc;
use std::time::Duration;

use attitude::record::cue::Cue;
use attitude::record::subtitles::Subtitles;
use attitude::record::{Record, csv, webvtt};
use axum::body::{Bytes, HttpBody};
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::answers::problem;
use super::arguments::Arguments;
use crate::report::page;
use crate::report::recording::{Recording, Session};
use crate::report::records::{self, Entry};

/// Most bytes of a session's file.
pub const MAX_BODY_BYTES: usize = 64 << 20;

/// Most bytes of what is made of it.
const MAX_EXPORT_BYTES: usize = 256 << 20;

/// Files that are received and worked on at a time: each may take some hundred megabytes.
static PLACES: Semaphore = Semaphore::const_new(3);

/// How long a request waits for a place, and how long its file may take to come.
const MAX_WAIT: Duration = Duration::from_secs(10);
const MAX_UPLOAD: Duration = Duration::from_secs(90);

/// What a session's file can be had as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Csv,
    WebVtt,
    Report,
}

impl Format {
    /// By the last part of the address.
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "csv" => Some(Self::Csv),
            "vtt" => Some(Self::WebVtt),
            "html" => Some(Self::Report),
            _ => None,
        }
    }

    fn headers(self) -> [(header::HeaderName, &'static str); 2] {
        let (media_type, disposition) = match self {
            Self::Csv => (
                "text/csv; charset=utf-8",
                r#"attachment; filename="session.csv""#,
            ),
            Self::WebVtt => (
                "text/vtt; charset=utf-8",
                r#"attachment; filename="session.vtt""#,
            ),
            Self::Report => (
                "text/html; charset=utf-8",
                r#"attachment; filename="session.html""#,
            ),
        };
        [
            (header::CONTENT_TYPE, media_type),
            (header::CONTENT_DISPOSITION, disposition),
        ]
    }
}

/// Answers `POST /export/{format}`.
pub async fn answer(
    State(arguments): State<Arc<Arguments>>,
    Path(format): Path<String>,
    request: Request,
) -> Response {
    let Some(format) = Format::from_name(&format) else {
        let told = format!("there is no export to {format}, but to csv, vtt and html");
        return problem(StatusCode::NOT_FOUND, told);
    };
    if request.body().size_hint().lower() > MAX_BODY_BYTES as u64 {
        return too_large();
    }
    let Ok(Ok(place)) = timeout(MAX_WAIT, PLACES.acquire()).await else {
        let told = "others are exporting now; try again in a while";
        let retry = [(header::RETRY_AFTER, "10")];
        return (retry, problem(StatusCode::SERVICE_UNAVAILABLE, told)).into_response();
    };
    let lines = match timeout(MAX_UPLOAD, Bytes::from_request(request, &())).await {
        Ok(Ok(lines)) => lines,
        Ok(Err(refusal)) if refusal.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return too_large();
        }
        Ok(Err(refusal)) => return problem(refusal.status(), refusal.body_text()),
        Err(_) => {
            return problem(
                StatusCode::REQUEST_TIMEOUT,
                "the session took too long to come",
            );
        }
    };
    let interval_ns = arguments.sample_interval_ns();
    // The place is given back when the work ends, also where nobody waits for it any more.
    let work = tokio::task::spawn_blocking(move || {
        let exported = exported(format, &lines, interval_ns);
        drop(place);
        exported
    });
    match work.await {
        Ok(Ok(file)) => (format.headers(), file).into_response(),
        Ok(Err(told)) => problem(StatusCode::BAD_REQUEST, told),
        Err(_) => problem(StatusCode::INTERNAL_SERVER_ERROR, "the export has failed"),
    }
}

fn too_large() -> Response {
    let told = format!("a session may have {MAX_BODY_BYTES} bytes; leave some of its lines out");
    problem(StatusCode::PAYLOAD_TOO_LARGE, told)
}

/// The session's `lines` in `format`. Samples are `interval_ns` apart.
///
/// # Errors
/// Where a line is wrong, or there would be more than [`MAX_EXPORT_BYTES`].
fn exported(format: Format, lines: &[u8], interval_ns: u64) -> Result<Vec<u8>, String> {
    match format {
        Format::Csv => in_csv(lines),
        Format::WebVtt => in_webvtt(lines, interval_ns),
        Format::Report => in_report(lines),
    }
}

fn in_csv(lines: &[u8]) -> Result<Vec<u8>, String> {
    let mut rows = Vec::new();
    csv::write_header(&mut rows);
    records::each(lines, |entry| {
        if let Entry::Record(record) = entry {
            check_len(rows.len().saturating_add(repeated_len(&record)))?;
            csv::write_rows(&record, &mut rows);
        }
        Ok(())
    })?;
    Ok(rows)
}

/// How many bytes of a record come again with each of its faces.
fn repeated_len(record: &Record) -> usize {
    let utc = record.utc.as_ref().map_or(0, String::len);
    let repeated = record.stream.len().saturating_add(utc);
    repeated.saturating_mul(record.faces.len())
}

fn in_webvtt(lines: &[u8], interval_ns: u64) -> Result<Vec<u8>, String> {
    let mut subtitles = Subtitles::live(interval_ns);
    let mut cues: Vec<Cue> = Vec::new();
    records::each(lines, |entry| {
        match entry {
            Entry::Record(record) => cues.extend(subtitles.note(&record)),
            Entry::Note(note) => cues.push(note.cue()),
        }
        Ok(())
    })?;
    cues.extend(subtitles.finish());
    // A cue is known when it ends; players want them by when they begin.
    cues.sort_by_key(|cue| cue.span.start_ns);
    let mut file = webvtt::HEADER.as_bytes().to_vec();
    for cue in &cues {
        webvtt::write_cue(cue, 0, &mut file);
    }
    check_len(file.len())?;
    Ok(file)
}

fn in_report(lines: &[u8]) -> Result<Vec<u8>, String> {
    let records = records::read(lines)?;
    let recording = Recording {
        name: "Live session".to_owned(),
        session: Some(Session {
            began: records.began,
        }),
        size_px: Some(records.size_px),
        notes: records.notes,
        damage: records.damage,
        ..Recording::default()
    };
    Ok(page::report(&recording, &records.summarized).into_bytes())
}

fn check_len(len: usize) -> Result<(), String> {
    match len {
        0..=MAX_EXPORT_BYTES => Ok(()),
        _ => Err(format!(
            "the export would have more than {MAX_EXPORT_BYTES} bytes"
        )),
    }
}

#[cfg(test)]
mod tests;
