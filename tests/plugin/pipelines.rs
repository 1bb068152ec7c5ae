// SPDX-License-Identifier: MPL-2.0

//! Tests of the scripts in `pipelines/`, run as a user runs them, with average faces instead of
//! cameras. If Debian's packages for one are missing, its test is skipped.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::*;

/// Side of the frames of [`face`], in pixels.
const SIDE: usize = 240;

/// Returns a command that runs a program with the plugin and ends it after a minute, so that a test
/// does not hang. Without `--foreground`, a signal would reach the program twice.
fn command(program: &Path, folder: &TempDir) -> Command {
    let bin = tempfile::tempdir_in(folder).unwrap().keep();
    let mut command = with_plugin("timeout", &bin);
    command
        .args(["--foreground", "--kill-after=5", "60"])
        .arg(program)
        .current_dir(folder)
        .stdin(Stdio::null());
    command
}

fn script(name: &str, folder: &TempDir) -> Command {
    command(&project("pipelines").join(name), folder)
}

/// Returns elements that produce `frames` frames of an average face.
fn face(attitude: &str, frames: u32) -> String {
    format!(
        "filesrc location={} ! pngdec ! imagefreeze num-buffers={frames} ! videoscale ! \
         video/x-raw,width={SIDE},height={SIDE},framerate=25/1",
        fixture(&format!("{attitude}.png")).display()
    )
}

fn succeeds(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:#?}");
    output
}

/// Returns `true` if Debian's Python has the bindings of `namespaces` and GStreamer has `element`;
/// otherwise prints a message.
fn has(namespaces: &[&str], element: &str) -> bool {
    init();
    let has_element = gst::ElementFactory::find(element).is_some();
    if !has_element {
        println!("skipped: this GStreamer has no {element}");
    }
    has_element && has_bindings(namespaces)
}

/// Returns the attitudes in a file of JSON lines.
fn attitudes(lines: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(lines).unwrap();
    let records = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    records.flat_map(|record| attitudes_of(&record)).collect()
}

fn attitudes_of(record: &Value) -> Vec<String> {
    let faces = record["faces"].as_array().unwrap().iter();
    faces
        .map(|face| face["attitude"].as_str().unwrap().to_owned())
        .collect()
}

/// Returns the attitude that has most pixels of its color within a square of a frame in BGRx.
fn drawn_attitude(
    frame: &[u8],
    width: usize,
    (left, top): (usize, usize),
    side: usize,
) -> &'static str {
    let count = |color: [u8; 3]| {
        let rows = top..top + side;
        let places = rows.flat_map(|y| (left..left + side).map(move |x| (y * width + x) * 4));
        places
            // Encoders and scalers shift colors.
            .filter(|at| (0..3).all(|c| frame[at + 2 - c].abs_diff(color[c]) < 40))
            .count()
    };
    ["positive", "neutral", "negative"]
        .into_iter()
        .max_by_key(|attitude| count(overlay_color(attitude)))
        .unwrap()
}

/// Returns the frames of a file, or the buffers of one of its streams.
fn buffers(file: &Path, decoder: &str) -> Vec<Vec<u8>> {
    let played = Played::launch(&format!(
        "filesrc location={} ! {decoder} ! appsink name=sink",
        file.display()
    ));
    played.map(|buffer| bytes(&buffer)).collect()
}

const TO_BGRX: &str = "decodebin ! videoconvert ! video/x-raw,format=BGRx";

/// Returns the command in a section of the plugin's documentation.
fn documented_command(heading: &str) -> String {
    let text = std::fs::read_to_string(project("src/plugin/README.md")).unwrap();
    let (_, section) = text.split_once(&format!("### {heading}\n")).unwrap();
    let (_, block) = section.split_once("```sh\n").unwrap();
    block.split_once("```").unwrap().0.to_owned()
}

#[test]
fn the_pipeline_of_everything_in_one_pass_ends_although_the_video_begins_late() {
    if !has(&[], "x264enc") || !has(&[], "avenc_aac") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    run_pipeline(&format!(
        "videotestsrc num-buffers=100 timestamp-offset=3000000000 ! video/x-raw,width=320,height=192,framerate=25/1 \
         ! x264enc ! mp4mux name=muxer ! filesink location={} \
         audiotestsrc num-buffers=300 ! audioconvert ! avenc_aac ! muxer.",
        folder.path().join("interview.mp4").display()
    ));
    let pipeline = documented_command("Everything in one pass");
    succeeds(command(Path::new("bash"), &folder).args(["-c", &pipeline]));
    let lines = |name: &str| {
        let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
        text.lines().count()
    };
    assert_eq!(lines("faces.jsonl"), 20);
    assert!(lines("faces.csv") > 0 && lines("faces.vtt") > 0);
    assert_eq!(
        buffers(&folder.path().join("drawn.mp4"), TO_BGRX).len(),
        100
    );
}

#[test]
fn webcam_passes_frames_with_attitudes_to_its_sink() {
    for attitude in ["positive", "neutral", "negative"] {
        let folder = tempfile::tempdir().unwrap();
        succeeds(
            script("webcam.sh", &folder)
                .arg(face(attitude, 25))
                .env("SINK", "tee name=t t. ! queue ! attitudeexport ! filesink location=lines t. ! queue ! videoconvert ! pngenc ! multifilesink location=%d.png"),
        );
        assert_eq!(attitudes(&folder.path().join("lines")), [attitude; 5]);
        let frames = buffers(&folder.path().join("20.png"), TO_BGRX);
        let drawn = drawn_attitude(&frames[0], SIDE, (0, 0), SIDE);
        assert_eq!(drawn, attitude);
    }
}

#[test]
fn subtitles_are_in_the_file_beside_the_video() {
    let folder = tempfile::tempdir().unwrap();
    succeeds(script("subtitles.sh", &folder).args([&face("negative", 50), "a b.mkv"]));
    let file = folder.path().join("a b.mkv");
    let renamed = folder.path().join("video");
    std::fs::rename(file, &renamed).unwrap();
    assert_eq!(buffers(&renamed, TO_BGRX).len(), 50);
    let texts = buffers(&renamed, "matroskademux ! text/x-raw");
    assert!(!texts.is_empty());
    for text in texts {
        assert_eq!(String::from_utf8(text).unwrap(), "#1 negative");
    }
}

#[test]
fn tee_records_the_video_of_the_camera_and_the_attitudes() {
    let folder = tempfile::tempdir().unwrap();
    let camera = format!("{} ! jpegenc", face("neutral", 50));
    succeeds(
        script("tee.sh", &folder)
            .args([&camera, "desk"])
            .env("SINK", "fakesink"),
    );
    let recorded = buffers(
        &folder.path().join("desk.mkv"),
        "matroskademux ! image/jpeg",
    );
    let expected: Vec<_> = Played::launch(&format!("{camera} ! appsink name=sink"))
        .map(|buffer| bytes(&buffer))
        .collect();
    assert_eq!(expected.len(), 50);
    assert!(recorded == expected, "the recording differs");
    assert_eq!(
        attitudes(&folder.path().join("desk.jsonl")),
        ["neutral"; 10]
    );
}

#[test]
fn meeting_shows_each_participant_in_a_tile_with_its_own_attitude() {
    let folder = tempfile::tempdir().unwrap();
    succeeds(
        script("meeting.sh", &folder)
            .args(["positive", "neutral", "negative"].map(|attitude| face(attitude, 10)))
            .env(
                "SINK",
                "videoconvert ! video/x-raw,format=BGRx ! filesink location=raw",
            ),
    );
    let raw = std::fs::read(folder.path().join("raw")).unwrap();
    let (width, height) = (2 * 480, 2 * 270);
    let frame = raw.chunks_exact(4 * width * height).nth(6).unwrap();
    let drawn = [(105, 0), (585, 0), (105, 270)]
        .map(|place| drawn_attitude(frame, width, place, 270).to_owned());
    assert_eq!(drawn, ["positive", "neutral", "negative"]);
}

/// A child process that is killed at the end of the test.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Self {
        Self(command.stdout(Stdio::piped()).spawn().unwrap())
    }

    fn lines(&mut self) -> impl Iterator<Item = String> + use<> {
        let stdout = BufReader::new(self.0.stdout.take().unwrap());
        stdout.lines().map(Result::unwrap)
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill")
            .args([signal, &self.0.id().to_string()])
            .status();
        assert!(status.unwrap().success());
    }

    fn wait(mut self) -> ExitStatus {
        self.0.wait().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a server whose camera shows an average face, and which writes published streams to
/// `file`.
fn serve(port: u16, attitude: &str, file: &Path) -> Running {
    let mut server = Running::start(
        Command::new(project("tests/support/rtsp_server.py"))
            .arg(port.to_string())
            .args([&fixture(&format!("{attitude}.png")), file]),
    );
    assert_eq!(server.lines().next().as_deref(), Some("ready"));
    server
}

#[test]
fn rtsp_publishes_the_annotated_video_of_a_camera() {
    if !has(&["Gst", "GstRtspServer"], "rtspclientsink") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("published.mkv");
    let port = free_port();
    let _server = serve(port, "negative", &file);
    let url = format!("rtsp://127.0.0.1:{port}");
    let mut pipeline = Running::start(
        script("rtsp.sh", &folder)
            .arg(format!("{url}/camera"))
            .arg(format!("{url}/published")),
    );
    let size = || std::fs::metadata(&file).map_or(0, |data| data.len());
    while size() < 50_000 {
        assert_eq!(pipeline.0.try_wait().unwrap(), None, "the script has ended");
        std::thread::sleep(Duration::from_millis(50));
    }
    pipeline.signal("-INT");
    let status = pipeline.wait();
    assert!(status.success(), "{status}");
    let frames = buffers(&file, TO_BGRX);
    let last = frames.last().unwrap();
    assert_eq!(drawn_attitude(last, SIDE, (0, 0), SIDE), "negative");
}

/// Checks a program that takes `add` and `remove`, while its camera appears, disappears and hangs.
fn check_streams(program: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let unused = folder.path().join("published.mkv");
    let mut streams = Running::start(command(program, &folder).stdin(Stdio::piped()));
    let mut stdin = streams.0.stdin.take().unwrap();
    let mut lines = streams.lines().map(|line| {
        println!("{line}");
        serde_json::from_str::<Value>(&line).unwrap()
    });
    let url = format!("rtsp://127.0.0.1:{port}/camera");
    // Returns the next event of this kind.
    let mut until = |name: &str, event: &str| {
        lines
            .find(|line| line["stream"] == name && line["event"] == event)
            .expect("the program has ended")
    };

    // The camera does not exist yet.
    writeln!(stdin, "add a {url}").unwrap();
    until("a", "lost");
    let server = serve(port, "positive", &unused);
    until("a", "live");
    let faces = until("a", "faces");
    assert_eq!(attitudes_of(&faces), ["positive"]);

    drop(server);
    until("a", "lost");
    let server = serve(port, "negative", &unused);
    until("a", "live");
    let faces = until("a", "faces");
    assert_eq!(attitudes_of(&faces), ["negative"]);
    assert_eq!(faces["faces"][0]["track"], 1);

    // A second stream, whose camera stays, is not affected by the first one.
    let other_port = free_port();
    let _other = serve(other_port, "neutral", &unused);
    writeln!(stdin, "add b rtsp://127.0.0.1:{other_port}/camera").unwrap();
    assert_eq!(attitudes_of(&until("b", "faces")), ["neutral"]);
    server.signal("-STOP");
    let reason = until("a", "lost")["reason"].to_string();
    assert!(reason.contains("Watchdog"), "{reason}");
    server.signal("-CONT");
    until("a", "live");

    writeln!(stdin, "remove a").unwrap();
    writeln!(stdin, "remove b").unwrap();
    writeln!(stdin, "add c {url}").unwrap();
    assert_eq!(attitudes_of(&until("c", "faces")), ["negative"]);
    drop(stdin);
    let rest: Vec<_> = lines.collect();
    assert!(rest.iter().all(|line| line["event"] != "lost"), "{rest:?}");
    // With GST_TRACERS=leaks and G_DEBUG=fatal_warnings, this checks for leaks too.
    assert!(streams.wait().success());
}

#[test]
fn streams_in_python_can_be_added_and_removed_and_survive_their_cameras() {
    if has(&["Gst", "GstRtspServer"], "rtspsrc") {
        check_streams(&project("pipelines/streams.py"));
    }
}

#[test]
fn streams_in_rust_can_be_added_and_removed_and_survive_their_cameras() {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().unwrap().with_file_name("examples/streams");
    if !program.exists() {
        println!("skipped: cargo test --test builds no examples");
    } else if has(&["Gst", "GstRtspServer"], "rtspsrc") {
        check_streams(&program);
    }
}

#[test]
fn webrtc_receives_the_attitudes_on_the_data_channel() {
    if !has(&["Gst", "GstSdp", "GstWebRTC"], "nicesrc") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // Live, until the attitude has been received.
    let source = face("positive", 1500).replace("imagefreeze", "imagefreeze is-live=true");
    let mut webrtc = Running::start(script("webrtc.py", &folder).arg(source));
    let line = webrtc.lines().next().expect("the program has ended");
    let record = serde_json::from_str(&line).unwrap();
    assert_eq!(attitudes_of(&record), ["positive"]);
    webrtc.signal("-TERM");
}

#[test]
fn a_failing_script_prints_the_error_and_exits_with_a_failure() {
    for (name, arguments, problem) in [
        ("webcam.sh", &["a", "b"][..], "only one quoted source"),
        ("webcam.sh", &["filesrc location=/nowhere"], "/nowhere"),
        ("webcam.sh", &["nosuchelement"], "nosuchelement"),
        ("rtsp.sh", &["/dev/video0"], "the URLs of a camera"),
        ("tee.sh", &["v4l2src"], "a quoted source and a name"),
        ("tee.sh", &["filesrc location=/nowhere", "x"], "/nowhere"),
        ("subtitles.sh", &[], "a quoted source and a file"),
        ("meeting.sh", &[], "at least one quoted source"),
        ("streams.py", &["x"], "unrecognized arguments: x"),
        ("webrtc.py", &["x", "y"], "unrecognized arguments: y"),
        ("webrtc.py", &["filesrc location=/nowhere"], "/nowhere"),
        ("webrtc.py", &["nosuchelement"], "nosuchelement"),
    ] {
        if name.ends_with(".py") && !has(&["Gst", "GstSdp", "GstWebRTC"], "nicesrc") {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let output = script(name, &folder)
            .args(arguments)
            .env("SINK", "fakesink")
            .output()
            .unwrap();
        let code = output.status.code();
        assert!(matches!(code, Some(1 | 2 | 255)), "{output:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(problem), "{name} {arguments:?}: {text}");
        let has_source_position = name.ends_with(".py") && text.contains(".c(");
        assert!(!has_source_position, "{name} {arguments:?}: {text}");
    }
    let folder = tempfile::tempdir().unwrap();
    let output = script("webcam.sh", &folder)
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("a window requires a display"), "{text}");
}
