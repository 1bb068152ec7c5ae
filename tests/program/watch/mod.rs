// SPDX-License-Identifier: MPL-2.0

//! Tests of `gst-attitude watch` with real servers, cameras and brokers.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use attitude::record::Record;
use tempfile::TempDir;

use crate::serve::client::{self, Request, Response};
use crate::support::*;

mod failures;
mod inputs;
mod outputs;
mod reload;
mod service;

/// Time without frames after which a source counts as stalled.
const STALL_TIMEOUT: &str = "2s";

/// Returns a command that runs `watch` with the tiny models.
fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gst-attitude"));
    command
        .arg("watch")
        .args(["--detector-model", &model("one-face")])
        .args(["--attitude-model", &model("brightness")])
        .args(["--listen", "127.0.0.1:0"])
        .args(arguments)
        .env_remove("GST_ATTITUDE_PUBLISH")
        .stdin(Stdio::null());
    command
}

/// Runs `watch`, which must fail to start. Returns what it prints.
fn problem(arguments: &[&str]) -> String {
    let output = command(arguments).output().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

/// Lines that a process has printed.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn read(stream: impl Read + Send + 'static) -> Self {
        let lines = Self::default();
        let all = lines.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                all.0.lock().unwrap().push(line);
            }
        });
        lines
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    fn find(&self, part: &str) -> Option<String> {
        self.all().into_iter().find(|line| line.contains(part))
    }
}

/// A running `watch`.
struct Watch {
    child: Child,
    /// What it prints to standard output.
    output: Lines,
    log: Lines,
    /// The address with metrics.
    address: SocketAddr,
}

impl Watch {
    fn start(arguments: &[&str]) -> Self {
        Self::run(&mut command(arguments))
    }

    fn run(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = Lines::read(child.stdout.take().unwrap());
        let log = Lines::read(child.stderr.take().unwrap());
        let mut watch = Self {
            child,
            output,
            log,
            address: ([127, 0, 0, 1], 0).into(),
        };
        let address = || {
            let line = watch.log.find("Metrics on http://")?;
            let rest = line.split_once("http://")?.1;
            rest.split('/').next()?.parse().ok()
        };
        wait_until("the program starts", || address().is_some());
        watch.address = address().unwrap();
        watch
    }

    fn get(&self, path: &str) -> Response {
        client::send(self.address, &Request::new("GET", path))
    }

    /// Returns a value of `/metrics`; 0 if there is none.
    fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").text();
        let mut lines = text.lines();
        let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().unwrap())
    }

    /// Returns the number of frames of a source.
    fn frames(&self, source: &str) -> f64 {
        self.metric(&format!(
            "gst_attitude_source_frames_total{{source=\"{source}\"}}"
        ))
    }

    fn restarts(&self, source: &str) -> f64 {
        self.metric(&format!(
            "gst_attitude_source_restarts_total{{source=\"{source}\"}}"
        ))
    }

    /// Returns the records of a source so far.
    fn records(&self, source: &str) -> Vec<Record> {
        let lines = self.output.all();
        let records = lines.iter().map(|line| serde_json::from_str(line).unwrap());
        records
            .filter(|record: &Record| record.source.as_deref() == Some(source))
            .collect()
    }

    /// Waits until a source has at least `count` records more than now.
    #[track_caller]
    fn wait_for_records(&self, source: &str, count: usize) -> Vec<Record> {
        let before = self.records(source).len();
        wait_until(
            &format!("{source} has records: {:?}", self.log.all()),
            || self.records(source).len() >= before + count,
        );
        self.records(source)
    }

    #[track_caller]
    fn wait_for_log(&self, part: &str) {
        wait_until(&format!("the log has {part}"), || {
            self.log.find(part).is_some()
        });
    }

    /// Waits until health has a problem that contains `part`.
    #[track_caller]
    fn wait_for_problem(&self, part: &str) {
        wait_until(&format!("a problem has {part}"), || {
            let response = self.get("/healthz");
            response.status == 503 && response.problem().contains(part)
        });
    }

    #[track_caller]
    fn wait_until_healthy(&self) {
        wait_until("all sources have video", || {
            self.get("/healthz").status == 200
        });
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args([signal, &id]).status();
        assert!(status.unwrap().success());
    }

    /// Ends the program in order.
    #[track_caller]
    fn end(&mut self) -> ExitStatus {
        self.signal("-TERM");
        let mut status = None;
        let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while status.is_none() && std::time::Instant::now() < end {
            std::thread::sleep(std::time::Duration::from_millis(20));
            status = self.child.try_wait().unwrap();
        }
        status.unwrap_or_else(|| panic!("it has not ended: {:?}", self.log.all()))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes a clip in which the tiny models find a face; it is played again and again.
fn clip(folder: &TempDir, name: &str) -> PathBuf {
    let path = folder.path().join(name);
    run_pipeline(&format!(
        "videotestsrc pattern=white num-buffers=250 ! {LAUNCH_CAPS} \
         ! x264enc speed-preset=ultrafast key-int-max=25 ! matroskamux ! filesink location={}",
        path.display()
    ));
    path
}

/// Returns `NAME=PATH`.
fn named(name: &str, path: &Path) -> String {
    format!("{name}={}", path.display())
}
