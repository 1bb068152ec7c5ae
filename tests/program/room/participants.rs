// SPDX-License-Identifier: MPL-2.0

//! Participants who join, send video in several formats, freeze, lose packets and leave.

use std::collections::BTreeSet;

use super::*;

#[test]
fn each_participant_is_analyzed_separately() {
    let Some(janus) = start_janus() else {
        return;
    };
    let mut broker = mosquitto("allow_anonymous true");
    let broker = broker.as_mut().map(|broker| {
        broker.start();
        let subscriber = Subscriber::mqtt(broker.port, &[]);
        (format!("mqtt://127.0.0.1:{}", broker.port), subscriber)
    });
    // One is there before the member, the others come later.
    let mut alice = janus.join("alice", &[]);
    let mut arguments = vec!["--tags", "floor=3"];
    if let Some((broker, _)) = &broker {
        arguments.extend(["--publish", broker, "--topic", "faces/{source}"]);
    }
    let mut member = Member::start(&janus, &arguments);
    let bob = janus.join("bob", &["--codec", "H264"]);
    let _carol = janus.join("carol", &["--codec", "VP9", "--loss", "0.05"]);
    for name in ["alice", "bob", "carol"] {
        member.wait_for(name);
    }
    let records = member.records();
    let mut participants = BTreeSet::new();
    for record in &records {
        assert_eq!(record["tags"]["room"], ROOM);
        let id = record["tags"]["participant"].as_str().unwrap();
        assert_eq!(record["stream"], format!("{ROOM}/{id}"));
        participants.insert((record["source"].as_str().unwrap(), id.to_owned()));
        assert_eq!(record["faces"].as_array().unwrap().len(), 1, "{record}");
    }
    assert_eq!(participants.len(), 3, "{participants:?}");
    if let Some((_, subscriber)) = &broker {
        for name in ["alice", "bob", "carol"] {
            wait_until("messages arrive", || {
                let messages = subscriber.messages();
                let mut of_name = messages.iter();
                let topic = format!("faces/{name}");
                let message = of_name.find(|(found, _)| *found == topic);
                message.is_some_and(|(_, payload)| payload.contains(r#""floor":"3""#))
            });
        }
    }
    alice.tell("leave");
    member.wait_for_log("alice left");
    member.wait_for("bob");
    // Bob disappears without leaving.
    drop(bob);
    member.wait_for("carol");
    member.interrupt();
    assert!(!member.log().contains("carol left"), "{}", member.log());
}

#[test]
fn members_receive_records_on_a_data_channel() {
    let Some(janus) = start_janus() else {
        return;
    };
    let mut member = Member::start(&janus, &["--data-channel", "--name", "analyst"]);
    let _alice = janus.join("alice", &[]);
    let receiver = janus.join("bob", &["--receive", "analyst"]);
    wait_until("records arrive", || {
        let lines = receiver.lines();
        lines
            .iter()
            .any(|line| line.contains(r#""source":"alice""#))
    });
    member.interrupt();
}

#[test]
fn participants_beyond_the_limit_wait_until_another_one_leaves() {
    let Some(janus) = start_janus() else {
        return;
    };
    let mut member = Member::start(&janus, &["--max-participants", "1"]);
    let mut alice = janus.join("alice", &[]);
    member.wait_for("alice");
    let _bob = janus.join("bob", &[]);
    member.wait_for_log("bob is not analyzed: --max-participants is 1");
    alice.tell("leave");
    member.wait_for("bob");
    member.interrupt();
}

#[test]
fn the_program_ends_with_the_reader_of_its_output() {
    let Some(janus) = start_janus() else {
        return;
    };
    let mut child = command(&janus.url(), ROOM)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let _alice = janus.join("alice", &[]);
    let child = Mutex::new(child);
    wait_until("the program ends", || {
        let status = child.lock().unwrap().try_wait().unwrap();
        status.is_some_and(|status| status.success())
    });
}
