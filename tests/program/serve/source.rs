// SPDX-License-Identifier: MPL-2.0

//! `serve SOURCE`: what is read once is seen by all, in step with what is told of it.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::watcher::Watcher;
use super::*;
use crate::support::{LAUNCH_CAPS, fixture};

/// What a browser takes as it is.
const BASELINE: &str = "x264enc bframes=0 key-int-max=10 speed-preset=ultrafast \
    ! video/x-h264,profile=baseline ! mp4mux";
const VP8: &str = "vp8enc deadline=1 cpu-used=8 keyframe-max-dist=10 ! webmmux";
const VP9: &str = "vp9enc deadline=1 cpu-used=8 keyframe-max-dist=10 ! webmmux";
/// With frames that lean on later ones, which WebRTC cannot carry.
const HIGH: &str = "x264enc bframes=2 b-adapt=false ! video/x-h264,profile=high ! mp4mux";

/// A clip of so many seconds, in which the tiny models see a positive face.
fn clip(folder: &TempDir, name: &str, seconds: u32, encoding: &str) -> PathBuf {
    let path = folder.path().join(name);
    let frames = 25 * seconds;
    play(&format!(
        "videotestsrc pattern=white num-buffers={frames} ! {LAUNCH_CAPS} ! {encoding} ! filesink location={}",
        path.display()
    ));
    path
}

/// Runs the pipeline of this description to its end.
fn play(description: &str) {
    let pipeline = gst::parse::launch(description).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let end = [gst::MessageType::Eos, gst::MessageType::Error];
    let message = pipeline
        .bus()
        .unwrap()
        .timed_pop_filtered(gst::ClockTime::NONE, &end);
    pipeline.set_state(gst::State::Null).unwrap();
    let message = message.unwrap();
    assert!(message.type_() == gst::MessageType::Eos, "{message:?}");
}

fn serve(source: impl AsRef<Path>) -> Server {
    Server::start(&[source.as_ref().to_str().unwrap()])
}

#[test]
fn viewers_see_a_recording_and_the_same_records_to_its_end() {
    if !has_webrtc() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = serve(clip(&folder, "talk.mp4", 8, BASELINE));
    assert_eq!(server.get("/settings").json()["source"], "talk.mp4");
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
        viewer.assert_in_step();
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
    let samples = first.heard("samples");
    assert!(samples.len() > 20, "{}", samples.len());
    assert_eq!(samples[3]["faces"][0]["attitude"], "positive");
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
fn what_a_browser_takes_is_sent_as_it_is_and_all_else_as_vp8() {
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
        viewer.assert_in_step();
    }
}

#[test]
fn a_recording_that_lies_on_its_side_is_turned() {
    if !has_webrtc() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = clip(&folder, "phone.mp4", 2, BASELINE);
    lay_down(&path);
    let server = serve(&path);
    let viewer = Watcher::new(&server);
    assert_eq!(viewer.encoding(), "VP8");
    viewer.watch(10);
    viewer.assert_in_step();
    let record = viewer.heard("frames").remove(0);
    assert_eq!(
        (&record["width"], &record["height"]),
        (&json!(192), &json!(320))
    );
}

/// Has an MP4 file say that a quarter turn is missing.
fn lay_down(path: &Path) {
    let mut file = fs::read(path).unwrap();
    let header = file.windows(4).position(|name| name == b"tkhd").unwrap();
    let matrix = header + 4 + 40;
    let rows: [i32; 6] = [0, 1 << 16, 0, -(1 << 16), 0, 0];
    for (place, number) in rows.into_iter().enumerate() {
        file[matrix + 4 * place..][..4].copy_from_slice(&number.to_be_bytes());
    }
    fs::write(path, file).unwrap();
}

#[test]
fn a_large_picture_is_made_smaller() {
    if !has_webrtc() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = clip(&folder, "talk.mp4", 2, HIGH);
    let server = Server::start(&["--max-size", "160x160", path.to_str().unwrap()]);
    let viewer = Watcher::new(&server);
    viewer.watch(10);
    let record = viewer.heard("frames").remove(0);
    assert_eq!(
        (&record["width"], &record["height"]),
        (&json!(160), &json!(96))
    );
}

#[test]
fn who_wants_no_analysis_is_told_nothing_and_others_are() {
    if !has_webrtc() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = serve(clip(&folder, "talk.mp4", 30, BASELINE));
    let (deaf, other) = (Watcher::new(&server), Watcher::new(&server));
    deaf.watch(5);
    other.watch(5);
    deaf.say(&json!({"analysis": false}));
    // What is on its way still comes.
    other.watch(other.frames().len() + 10);
    let told = deaf.frames().len();
    other.watch(other.frames().len() + 25);
    assert_eq!(deaf.frames().len(), told);
    deaf.say(&json!({"analysis": true}));
    deaf.watch(told + 5);
}

/// An RTSP server's live camera.
struct Camera {
    server: Child,
    port: u16,
}

impl Camera {
    /// `None`, and a message, where Debian's packages for it are not there.
    fn start() -> Option<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let script = project("tests/support/rtsp_server.py");
        let mut server = Command::new("/usr/bin/python3")
            .arg(script)
            .arg(port.to_string())
            .arg(fixture("positive.png"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
        let Some(Ok(_)) = lines.next() else {
            println!("skipped: Python has no GstRtspServer");
            let _ = server.wait();
            return None;
        };
        Some(Self { server, port })
    }

    /// Connections that are open to it.
    fn connections(&self) -> usize {
        let table = fs::read_to_string("/proc/net/tcp").unwrap();
        let remote = format!("0100007F:{:04X}", self.port);
        let is_open = |line: &&str| {
            let mut fields = line.split_whitespace().skip(2);
            fields.next() == Some(&remote) && fields.next() == Some("01")
        };
        table.lines().filter(is_open).count()
    }

    fn stop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        self.stop();
    }
}

#[test]
fn a_live_stream_is_read_while_somebody_looks() {
    if !has_webrtc() || gst::ElementFactory::find("rtspsrc").is_none() {
        return;
    }
    let Some(mut camera) = Camera::start() else {
        return;
    };
    let address = format!(
        "rtsp://user:secret@127.0.0.1:{}/camera?key=secret",
        camera.port
    );
    let server = serve(address);
    let told = format!("rtsp://127.0.0.1:{}/camera", camera.port);
    assert_eq!(server.get("/settings").json()["source"], told.as_str());
    assert_eq!(camera.connections(), 0);

    let first = Watcher::new(&server);
    assert_eq!(first.encoding(), "H264");
    first.watch(25);
    let second = Watcher::new(&server);
    second.watch(25);
    assert!(camera.connections() > 0);
    for viewer in [first, second] {
        viewer.assert_in_step();
        assert_eq!(server.close(&viewer.id).status, 204);
    }
    assert!(wait_until(|| camera.connections() == 0), "it is still read");

    let viewer = Watcher::new(&server);
    viewer.watch(10);
    camera.stop();
    let ending = viewer.ending();
    assert_eq!(ending["reason"], "failed");
    let problem = ending["problem"].as_str().unwrap();
    assert!(problem.starts_with(&told), "{problem}");
    let refused = server.send(&Request::new("POST", "/sessions"));
    assert_eq!(refused.status, 502);
    assert!(
        refused.problem().starts_with(&told),
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
fn a_live_stream_that_webrtc_cannot_carry_is_encoded() {
    if !has_webrtc() || gst::ElementFactory::find("rtspsrc").is_none() {
        return;
    }
    let Some(camera) = Camera::start() else {
        return;
    };
    let server = serve(format!("rtsp://127.0.0.1:{}/film", camera.port));
    let viewer = Watcher::new(&server);
    assert_eq!(viewer.encoding(), "VP8");
    viewer.watch(25);
    viewer.assert_in_step();
}

#[test]
fn what_cannot_be_shown_is_told() {
    if !has_webrtc() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (source, told) in [
        ("/nowhere.mp4", "/nowhere.mp4: No such file"),
        (
            folder.path().to_str().unwrap(),
            "neither a file nor a camera",
        ),
        ("nosuch://user:secret@here", "nosuch://here: "),
    ] {
        let problem = problem(&[source]);
        assert!(problem.contains(told), "{problem}");
        assert!(!problem.contains("secret"), "{problem}");
    }
    let text = folder.path().join("letter.mp4");
    fs::write(&text, "Dear Sir or Madam, this is no video.\n".repeat(100)).unwrap();
    let sound = folder.path().join("song.mka");
    let tone = "audiotestsrc num-buffers=50 ! audioconvert ! vorbisenc ! matroskamux";
    play(&format!("{tone} ! filesink location={}", sound.display()));
    for (path, told) in [(text, "letter.mp4: "), (sound, "song.mka: ")] {
        let mut server = serve(path);
        // A second one tries anew.
        for _ in 0..2 {
            let answer = server.send(&Request::new("POST", "/sessions"));
            assert_eq!(answer.status, 502);
            assert!(answer.problem().starts_with(told), "{}", answer.problem());
        }
        server.assert_serves();
    }
}

#[test]
fn the_server_ends_with_its_source() {
    if !has_webrtc() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut server = serve(clip(&folder, "talk.mp4", 10, BASELINE));
    let viewer = Watcher::new(&server);
    viewer.watch(10);
    server.signal("-TERM");
    assert_eq!(viewer.ending()["reason"], "shutdown");
    assert!(server.end().success(), "{}", server.said());
}
