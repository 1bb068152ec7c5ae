// SPDX-License-Identifier: MPL-2.0

//! Servers that die, hang and come back, members that are removed, rooms that are closed, and
//! participants whose video stops.

use super::*;

#[test]
fn a_member_joins_again_when_server_and_room_return() {
    let Some(mut janus) = start_janus() else {
        return;
    };
    let mut member = Member::start(&janus, &[]);
    let alice = janus.join("alice", &[]);
    member.wait_for("alice");
    drop(alice);
    janus.server.kill();
    member.wait_for_log("lost the connection");
    member.wait_for_log("trying again");
    janus.forget_rooms();
    janus.server.start();
    member.wait_for_log("there is no room 42");
    janus.create(ROOM);
    member.wait_for_logs("joined room 42", 2);
    let _bob = janus.join("bob", &[]);
    member.wait_for("bob");
    member.interrupt();
}

#[test]
fn a_member_leaves_a_server_that_hangs_and_joins_again() {
    let Some(janus) = start_janus() else {
        return;
    };
    let mut member = Member::start(&janus, &[]);
    member.wait_for_log("joined room 42");
    janus.server.set_hung(true);
    member.wait_for_log("the server no longer responds");
    janus.server.set_hung(false);
    member.wait_for_logs("joined room 42", 2);
    member.interrupt();
}

#[test]
fn a_member_waits_for_server_and_room_on_request() {
    const ROOM: &str = "77";
    let Some(mut janus) = start_janus() else {
        return;
    };
    janus.server.kill();
    let mut member = Member::run(command(&janus.url(), ROOM).arg("--retry"));
    member.wait_for_log("cannot connect to ws://");
    janus.server.start();
    member.wait_for_log("there is no room 77");
    janus.create(ROOM);
    member.wait_for_log("joined room 77");
    janus.close(ROOM);
    member.wait_for_log("room 77 was closed");
    janus.create(ROOM);
    member.wait_for_logs("joined room 77", 2);
    member.interrupt();
}

#[test]
fn a_member_that_is_removed_ends() {
    let Some(janus) = start_janus() else {
        return;
    };
    let mut member = Member::start(&janus, &["--name", "analyst", "--retry"]);
    member.wait_for_log("joined room 42");
    janus.kick("analyst");
    assert_eq!(member.end().code(), Some(1));
    member.wait_for_log("a moderator removed this member");
}

#[test]
fn a_closed_room_is_the_end_of_the_meeting_and_no_failure() {
    let Some(janus) = start_janus() else {
        return;
    };
    let mut member = Member::start(&janus, &[]);
    member.wait_for_log("joined room 42");
    janus.close(ROOM);
    assert!(member.end().success(), "{}", member.log());
}

#[test]
fn a_participant_who_freezes_is_reported_and_does_not_disturb_others() {
    let Some(janus) = start_janus() else {
        return;
    };
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let mut member = Member::start(
        &janus,
        &[
            "--stall-timeout",
            "2s",
            "--listen",
            &listen,
            "--format=text",
        ],
    );
    let mut alice = janus.join("alice", &[]);
    let _bob = janus.join("bob", &[]);
    let lines = || member.records.lock().unwrap().join("\n");
    wait_until("changes as text", || {
        ["alice: face 1", "bob: face 1"]
            .iter()
            .all(|text| lines().contains(text))
    });
    assert!(get(port, "/healthz").starts_with("200"));
    alice.tell("freeze");
    member.wait_for_log("alice sends no video, or it is frozen");
    let health = get(port, "/healthz");
    assert!(
        health.starts_with("503") && health.contains("alice: "),
        "{health}"
    );
    let metrics = get(port, "/metrics");
    for line in [
        r#"gst_attitude_source_up{source="alice"} 0"#,
        r#"gst_attitude_source_up{source="bob"} 1"#,
    ] {
        assert!(metrics.contains(line), "{metrics}");
    }
    alice.tell("continue");
    wait_until("alice is back", || get(port, "/healthz").starts_with("200"));
    member.interrupt();
}

#[test]
fn a_participant_who_loses_packets_does_not_disturb_others() {
    let Some(janus) = start_janus() else {
        return;
    };
    let mut member = Member::start(&janus, &[]);
    let _alice = janus.join("alice", &[]);
    let _bob = janus.join("bob", &["--loss", "0.05"]);
    member.wait_for("alice");
    member.wait_for("bob");
    let (alice, bob) = (member.count("alice"), member.count("bob"));
    wait_until("the lossy video goes on", || {
        member.count("bob") >= bob + 20
    });
    let of_alice = member.count("alice") - alice;
    assert!(of_alice >= 15, "{of_alice} records of alice, 20 of bob");
    assert!(!member.log().contains("left"), "{}", member.log());
    member.interrupt();
}

#[test]
fn a_connection_that_fails_is_made_again_and_does_not_disturb_others() {
    let Some(janus) = start_janus() else {
        return;
    };
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let mut member = Member::start(&janus, &["--listen", &listen]);
    let _alice = janus.join("alice", &[]);
    let _bob = janus.join("bob", &[]);
    member.wait_for("alice");
    member.wait_for("bob");
    janus.hang_up("alice");
    let restarts = |name: &str, number: u64| {
        let line = format!(r#"gst_attitude_source_restarts_total{{source="{name}"}} {number}"#);
        get(port, "/metrics").contains(&line)
    };
    wait_until("alice is connected again", || restarts("alice", 1));
    member.wait_for("alice");
    member.wait_for("bob");
    assert!(restarts("bob", 0));
    // A track id belongs to one face, also of the later connection.
    let records = member.records();
    let of_alice = records.iter().filter(|record| record["source"] == "alice");
    let tracks: Vec<_> = of_alice
        .map(|one| one["faces"][0]["track"].as_u64())
        .collect();
    assert!(tracks.is_sorted(), "{tracks:?}");
    assert_ne!(tracks.first(), tracks.last());
    member.interrupt();
}
