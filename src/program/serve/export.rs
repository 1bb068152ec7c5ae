// SPDX-License-Identifier: MPL-2.0

//! Exports of a session: its file of JSON lines as a table, as subtitles or as a report. The
//! request contains the file, and nothing of it is kept.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use attitude::record::formats::{self, Output, RecordingFile, TimedRecord, Timing, jsonl};
use attitude::timeline::Span;
use axum::body::{Bytes, HttpBody};
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::arguments::Arguments;
use crate::console;
use crate::report::page;
use crate::report::recording::{RecordingFacts, Session};
use crate::report::records::{self, Entry, LineProblem, RecordsError};
use crate::web_server::responses::problem;

/// Maximum length of a session's file, in bytes.
pub(crate) const MAX_BODY_BYTES: usize = 64 << 20;

/// Maximum length of an export, in bytes.
const MAX_EXPORT_BYTES: usize = 256 << 20;

/// Permits for exports that are in memory at the same time; each may take some hundred megabytes.
static PERMITS: Semaphore = Semaphore::const_new(3);

/// Maximum time to wait for a permit.
const MAX_WAIT: Duration = Duration::from_secs(10);
/// Maximum time to receive the file.
const MAX_UPLOAD: Duration = Duration::from_secs(90);

/// A format of exports.
#[derive(Clone, Copy)]
pub(crate) enum Export {
    Records(&'static formats::Format, &'static RecordingFile),
    Report,
}

impl Export {
    /// Returns all formats: the text formats of records, except JSON lines, which a session's file
    /// is in already, and the report.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        formats::recording_files()
            .filter(|(format, _)| format.caps.is_some() && format.name != jsonl::FORMAT.name)
            .map(|(format, file)| Self::Records(format, file))
            .chain([Self::Report])
    }

    /// Returns the extension of the file, which is the last part of the address.
    pub(crate) fn extension(self) -> &'static str {
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
    ///
    /// Returns [`ExportError::Records`] if a line is invalid, and [`ExportError::TooLong`] if the
    /// export would exceed [`MAX_EXPORT_BYTES`].
    pub(crate) fn file(self, lines: &[u8], interval_ns: u64) -> Result<Vec<u8>, ExportError> {
        match self {
            Self::Records(format, _) => records_in(format, lines, interval_ns),
            Self::Report => Ok(report(lines)?),
        }
    }
}

/// Handles `POST /export/{format}`.
pub(crate) async fn export_session(
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
    let Ok(Ok(permit)) = timeout(MAX_WAIT, PERMITS.acquire()).await else {
        let text = "too many exports are running; try again later";
        let retry = [(header::RETRY_AFTER, "10")];
        return (retry, problem(StatusCode::SERVICE_UNAVAILABLE, text)).into_response();
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
                "receiving the session took too long",
            );
        }
    };
    let interval_ns = arguments.analysis.sampling.interval_ns();
    // A task of its own: the permit is kept until the work ends, even if the client has left.
    let work = tokio::task::spawn_blocking(move || {
        let content = export.file(&lines, interval_ns)?;
        Ok::<_, ExportError>(Bytes::from_owner(ExportedFile {
            content,
            _permit: permit,
        }))
    });
    match work.await {
        Ok(Ok(file)) => (export.headers(), file).into_response(),
        Ok(Err(error)) => problem(StatusCode::BAD_REQUEST, console::chain(&error)),
        Err(_) => problem(StatusCode::INTERNAL_SERVER_ERROR, "the export failed"),
    }
}

/// An export that is sent. It keeps its permit until it is sent, when its memory is freed.
struct ExportedFile {
    content: Vec<u8>,
    _permit: SemaphorePermit<'static>,
}

impl AsRef<[u8]> for ExportedFile {
    fn as_ref(&self) -> &[u8] {
        &self.content
    }
}

fn too_large() -> Response {
    let text = format!(
        "the session is longer than {} MiB, the maximum of exports; download it as JSON lines, from which \
         'gst-attitude report session.jsonl -o session.html' writes the report",
        MAX_BODY_BYTES >> 20
    );
    problem(StatusCode::PAYLOAD_TOO_LARGE, text)
}

/// A session cannot be exported.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    #[error(transparent)]
    Records(RecordsError),
    #[error(
        "the export is longer than {} MiB; download the session as JSON lines, which is the shortest format",
        MAX_EXPORT_BYTES >> 20
    )]
    TooLong,
    #[error("cannot write the export")]
    Write(io::Error),
}

impl From<io::Error> for ExportError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::FileTooLarge => Self::TooLong,
            _ => Self::Write(error),
        }
    }
}

impl From<RecordsError> for ExportError {
    fn from(error: RecordsError) -> Self {
        match error {
            RecordsError::Line {
                problem: LineProblem::Write(error),
                ..
            } => error.into(),
            error => Self::Records(error),
        }
    }
}

fn records_in(
    format: &formats::Format,
    lines: &[u8],
    interval_ns: u64,
) -> Result<Vec<u8>, ExportError> {
    let mut output = Output::with_limit(MAX_EXPORT_BYTES);
    let mut writer = (format.writer)(Timing::Session { interval_ns })?;
    writer.begin(Span::default(), &mut output)?;
    records::for_each(lines, |entry| match entry {
        Entry::Record(record) => writer.write(&TimedRecord::sample(&record), &mut output),
        Entry::Note(note) => writer.write_note(&note, &mut output),
    })?;
    writer.finish(&mut output)?;
    Ok(output.into_bytes())
}

fn report(lines: &[u8]) -> Result<Vec<u8>, RecordsError> {
    let records = records::read(lines)?;
    let recording = RecordingFacts {
        name: "Live session".to_owned(),
        session: Some(Session {
            began: records.began,
        }),
        size_px: Some(records.size_px),
        notes: records.notes,
        damage: records.damage,
        ..RecordingFacts::default()
    };
    Ok(page::report(&recording, &records.summarized).into_bytes())
}

#[cfg(test)]
mod tests;
