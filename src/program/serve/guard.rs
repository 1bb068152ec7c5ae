// SPDX-License-Identifier: MPL-2.0

//! What every request passes on its way in.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::access::Access;
use super::answers::problem;

/// Refuses what a page of another site sends, or a page that is here under a name not ours.
pub async fn refuse_foreign(
    State(access): State<Arc<Access>>,
    request: Request,
    next: Next,
) -> Response {
    if !access.is_own_host(request.headers()) {
        let told = "this server is asked under a name that is not its own; open it as 127.0.0.1 or localhost";
        return problem(StatusCode::FORBIDDEN, told);
    }
    if !request.method().is_safe() && !access.is_own_origin(request.headers()) {
        let told = "a page of another site may not do this; open the server's own page";
        return problem(StatusCode::FORBIDDEN, told);
    }
    next.run(request).await
}

/// Refuses whoever has no token.
pub async fn ask_for_token(
    State(access): State<Arc<Access>>,
    request: Request,
    next: Next,
) -> Response {
    if access.has_token(request.uri(), request.headers()) {
        return next.run(request).await;
    }
    let told = "the token is missing or wrong; open the whole address that the server printed at its start";
    let mut response = problem(StatusCode::UNAUTHORIZED, told);
    let scheme = HeaderValue::from_static("Bearer");
    response
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, scheme);
    response
}

/// Gives up on a request that is not there as a whole, and answered, in this time.
pub async fn limit_time(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    let answered = tokio::time::timeout(limit, next.run(request)).await;
    answered.unwrap_or_else(|_| {
        let told = "the request took too long; try again";
        let mut response = problem(StatusCode::REQUEST_TIMEOUT, told);
        // What is left of it is not waited for.
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
        response
    })
}
