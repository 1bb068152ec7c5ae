// SPDX-License-Identifier: MPL-2.0

//! Sources that are absent, wrong, die, hang or come back.

use super::*;

#[test]
fn a_camera_that_dies_is_connected_again_when_it_returns() {
    let Some(mut camera) = RtspCamera::start() else {
        return;
    };
    let source = format!("door={}", camera.uri("camera"));
    let mut watch = Watch::start(&["--source", &source, "--stall-timeout", STALL_TIMEOUT]);
    watch.wait_for_records("door", 5);
    watch.wait_until_healthy();
    camera.kill();
    watch.wait_for_problem("door: ");
    let before = watch.records("door");
    let restarts = watch.restarts("door");
    camera.restart();
    watch.wait_until_healthy();
    assert!(watch.restarts("door") > restarts);
    let after = watch.wait_for_records("door", 5).split_off(before.len());
    let last_track = before.iter().flat_map(|record| &record.faces);
    let last_track = last_track.map(|face| face.track).max().unwrap();
    let mut faces = after.iter().flat_map(|record| &record.faces);
    assert!(
        faces.all(|face| face.track > last_track),
        "a track id is used twice"
    );
    let frames = before.iter().chain(&after).map(|record| record.frame);
    assert!(frames.is_sorted(), "frame numbers start again");
    assert!(watch.end().success());
}

#[test]
fn a_camera_that_hangs_is_reported_and_does_not_disturb_others() {
    let Some(camera) = RtspCamera::start() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let hall = named("hall", &clip(&folder, "hall.mkv"));
    let door = format!("door={}", camera.uri("camera"));
    let watch = Watch::start(&[
        "--source",
        &door,
        "--source",
        &hall,
        "--stall-timeout",
        STALL_TIMEOUT,
    ]);
    watch.wait_for_records("door", 3);
    camera.set_hung(true);
    watch.wait_for_problem("door: ");
    watch.wait_for_records("hall", 5);
    camera.set_hung(false);
    watch.wait_for_records("door", 3);
}

#[test]
fn sources_that_never_existed_do_not_disturb_others() {
    let folder = tempfile::tempdir().unwrap();
    let hall = named("hall", &clip(&folder, "hall.mkv"));
    let text = folder.path().join("text.mkv");
    fs::write(&text, "no video").unwrap();
    let mut watch = Watch::start(&[
        "--source",
        &hall,
        "--source",
        &format!("absent=rtsp://127.0.0.1:{}/camera", free_port()),
        "--source",
        &named("file", &folder.path().join("absent.mkv")),
        "--source",
        &named("wrong", &text),
        "--source",
        "device=/dev/video99",
    ]);
    watch.wait_for_records("hall", 5);
    for source in ["absent", "file", "wrong", "device"] {
        watch.wait_for_problem(&format!("{source}: "));
        watch.wait_for_log(&format!("{source}: "));
    }
    assert!(!watch.get("/healthz").problem().contains("hall"));
    let metrics = watch.get("/metrics").text();
    assert!(
        metrics.contains("gst_attitude_source_up{source=\"hall\"} 1"),
        "{metrics}"
    );
    assert!(
        metrics.contains("gst_attitude_source_up{source=\"absent\"} 0"),
        "{metrics}"
    );
    assert!(watch.end().success());
}

#[test]
fn a_server_that_never_answers_counts_as_stalled() {
    let uri = format!("slow={}", serve_forever(Vec::new(), 0));
    let mut watch = Watch::start(&["--source", &uri, "--stall-timeout", STALL_TIMEOUT]);
    watch.wait_for_problem("slow: no video within 2s");
    wait_until("it is tried again", || watch.restarts("slow") >= 1.0);
    assert!(watch.end().success());
}

#[test]
fn wrong_sources_are_refused_at_once() {
    for (arguments, expected) in [
        (&[][..], "there is nothing to watch"),
        (&["nonsense://camera"], "cannot use nonsense://camera"),
        (&["a.mkv", "b/a.mkv"], "two sources are named a.mkv"),
        (&["--source", "rtsp://camera/?a=b"], "a name and an address"),
        (
            &["--listen", "camera:80", "a.mkv"],
            "an IP address and a port",
        ),
        (
            &["--output", "/nonexistent/a.jsonl", "a.mkv"],
            "cannot open /nonexistent/a.jsonl",
        ),
        (&["--publish", "abc://host", "a.mkv"], "abc"),
    ] {
        let problem = problem(arguments);
        assert!(problem.contains(expected), "{arguments:?}: {problem}");
    }
}

#[test]
fn passwords_are_neither_logged_nor_shown() {
    let uri = format!("rtsp://admin:secret@127.0.0.1:{}/camera", free_port());
    let mut watch = Watch::start(&[&uri]);
    watch.wait_for_problem("rtsp://127.0.0.1:");
    watch.wait_for_log("the command line contains the password of rtsp://127.0.0.1:");
    wait_until("it is tried again", || {
        watch.restarts(&uri.replace("admin:secret@", "")) >= 1.0
    });
    let shown = watch.get("/metrics").text() + &watch.get("/healthz").problem();
    assert!(!shown.contains("secret"), "{shown}");
    assert!(watch.end().success());
    assert_eq!(watch.log.find("secret"), None);
}
