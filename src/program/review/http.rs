// SPDX-License-Identifier: MPL-2.0

//! The requests: pages, recordings and corrections, at the paths that they have in the file system.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, ETAG, HeaderName, IF_MATCH, LOCATION};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::{Html, IntoResponse, Response};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, percent_encode};
use tower::ServiceExt;
use tower_http::services::ServeFile;

use super::results::{Results, SaveError, Target};
use crate::analyze::store::StoreError;
use crate::console;
use crate::corrections::{self, MAX_BYTES, WriteError};
use crate::web_server::access::{Access, refuse_other_sites, remember_token, require_token};
use crate::web_server::responses::{add_headers, problem};

/// Policy of pages, which have a stricter one themselves, by the hashes of their scripts and styles.
const PAGE_POLICY: (HeaderName, &str) = (
    CONTENT_SECURITY_POLICY,
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// Header by which a page knows that it can save corrections here.
const SAVES: (HeaderName, &str) = (HeaderName::from_static("gst-attitude-review"), "1");

/// Characters that are encoded in a path.
const RESERVED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Returns all routes.
pub(super) fn routes(access: Arc<Access>, results: Arc<Results>) -> Router {
    Router::new()
        .fallback(respond)
        .with_state(results)
        .layer(DefaultBodyLimit::max(MAX_BYTES))
        .layer(from_fn_with_state(access.clone(), remember_token))
        .layer(from_fn_with_state(access.clone(), require_token))
        .layer(from_fn_with_state(access, refuse_other_sites))
        .layer(map_response(add_headers))
}

async fn respond(State(results): State<Arc<Results>>, request: Request) -> Response {
    let path = request.uri().path();
    if path == "/" {
        let page = results.first_page();
        let location = percent_encode(page.as_os_str().as_bytes(), RESERVED).to_string();
        return (StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response();
    }
    let decoded: Vec<u8> = percent_decode_str(path).collect();
    let path = PathBuf::from(OsStr::from_bytes(&decoded));
    let Some(target) = results.target(&path).cloned() else {
        let text =
            "there is no such page; open the address that the server printed when it started";
        return problem(StatusCode::NOT_FOUND, text);
    };
    match (request.method(), target) {
        (&Method::GET, Target::Index) => page(move || results.index()).await,
        (&Method::GET, Target::Report(folder)) => page(move || results.report(&folder)).await,
        (&Method::GET, Target::Corrections(folder)) => revision(folder).await,
        (&Method::PUT, Target::Corrections(folder)) => save(results, folder, request).await,
        (&Method::GET | &Method::HEAD, Target::Media(path)) => media(&path, request).await,
        (method, _) => problem(
            StatusCode::METHOD_NOT_ALLOWED,
            format!("{method} is not supported here"),
        ),
    }
}

/// Returns a page that is formatted on a thread of its own.
async fn page<E: std::error::Error + Send + 'static>(
    format: impl FnOnce() -> Result<String, E> + Send + 'static,
) -> Response {
    match tokio::task::spawn_blocking(format).await {
        Ok(Ok(page)) => ([PAGE_POLICY], Html(page)).into_response(),
        Ok(Err(error)) => {
            let text = console::chain(&error);
            console::warn(&text);
            (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
        }
        Err(_) => problem(StatusCode::INTERNAL_SERVER_ERROR, "the page failed"),
    }
}

/// Returns the revision of corrections, and that they can be saved.
async fn revision(folder: PathBuf) -> Response {
    match tokio::task::spawn_blocking(move || corrections::revision(&folder)).await {
        Ok(Ok(revision)) => (StatusCode::NO_CONTENT, [SAVES], [tag(&revision)]).into_response(),
        Ok(Err(error)) => problem(StatusCode::INTERNAL_SERVER_ERROR, console::chain(&error)),
        Err(_) => problem(StatusCode::INTERNAL_SERVER_ERROR, "reading failed"),
    }
}

/// Saves corrections if they have the revision that the header `If-Match` contains.
async fn save(results: Arc<Results>, folder: PathBuf, request: Request) -> Response {
    let Some(expected) = expected_revision(request.headers()) else {
        let text = "the header If-Match is missing, which contains the revision to replace";
        return problem(StatusCode::PRECONDITION_REQUIRED, text);
    };
    let text = match String::from_request(request, &()).await {
        Ok(text) => text,
        Err(refusal) => return problem(refusal.status(), refusal.body_text()),
    };
    let saved = tokio::task::spawn_blocking(move || results.save(&folder, &text, &expected)).await;
    let error = match saved {
        Ok(Ok(revision)) => {
            return (StatusCode::NO_CONTENT, [tag(&revision)]).into_response();
        }
        Ok(Err(error)) => error,
        Err(_) => return problem(StatusCode::INTERNAL_SERVER_ERROR, "saving failed"),
    };
    let status = match &error {
        SaveError::Write(WriteError::Conflict) => StatusCode::PRECONDITION_FAILED,
        SaveError::Write(WriteError::Parse(_)) => StatusCode::BAD_REQUEST,
        SaveError::Store(StoreError::InUse(_)) => StatusCode::LOCKED,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    problem(status, console::chain(&error))
}

/// Returns a recording, or the range of it that a player requests.
async fn media(path: &Path, request: Request) -> Response {
    let Ok(response) = ServeFile::new(path).oneshot(request).await;
    response.map(Body::new)
}

/// Returns the header with a revision.
fn tag(revision: &str) -> (HeaderName, String) {
    (ETAG, format!("\"{revision}\""))
}

fn expected_revision(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(IF_MATCH)?.to_str().ok()?;
    let revision = value.strip_prefix('"')?.strip_suffix('"')?;
    Some(revision.to_owned())
}
