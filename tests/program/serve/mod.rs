// SPDX-License-Identifier: MPL-2.0

//! Tests of `gst-attitude serve` with browsers, WebRTC peers and plain HTTP clients.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gst::prelude::*;
use serde_json::{Value, json};

use crate::support::*;

pub(crate) mod client;
mod peer;
mod watcher;
mod whip_client;

mod access;
mod addresses;
mod browser;
mod connections;
mod export;
mod limits;
mod malformed;
mod metrics;
mod sessions;
mod source;
mod tls;
mod whip;

use client::{Request, Response};

/// Maximum time to wait for anything, so that a test fails instead of hanging.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Returns true if GStreamer supports WebRTC, which sessions require; else prints a message.
fn has_webrtc() -> bool {
    init();
    keep_gstreamer();
    let has = ["webrtcbin", "nicesrc", "vp8enc"]
        .iter()
        .all(|name| gst::ElementFactory::find(name).is_some());
    if !has {
        println!("skipped: GStreamer's webrtcbin, nicesrc or vp8enc is missing");
    }
    has
}

/// Waits until `condition` holds. Returns false after [`TIMEOUT`].
fn wait_until(mut condition: impl FnMut() -> bool) -> bool {
    let begin = Instant::now();
    while begin.elapsed() < TIMEOUT {
        if condition() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    false
}

/// Returns a command that runs `serve` with the tiny models.
fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gst-attitude"));
    command
        .arg("serve")
        .args(["--detector-model", &model("one-face")])
        .args(["--attitude-model", &model("brightness")])
        .args(arguments)
        .env_remove("GST_ATTITUDE_TOKEN")
        .env_remove("GST_ATTITUDE_WHIP_TOKEN")
        .stdin(Stdio::null());
    command
}

/// Runs `serve`, which must fail to start. Returns what it prints.
fn problem(arguments: &[&str]) -> String {
    let output = command(arguments).output().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

/// A running server.
pub(crate) struct Server {
    child: Child,
    /// Everything that it has printed since it listens.
    output: Arc<Mutex<String>>,
    /// The first URL that it prints.
    pub(crate) url: String,
}

impl Server {
    /// Starts a server on a free port of the loopback interface.
    fn start(arguments: &[&str]) -> Self {
        Self::listen("127.0.0.1:0", arguments)
    }

    fn listen(address: &str, arguments: &[&str]) -> Self {
        Self::run(command(&["--listen", address]).args(arguments))
    }

    pub(crate) fn run(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok);
        // GStreamer may print messages before this line.
        let line = lines.find(|line| line.starts_with("Open "));
        let line = line.expect("the server has ended");
        let url = line.split_whitespace().nth(1).unwrap().to_owned();
        let output = Arc::new(Mutex::new(line));
        let all = output.clone();
        std::thread::spawn(move || {
            for line in lines {
                *all.lock().unwrap() += &format!("\n{line}");
            }
        });
        Self { child, output, url }
    }

    pub(crate) fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        let rest = self.url.split_once("://").unwrap().1;
        rest.split_once('/').unwrap().0.parse().unwrap()
    }

    /// Returns the token in the URL.
    pub(crate) fn token(&self) -> Option<&str> {
        Some(self.url.split_once("?token=")?.1)
    }

    fn get(&self, path: &str) -> Response {
        self.send(&Request::new("GET", path))
    }

    pub(crate) fn send(&self, request: &Request) -> Response {
        client::send(self.address(), request)
    }

    /// Opens a session. Returns its ID and its offer.
    fn open(&self) -> (String, String) {
        let response = self.send(&Request::new("POST", "/sessions"));
        assert_eq!(response.status, 201, "{}", response.text());
        let opened = response.json();
        let text = |name: &str| opened[name].as_str().unwrap().to_owned();
        (text("id"), text("offer"))
    }

    fn answer(&self, id: &str, sdp: &str) -> Response {
        let path = format!("/sessions/{id}/answer");
        self.send(&Request::new("POST", &path).json(&json!({"answer": sdp})))
    }

    fn close(&self, id: &str) -> Response {
        self.send(&Request::new("DELETE", &format!("/sessions/{id}")))
    }

    /// Returns a value of `/metrics`.
    fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").text();
        let mut lines = text.lines();
        let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in: {text}"))
            .parse()
            .unwrap()
    }

    /// Asserts that the server still runs and responds.
    fn assert_serves(&mut self) {
        assert_eq!(self.child.try_wait().unwrap(), None, "{}", self.output());
        assert_eq!(self.get("/healthz").text(), "ok");
    }

    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args([signal, &pid]).status();
        assert!(status.unwrap().success());
    }

    /// Waits until the server ends.
    pub(crate) fn end(&mut self) -> ExitStatus {
        let mut status = None;
        wait_until(|| {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap_or_else(|| panic!("the server has not ended: {}", self.output()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
