// SPDX-License-Identifier: MPL-2.0

//! The program's `serve`, as browsers, peers and strangers meet it.

#![cfg(feature = "serve")]

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use gst::prelude::*;
use gstattitude::record::Record;

#[path = "../common/mod.rs"]
mod common;
use common::*;

mod client;

mod browser;
mod export;

use client::{Answer, Request};

/// Longer than anything here takes: a test that waits for it fails instead of hanging.
const FOREVER: Duration = Duration::from_secs(60);

/// Says so, and tells false, where GStreamer has no WebRTC; then `serve` has no sessions.
fn has_webrtc() -> bool {
    init();
    let has = ["webrtcbin", "nicesrc", "vp8enc"]
        .iter()
        .all(|name| gst::ElementFactory::find(name).is_some());
    if !has {
        println!("skipped: GStreamer's webrtcbin, nicesrc or vp8enc is not there");
    }
    has
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

/// The program while it serves.
struct Server {
    child: Child,
    /// The first of the addresses that it says to open.
    url: String,
}

impl Server {
    /// On a free port of this machine.
    fn start(arguments: &[&str]) -> Self {
        let mut child = command(&["--listen", "127.0.0.1:0"])
            .args(arguments)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let line = lines.next().expect("it has ended").unwrap();
        let url = line.split_whitespace().nth(1).unwrap().to_owned();
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Self { child, url }
    }

    fn address(&self) -> SocketAddr {
        let rest = self.url.split_once("://").unwrap().1;
        rest.split_once('/').unwrap().0.parse().unwrap()
    }

    fn send(&self, request: &Request) -> Answer {
        client::send(self.address(), request)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
