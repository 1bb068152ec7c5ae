// SPDX-License-Identifier: MPL-2.0

//! Servers, rooms and secrets that are missing or wrong.

use super::*;

/// Runs a member that must not join. Returns what it prints.
#[track_caller]
fn problem(command: &mut Command) -> String {
    let mut member = Member::run(command);
    let status = member.end();
    member.wait_for_log("Error: ");
    let text = member.log();
    assert_eq!(status.code(), Some(1), "{text}");
    text
}

#[test]
fn missing_and_wrong_servers_and_rooms_are_named() {
    if !has_webrtc() {
        return;
    }
    let url = format!("ws://127.0.0.1:{}", free_port());
    let absent = problem(&mut command(&url, ROOM));
    assert!(
        absent.contains(&url) && absent.contains("--retry"),
        "{absent}"
    );
    let Some(janus) = start_janus() else {
        return;
    };
    let wrong = problem(&mut command(&janus.http().replace("http", "ws"), ROOM));
    assert!(
        wrong.contains("does not respond like a Janus server"),
        "{wrong}"
    );
    let wrong = problem(&mut command(&janus.url(), "99"));
    assert!(wrong.contains("there is no room 99"), "{wrong}");
}

#[test]
fn secrets_are_needed_and_stay_secret() {
    let Some(janus) = start_janus() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pin.txt");
    for pin in ["", "7777"] {
        let mut command = command(&janus.url(), ROOM_WITH_PIN);
        // To try again would not help.
        command.arg("--retry").env("GST_ATTITUDE_ROOM_PIN", pin);
        let text = problem(&mut command);
        assert!(text.contains("PIN of the room"), "{text}");
    }
    std::fs::write(&path, "1234\n").unwrap();
    let mut command = command(&janus.url(), ROOM_WITH_PIN);
    command.args(["--log", "trace", "--pin-file"]).arg(&path);
    command.env("GST_DEBUG", "*:5");
    let mut member = Member::run(&mut command);
    member.wait_for_log("joined room 43");
    member.interrupt();
    let log = member.log();
    assert!(
        !log.contains("\"1234\"") && !log.contains("=1234"),
        "the log contains the PIN"
    );
}

/// Joins without, with a wrong and with the right secret, by this environment variable.
fn assert_needed(janus: &Janus, variable: &str, right: &str) {
    for value in ["", "wrong"] {
        let mut command = command(&janus.url(), ROOM);
        let text = problem(command.arg("--retry").env(variable, value));
        assert!(text.contains("API secret or token"), "{text}");
    }
    let mut member = Member::run(command(&janus.url(), ROOM).env(variable, right));
    member.wait_for_log("joined room 42");
    member.interrupt();
}

#[test]
fn the_api_secret_of_the_server_is_needed() {
    let janus = has_webrtc().then(|| Janus::start("api_secret = \"opensesame\";"));
    let Some(janus) = janus.flatten() else {
        return;
    };
    assert_needed(&janus, "GST_ATTITUDE_ROOM_API_SECRET", "opensesame");
}

#[test]
fn the_token_for_the_server_is_needed() {
    let janus = has_webrtc().then(|| Janus::start("token_auth = true;"));
    let Some(janus) = janus.flatten() else {
        return;
    };
    janus.add_token("opensesame");
    assert_needed(&janus, "GST_ATTITUDE_ROOM_TOKEN", "opensesame");
}

#[test]
fn a_full_room_only_costs_the_data_channel() {
    let Some(janus) = start_janus() else {
        return;
    };
    let _holder = janus.join_room(SMALL_ROOM, "alice", &[]);
    let mut member = Member::run(command(&janus.url(), SMALL_ROOM).arg("--data-channel"));
    member.wait_for_log("no data channel: the server refuses it");
    member.wait_for("alice");
    member.interrupt();
}

#[test]
fn the_certificate_of_the_server_is_verified() {
    let Some(janus) = start_janus() else {
        return;
    };
    let untrusted = problem(&mut command(&janus.tls_url(), ROOM));
    assert!(untrusted.contains("set --ca-file"), "{untrusted}");
    let mut command = command(&janus.tls_url(), ROOM);
    let mut member = Member::run(command.arg("--ca-file").arg(janus.certificate()));
    member.wait_for_log("joined room 42");
    member.interrupt();
}
