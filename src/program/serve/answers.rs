// SPDX-License-Identifier: MPL-2.0

//! What every answer has on its way out.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Json, Response};
use serde_json::json;

/// What browsers are told with every answer, unless it says otherwise: scripts, styles and connections
/// from here alone, nothing inline, in nobody's frame, and nothing that stays.
const HEADERS: [(HeaderName, &str); 7] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
         media-src 'self' blob: mediastream:; img-src 'self' data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(self)",
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// A reason that a refusal without words of ours may have.
const MAX_REASON_BYTES: usize = 4096;

/// A problem, as the page is told it.
pub fn problem(status: StatusCode, problem: impl Into<String>) -> Response {
    let problem = problem.into();
    (status, Json(json!({ "problem": problem }))).into_response()
}

/// Adds what browsers are told.
pub async fn add_headers(mut response: Response) -> Response {
    for (name, value) in &HEADERS {
        let entry = response.headers_mut().entry(name);
        entry.or_insert_with(|| HeaderValue::from_static(value));
    }
    response
}

/// Turns a refusal that is none of ours into a problem.
pub async fn tell_refusal(request: Request, next: Next) -> Response {
    let asked = format!("{} {}", request.method(), request.uri().path());
    let response = next.run(request).await;
    let status = response.status();
    let is_refusal = status.is_client_error() || status.is_server_error();
    if !is_refusal || is_json(response.headers()) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let reason = to_bytes(body, MAX_REASON_BYTES).await.unwrap_or_default();
    let reason = String::from_utf8_lossy(&reason);
    let told = match status {
        StatusCode::NOT_FOUND => format!("there is no {asked} here"),
        StatusCode::METHOD_NOT_ALLOWED => {
            format!("there is no {asked} here, but with another method")
        }
        _ if reason.is_empty() => format!("{asked}: {status}"),
        _ => reason.into_owned(),
    };
    let (told, body) = problem(status, told).into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.extend(told.headers);
    Response::from_parts(parts, Body::new(body))
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .is_some_and(|of| of == "application/json")
}
