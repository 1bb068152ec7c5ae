// SPDX-License-Identifier: MPL-2.0

//! WHIP: clients that send the source's video.

use super::watcher::Watcher;
use super::whip_client::{H264_AND_SOUND, VP8, WhipClient, offering};
use super::*;
use crate::support::{free_port, playwright, project, requests, webhook};

const TOKEN: &str = "0123456789abcdef";
const WHIP_TOKEN: &str = "fedcba9876543210";

fn end(server: &Server, session: &str) -> Response {
    server.send(&Request::new("DELETE", session))
}

#[test]
fn what_a_client_sends_is_published_and_shown() {
    let Some(mut receiver) = webhook("") else {
        return;
    };
    if !has_webrtc() {
        return;
    }
    receiver.start();
    let published = || {
        let requests = requests(receiver.folder.path()).into_iter();
        let bodies = requests.map(|request| request["body"].as_str().unwrap().to_owned());
        let records = bodies.flat_map(|body| serde_json::from_str::<Vec<Value>>(&body).unwrap());
        records.collect::<Vec<_>>()
    };
    let uri = format!("http://127.0.0.1:{}/hook#batch-ms=50", receiver.port);
    let server = Server::start(&["--whip", "--publish", &uri]);
    let refused = server.send(&Request::new("POST", "/sessions"));
    assert_eq!(
        (refused.status, refused.header("Retry-After")),
        (502, Some("5"))
    );
    assert!(refused.problem().contains("WHIP client"));
    for encoding in [VP8, H264_AND_SOUND] {
        if encoding.starts_with("x264enc") && gst::ElementFactory::find("x264enc").is_none() {
            println!("skipped: x264enc is not installed");
            continue;
        }
        let before = published().len();
        let client = WhipClient::new(encoding);
        let session = client.open(&server);
        // Without a visitor.
        assert!(
            wait_until(|| published().len() >= before + 3),
            "{}",
            server.output()
        );
        assert_eq!(published()[before]["source"], "WHIP");
        let viewer = Watcher::new(&server);
        viewer.watch(25);
        viewer.assert_synchronized();
        assert!(wait_until(|| {
            viewer.send(&json!({"alive": true}));
            !viewer.messages("samples").is_empty()
        }));
        assert_eq!(end(&server, &session).status, 200);
        assert_eq!(viewer.ending()["reason"], "ended");
        assert_eq!(end(&server, &session).status, 404);
    }
}

#[test]
fn responses_are_those_of_the_standard() {
    if !has_webrtc() {
        return;
    }
    let mut server = Server::start(&["--whip"]);
    let client = WhipClient::new(VP8);
    for (request, status, problem) in [
        (
            client.request().header("Origin", "http://example.org"),
            403,
            "other sites",
        ),
        (
            Request::new("POST", "/whip").body(&*client.offer),
            415,
            "application/sdp",
        ),
        (offering("hello"), 400, "session description"),
        (
            offering(&client.offer.replace("VP8", "H265")),
            422,
            "codecs",
        ),
        (
            offering(&client.offer.replace("sendonly", "recvonly")),
            422,
            "no video",
        ),
        (
            offering(&client.offer.replace("a=fingerprint", "a=none")),
            400,
            "fingerprint",
        ),
        (Request::new("GET", "/whip"), 405, "POST"),
        (Request::new("PUT", "/whip"), 405, "POST"),
        (Request::new("DELETE", "/whip/none"), 404, "does not exist"),
    ] {
        let response = server.send(&request);
        assert_eq!(response.status, status, "{problem}: {}", response.text());
        assert!(response.problem().contains(problem), "{}", response.text());
    }
    let options = server.send(&Request::new("OPTIONS", "/whip"));
    assert_eq!(options.status, 200);
    assert_eq!(options.header("Accept-Post"), Some("application/sdp"));
    assert_eq!(options.header("Access-Control-Allow-Origin"), None);

    let opened = server.send(&client.request());
    assert_eq!(opened.status, 201, "{}", opened.text());
    assert_eq!(opened.header("Content-Type"), Some("application/sdp"));
    let answer = opened.text();
    assert!(
        answer.contains("a=recvonly") && answer.contains("a=candidate"),
        "{answer}"
    );
    client.accept(&answer);
    let session = opened.header("Location").unwrap();
    let tag = opened.header("ETag").unwrap();

    let second = server.send(&WhipClient::new(VP8).request());
    assert_eq!(
        (second.status, second.header("Retry-After")),
        (503, Some("5"))
    );
    assert!(second.problem().contains("another WHIP client"));

    let fragment = Request::new("PATCH", session).body(
        "a=ice-ufrag:AAAA\r\na=ice-pwd:0123456789012345678901\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n\
         a=candidate:1 1 UDP 2122194687 127.0.0.1 9 typ host\r\n",
    );
    let typed = |media_type: &str| fragment.clone().header("Content-Type", media_type);
    let candidates = || typed("application/trickle-ice-sdpfrag");
    let same_session = Request::new("PATCH", session)
        .header("Content-Type", "application/trickle-ice-sdpfrag")
        .header("If-Match", tag)
        .body("m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=candidate:1 1 UDP 2122194687 127.0.0.1 9 typ host\r\n");
    for (request, status, problem) in [
        (typed("application/sdp"), 415, "sdpfrag"),
        (candidates(), 428, "If-Match"),
        (
            candidates().header("If-Match", "\"other\""),
            412,
            "If-Match",
        ),
        (candidates().header("If-Match", tag), 422, "restart"),
        (candidates().header("If-Match", "*"), 422, "restart"),
        (
            candidates().header("If-Match", tag).body("hello"),
            400,
            "fragment",
        ),
        (same_session, 204, ""),
    ] {
        let response = server.send(&request);
        assert_eq!(response.status, status, "{problem}: {}", response.text());
        assert!(status == 204 || response.problem().contains(problem));
    }
    assert_eq!(end(&server, session).status, 200);
    // The place is free again.
    let client = WhipClient::new(VP8);
    client.open(&server);
    Watcher::new(&server).watch(5);
    server.signal("-TERM");
    assert!(server.end().success(), "{}", server.output());
}

#[test]
fn a_client_needs_the_token_and_may_be_a_page_of_another_site() {
    if !has_webrtc() {
        return;
    }
    let server = Server::start(&["--whip", "--token", TOKEN]);
    assert!(wait_until(|| server.output().contains("WHIP clients send")));
    let client = WhipClient::new(VP8);
    let with = |token: &str| {
        client
            .request()
            .header("Origin", "http://example.org")
            .header("Authorization", &format!("Bearer {token}"))
    };
    for request in [client.request(), with("0123456789abcdeF")] {
        let response = server.send(&request);
        assert_eq!(
            (response.status, response.header("WWW-Authenticate")),
            (401, Some("Bearer"))
        );
    }
    let preflight = Request::new("OPTIONS", "/whip").header("Origin", "http://example.org");
    let response = server.send(&preflight);
    assert_eq!(response.status, 200);
    assert_eq!(response.header("Access-Control-Allow-Origin"), Some("*"));
    assert!(
        response
            .header("Access-Control-Allow-Headers")
            .unwrap()
            .contains("Authorization")
    );
    let response = server.send(&with(TOKEN));
    assert_eq!(response.status, 201, "{}", response.text());
    assert_eq!(response.header("Access-Control-Allow-Origin"), Some("*"));
    assert!(
        response
            .header("Access-Control-Expose-Headers")
            .unwrap()
            .contains("Location")
    );
    let session = response.header("Location").unwrap();
    assert_eq!(end(&server, session).status, 401);
}

#[test]
fn a_client_with_a_token_of_its_own_cannot_see_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("whip-token");
    std::fs::write(&path, format!("{WHIP_TOKEN}\n")).unwrap();
    let file = ["--whip-token-file", path.to_str().unwrap()];
    let with = |server: &Server, request: &Request, token: &str| {
        let value = format!("Bearer {token}");
        server.send(&request.clone().header("Authorization", &value))
    };
    // No offer: with the right token, the server says so.
    let offer = offering("hello");
    let page = Request::new("GET", "/settings");

    let server = Server::start(&[&["--whip", "--token", TOKEN], &file[..]].concat());
    assert_eq!(with(&server, &offer, WHIP_TOKEN).status, 400);
    let refused = with(&server, &offer, TOKEN);
    assert_eq!(refused.status, 401);
    assert!(refused.problem().contains("the one for WHIP clients"));
    assert_eq!(with(&server, &page, WHIP_TOKEN).status, 401);
    assert_eq!(with(&server, &page, TOKEN).status, 200);

    // The page of a server of this machine needs no token.
    let mut command = command(&["--listen", "127.0.0.1:0", "--whip"]);
    let server = Server::run(command.env("GST_ATTITUDE_WHIP_TOKEN", WHIP_TOKEN));
    assert_eq!(server.send(&page).status, 200);
    assert_eq!(server.send(&offer).status, 401);
    assert_eq!(with(&server, &offer, WHIP_TOKEN).status, 400);

    std::fs::write(&path, "short\n").unwrap();
    let problem = problem(&[&["--listen", "127.0.0.1:0", "--whip"], &file[..]].concat());
    assert!(problem.contains("at least 16 characters"), "{problem}");
}

#[test]
fn a_client_that_sends_no_video_frees_its_place() {
    if !has_webrtc() {
        return;
    }
    let server = Server::start(&["--whip"]);
    let silent = WhipClient::new(VP8);
    // Without the answer, it does not connect.
    assert_eq!(server.send(&silent.request()).status, 201);
    let client = WhipClient::new(VP8);
    assert!(wait_until(|| {
        std::thread::sleep(Duration::from_millis(500));
        server.send(&client.request()).status == 201
    }));
    assert!(
        server.output().contains("source ended"),
        "{}",
        server.output()
    );
}

#[test]
fn a_client_that_disappears_frees_its_place() {
    if !has_webrtc() {
        return;
    }
    let server = Server::start(&["--whip", "--stall-timeout", "2s"]);
    let client = WhipClient::new(VP8);
    let session = client.open(&server);
    let viewer = Watcher::new(&server);
    viewer.watch(10);
    drop(client);
    let ending = viewer.ending();
    assert_eq!(ending["reason"], "failed", "{ending}");
    assert_eq!(end(&server, &session).status, 404);
    WhipClient::new(VP8).open(&server);
}

#[test]
fn without_the_option_there_is_no_endpoint() {
    let server = Server::start(&[]);
    assert_eq!(server.send(&offering("v=0")).status, 404);
}

/// Sends the simulated camera of Chromium by WHIP from a page of another site.
#[test]
fn chromium_sends_its_camera() {
    let Some(python) = playwright() else {
        return;
    };
    if !has_webrtc() {
        return;
    }
    // Without a visitor, it analyzes only what it publishes.
    let broker = format!("mqtt://127.0.0.1:{}", free_port());
    let server = Server::start(&["--whip", "--token", TOKEN, "--publish", &broker]);
    let endpoint = format!("http://{}/whip", server.address());
    let output = Command::new(python)
        .arg(project("tests/program/serve/whip.py"))
        .args([&endpoint, TOKEN])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}\n{}", server.output());
}
