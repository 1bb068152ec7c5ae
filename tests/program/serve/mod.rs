// SPDX-License-Identifier: MPL-2.0

//! The program's `serve`, as browsers, peers and strangers meet it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gst::prelude::*;
use serde_json::{Value, json};

use crate::support::*;

mod client;
mod peer;
mod watcher;

mod access;
mod browser;
mod export;
mod garbage;
mod limits;
mod metrics;
mod sessions;
mod source;
mod tls;

use client::{Answer, Request};

/// Longer than anything here takes: a test that waits for it fails instead of hanging.
const FOREVER: Duration = Duration::from_secs(60);

/// Says so, and tells false, where GStreamer has no WebRTC; then `serve` has no sessions.
fn has_webrtc() -> bool {
    init();
    keep_gstreamer();
    let has = ["webrtcbin", "nicesrc", "vp8enc"]
        .iter()
        .all(|name| gst::ElementFactory::find(name).is_some());
    if !has {
        println!("skipped: GStreamer's webrtcbin, nicesrc or vp8enc is not there");
    }
    has
}

/// Waits until it is so.
fn wait_until(mut is_so: impl FnMut() -> bool) -> bool {
    let begin = Instant::now();
    while begin.elapsed() < FOREVER {
        if is_so() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    false
}

/// The program with the tiny models.
fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gst-attitude"));
    command
        .arg("serve")
        .args(["--detector-model", &model("one-face")])
        .args(["--attitude-model", &model("brightness")])
        .args(arguments)
        .env_remove("GST_ATTITUDE_TOKEN")
        .stdin(Stdio::null());
    command
}

/// What the program says when it cannot start.
fn problem(arguments: &[&str]) -> String {
    let output = command(arguments).output().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

/// The program while it serves.
struct Server {
    child: Child,
    /// All that it has said.
    said: Arc<Mutex<String>>,
    /// The first of the addresses that it says to open.
    url: String,
}

impl Server {
    /// On a free port of this machine.
    fn start(arguments: &[&str]) -> Self {
        Self::listen("127.0.0.1:0", arguments)
    }

    fn listen(address: &str, arguments: &[&str]) -> Self {
        let mut child = command(&["--listen", address])
            .args(arguments)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok);
        // What GStreamer may have to say comes before.
        let line = lines.find(|line| line.starts_with("Open "));
        let line = line.expect("it has ended");
        let url = line.split_whitespace().nth(1).unwrap().to_owned();
        let said = Arc::new(Mutex::new(line));
        let all = said.clone();
        std::thread::spawn(move || {
            for line in lines {
                *all.lock().unwrap() += &format!("\n{line}");
            }
        });
        Self { child, said, url }
    }

    fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    fn address(&self) -> SocketAddr {
        let rest = self.url.split_once("://").unwrap().1;
        rest.split_once('/').unwrap().0.parse().unwrap()
    }

    /// Of the address to open.
    fn token(&self) -> Option<&str> {
        Some(self.url.split_once("?token=")?.1)
    }

    fn get(&self, path: &str) -> Answer {
        self.send(&Request::new("GET", path))
    }

    fn send(&self, request: &Request) -> Answer {
        client::send(self.address(), request)
    }

    /// Opens a session: its id and its offer.
    fn open(&self) -> (String, String) {
        let answer = self.send(&Request::new("POST", "/sessions"));
        assert_eq!(answer.status, 201, "{}", answer.text());
        let opened = answer.json();
        let text = |name: &str| opened[name].as_str().unwrap().to_owned();
        (text("id"), text("offer"))
    }

    fn answer(&self, id: &str, sdp: &str) -> Answer {
        let path = format!("/sessions/{id}/answer");
        self.send(&Request::new("POST", &path).json(&json!({"answer": sdp})))
    }

    fn close(&self, id: &str) -> Answer {
        self.send(&Request::new("DELETE", &format!("/sessions/{id}")))
    }

    /// A number of `/metrics`.
    fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").text();
        let mut lines = text.lines();
        let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in: {text}"))
            .parse()
            .unwrap()
    }

    /// Asserts that it still does what it is there for.
    fn assert_serves(&mut self) {
        assert_eq!(self.child.try_wait().unwrap(), None, "{}", self.said());
        assert_eq!(self.get("/healthz").text(), "ok");
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args([signal, &pid]).status();
        assert!(status.unwrap().success());
    }

    /// Waits for its end.
    fn end(&mut self) -> ExitStatus {
        let mut status = None;
        wait_until(|| {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap_or_else(|| panic!("it goes on: {}", self.said()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
