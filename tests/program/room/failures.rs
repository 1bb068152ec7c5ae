// SPDX-License-Identifier: MPL-2.0

//! Servers that die and come back, members that are removed, rooms that are closed.

use super::*;

#[test]
fn a_member_joins_again_when_the_server_returns() {
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
    janus.server.start();
    let _bob = janus.join("bob", &[]);
    member.wait_for("bob");
    member.interrupt();
}

#[test]
fn a_member_waits_for_server_and_room_on_request() {
    let Some(mut janus) = start_janus() else {
        return;
    };
    janus.server.kill();
    let mut member = Member::start(&janus, &["--retry"]);
    member.wait_for_log("cannot connect to ws://");
    janus.server.start();
    member.wait_for_log("joined room 42");
    member.interrupt();
}

#[test]
fn a_member_that_is_removed_ends() {
    let Some(janus) = start_janus() else {
        return;
    };
    let mut member = Member::start(&janus, &["--name", "analyst"]);
    member.wait_for_log("joined room 42");
    janus.kick("analyst");
    assert_eq!(member.end().code(), Some(1));
    member.wait_for_log("a moderator removed this member");
    // A closed room is the end of the meeting, and no failure.
    let mut member = Member::start(&janus, &[]);
    member.wait_for_log("joined room 42");
    janus.close();
    assert!(member.end().success(), "{}", member.log());
}
