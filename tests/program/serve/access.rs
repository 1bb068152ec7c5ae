// SPDX-License-Identifier: MPL-2.0

//! Access control: tokens, origins, host names, and the security headers of responses.

use super::*;

/// Methods and paths that require the token if the server has one.
const GUARDED: [(&str, &str); 6] = [
    ("GET", "/"),
    ("GET", "/settings"),
    ("GET", "/metrics"),
    ("POST", "/sessions"),
    ("POST", "/sessions/none/answer"),
    ("DELETE", "/sessions/none"),
];
/// Paths that never require the token.
const OPEN: [&str; 2] = ["/healthz", "/page/main.js"];

fn status(server: &Server, method: &str, path: &str) -> u16 {
    server.send(&Request::new(method, path)).status
}

#[test]
fn a_local_client_needs_no_token() {
    let server = Server::start(&[]);
    assert_eq!(server.token(), None);
    assert!(!server.output().contains("Warning"));
    for path in ["/", "/settings", "/metrics", "/healthz", "/page/main.js"] {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
}

#[test]
fn a_remote_client_needs_the_token_that_the_server_prints() {
    let server = Server::listen("0.0.0.0:0", &[]);
    let token = server.token().expect("no token").to_owned();
    assert!(token.len() >= 22, "{token}");
    assert!(wait_until(|| server.output().contains("Warning")));
    assert!(server.output().contains("anyone who has this address"));
    assert!(server.output().contains("without TLS"));
    for path in OPEN {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
    let wrong = token.replace(&token[..1], if token.starts_with('x') { "y" } else { "x" });
    for (method, path) in GUARDED {
        let bearer = |token: &str| {
            let value = format!("Bearer {token}");
            let request = Request::new(method, path).header("Authorization", &value);
            server.send(&request)
        };
        let in_address = |token: &str| status(&server, method, &format!("{path}?token={token}"));
        let refused = server.send(&Request::new(method, path));
        assert_eq!(refused.status, 401, "{path}");
        assert!(refused.problem().contains("token"));
        for wrong in [&wrong, "", &token[1..], &format!("{token}x")] {
            assert_eq!(bearer(wrong).status, 401, "{path}");
            assert_eq!(in_address(wrong), 401, "{path}");
        }
        if path == "/sessions" && !has_webrtc() {
            continue;
        }
        assert_ne!(bearer(&token).status, 401, "{path}");
        assert_ne!(in_address(&token), 401, "{path}");
    }
}

#[test]
fn a_browser_without_the_token_gets_a_page() {
    let server = Server::start(&["--token", "a-long-enough-token"]);
    let accepts = |types: &str| {
        let request = Request::new("GET", "/").header("Accept", types);
        server.send(&request)
    };
    let page = accepts("text/html,application/xhtml+xml,*/*;q=0.8");
    assert_eq!(page.status, 401);
    assert_eq!(
        page.header("Content-Type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(page.header("WWW-Authenticate"), Some("Bearer"));
    assert!(
        page.text()
            .contains("The token is missing or wrong; open the whole address")
    );
    assert!(accepts("*/*").problem().contains("token"));
}

#[test]
fn a_token_can_be_chosen() {
    let server = Server::start(&["--token", "a-long-enough-token"]);
    assert_eq!(server.token(), Some("a-long-enough-token"));
    assert_eq!(server.get("/").status, 401);
    assert_eq!(server.get("/?token=a-long-enough-token").status, 200);
}

#[test]
fn weak_tokens_are_refused() {
    for (token, expected) in [
        ("", "16 characters"),
        ("short", "16 characters"),
        ("not in an address?", "letters, digits"),
    ] {
        let problem = problem(&["--listen", "127.0.0.1:0", "--token", token]);
        assert!(problem.contains(expected), "{problem}");
    }
}

#[test]
fn requests_from_pages_of_other_sites_are_refused() {
    let mut server = Server::start(&[]);
    let own = format!("http://{}", server.address());
    let port = server.address().port();
    for (origin, is_own) in [
        (&own[..], true),
        ("http://example.com", false),
        (&format!("http://example.com:{port}"), false),
        (&format!("http://localhost:{port}"), false),
        ("http://127.0.0.1", false),
        ("null", false),
        ("", false),
        ("%%%", false),
    ] {
        for (method, path) in [
            ("DELETE", "/sessions/none"),
            ("POST", "/sessions/none/answer"),
        ] {
            let request = Request::new(method, path).header("Origin", origin);
            let refused = server.send(&request).status == 403;
            assert_eq!(refused, !is_own, "{method} from {origin}");
        }
    }
    let request = Request::new("POST", "/sessions").header("Origin", "http://example.com");
    assert!(server.send(&request).problem().contains("other sites"));
    server.assert_serves();
}

#[test]
fn foreign_host_names_are_refused_unless_a_token_is_required() {
    let server = Server::start(&[]);
    for (host, is_own) in [
        ("localhost", true),
        ("LOCALHOST:8080", true),
        ("127.0.0.1", true),
        ("[::1]:8080", true),
        ("192.0.2.7:1", true),
        ("example.com", false),
        ("127.0.0.1.example.com", false),
        ("localhost.example.com:8080", false),
        ("", false),
    ] {
        let response = server.send(&Request::new("GET", "/settings").header("Host", host));
        assert_eq!(response.status, if is_own { 200 } else { 403 }, "{host}");
    }
    // A server that requires a token may have any name, for example that of a proxy.
    for server in [
        Server::listen("0.0.0.0:0", &[]),
        Server::start(&["--token", "a-long-enough-token"]),
    ] {
        let path = format!("/?token={}", server.token().unwrap());
        let request = Request::new("GET", &path).header("Host", "example.com");
        assert_eq!(server.send(&request).status, 200);
    }
}

#[test]
fn responses_forbid_content_of_other_sites() {
    let server = Server::start(&[]);
    for path in ["/", "/settings", "/page/main.js", "/healthz", "/nowhere"] {
        let response = server.get(path);
        let policy = response.header("Content-Security-Policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"));
        assert!(policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"));
        assert_eq!(response.header("X-Content-Type-Options"), Some("nosniff"));
        assert_eq!(response.header("Referrer-Policy"), Some("no-referrer"));
        assert_eq!(
            response.header("Permissions-Policy"),
            Some("camera=(self), display-capture=(self)")
        );
        assert_eq!(response.header("Access-Control-Allow-Origin"), None);
        let kept = match path.starts_with("/page/") {
            true => "no-cache",
            false => "no-store",
        };
        assert_eq!(response.header("Cache-Control"), Some(kept), "{path}");
    }
    let tag = server.get("/page/main.js");
    let again =
        Request::new("GET", "/page/main.js").header("If-None-Match", tag.header("ETag").unwrap());
    let again = server.send(&again);
    assert_eq!((again.status, &again.text()[..]), (304, ""));
}

#[test]
fn an_address_without_a_port_and_a_host_name_are_refused_with_what_is_accepted() {
    for address in ["0.0.0.0", "localhost:80", ":8080"] {
        let problem = problem(&["--listen", address]);
        for expected in [
            address,
            "IP address and a port",
            "0.0.0.0:8080",
            "host names",
        ] {
            assert!(problem.contains(expected), "{problem}");
        }
    }
}

#[test]
fn an_address_in_use_is_reported() {
    let server = Server::start(&[]);
    let address = server.address().to_string();
    let problem = problem(&["--listen", &address]);
    assert!(
        problem.contains(&address) && problem.contains("in use"),
        "{problem}"
    );
}
