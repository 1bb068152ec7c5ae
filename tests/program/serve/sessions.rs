// SPDX-License-Identifier: MPL-2.0

//! The life of a session: how it is opened, answered, closed, and ended by time-outs and signals.

use std::net::Shutdown;

use super::peer::Peer;
use super::*;

#[test]
fn a_full_server_refuses_visitors_until_one_leaves() {
    if !has_webrtc() {
        return;
    }
    let server = Server::start(&[]);
    let opened: Vec<_> = (0..8).map(|_| server.open().0).collect();
    let open = Request::new("POST", "/sessions");
    let ninth = server.send(&open);
    assert_eq!(ninth.status, 503);
    assert!(ninth.problem().contains("the server is full"));
    let seconds: u32 = ninth.header("Retry-After").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds));
    assert_eq!(server.close(&opened[0]).status, 204);
    assert!(wait_until(|| server.send(&open).status == 201));
    assert_eq!(server.send(&open).status, 503);
}

#[test]
fn a_session_accepts_one_answer_and_can_be_closed_once() {
    if !has_webrtc() {
        return;
    }
    let server = Server::start(&[]);
    let (id, offer) = server.open();
    assert!(offer.contains("a=recvonly"));
    // An invalid answer does not use up the session.
    let refused = server.answer(&id, "nonsense");
    assert_eq!(refused.status, 400);
    assert!(refused.problem().contains("not a session description"));
    let (_peer, answer) = Peer::answering(&offer);
    assert_eq!(server.answer("none", &answer).status, 404);
    let taken = server.answer(&id, &answer);
    assert_eq!(taken.status, 204, "{}", taken.text());
    assert_eq!(server.answer(&id, &answer).status, 409);
    assert_eq!(server.close(&id).status, 204);
    assert!(wait_until(|| server.close(&id).status == 404));
    assert_eq!(server.answer(&id, &answer).status, 404);
}

#[test]
fn session_ids_are_long_and_unique() {
    if !has_webrtc() {
        return;
    }
    let server = Server::start(&[]);
    let mut ids: Vec<_> = (0..4).map(|_| server.open().0).collect();
    assert!(ids.iter().all(|id| id.len() >= 22));
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

#[test]
fn sessions_of_visitors_that_disappear_time_out() {
    if !has_webrtc() {
        return;
    }
    let server = Server::start(&[]);
    // One visitor never answers; the other one connects and then stops sending messages.
    let (_, _) = server.open();
    let (id, offer) = server.open();
    let (peer, answer) = Peer::answering(&offer);
    assert_eq!(server.answer(&id, &answer).status, 204);
    assert!(peer.keep_alive_until(|| !peer.messages("samples").is_empty()));
    let begin = Instant::now();
    assert!(wait_until(|| server.metric("gst_attitude_sessions") < 2.0));
    let passed = begin.elapsed().as_secs_f64();
    assert!((5.0..20.0).contains(&passed), "{passed} s");
    assert_eq!(peer.messages("control")[0]["closing"]["reason"], "timeout");
    assert!(wait_until(|| server.metric("gst_attitude_sessions") < 1.0));
    let ended = server.metric("gst_attitude_sessions_ended_total{reason=\"timeout\"}");
    assert_eq!(ended, 2.0);
}

#[test]
fn a_visitor_that_leaves_while_a_session_opens_leaves_no_session_behind() {
    if !has_webrtc() {
        return;
    }
    let mut server = Server::start(&["--max-sessions", "1"]);
    for _ in 0..4 {
        // The place of the previous visitor is free soon.
        assert!(wait_until(|| leaves_while_a_session_opens(&server)));
        // It is free again, and not because an unanswered session has timed out.
        let open = Request::new("POST", "/sessions");
        let mut opening = Instant::now();
        let mut opened = server.send(&open);
        assert!(wait_until(|| {
            if opened.status != 201 {
                opening = Instant::now();
                opened = server.send(&open);
            }
            opened.status == 201
        }));
        if opening.elapsed() > Duration::from_secs(5) {
            println!("skipped: sessions may time out before they are open on this busy machine");
            return;
        }
        let timed_out = server.metric("gst_attitude_sessions_ended_total{reason=\"timeout\"}");
        assert_eq!(timed_out, 0.0);
        let id = opened.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(server.close(&id).status, 204);
    }
    server.assert_serves();
}

/// Asks for a session and leaves soon. Returns false if the server is full.
fn leaves_while_a_session_opens(server: &Server) -> bool {
    let bytes = Request::new("POST", "/sessions").bytes("127.0.0.1");
    let mut stream = client::connect(server.address());
    std::io::Write::write_all(&mut stream, &bytes).unwrap();
    std::thread::sleep(Duration::from_millis(20));
    // Behind this, there is only a response if the server sent it before.
    stream.shutdown(Shutdown::Write).unwrap();
    let Some(response) = client::exchange(&mut stream, &[]) else {
        return true;
    };
    if response.status == 201 {
        let id = response.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(server.close(&id).status, 204);
    }
    response.status == 201
}

#[test]
fn visitors_are_informed_when_the_server_shuts_down_and_do_not_delay_it() {
    if !has_webrtc() {
        return;
    }
    for signal in ["-INT", "-TERM"] {
        let mut server = Server::start(&[]);
        let (id, offer) = server.open();
        let (peer, answer) = Peer::answering(&offer);
        assert_eq!(server.answer(&id, &answer).status, 204);
        server.open();
        assert!(peer.keep_alive_until(|| !peer.messages("samples").is_empty()));
        // An idle connection must not delay the shutdown either.
        let _idle = client::connect(server.address());
        let begin = Instant::now();
        server.signal(signal);
        assert_eq!(server.end().code(), Some(0), "{}", server.output());
        let passed = begin.elapsed();
        assert!(passed < Duration::from_secs(8), "{passed:?}");
        assert!(wait_until(|| !peer.messages("control").is_empty()));
        assert_eq!(peer.messages("control")[0]["closing"]["reason"], "shutdown");
    }
}

#[test]
fn a_second_signal_ends_the_server_at_once() {
    if !has_webrtc() {
        return;
    }
    let mut server = Server::start(&[]);
    for _ in 0..8 {
        server.open();
    }
    server.signal("-INT");
    server.signal("-TERM");
    let status = server.end();
    // The status is 0 if the shutdown was complete before the second signal.
    assert!([Some(0), Some(130)].contains(&status.code()), "{status}");
}
