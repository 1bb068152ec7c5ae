// SPDX-License-Identifier: MPL-2.0

//! WHIP (RFC 9725): a client such as OBS sends the source's video.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{patch, post};

use super::http::Server;

use super::source::{Client, ReceiveError, Source};
use crate::console;
use crate::web_server::access::{Access, refuse_other_sites, require_token};
use crate::web_server::responses::problem;

mod fragment;
mod offer;

pub(crate) use fragment::FragmentError;
pub(crate) use offer::{Offer, OfferError};

/// Path of the endpoint; a session's path follows it.
pub(crate) const PATH: &str = "/whip";

const SDP: &str = "application/sdp";
const SDP_FRAGMENT: &str = "application/trickle-ice-sdpfrag";
/// Seconds after which a client may try again.
const RETRY_AFTER_S: &str = "5";
/// Headers of responses to pages of other sites.
const CROSS_ORIGIN: [(HeaderName, &str); 4] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (header::ACCESS_CONTROL_ALLOW_METHODS, "POST, PATCH, DELETE"),
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        "Authorization, Content-Type, If-Match",
    ),
    (
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        "Location, ETag, Accept-Patch, Retry-After",
    ),
];

/// Returns the routes.
pub(crate) fn routes(access: &Arc<Access>) -> Router<Server> {
    let token = from_fn_with_state(access.clone(), require_token);
    let endpoint = post(open).route_layer(token.clone()).options(describe);
    let session = patch(add_candidates)
        .delete(end)
        .route_layer(token)
        .options(describe);
    Router::new()
        .route(PATH, endpoint)
        .route("/whip/{id}", session)
        .route_layer(from_fn_with_state(access.clone(), allow_other_sites))
}

/// Middleware that accepts requests of other sites' pages if they need a token, which only pages
/// that were told it can send.
async fn allow_other_sites(
    State(access): State<Arc<Access>>,
    request: Request,
    next: Next,
) -> Response {
    if !access.requires_token() {
        return refuse_other_sites(State(access), request, next).await;
    }
    let mut response = next.run(request).await;
    for (name, value) in &CROSS_ORIGIN {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

/// Returns what the resource accepts.
async fn describe() -> Response {
    let accepted = [
        (HeaderName::from_static("accept-post"), SDP),
        (HeaderName::from_static("accept-patch"), SDP_FRAGMENT),
    ];
    (StatusCode::OK, accepted).into_response()
}

/// Opens a session.
async fn open(State(server): State<Server>, headers: HeaderMap, offer: String) -> Response {
    if let Some(refusal) = refuse_other_type(&headers, SDP) {
        return refusal;
    }
    let offer = match Offer::parse(&offer) {
        Ok(offer) => offer,
        Err(error) => {
            let status = match error {
                OfferError::Sdp(_) => StatusCode::BAD_REQUEST,
                OfferError::NoVideo | OfferError::NoCodec => StatusCode::UNPROCESSABLE_ENTITY,
            };
            return problem(status, error.to_string());
        }
    };
    let Some(source) = server.sessions.source() else {
        return no_session();
    };
    match source.receive(&offer).await {
        Ok((id, answer)) => {
            let headers = [
                (header::CONTENT_TYPE, SDP.to_owned()),
                (header::LOCATION, format!("{PATH}/{id}")),
                (header::ETAG, entity_tag(&offer.ice_ufrag)),
                (
                    HeaderName::from_static("accept-patch"),
                    SDP_FRAGMENT.to_owned(),
                ),
            ];
            (StatusCode::CREATED, headers, answer).into_response()
        }
        Err(error) => {
            let text = console::chain(&error);
            tracing::warn!("WHIP client refused: {text}");
            match error {
                ReceiveError::Busy => {
                    let retry = [(header::RETRY_AFTER, RETRY_AFTER_S)];
                    (retry, problem(StatusCode::SERVICE_UNAVAILABLE, text)).into_response()
                }
                _ => problem(StatusCode::INTERNAL_SERVER_ERROR, text),
            }
        }
    }
}

/// Adds candidates to a session.
async fn add_candidates(
    State(server): State<Server>,
    Path(id): Path<String>,
    headers: HeaderMap,
    fragment: String,
) -> Response {
    let Some(client) = client(&server, &id) else {
        return no_session();
    };
    if let Some(refusal) = refuse_other_type(&headers, SDP_FRAGMENT) {
        return refusal;
    }
    let Some(tag) = headers.get(header::IF_MATCH) else {
        let text = "the header If-Match is missing; it must contain the ETag of the session";
        return problem(StatusCode::PRECONDITION_REQUIRED, text);
    };
    // An asterisk announces a restart of ICE.
    if tag != "*" && *tag != entity_tag(&client.ice_ufrag) {
        let text = "the header If-Match does not contain the ETag of the session";
        return problem(StatusCode::PRECONDITION_FAILED, text);
    }
    match fragment::candidates(&fragment, &client.ice_ufrag) {
        Ok(candidates) => {
            for candidate in candidates {
                client.add_candidate(&candidate);
            }
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => {
            let status = match error {
                FragmentError::NotAFragment => StatusCode::BAD_REQUEST,
                FragmentError::Restart => StatusCode::UNPROCESSABLE_ENTITY,
            };
            problem(status, error.to_string())
        }
    }
}

/// Ends a session.
async fn end(State(server): State<Server>, Path(id): Path<String>) -> Response {
    let source = server.sessions.source();
    match source.is_some_and(|source| source.dismiss(&id)) {
        true => StatusCode::OK.into_response(),
        false => no_session(),
    }
}

fn client(server: &Server, id: &str) -> Option<Arc<Client>> {
    server
        .sessions
        .source()
        .and_then(|source: &Source| source.client(id))
}

/// Returns a refusal unless the body has this media type.
fn refuse_other_type(headers: &HeaderMap, expected: &str) -> Option<Response> {
    let media_type = headers.get(header::CONTENT_TYPE);
    let media_type = media_type.and_then(|value| value.to_str().ok());
    let media_type = media_type.unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    (!media_type.eq_ignore_ascii_case(expected)).then(|| {
        let text = format!("the Content-Type is not {expected}");
        problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, text)
    })
}

/// Returns the entity tag of an ICE session.
fn entity_tag(ice_ufrag: &str) -> String {
    format!("\"{ice_ufrag}\"")
}

fn no_session() -> Response {
    problem(
        StatusCode::NOT_FOUND,
        "the WHIP session does not exist, or it has ended",
    )
}
