// SPDX-License-Identifier: MPL-2.0

//! What can be asked of the server over HTTP.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{delete, get, post};
use serde::Deserialize;
use serde_json::json;

use super::arguments::Arguments;
use super::ending::Reason;
use super::page;
use super::session::Refusal;
use super::sessions::{NotOpened, Sessions};

/// Seconds between a page's signs of life.
const HEARTBEAT_S: u32 = 2;

/// What routes share.
#[derive(Clone)]
pub struct Server {
    pub arguments: Arc<Arguments>,
    pub sessions: Arc<Sessions>,
}

/// All that is answered.
pub fn routes(server: Server) -> Router {
    Router::new()
        .route("/", get(|| async { file(&page::INDEX) }))
        .route("/page/{name}", get(page_file))
        .route("/settings", get(settings))
        .route("/sessions", post(open))
        .route("/sessions/{id}/answer", post(answer))
        .route("/sessions/{id}", delete(close))
        .route("/healthz", get(|| async { "ok" }))
        .with_state(server)
}

/// A problem, as the page is told it.
fn problem(status: StatusCode, problem: impl Into<String>) -> Response {
    let problem = problem.into();
    (status, Json(json!({ "problem": problem }))).into_response()
}

fn file(file: &page::File) -> Response {
    ([(header::CONTENT_TYPE, file.media_type)], file.content).into_response()
}

async fn page_file(Path(name): Path<String>) -> Response {
    match page::FILES.iter().find(|file| file.name == name) {
        Some(found) => file(found),
        None => problem(
            StatusCode::NOT_FOUND,
            format!("the page has no file {name}"),
        ),
    }
}

async fn settings(State(server): State<Server>) -> Response {
    let arguments = &server.arguments;
    let (width, height) = arguments.max_size;
    Json(json!({
        "source": server.sessions.source_name(),
        "limits": {
            "width": width,
            "height": height,
            "frames_per_second": arguments.max_frames_per_second,
            "kilobits_per_second": arguments.max_bitrate,
        },
        "heartbeat_s": HEARTBEAT_S,
    }))
    .into_response()
}

async fn open(State(server): State<Server>) -> Response {
    match server.sessions.open().await {
        Ok(opened) => (StatusCode::CREATED, Json(opened)).into_response(),
        Err(NotOpened::Full) => {
            let told = "as many visitors are here as may be; try again later";
            let retry = [(header::RETRY_AFTER, "5")];
            (retry, problem(StatusCode::SERVICE_UNAVAILABLE, told)).into_response()
        }
        Err(NotOpened::NoSource(told)) => problem(StatusCode::BAD_GATEWAY, told),
        Err(NotOpened::Failed(told)) => problem(StatusCode::INTERNAL_SERVER_ERROR, told),
    }
}

#[derive(Deserialize)]
struct Answer {
    answer: String,
}

async fn answer(
    State(server): State<Server>,
    Path(id): Path<String>,
    Json(Answer { answer }): Json<Answer>,
) -> Response {
    let Some(session) = server.sessions.get(&id) else {
        return no_session();
    };
    match session.answer(&answer).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(Refusal::Second) => problem(StatusCode::CONFLICT, "the session has its answer"),
        Err(Refusal::Wrong(told)) => problem(StatusCode::BAD_REQUEST, told),
    }
}

async fn close(State(server): State<Server>, Path(id): Path<String>) -> Response {
    let Some(session) = server.sessions.get(&id) else {
        return no_session();
    };
    session.end.end(Reason::Left, "the visitor has left");
    StatusCode::NO_CONTENT.into_response()
}

fn no_session() -> Response {
    problem(
        StatusCode::NOT_FOUND,
        "there is no such session, or it has ended",
    )
}
