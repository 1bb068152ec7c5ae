// SPDX-License-Identifier: MPL-2.0

//! `gst-attitude analyze`.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::*;

mod annotated;
mod baselines;
mod corrections;
mod damage;
mod decoding;
mod distribution;
mod disturbances;
mod exports;
mod faults;
mod folders;
mod galleries;
mod http;
mod isolation;
mod publish;
mod results;
mod resume;
mod tables;

/// The files of a recording.
const FILES: [&str; 6] = [
    "attitude.vtt",
    "faces.csv",
    "faces.parquet",
    "records.jsonl",
    "report.html",
    "summary.json",
];

/// The files of a run.
const RUN_FILES: [&str; 4] = [
    "codebook.csv",
    "index.html",
    "summary.csv",
    "value-labels.csv",
];

const MP4: &str = "x264enc speed-preset=ultrafast ! mp4mux";
const MATROSKA: &str = "x264enc speed-preset=ultrafast ! matroskamux";

/// A folder for the recordings of a test, in which the program runs.
pub(crate) struct Bench(TempDir);

impl Bench {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        let path = self.path(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(name)).unwrap()
    }

    /// Writes a clip of 3 s: a second of each attitude, as the tiny models classify it.
    pub(crate) fn clip(&self, name: &str) -> &Self {
        self.encode(name, MP4)
    }

    fn encode(&self, name: &str, encoding: &str) -> &Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let pictures = [POSITIVE, NEUTRAL, NEGATIVE].map(Patch);
        write_clip(&path, &pictures, encoding);
        self
    }

    /// Writes a clip of a number of seconds.
    pub(crate) fn long_clip(&self, name: &str, seconds: usize) -> &Self {
        let lumas = [POSITIVE, NEUTRAL, NEGATIVE].iter().cycle().take(seconds);
        let pictures: Vec<Patch> = lumas.map(|&luma| Patch(luma)).collect();
        write_clip(&self.path(name), &pictures, MP4);
        self
    }

    /// Returns the command that analyzes with the tiny models and writes to `out`.
    fn command(&self, arguments: &[&str]) -> Command {
        self.command_into("out", arguments)
    }

    fn command_into(&self, output: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gst-attitude"));
        command
            .arg("analyze")
            .args(["--detector-model", &model("one-face")])
            .args(["--attitude-model", &model("brightness")])
            .args(["--output", output])
            .args(arguments)
            .current_dir(self.0.path())
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        Run(self.command(arguments).output().unwrap())
    }

    /// Analyzes with the default models, and writes to `out`.
    fn run_default_models(&self, arguments: &[&str]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gst-attitude"));
        command
            .args(["analyze", "--output", "out"])
            .args(arguments)
            .current_dir(self.0.path());
        Run(command.output().unwrap())
    }

    fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        // A full pipe would block the program.
        let errors = std::fs::File::create(self.path("errors")).unwrap();
        command.stdout(Stdio::piped()).stderr(errors);
        command.spawn().unwrap()
    }

    /// Waits for the end of a run that was started.
    fn end(&self, run: Child) -> Run {
        let mut output = run.wait_with_output().unwrap();
        output.stderr = std::fs::read(self.path("errors")).unwrap();
        Run(output)
    }

    /// Returns the files in `out` after a successful run.
    pub(crate) fn analyze(&self, arguments: &[&str]) -> Files {
        self.run(arguments).assert_status(0);
        self.files("out")
    }

    /// Returns all files of a folder by their paths in it, except the lock.
    pub(crate) fn files(&self, folder: &str) -> Files {
        fn add(root: &Path, folder: &Path, files: &mut Files) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(root).unwrap().to_str().unwrap();
                match path.is_dir() {
                    true => add(root, &path, files),
                    false if name == ".gst-attitude.lock" => {}
                    false => {
                        files.insert(name.to_owned(), std::fs::read(&path).unwrap());
                    }
                }
            }
        }
        let mut files = Files::new();
        add(&self.path(folder), &self.path(folder), &mut files);
        files
    }

    /// Returns the columns `name`, `status` and `reason` of the run's table.
    fn summary_table(&self) -> Vec<[String; 3]> {
        let text = self.read("out/summary.csv");
        let mut table = csv::Reader::from_reader(text.as_bytes());
        let rows = table.records().map(Result::unwrap);
        rows.map(|row| [&row[0], &row[2], &row[3]].map(str::to_owned))
            .collect()
    }
}

/// Returns the factor by which the number of repetitions grows: `HARDENING_ROUNDS`, by default 1.
fn hardening_rounds() -> u32 {
    let rounds = std::env::var("HARDENING_ROUNDS").ok();
    rounds.map_or(1, |rounds| rounds.parse().unwrap())
}

pub(crate) type Files = BTreeMap<String, Vec<u8>>;

pub(crate) struct Run(Output);

impl Run {
    pub(crate) fn problems(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }

    fn events(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.stdout.clone()).unwrap();
        let lines = text.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    pub(crate) fn assert_status(&self, status: i32) -> &Self {
        assert_eq!(self.0.status.code(), Some(status), "{}", self.problems());
        self
    }

    /// Asserts that it said each of `words`.
    pub(crate) fn assert_said(&self, words: &[&str]) -> &Self {
        for word in words {
            let problems = self.problems();
            assert!(problems.contains(word), "no '{word}' in: {problems}");
        }
        self
    }
}
