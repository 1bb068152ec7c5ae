// SPDX-License-Identifier: MPL-2.0

//! Who may ask, and what browsers are told to do with the answers.

use super::*;

/// What needs the token where there is one.
const GUARDED: [(&str, &str); 6] = [
    ("GET", "/"),
    ("GET", "/settings"),
    ("GET", "/metrics"),
    ("POST", "/sessions"),
    ("POST", "/sessions/none/answer"),
    ("DELETE", "/sessions/none"),
];
/// What does not.
const OPEN: [&str; 2] = ["/healthz", "/page/main.js"];

fn status(server: &Server, method: &str, path: &str) -> u16 {
    server.send(&Request::new(method, path)).status
}

#[test]
fn this_machine_needs_no_token() {
    let server = Server::start(&[]);
    assert_eq!(server.token(), None);
    assert!(!server.said().contains("Warning"));
    for path in ["/", "/settings", "/metrics", "/healthz", "/page/main.js"] {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
}

#[test]
fn others_need_the_token_that_the_server_says() {
    let server = Server::listen("0.0.0.0:0", &[]);
    let token = server.token().expect("no token").to_owned();
    assert!(token.len() >= 22, "{token}");
    assert!(wait_until(|| server.said().contains("Warning")));
    assert!(server.said().contains("anyone who has this address"));
    assert!(server.said().contains("without TLS"));
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
fn a_token_of_ones_own_counts_everywhere() {
    let server = Server::start(&["--token", "a-long-enough-token"]);
    assert_eq!(server.token(), Some("a-long-enough-token"));
    assert_eq!(server.get("/").status, 401);
    assert_eq!(server.get("/?token=a-long-enough-token").status, 200);
}

#[test]
fn tokens_that_can_be_tried_out_are_refused() {
    for (token, said) in [
        ("", "16 characters"),
        ("short", "16 characters"),
        ("not in an address?", "letters, digits"),
    ] {
        let problem = problem(&["--listen", "127.0.0.1:0", "--token", token]);
        assert!(problem.contains(said), "{problem}");
    }
}

#[test]
fn pages_of_other_sites_are_refused() {
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
fn names_that_others_made_lead_here_are_refused() {
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
        let answer = server.send(&Request::new("GET", "/settings").header("Host", host));
        assert_eq!(answer.status, if is_own { 200 } else { 403 }, "{host}");
    }
    // Where a token is asked for, it may have any name: of a proxy, for one.
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
fn answers_tell_browsers_to_trust_nobody_else() {
    let server = Server::start(&[]);
    for path in ["/", "/settings", "/page/main.js", "/healthz", "/nowhere"] {
        let answer = server.get(path);
        let policy = answer.header("Content-Security-Policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"));
        assert!(policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"));
        assert_eq!(answer.header("X-Content-Type-Options"), Some("nosniff"));
        assert_eq!(answer.header("Referrer-Policy"), Some("no-referrer"));
        assert_eq!(answer.header("Permissions-Policy"), Some("camera=(self)"));
        assert_eq!(answer.header("Access-Control-Allow-Origin"), None);
        let kept = match path.starts_with("/page/") {
            true => "no-cache",
            false => "no-store",
        };
        assert_eq!(answer.header("Cache-Control"), Some(kept), "{path}");
    }
    let tag = server.get("/page/main.js");
    let again =
        Request::new("GET", "/page/main.js").header("If-None-Match", tag.header("ETag").unwrap());
    let again = server.send(&again);
    assert_eq!((again.status, &again.text()[..]), (304, ""));
}

#[test]
fn a_port_that_is_taken_is_named() {
    let server = Server::start(&[]);
    let address = server.address().to_string();
    let problem = problem(&["--listen", &address]);
    assert!(
        problem.contains(&address) && problem.contains("in use"),
        "{problem}"
    );
}
