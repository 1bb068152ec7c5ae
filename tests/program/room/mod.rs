// SPDX-License-Identifier: MPL-2.0

//! Tests of `gst-attitude room` with a real Janus server, and participants with `webrtcbin` and
//! with a browser.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::serve::client::{self, Request};
use crate::support::*;

mod janus;
mod moderator;

mod browser;
mod failures;
mod participants;
mod refusals;

use janus::{Janus, ROOM, ROOM_WITH_PIN, SMALL_ROOM};

type Lines = Arc<Mutex<Vec<String>>>;

/// A running member.
struct Member {
    child: Child,
    records: Lines,
    log: Lines,
}

impl Member {
    /// Starts the program in a room of `janus`.
    fn start(janus: &Janus, arguments: &[&str]) -> Self {
        Self::run(command(&janus.url(), ROOM).args(arguments))
    }

    fn run(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let records = collect(child.stdout.take().unwrap());
        let log = collect(child.stderr.take().unwrap());
        Self {
            child,
            records,
            log,
        }
    }

    /// Returns the records so far.
    fn records(&self) -> Vec<Value> {
        let lines = self.records.lock().unwrap();
        let records = lines.iter();
        records
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Returns the number of records of a participant so far.
    fn count(&self, name: &str) -> usize {
        let records = self.records();
        records
            .iter()
            .filter(|record| record["source"] == name)
            .count()
    }

    /// Waits for further records of a participant.
    #[track_caller]
    fn wait_for(&self, name: &str) {
        let before = self.count(name);
        wait_until(&format!("records of {name}; {}", self.log()), || {
            self.count(name) > before + 2
        });
    }

    fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    /// Waits until the log contains `text`.
    #[track_caller]
    fn wait_for_log(&self, text: &str) {
        self.wait_for_logs(text, 1);
    }

    /// Waits until the log contains `text` several times.
    #[track_caller]
    fn wait_for_logs(&self, text: &str, times: usize) {
        wait_until(&format!("'{text}' in the log"), || {
            self.log().matches(text).count() >= times
        });
    }

    /// Waits until the program ends.
    #[track_caller]
    fn end(&mut self) -> ExitStatus {
        let status = Mutex::new(None);
        let child = Mutex::new(&mut self.child);
        wait_until("the program ends", || {
            let ended = child.lock().unwrap().try_wait().unwrap();
            *status.lock().unwrap() = ended;
            ended.is_some()
        });
        status.into_inner().unwrap().unwrap()
    }

    /// Ends the program by a signal.
    #[track_caller]
    fn interrupt(&mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
        let status = self.end();
        assert!(status.success(), "{status}: {}", self.log());
        assert!(!self.log().contains("panicked"), "{}", self.log());
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(output: impl Read + Send + 'static) -> Lines {
    let lines = Lines::default();
    let collected = lines.clone();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            collected.lock().unwrap().push(line);
        }
    });
    lines
}

/// Returns what a monitoring server responds to a request.
fn get(port: u16, path: &str) -> String {
    let address = ([127, 0, 0, 1], port).into();
    let response = client::send(address, &Request::new("GET", path));
    format!("{} {}", response.status, response.text())
}

/// Returns a command that joins a room, with the tiny models.
fn command(url: &str, room: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gst-attitude"));
    command
        .args(["room", "janus", url, "--room", room])
        .args(["--detector-model", &model("one-face")])
        .args(["--attitude-model", &model("brightness")])
        .stdin(Stdio::null());
    command
}

/// Returns `true` if GStreamer has the elements that a member needs; otherwise prints a message.
fn has_webrtc() -> bool {
    init();
    let has = ["webrtcbin", "nicesrc", "vp8dec"]
        .iter()
        .all(|name| gst::ElementFactory::find(name).is_some());
    if !has {
        println!("skipped: GStreamer's webrtcbin, nicesrc or vp8dec is missing");
    }
    has
}

/// Starts a server, if the test can run.
fn start_janus() -> Option<Janus> {
    has_webrtc().then(|| Janus::start(""))?
}
