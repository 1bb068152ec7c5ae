// SPDX-License-Identifier: MPL-2.0

//! Limits of a visitor's video, and the visitor's control of the analysis.

use super::*;
use peer::Peer;

/// Returns the message that ends the session of a peer whose camera shows `pattern`.
fn closing(server: &Server, pattern: &str) -> Value {
    let (id, offer) = server.open();
    let (peer, answer) = Peer::showing(pattern, &offer);
    assert_eq!(server.answer(&id, &answer).status, 204);
    let is_closing = || !peer.messages("control").is_empty();
    assert!(peer.keep_alive_until(is_closing), "{}", server.output());
    peer.messages("control").remove(0)["closing"].take()
}

#[test]
fn a_larger_video_than_is_allowed_ends_the_session() {
    if !has_webrtc() {
        return;
    }
    let server = Server::start(&["--max-size", "160x96"]);
    let closing = closing(&server, "smpte");
    assert_eq!(closing["reason"], "limit");
    let problem = closing["problem"].as_str().unwrap();
    assert!(
        problem.contains("320x192") && problem.contains("160x96"),
        "{problem}"
    );
}

#[test]
fn a_higher_bitrate_than_is_allowed_ends_the_session() {
    if !has_webrtc() {
        return;
    }
    let server = Server::start(&["--max-bitrate", "50"]);
    let closing = closing(&server, "snow");
    assert_eq!(closing["reason"], "limit");
    assert!(
        closing["problem"].as_str().unwrap().contains("50 kbit/s"),
        "{closing}"
    );
}

/// Returns the number of threads of the server.
fn threads(server: &Server) -> usize {
    let path = format!("/proc/{}/task", server.child.id());
    std::fs::read_dir(path).unwrap().count()
}

#[test]
fn a_data_channel_that_the_page_opens_ends_the_session() {
    if !has_webrtc() {
        return;
    }
    // GStreamer's element for SCTP logs a failed assertion if nobody reads what has arrived.
    let server = Server::run(command(&["--listen", "127.0.0.1:0"]).env_remove("G_DEBUG"));
    let (id, offer) = server.open();
    let (peer, answer) = Peer::answering(&offer);
    assert_eq!(server.answer(&id, &answer).status, 204);
    assert!(peer.keep_alive_until(|| !peer.messages("samples").is_empty()));
    let before = threads(&server);
    peer.open_channels(100);
    let mut most = before;
    assert!(peer.keep_alive_until(|| {
        most = most.max(threads(&server));
        !peer.messages("control").is_empty()
    }));
    let closing = &peer.messages("control")[0]["closing"];
    assert_eq!(closing["reason"], "limit");
    let problem = closing["problem"].as_str().unwrap();
    assert!(problem.contains("data channel"), "{problem}");
    // Each channel would have several threads.
    assert!(most < before + 60, "{before} to {most} threads");
}

#[test]
fn a_page_can_turn_its_analysis_off_and_on() {
    if !has_webrtc() {
        return;
    }
    let server = Server::start(&[]);
    let (id, offer) = server.open();
    let (peer, answer) = Peer::answering(&offer);
    assert_eq!(server.answer(&id, &answer).status, 204);
    let count = || peer.messages("frames").len();
    assert!(peer.keep_alive_until(|| count() > 0));
    peer.send(&json!({"analysis": false}));
    // Results that were already on their way still arrive.
    std::thread::sleep(Duration::from_millis(500));
    let before = count();
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(count(), before);
    peer.send(&json!({"analysis": true}));
    assert!(peer.keep_alive_until(|| count() > before));
}
