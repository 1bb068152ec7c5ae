// SPDX-License-Identifier: MPL-2.0

//! Messages as the consumers of each protocol receive them.

use super::*;

#[test]
fn mqtt_messages_are_records_with_source_and_tags() {
    let Some(mut broker) = mosquitto("allow_anonymous true") else {
        return;
    };
    broker.start();
    for options in [
        "",
        "?qos=0",
        "?qos=2",
        "?version=5",
        "?version=5&qos=2",
        "?version=5&qos=0",
    ] {
        let subscriber = Subscriber::mqtt(broker.port, &[]);
        let mut analysis = Rig::tiny(&[("smoothing", "0"), ("messages", "sample")]);
        let location = format!("mqtt://127.0.0.1:{}{options}", broker.port);
        let properties = [
            ("interval", "sample"),
            ("topic", "rooms/{source}"),
            ("source", "hall 1"),
            ("tags", "room=42,participant=alice"),
        ];
        let mut publishing = Publishing::new(&location, &properties);
        publishing.0.set_video(analysis.info.clone());
        for _ in 0..20 {
            let frame = analysis.pass();
            let passed = publishing.0.push(frame.clone());
            assert_eq!(passed.as_ptr(), frame.as_ptr(), "the frame was copied");
        }
        publishing.end();
        assert_eq!(publishing.stat("delivered"), 4, "{options}");
        let messages = subscriber.wait_for(4);
        let expected = analysis.records();
        assert_eq!(messages.len(), expected.len());
        for ((topic, payload), mut expected) in messages.into_iter().zip(expected) {
            assert_eq!(topic, "rooms/hall-1");
            let record: Record = serde_json::from_str(&payload).unwrap();
            expected.stream.clone_from(&record.stream);
            expected.source = Some("hall 1".to_owned());
            expected.tags = "room=42,participant=alice".parse().unwrap();
            assert_eq!(record, expected, "{options}");
        }
    }
}

#[test]
fn every_face_has_its_topic_and_the_last_state_is_retained() {
    let Some(mut broker) = mosquitto("allow_anonymous true") else {
        return;
    };
    broker.start();
    let mut analysis = Rig::tiny(&[("smoothing", "0")]);
    let location = format!("mqtt://127.0.0.1:{}?retain=true", broker.port);
    let properties = [("interval", "sample"), ("topic", "faces/{track}")];
    let mut publishing = Publishing::new(&location, &properties);
    for _ in 0..10 {
        let frame = analysis.pass();
        publishing.0.push(frame);
    }
    publishing.end();
    let subscriber = Subscriber::mqtt(broker.port, &[]);
    let messages = subscriber.wait_for(1);
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert_eq!(messages[0].0, "faces/1");
    let record: Record = serde_json::from_str(&messages[0].1).unwrap();
    assert_eq!((record.frame, record.faces.len()), (5, 1));
}

#[test]
fn webhooks_receive_signed_batches() {
    let Some(mut server) = webhook("") else {
        return;
    };
    server.start();
    let secret = server.folder.path().join("secret");
    std::fs::write(&secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let location = format!(
        "http://127.0.0.1:{}/hook?key=1#batch=4&batch-ms=60000&secret-file={}",
        server.port,
        secret.display()
    );
    let mut publishing = Publishing::new(&location, &[("tags", "room=42")]);
    publishing.pass(10);
    // The end does not wait for the last batch to be complete.
    publishing.end();
    assert_eq!(publishing.stat("delivered"), 10);
    let requests = requests(server.folder.path());
    let batches: Vec<usize> = requests.iter().map(|request| body(request).len()).collect();
    assert_eq!(batches, [4, 4, 2]);
    let records: Vec<Record> = requests.iter().flat_map(body).collect();
    assert!(records.iter().map(|record| record.frame).eq(0..10));
    assert_eq!(records[0].tags.0["room"], "42");
    let headers = &requests[0]["headers"];
    assert_eq!(headers["content-type"], "application/json");
    assert!(
        headers["webhook-signature"]
            .as_str()
            .unwrap()
            .starts_with("v1,")
    );
    assert!(headers["webhook-id"] != requests[1]["headers"]["webhook-id"]);
    assert_eq!(requests[0]["path"], "/hook?key=1");
}

#[test]
fn a_webhook_that_fails_is_tried_again_and_a_refused_record_is_dropped() {
    // The whole batch is refused, then the second of its records.
    let Some(mut server) = webhook("503 500 400 200 422") else {
        return;
    };
    server.start();
    let location = format!(
        "http://127.0.0.1:{}/hook#batch=3&batch-ms=60000",
        server.port
    );
    let mut publishing = Publishing::new(&location, &[]);
    publishing.pass(3);
    publishing.end();
    assert_eq!(
        (publishing.stat("delivered"), publishing.stat("rejected")),
        (2, 1)
    );
    let requests = requests(server.folder.path());
    let frames = |request| {
        body(request)
            .iter()
            .map(|record| record.frame)
            .collect::<Vec<_>>()
    };
    let frames: Vec<_> = requests.iter().map(frames).collect();
    assert_eq!(
        frames,
        [
            vec![0, 1, 2],
            vec![0, 1, 2],
            vec![0, 1, 2],
            vec![0],
            vec![1],
            vec![2]
        ]
    );
    let ids: Vec<_> = requests
        .iter()
        .map(|request| &request["headers"]["webhook-id"])
        .collect();
    assert_eq!(ids[0], ids[1]);
    let warnings = publishing.warnings();
    assert!(
        warnings.iter().any(|warning| warning.contains("503")),
        "{warnings:?}"
    );
}

#[test]
fn redis_streams_have_an_entry_per_record_in_order() {
    let Some(mut server) = redis(&["--requirepass", "hunter2"]) else {
        return;
    };
    server.start();
    let password = server.folder.path().join("password");
    std::fs::write(&password, "hunter2").unwrap();
    let location = format!("redis://127.0.0.1:{}/0", server.port);
    let refused = Publishing::new(&location, &[]);
    refused.wait_for_warning("NOAUTH");
    drop(refused);
    let location = format!("{location}?password-file={}", password.display());
    let mut publishing =
        Publishing::new(&location, &[("topic", "faces:{source}"), ("source", "a/b")]);
    publishing.pass(250);
    publishing.end();
    assert_eq!(publishing.stat("delivered"), 250);
    let entries = redis_entries(server.port, "faces:a-b", "hunter2");
    assert!(frame_numbers(entries).into_iter().eq(0..250));
}

#[test]
fn nats_subjects_receive_records() {
    let Some(mut server) = nats(&["--auth", "t0ken-of-the-test"]) else {
        return;
    };
    server.start();
    let connect = r#"{"verbose":false,"auth_token":"t0ken-of-the-test"}"#;
    let subscriber = Subscriber::nats(server.port, "cameras.>", connect);
    let location = format!("nats://127.0.0.1:{}", server.port);
    let refused = Publishing::new(&location, &[]);
    let warning = refused.wait_for_warning("cannot publish").to_lowercase();
    assert!(warning.contains("authorization"), "{warning}");
    drop(refused);
    let token = server.folder.path().join("token");
    std::fs::write(&token, "t0ken-of-the-test\n").unwrap();
    let location = format!("{location}?token-file={}", token.display());
    let properties = [("topic", "cameras.{source}"), ("source", "hall.1")];
    let mut publishing = Publishing::new(&location, &properties);
    publishing.pass(250);
    publishing.end();
    assert_eq!(publishing.stat("delivered"), 250);
    let messages = subscriber.wait_for(250);
    assert!(
        messages
            .iter()
            .all(|(subject, _)| subject == "cameras.hall-1")
    );
    let payloads = messages.iter().map(|(_, payload)| payload);
    assert!(frame_numbers(payloads).into_iter().eq(0..250));
}
