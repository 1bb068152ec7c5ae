// SPDX-License-Identifier: MPL-2.0

//! The HTTP API: routes and their handlers.

use std::sync::Arc;
use std::time::Duration;

use attitude::timeline::TimelineParams;
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

use super::access::{AccessError, access_of_page, access_of_whip};
use super::arguments::Arguments;
use super::end::Reason;
use super::metrics::Metrics;
use super::session::SetAnswerError;
use super::sessions::{OpenError, Sessions};
use super::source::{Origin, Source};
use super::{export, page, whip};
use crate::console;
use crate::publishing::Publishing;
use crate::web_server::access::{Access, refuse_other_sites, require_token};
use crate::web_server::responses::{
    add_headers, describe_errors, limit_time, problem, show_problems,
};

/// Seconds between two `alive` messages of a page.
const HEARTBEAT_S: u32 = 2;
/// Maximum time to receive and handle a request.
pub(crate) const MAX_REQUEST: Duration = Duration::from_secs(30);
/// Maximum length of a request body; an SDP answer has a few kilobytes.
const MAX_BODY_BYTES: usize = 64 << 10;

/// State that the handlers share.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) arguments: Arc<Arguments>,
    pub(crate) access: Arc<Access>,
    pub(crate) whip_access: Arc<Access>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) sessions: Arc<Sessions>,
}

impl Server {
    /// Creates the state of a server that shows the video of `origin`, or else visitors' cameras.
    ///
    /// # Errors
    /// Returns an error if there is no token although one is needed, or if one cannot be used.
    pub(crate) fn new(
        arguments: Arc<Arguments>,
        provider: String,
        publishing: Option<Arc<Publishing>>,
        origin: Option<Origin>,
    ) -> Result<Self, AccessError> {
        let access = Arc::new(access_of_page(&arguments)?);
        let whip_access = Arc::new(access_of_whip(&access, &arguments)?);
        let metrics = Arc::new(Metrics::new(arguments.max_sessions, provider));
        let source = origin.map(|origin| {
            Source::new(
                arguments.clone(),
                metrics.clone(),
                publishing.clone(),
                origin,
            )
        });
        let sessions = Sessions::new(arguments.clone(), metrics.clone(), publishing, source);
        Ok(Self {
            arguments,
            access,
            whip_access,
            metrics,
            sessions: Arc::new(sessions),
        })
    }
}

impl FromRef<Server> for Arc<Arguments> {
    fn from_ref(server: &Server) -> Self {
        server.arguments.clone()
    }
}

/// Returns all routes.
pub(crate) fn routes(server: Server) -> Router {
    let access = server.access.clone();
    let token = from_fn_with_state(access.clone(), require_token);
    let with_token = Router::new()
        .route("/", get(index))
        .route("/settings", get(settings))
        .route("/sessions", post(open_session))
        .route("/sessions/{id}/answer", post(set_sdp_answer))
        .route("/sessions/{id}", delete(end_session))
        .route("/metrics", get(metrics))
        .route_layer(token.clone());
    // Larger and slower than other requests: exports have their own limits.
    let exports = Router::new()
        .route("/export/{format}", post(export::export_session))
        .layer(DefaultBodyLimit::max(export::MAX_BODY_BYTES))
        .route_layer(token);
    // Pages of other sites may send video, too.
    let whip = match server.arguments.whip {
        true => {
            whip::routes(&server.whip_access).layer(from_fn_with_state(MAX_REQUEST, limit_time))
        }
        false => Router::new(),
    };
    let routes = Router::new()
        .route("/page/{name}", get(page_file))
        .route("/healthz", get(|| async { "ok" }))
        .merge(with_token)
        .layer(from_fn_with_state(MAX_REQUEST, limit_time))
        .merge(exports)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn_with_state(access, refuse_other_sites))
        .merge(whip.layer(DefaultBodyLimit::max(MAX_BODY_BYTES)))
        .with_state(server);
    // Around the whole router, which adds the header `Allow` outside of its own layers.
    Router::new()
        .fallback_service(routes)
        .layer(from_fn(describe_errors))
        .layer(from_fn(show_problems))
        .layer(map_response(add_headers))
}

/// Returns the page's document.
async fn index() -> Response {
    let file = &page::INDEX;
    ([(header::CONTENT_TYPE, file.media_type)], &*file.content).into_response()
}

/// Returns a script or style of the page.
async fn page_file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(file) = page::FILES.iter().find(|file| file.name == name) else {
        return problem(
            StatusCode::NOT_FOUND,
            format!("the page has no file {name}"),
        );
    };
    // Revalidated each time: the next program at this address may be another version.
    let digest: [u8; 32] = Sha256::digest(&*file.content).into();
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(digest));
    let is_known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|known_tag| *known_tag == tag);
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

/// Returns what a client must know before it opens a session.
async fn settings(State(server): State<Server>) -> Response {
    let arguments = &server.arguments;
    let (width, height) = arguments.max_size;
    let source = server.sessions.source();
    let joining = TimelineParams::default();
    Json(json!({
        "source": source.map(Source::name),
        "is_recording": source.is_some_and(Source::is_recording),
        "limits": {
            "width": width,
            "height": height,
            "frames_per_second": arguments.max_frames_per_second,
            "kilobits_per_second": arguments.max_bitrate,
        },
        "heartbeat_s": HEARTBEAT_S,
        "joining": {
            "gap_s": seconds(joining.gap_ns),
            "pause_s": seconds(joining.join_gap_ns),
            "distance": joining.join_distance,
            "height_ratio": joining.join_height_ratio,
        },
    }))
    .into_response()
}

fn seconds(ns: u64) -> f64 {
    Duration::from_nanos(ns).as_secs_f64()
}

/// Opens a session and returns its offer.
async fn open_session(State(server): State<Server>) -> Response {
    let error = match server.sessions.open().await {
        Ok(opened) => return (StatusCode::CREATED, Json(opened)).into_response(),
        Err(error) => error,
    };
    tracing::warn!("session refused: {}", console::chain(&error));
    let text = console::chain(&error);
    match error {
        OpenError::Full => {
            let retry = [(header::RETRY_AFTER, "5")];
            (retry, problem(StatusCode::SERVICE_UNAVAILABLE, text)).into_response()
        }
        OpenError::Source(error) if error.is_permanent() => problem(StatusCode::BAD_GATEWAY, text),
        OpenError::Source(_) => {
            let retry = [(header::RETRY_AFTER, "5")];
            (retry, problem(StatusCode::BAD_GATEWAY, text)).into_response()
        }
        _ => problem(StatusCode::INTERNAL_SERVER_ERROR, text),
    }
}

/// Body of `POST /sessions/{id}/answer`.
#[derive(Deserialize)]
struct AnswerRequest {
    #[serde(rename = "answer")]
    sdp_answer: String,
}

/// Sets a session's SDP answer.
async fn set_sdp_answer(
    State(server): State<Server>,
    Path(id): Path<String>,
    Json(AnswerRequest { sdp_answer }): Json<AnswerRequest>,
) -> Response {
    let Some(session) = server.sessions.get(&id) else {
        return no_session();
    };
    let Err(error) = session.set_sdp_answer(&sdp_answer).await else {
        return StatusCode::NO_CONTENT.into_response();
    };
    tracing::warn!(session = session.number, "SDP answer refused: {error}");
    let status = match error {
        SetAnswerError::Second => StatusCode::CONFLICT,
        _ => StatusCode::BAD_REQUEST,
    };
    problem(status, console::chain(&error))
}

/// Ends a session.
async fn end_session(State(server): State<Server>, Path(id): Path<String>) -> Response {
    let Some(session) = server.sessions.get(&id) else {
        return no_session();
    };
    session.end.end(Reason::Left, "the visitor has left");
    StatusCode::NO_CONTENT.into_response()
}

/// Returns the metrics in Prometheus' text format.
async fn metrics(State(server): State<Server>) -> Response {
    match server.metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

fn no_session() -> Response {
    problem(
        StatusCode::NOT_FOUND,
        "the session does not exist, or it has ended",
    )
}
