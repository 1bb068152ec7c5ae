// SPDX-License-Identifier: MPL-2.0

//! HTTP requests to `serve`.

use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_SECURITY_POLICY, HeaderName};
use axum::http::{HeaderValue, Method, Request, Response, Uri};
use gst_attitude::fuzzing::routes;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

/// The token of one of the servers.
const TOKEN: &str = "0123456789abcdef";

/// A server with a token, and one that only programs of this machine can reach.
static SERVERS: LazyLock<[Router; 2]> = LazyLock::new(|| {
    let server = |options: &[&str]| routes(options).expect("the options are valid");
    [server(&["--token", TOKEN]), server(&[])]
});

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().enable_time().build();
    runtime.expect("the runtime starts")
});

/// Sends the request to the servers. They refuse it or return something; without the token, only
/// files of the page and the state of the server.
pub(crate) fn run(data: &[u8]) {
    for (server, has_token) in SERVERS.iter().zip([true, false]) {
        let Some(request) = request(data) else {
            return;
        };
        let path = request.uri().path();
        let is_open = path.starts_with("/page/") || path == "/healthz";
        let knows_token = data
            .windows(TOKEN.len())
            .any(|bytes| bytes == TOKEN.as_bytes());
        let response = RUNTIME.block_on(server.clone().oneshot(request));
        let response: Response<Body> = response.unwrap_or_else(|never| match never {});
        let status = response.status();
        assert!(!status.is_server_error(), "{status}");
        assert!(response.headers().contains_key(CONTENT_SECURITY_POLICY));
        if has_token && !knows_token && !is_open {
            assert!(status.is_client_error(), "{status} without the token");
        }
    }
}

/// Parses a request: lines with the method and the target, and with the headers, an empty line,
/// and the body. Returns `None` for those that no HTTP library passes on, and for those that open
/// a session or start a thread.
fn request(data: &[u8]) -> Option<Request<Body>> {
    let mut rest = data;
    let mut line = || {
        let end = rest.iter().position(|&byte| byte == b'\n')?;
        let (line, after) = rest.split_at(end);
        rest = &after[1..];
        Some(line.trim_ascii())
    };
    let first = line()?;
    let space = first.iter().position(|&byte| byte == b' ')?;
    let method = Method::from_bytes(&first[..space]).ok()?;
    let target = Uri::try_from(&first[space + 1..]).ok()?;
    if target.path() == "/sessions" || target.path().starts_with("/export/") {
        return None;
    }
    let mut request = Request::new(Body::empty());
    *request.method_mut() = method;
    *request.uri_mut() = target;
    while let Some(header) = line().filter(|line| !line.is_empty()) {
        let colon = header.iter().position(|&byte| byte == b':')?;
        let name = HeaderName::from_bytes(&header[..colon]).ok()?;
        let value = HeaderValue::from_bytes(header[colon + 1..].trim_ascii()).ok()?;
        request.headers_mut().append(name, value);
    }
    *request.body_mut() = Body::from(rest.to_vec());
    Some(request)
}
