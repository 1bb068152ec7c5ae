// SPDX-License-Identifier: MPL-2.0

//! `serve SOURCE`: all viewers see the same video, synchronized with its results.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::watcher::Watcher;
use super::*;
use crate::support::{LAUNCH_CAPS, requests, serve_forever, webhook};

/// Encoding that browsers play without transcoding.
const BASELINE: &str = "x264enc bframes=0 key-int-max=10 speed-preset=ultrafast \
    ! video/x-h264,profile=baseline ! mp4mux";
const VP8: &str = "vp8enc deadline=1 cpu-used=8 keyframe-max-dist=10 ! webmmux";
const VP9: &str = "vp9enc deadline=1 cpu-used=8 keyframe-max-dist=10 ! webmmux";
/// Encoding with B-frames, which WebRTC does not support.
const HIGH: &str = "x264enc bframes=2 b-adapt=false ! video/x-h264,profile=high ! mp4mux";

/// Writes a clip in which the tiny models find a positive face.
fn clip(folder: &TempDir, name: &str, seconds: u32, encoding: &str) -> PathBuf {
    let path = folder.path().join(name);
    let frames = 25 * seconds;
    run_pipeline(&format!(
        "videotestsrc pattern=white num-buffers={frames} ! {LAUNCH_CAPS} ! {encoding} ! filesink location={}",
        path.display()
    ));
    path
}

fn serve(source: impl AsRef<Path>) -> Server {
    Server::start(&[source.as_ref().to_str().unwrap()])
}

#[test]
fn all_viewers_receive_the_same_records_of_a_recording_until_its_end() {
    if !has_webrtc() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = serve(clip(&folder, "talk.mp4", 8, BASELINE));
    let settings = server.get("/settings").json();
    assert_eq!(settings["source"], "talk.mp4");
    assert_eq!(settings["is_recording"], true);
    assert_eq!(settings["joining"]["pause_s"], 10.0);
    let first = Watcher::new(&server);
    assert_eq!(first.encoding(), "H264");
    first.watch(25);
    assert_eq!(
        first.timestamps().first(),
        Some(&0),
        "not from the beginning"
    );
    let second = Watcher::new(&server);
    for viewer in [&first, &second] {
        assert_eq!(viewer.ending()["reason"], "ended");
        viewer.assert_synchronized();
    }
    let (early, late) = (first.frames(), second.frames());
    assert!(late.len() >= 50, "{}", late.len());
    for (timestamp, record) in &late {
        assert_eq!(Some(record), early.get(timestamp));
        assert_eq!(
            (&record["width"], &record["height"]),
            (&json!(320), &json!(192))
        );
    }
    let samples = first.messages("samples");
    assert!(samples.len() > 20, "{}", samples.len());
    // The attitude of a white face is unknown, since its quality is low.
    let scores = &samples[3]["faces"][0]["scores"];
    assert!(scores["positive"].as_f64() > Some(0.9), "{scores}");
    drop((first, second));

    let next = Watcher::new(&server);
    next.watch(10);
    assert_eq!(
        next.timestamps().first(),
        Some(&0),
        "not from the beginning"
    );
}

#[test]
fn a_recording_is_transcoded_to_vp8_only_if_browsers_cannot_play_it() {
    if !has_webrtc() {
        return;
    }
    for (name, encoding, offered) in [
        ("a.webm", VP8, "VP8"),
        ("b.webm", VP9, "VP9"),
        ("c.mp4", HIGH, "VP8"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let server = serve(clip(&folder, name, 3, encoding));
        let viewer = Watcher::new(&server);
        assert_eq!(viewer.encoding(), offered, "{name}");
        viewer.watch(30);
        viewer.assert_synchronized();
    }
}

#[test]
fn a_rotated_recording_is_shown_upright() {
    if !has_webrtc() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = clip(&folder, "phone.mp4", 2, BASELINE);
    turn_mp4(&path);
    let server = serve(&path);
    let viewer = Watcher::new(&server);
    assert_eq!(viewer.encoding(), "VP8");
    viewer.watch(10);
    viewer.assert_synchronized();
    let record = viewer.messages("frames").remove(0);
    assert_eq!(
        (&record["width"], &record["height"]),
        (&json!(192), &json!(320))
    );
}

#[test]
fn a_large_video_is_scaled_down_to_the_limit() {
    if !has_webrtc() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = clip(&folder, "talk.mp4", 2, HIGH);
    let server = Server::start(&["--max-size", "160x160", path.to_str().unwrap()]);
    let viewer = Watcher::new(&server);
    viewer.watch(10);
    let record = viewer.messages("frames").remove(0);
    assert_eq!(
        (&record["width"], &record["height"]),
        (&json!(160), &json!(96))
    );
}

#[test]
fn a_viewer_can_turn_results_off_without_affecting_others() {
    if !has_webrtc() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = serve(clip(&folder, "talk.mp4", 30, BASELINE));
    let (muted, other) = (Watcher::new(&server), Watcher::new(&server));
    muted.watch(5);
    other.watch(5);
    muted.send(&json!({"analysis": false}));
    // Results that were already on their way still arrive.
    other.watch(other.frames().len() + 10);
    let before = muted.frames().len();
    other.watch(other.frames().len() + 25);
    assert_eq!(muted.frames().len(), before);
    muted.send(&json!({"analysis": true}));
    muted.watch(before + 5);
}

/// Returns the number of open connections to a server of this machine.
fn connections_to(port: u16) -> usize {
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let remote = format!("0100007F:{port:04X}");
    let is_open = |line: &&str| {
        let mut fields = line.split_whitespace().skip(2);
        fields.next() == Some(&remote) && fields.next() == Some("01")
    };
    table.lines().filter(is_open).count()
}

#[test]
fn a_live_stream_is_read_only_while_it_has_viewers() {
    if !has_webrtc() || gst::ElementFactory::find("rtspsrc").is_none() {
        return;
    }
    let Some(mut camera) = RtspCamera::start() else {
        return;
    };
    let address = format!(
        "rtsp://user:secret@127.0.0.1:{}/camera?key=secret",
        camera.port
    );
    let server = serve(address);
    let shown = format!("rtsp://127.0.0.1:{}/camera", camera.port);
    let settings = server.get("/settings").json();
    assert_eq!(settings["source"], shown.as_str());
    assert_eq!(settings["is_recording"], false);
    assert_eq!(connections_to(camera.port), 0);

    let first = Watcher::new(&server);
    assert_eq!(first.encoding(), "H264");
    first.watch(25);
    let second = Watcher::new(&server);
    second.watch(25);
    assert!(connections_to(camera.port) > 0);
    for viewer in [first, second] {
        viewer.assert_synchronized();
        assert_eq!(server.close(&viewer.id).status, 204);
    }
    assert!(
        wait_until(|| connections_to(camera.port) == 0),
        "the stream is still read"
    );

    let viewer = Watcher::new(&server);
    viewer.watch(10);
    camera.kill();
    let ending = viewer.ending();
    assert_eq!(ending["reason"], "failed");
    let problem = ending["problem"].as_str().unwrap();
    assert!(problem.starts_with(&shown), "{problem}");
    let refused = server.send(&Request::new("POST", "/sessions"));
    assert_eq!(refused.status, 502);
    assert!(
        refused.problem().starts_with(&shown),
        "{}",
        refused.problem()
    );
    assert!(
        !refused.problem().contains("secret"),
        "{}",
        refused.problem()
    );
}

#[test]
fn a_live_stream_that_webrtc_does_not_support_is_transcoded() {
    if !has_webrtc() || gst::ElementFactory::find("rtspsrc").is_none() {
        return;
    }
    let Some(camera) = RtspCamera::start() else {
        return;
    };
    let server = serve(format!("rtsp://127.0.0.1:{}/film", camera.port));
    let viewer = Watcher::new(&server);
    assert_eq!(viewer.encoding(), "VP8");
    viewer.watch(25);
    viewer.assert_synchronized();
}

#[test]
fn a_source_that_cannot_be_shown_is_reported() {
    if !has_webrtc() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("letter.mp4");
    write_letter(&text);
    let sound = folder.path().join("song.mka");
    let tone = "audiotestsrc num-buffers=50 ! audioconvert ! vorbisenc ! matroskamux";
    run_pipeline(&format!("{tone} ! filesink location={}", sound.display()));
    for (source, expected) in [
        ("/nowhere.mp4", "/nowhere.mp4: No such file"),
        (
            folder.path().to_str().unwrap(),
            "neither a file nor a camera",
        ),
        ("nosuch://user:secret@here", "nosuch://here: "),
        (
            text.to_str().unwrap(),
            "the source cannot be shown: letter.mp4: ",
        ),
        (
            sound.to_str().unwrap(),
            "the source cannot be shown: song.mka: ",
        ),
    ] {
        let problem = problem(&["--listen", "127.0.0.1:0", source]);
        assert!(problem.contains(expected), "{problem}");
        assert!(!problem.contains("secret"), "{problem}");
    }
}

fn write_letter(path: &Path) {
    fs::write(path, "Dear Sir or Madam, this is no video.\n".repeat(100)).unwrap();
}

#[test]
fn a_recording_that_becomes_unreadable_is_reported_to_each_visitor() {
    if !has_webrtc() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = clip(&folder, "talk.mp4", 1, BASELINE);
    let mut server = serve(&path);
    write_letter(&path);
    // The second request tries again.
    for _ in 0..2 {
        let response = server.send(&Request::new("POST", "/sessions"));
        assert_eq!(response.status, 502);
        // Pages do not try again by themselves.
        assert_eq!(response.header("Retry-After"), None);
        let problem = response.problem();
        assert!(problem.starts_with("talk.mp4: "), "{problem}");
    }
    server.assert_serves();
}

#[test]
fn a_recording_that_fails_while_it_plays_is_not_played_again() {
    if !has_webrtc() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = clip(&folder, "talk.webm", 20, VP8);
    let server = serve(&path);
    let viewer = Watcher::new(&server);
    viewer.watch(10);
    // The file is read in parts while it plays.
    let length = fs::metadata(&path).unwrap().len();
    fs::write(&path, vec![0xff; length as usize]).unwrap();
    let ending = viewer.ending();
    assert!(
        ["unplayable", "ended"].contains(&ending["reason"].as_str().unwrap()),
        "{ending}"
    );
}

#[test]
fn a_stream_that_never_responds_does_not_delay_the_end_of_the_server() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let mut server = Server::start(&[&format!("http://{address}/talk.mp4")]);
    let request = Request::new("POST", "/sessions").bytes("127.0.0.1");
    let mut visitor = client::connect(server.address());
    std::io::Write::write_all(&mut visitor, &request).unwrap();
    let _connection = silent.accept().unwrap();
    server.signal("-TERM");
    let begin = Instant::now();
    assert_eq!(server.end().code(), Some(0), "{}", server.output());
    let passed = begin.elapsed();
    assert!(passed < Duration::from_secs(20), "{passed:?}");
}

#[test]
fn a_stream_that_stalls_ends_with_the_reason() {
    if !has_webrtc() || gst::ElementFactory::find("souphttpsrc").is_none() {
        println!("skipped: webrtcbin or souphttpsrc is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let content = fs::read(clip(&folder, "talk.webm", 8, VP8)).unwrap();
    let len = content.len();
    let address = serve_forever(content[..len / 2].to_vec(), len);
    let server = Server::start(&[&address, "--stall-timeout", "2s"]);
    let viewer = Watcher::new(&server);
    viewer.watch(10);
    let ending = viewer.ending();
    assert_eq!(ending["reason"], "failed", "{ending}");
    let problem = ending["problem"].as_str().unwrap();
    assert!(
        problem.ends_with("stalled: no new frame for 2s"),
        "{problem}"
    );
}

#[test]
fn a_stream_that_is_down_does_not_keep_the_server_from_starting() {
    if !has_webrtc() {
        return;
    }
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let server = Server::start(&[&format!("http://{address}/talk.mp4")]);
    let response = server.send(&Request::new("POST", "/sessions"));
    assert_eq!(response.status, 502, "{}", response.text());
    assert!(response.header("Retry-After").is_some());
}

#[test]
fn viewers_of_a_source_are_informed_when_the_server_shuts_down() {
    if !has_webrtc() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut server = serve(clip(&folder, "talk.mp4", 10, BASELINE));
    let viewer = Watcher::new(&server);
    viewer.watch(10);
    server.signal("-TERM");
    assert_eq!(viewer.ending()["reason"], "shutdown");
    assert!(server.end().success(), "{}", server.output());
}

#[test]
fn samples_are_published_with_the_name_of_the_source() {
    let Some(mut receiver) = webhook("") else {
        return;
    };
    if !has_webrtc() {
        return;
    }
    receiver.start();
    let folder = tempfile::tempdir().unwrap();
    let talk = clip(&folder, "talk.mp4", 3, BASELINE);
    let uri = format!("http://127.0.0.1:{}/hook#batch-ms=50", receiver.port);
    let server = Server::start(&[
        talk.to_str().unwrap(),
        "--publish",
        &uri,
        "--tags",
        "floor=2",
    ]);
    let viewer = Watcher::new(&server);
    assert_eq!(viewer.ending()["reason"], "ended");
    let samples = viewer.messages("samples");
    let published = || -> Vec<Value> {
        let requests = requests(receiver.folder.path()).into_iter();
        let bodies = requests.map(|request| request["body"].as_str().unwrap().to_owned());
        bodies
            .flat_map(|body| serde_json::from_str::<Vec<Value>>(&body).unwrap())
            .collect()
    };
    assert!(wait_until(|| published().len() >= samples.len()));
    for mut record in published() {
        let fields = record.as_object_mut().unwrap();
        assert_eq!(fields.remove("source"), Some(json!("talk.mp4")));
        assert_eq!(fields.remove("tags"), Some(json!({ "floor": "2" })));
        if record["frame"].as_u64() >= samples[0]["frame"].as_u64() {
            assert!(samples.contains(&record), "{record}");
        }
    }
}
