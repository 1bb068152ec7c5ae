// SPDX-License-Identifier: MPL-2.0

//! What can be asked of the server over HTTP.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{delete, get, post};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use prometheus_client::encoding::prometheus_text::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::access::Access;
use super::answers::{add_headers, problem, tell_refusal};
use super::arguments::Arguments;
use super::ending::Reason;
use super::guard::{ask_for_token, limit_time, refuse_foreign};
use super::metrics::Metrics;
use super::session::Refusal;
use super::sessions::{NotOpened, Sessions};
use super::{export, page};

/// Seconds between a page's signs of life.
const HEARTBEAT_S: u32 = 2;
/// How long a request may take to come in and to be answered.
const MAX_TIME: Duration = Duration::from_secs(30);
/// As much may be in a request; an answer has some kB.
const MAX_BODY_BYTES: usize = 64 << 10;

/// What routes share.
#[derive(Clone)]
pub struct Server {
    pub arguments: Arc<Arguments>,
    pub access: Arc<Access>,
    pub metrics: Arc<Metrics>,
    pub sessions: Arc<Sessions>,
}

impl FromRef<Server> for Arc<Arguments> {
    fn from_ref(server: &Server) -> Self {
        server.arguments.clone()
    }
}

/// All that is answered.
pub fn routes(server: Server) -> Router {
    let access = server.access.clone();
    let token = from_fn_with_state(access.clone(), ask_for_token);
    let with_token = Router::new()
        .route("/", get(index))
        .route("/settings", get(settings))
        .route("/sessions", post(open))
        .route("/sessions/{id}/answer", post(answer))
        .route("/sessions/{id}", delete(close))
        .route("/metrics", get(metrics))
        .route_layer(token.clone());
    // Longer and larger than others; it keeps to limits of its own.
    let exports = Router::new()
        .route("/export/{format}", post(export::answer))
        .layer(DefaultBodyLimit::max(export::MAX_BODY_BYTES))
        .route_layer(token);
    Router::new()
        .route("/page/{name}", get(page_file))
        .route("/healthz", get(|| async { "ok" }))
        .merge(with_token)
        .layer(from_fn_with_state(MAX_TIME, limit_time))
        .merge(exports)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn_with_state(access, refuse_foreign))
        .layer(from_fn(tell_refusal))
        .layer(map_response(add_headers))
        .with_state(server)
}

async fn index() -> Response {
    let file = &page::INDEX;
    ([(header::CONTENT_TYPE, file.media_type)], &*file.content).into_response()
}

async fn page_file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(file) = page::FILES.iter().find(|file| file.name == name) else {
        return problem(
            StatusCode::NOT_FOUND,
            format!("the page has no file {name}"),
        );
    };
    // Another version of the program may come to this address.
    let digest: [u8; 32] = Sha256::digest(&*file.content).into();
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(digest));
    let is_known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|of| *of == tag);
    let headers = [
        (header::CONTENT_TYPE, file.media_type),
        (header::CACHE_CONTROL, "no-cache"),
        (header::ETAG, &tag),
    ];
    match is_known {
        true => (StatusCode::NOT_MODIFIED, headers).into_response(),
        false => (headers, &*file.content).into_response(),
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
            let told = "the server is full: as many visitors are here as it takes at a time";
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

async fn metrics(State(server): State<Server>) -> Response {
    match server.metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

fn no_session() -> Response {
    problem(
        StatusCode::NOT_FOUND,
        "there is no such session, or it has ended",
    )
}
