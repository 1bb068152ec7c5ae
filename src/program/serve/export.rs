// SPDX-License-Identifier: MPL-2.0

//! Exports of a session: its file of JSON lines as a table, as subtitles or as a report. The request
//! contains the file, and nothing of it is kept.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use attitude::record::cue::Span;
use attitude::record::formats::{self, Frame, Output, RecordingFile, Timing, jsonl};
use axum::body::{Bytes, HttpBody};
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::arguments::Arguments;
use super::responses::problem;
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

/// A format of exports.
#[derive(Clone, Copy)]
enum Export {
    Records(&'static formats::Format, &'static RecordingFile),
    Report,
}

impl Export {
    /// Returns all formats: the text formats of records, except JSON lines, which a session's file is
    /// in already, and the report.
    fn all() -> impl Iterator<Item = Self> {
        formats::recording_files()
            .filter(|(format, _)| format.caps.is_some() && format.name != jsonl::FORMAT.name)
            .map(|(format, file)| Self::Records(format, file))
            .chain([Self::Report])
    }

    /// Returns the extension of the file, which is the last part of the address.
    fn extension(self) -> &'static str {
        match self {
            Self::Records(_, file) => file.extension(),
            Self::Report => "html",
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Records(_, file) => file.media_type,
            Self::Report => "text/html; charset=utf-8",
        }
    }

    fn headers(self) -> [(header::HeaderName, String); 2] {
        let extension = self.extension();
        [
            (header::CONTENT_TYPE, self.media_type().to_owned()),
            (
                header::CONTENT_DISPOSITION,
                format!(r#"attachment; filename="session.{extension}""#),
            ),
        ]
    }

    /// Exports the session's `lines`, in which samples are `interval_ns` apart.
    ///
    /// # Errors
    /// If a line is wrong, or the export would have more than [`MAX_EXPORT_BYTES`].
    fn file(self, lines: &[u8], interval_ns: u64) -> Result<Vec<u8>, String> {
        match self {
            Self::Records(format, _) => records_in(format, lines, interval_ns),
            Self::Report => report(lines),
        }
    }
}

/// Answers `POST /export/{format}`.
pub async fn answer(
    State(arguments): State<Arc<Arguments>>,
    Path(format): Path<String>,
    request: Request,
) -> Response {
    let Some(export) = Export::all().find(|export| export.extension() == format) else {
        let extensions: Vec<_> = Export::all().map(Export::extension).collect();
        let extensions = extensions.join(", ");
        let message = format!("cannot export to '{format}'; the formats are {extensions}");
        return problem(StatusCode::NOT_FOUND, message);
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
    let interval_ns = arguments.sampling.interval_ns();
    // The place is given back when the work ends, also where nobody waits for it any more.
    let work = tokio::task::spawn_blocking(move || {
        let exported = export.file(&lines, interval_ns);
        drop(place);
        exported
    });
    match work.await {
        Ok(Ok(file)) => (export.headers(), file).into_response(),
        Ok(Err(told)) => problem(StatusCode::BAD_REQUEST, told),
        Err(_) => problem(StatusCode::INTERNAL_SERVER_ERROR, "the export has failed"),
    }
}

fn too_large() -> Response {
    let told = format!("a session may have {MAX_BODY_BYTES} bytes; leave some of its lines out");
    problem(StatusCode::PAYLOAD_TOO_LARGE, told)
}

fn records_in(format: &formats::Format, lines: &[u8], interval_ns: u64) -> Result<Vec<u8>, String> {
    let mut output = Output::with_limit(MAX_EXPORT_BYTES);
    let mut writer = (format.writer)(Timing::Session { interval_ns }).map_err(describe)?;
    writer
        .begin(Span::default(), &mut output)
        .map_err(describe)?;
    records::each(lines, |entry| {
        let written = match entry {
            Entry::Record(record) => writer.write(&Frame::sample(&record), &mut output),
            Entry::Note(note) => writer.write_note(&note, &mut output),
        };
        written.map_err(describe)
    })?;
    writer.finish(&mut output).map_err(describe)?;
    Ok(output.into_bytes())
}

fn describe(error: io::Error) -> String {
    match error.kind() {
        io::ErrorKind::FileTooLarge => {
            format!("the export would have more than {MAX_EXPORT_BYTES} bytes")
        }
        _ => format!("cannot write the export: {error}"),
    }
}

fn report(lines: &[u8]) -> Result<Vec<u8>, String> {
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

#[cfg(test)]
mod tests;
