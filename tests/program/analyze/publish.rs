// SPDX-License-Identifier: MPL-2.0

//! Samples of recordings to a webhook and to a broker.

use attitude::record::Record;

use super::galleries::write_gallery;
use super::http::has_http_source;
use super::*;

fn published(server: &Server) -> Vec<Record> {
    let requests = requests(server.folder.path());
    let body = |request: &Value| request["body"].as_str().unwrap().to_owned();
    let bodies = requests.iter().map(body);
    bodies
        .flat_map(|body| serde_json::from_str::<Vec<Record>>(&body).unwrap())
        .collect()
}

#[test]
fn every_sample_is_published_with_the_name_of_its_recording() {
    let Some(mut server) = webhook("") else {
        return;
    };
    server.start();
    let bench = Bench::new();
    bench.clip("a.mp4").clip("b.mp4");
    let uri = format!("http://127.0.0.1:{}/hook", server.port);
    let arguments = ["a.mp4", "b.mp4", "--publish", &uri, "--tags", "study=7"];
    bench.run(&arguments).assert_status(0);
    let records = published(&server);
    for name in ["a", "b"] {
        let of_recording = records.iter().filter(|record| record.stream == name);
        let lines = bench.read(&format!("out/{name}/records.jsonl"));
        let expected = lines.lines().map(|line| Record {
            source: Some(name.to_owned()),
            tags: "study=7".parse().unwrap(),
            ..serde_json::from_str(line).unwrap()
        });
        assert!(of_recording.cloned().eq(expected), "{name}");
    }
    assert_eq!(records.len(), 30);
}

#[test]
fn a_recording_that_is_analyzed_twice_is_published_once() {
    let Some(mut server) = webhook("") else {
        return;
    };
    server.start();
    let bench = Bench::new();
    write_gallery(&bench.path("call.mp4"));
    let uri = format!("http://127.0.0.1:{}/hook", server.port);
    let run = bench.run_default_models(&["call.mp4", "--publish", &uri]);
    run.assert_status(0).assert_said(&["small faces"]);
    let lines = bench.read("out/call/records.jsonl");
    let results = lines.lines().map(|line| Record {
        source: Some("call".to_owned()),
        ..serde_json::from_str(line).unwrap()
    });
    assert!(published(&server).into_iter().eq(results));
    assert!(!bench.path("out/call/unpublished.jsonl").exists());
}

#[test]
fn nothing_is_published_of_a_recording_that_fails() {
    let Some(mut server) = webhook("") else {
        return;
    };
    if !has_http_source() {
        return;
    }
    server.start();
    let bench = Bench::new();
    bench.clip("a.mp4");
    bench.encode("b.mkv", MATROSKA);
    let content = std::fs::read(bench.path("b.mkv")).unwrap();
    let len = content.len();
    let stalled = serve_forever(content[..len / 2].to_vec(), len);
    let uri = format!("http://127.0.0.1:{}/hook", server.port);
    let run = bench.run(&[
        "a.mp4",
        &stalled,
        "--stall-timeout",
        "3s",
        "--publish",
        &uri,
    ]);
    run.assert_status(1);
    let records = published(&server);
    assert_eq!(records.len(), 15);
    assert!(records.iter().all(|record| record.stream == "a"));
}

#[test]
fn a_broker_that_is_down_fails_no_recording_and_is_named() {
    let bench = Bench::new();
    bench.clip("a.mp4");
    let uri = format!("mqtt://127.0.0.1:{}", free_port());
    let run = bench.run(&["a.mp4", "--publish", &uri]);
    run.assert_status(0);
    run.assert_said(&[
        "cannot publish to mqtt://127.0.0.1",
        "15 records could not be published",
    ]);
}

#[test]
fn what_a_run_could_not_publish_the_next_one_does() {
    let Some(mut server) = redis(&[]) else {
        return;
    };
    let bench = Bench::new();
    bench.clip("a.mp4").clip("b.mp4");
    let uri = format!("redis://127.0.0.1:{}", server.port);
    let publish = ["--publish", &uri, "--spool-location", "spool"];
    let run = bench.run(&[&["a.mp4"][..], &publish].concat());
    run.assert_status(0).assert_said(&["the next run"]);
    server.start();
    let run = bench.run(&[&["a.mp4", "b.mp4"][..], &publish].concat());
    run.assert_status(0);
    let streams: Vec<String> = redis_entries(server.port, "gst-attitude", "")
        .iter()
        .map(|entry| serde_json::from_str::<Record>(entry).unwrap().stream)
        .collect();
    assert_eq!(streams, [["a"; 15], ["b"; 15]].concat());
}

#[test]
fn wrong_options_are_refused_before_the_analysis() {
    let bench = Bench::new();
    bench.clip("a.mp4");
    let run = bench.run(&["a.mp4", "--publish", "mqtt://alice:hunter2@localhost"]);
    run.assert_status(2).assert_said(&["password-file"]);
    assert!(!run.problems().contains("hunter2"), "{}", run.problems());
    let run = bench.run(&["a.mp4", "--publish", "amqp://localhost"]);
    run.assert_status(2)
        .assert_said(&["unknown protocol 'amqp'"]);
    let run = bench.run(&["a.mp4", "--tags", "x=1"]);
    run.assert_status(2).assert_said(&["--publish"]);
    // Other users cannot read the environment.
    let mut command = bench.command(&["a.mp4"]);
    let uri = format!("mqtt://alice:hunter2@127.0.0.1:{}", free_port());
    let run = Run(command.env("GST_ATTITUDE_PUBLISH", uri).output().unwrap());
    run.assert_status(0)
        .assert_said(&["mqtt://alice@127.0.0.1"]);
    assert!(!run.problems().contains("hunter2"), "{}", run.problems());
}

#[test]
fn the_log_contains_no_password() {
    let password = "s3cret-of-the-test";
    for (_server, uri) in servers_with_password(password) {
        let bench = Bench::new();
        bench.clip("a.mp4");
        let run = bench.run(&["a.mp4", "--publish", &uri, "--log", "trace"]);
        run.assert_status(0).assert_said(&["publishing: connected"]);
        let log = run.problems();
        assert!(!log.contains("could not be published"), "{uri}");
        // As it is, and as base64 with the user.
        for secret in [password, "YWxpY2U6czNjcmV0LW9mLXRoZS10ZXN0"] {
            let line = log.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{uri}");
        }
    }
}
