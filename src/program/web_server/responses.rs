// SPDX-License-Identifier: MPL-2.0

//! Parts that all responses share: headers, problems as JSON or as a page, and the time limit.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Json, Response};
use maud::{DOCTYPE, html};
use serde::Deserialize;
use serde_json::json;

/// Headers of every response that does not set its own: scripts, styles and connections only from
/// this server, nothing inline, no frames of other sites, no caching.
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
        "camera=(self), display-capture=(self)",
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

/// Maximum length of a framework's own error text.
const MAX_REASON_BYTES: usize = 4096;

/// Returns an error response, with the body `{"problem": …}`.
pub(crate) fn problem(status: StatusCode, problem: impl Into<String>) -> Response {
    let problem = problem.into();
    (status, Json(json!({ "problem": problem }))).into_response()
}

/// Adds [`HEADERS`].
pub(crate) async fn add_headers(mut response: Response) -> Response {
    for (name, value) in &HEADERS {
        let entry = response.headers_mut().entry(name);
        entry.or_insert_with(|| HeaderValue::from_static(value));
    }
    response
}

/// Middleware that turns the framework's own error responses into [`problem`]s.
pub(crate) async fn describe_errors(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    let status = response.status();
    tracing::debug!(%method, path, status = status.as_u16());
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error || is_json(response.headers()) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let reason = to_bytes(body, MAX_REASON_BYTES).await.unwrap_or_default();
    let reason = String::from_utf8_lossy(&reason);
    let text = match status {
        StatusCode::NOT_FOUND => format!("there is no {path}"),
        StatusCode::METHOD_NOT_ALLOWED => {
            let allowed = parts.headers.get(ALLOW).map(HeaderValue::to_str);
            let allowed = allowed.and_then(Result::ok).unwrap_or_default();
            let allowed = allowed.replace(',', " or ");
            format!("{path} does not support {method}; use {allowed}")
        }
        _ if reason.is_empty() => format!("{method} {path}: {status}"),
        _ => reason.into_owned(),
    };
    let (described, body) = problem(status, text).into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.extend(described.headers);
    Response::from_parts(parts, Body::new(body))
}

/// Middleware that gives up on requests that are not received and handled within the limit.
pub(crate) async fn limit_time(
    State(limit): State<Duration>,
    request: Request,
    next: Next,
) -> Response {
    let response = tokio::time::timeout(limit, next.run(request)).await;
    response.unwrap_or_else(|_| {
        let text = "the request took too long; try again";
        let mut response = problem(StatusCode::REQUEST_TIMEOUT, text);
        // The server does not wait for the rest of the request.
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
        response
    })
}

/// Middleware that turns [`problem`]s into pages for visitors who open an address in a browser.
pub(crate) async fn show_problems(request: Request, next: Next) -> Response {
    let is_browser = request.method() == Method::GET && accepts_html(request.headers());
    let response = next.run(request).await;
    let is_problem = !response.status().is_success() && is_json(response.headers());
    if !is_browser || !is_problem {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, MAX_REASON_BYTES).await.unwrap_or_default();
    let problem = serde_json::from_slice(&body).unwrap_or_else(|_| Problem {
        problem: parts.status.to_string(),
    });
    let (described, body) = problem.page().into_response().into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.extend(described.headers);
    Response::from_parts(parts, body)
}

/// Body of [`problem`].
#[derive(Deserialize)]
struct Problem {
    problem: String,
}

impl Problem {
    /// Returns the page that shows the problem.
    fn page(&self) -> Html<String> {
        let mut letters = self.problem.chars();
        let first = letters.next().into_iter().flat_map(char::to_uppercase);
        let sentence = first.chain(letters).collect::<String>();
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { "Live attitudes" }
                    link rel="icon" href="data:,";
                    link rel="stylesheet" href="/page/common.css";
                    link rel="stylesheet" href="/page/page.css";
                }
                body {
                    header { h1 { "Live attitudes" } }
                    main { p.warning role="alert" { (sentence) "." } }
                }
            }
        };
        Html(page.into_string())
    }
}

fn accepts_html(headers: &HeaderMap) -> bool {
    let mut accepted = headers.get_all(ACCEPT).iter();
    accepted.any(|types| {
        types
            .to_str()
            .is_ok_and(|types| types.contains("text/html"))
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .is_some_and(|media_type| media_type == "application/json")
}
