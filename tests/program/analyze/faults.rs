// SPDX-License-Identifier: MPL-2.0

//! Every fault that a day brings, one after the other, in runs with the same results folder.

use std::time::Instant;

use attitude::statistics::SplitMix64;

use super::disturbances::{Disk, SLOW, disturb, send, wait_for, worker};
use super::http::{Response, has_http_source, serve};
use super::*;

const HEALTHY: [&str; 3] = ["long.mp4", "a.mp4", "b.mp4"];

const DISK_BYTES: usize = 32 << 20;

/// Asserts what holds after each run: every folder of a recording is complete and right, and the
/// events of a run say what failed, as its status does.
struct Results {
    bench: Bench,
    /// The files of a run without faults.
    undisturbed: Files,
    /// The recordings that are done.
    done: Vec<&'static str>,
}

impl Results {
    fn assert_kept(&mut self) {
        let files = self.bench.files("out");
        for name in HEALTHY {
            let folder = format!("{}/", name.trim_end_matches(".mp4"));
            let of = |files: &Files| -> Files {
                let files = files.iter().filter(|(file, _)| file.starts_with(&folder));
                files
                    .map(|(file, bytes)| (file.clone(), bytes.clone()))
                    .collect()
            };
            let found = of(&files);
            if self.done.contains(&name) || !found.is_empty() {
                assert!(found == of(&self.undisturbed), "{name} is incomplete");
                self.done.push(name);
            }
        }
    }

    /// Checks a run that ended by itself. Returns the reasons of its failures.
    fn assert_reported(&mut self, run: &Run) -> Vec<String> {
        self.assert_kept();
        let events = run.events();
        let reasons = |kind: &str| -> Vec<String> {
            let events = events.iter().filter(|event| event["event"] == kind);
            let reasons = events.map(|event| event["reason"].as_str().unwrap().to_owned());
            reasons.collect()
        };
        let mut failures = reasons("failed");
        if let Some(end) = events.iter().find(|event| event["event"] == "end") {
            assert_eq!(end["failed"], failures.len());
        }
        failures.extend(reasons("error"));
        run.assert_status(i32::from(!failures.is_empty()));
        failures
    }

    fn end(&mut self, run: Child) -> Vec<String> {
        let run = self.bench.end(run);
        self.assert_reported(&run)
    }
}

#[track_caller]
fn assert_starts(failures: &[String], expected: &[&str]) {
    let is_expected = |(failure, expected): (&String, &&str)| failure.starts_with(expected);
    let mut pairs = failures.iter().zip(expected);
    assert!(
        failures.len() == expected.len() && pairs.all(is_expected),
        "{failures:#?}"
    );
}

#[test]
fn what_is_done_stays_done_through_all_faults() {
    let bench = Bench::new();
    if !has_http_source() {
        return;
    }
    bench.long_clip("long.mp4", 40).clip("a.mp4").clip("b.mp4");
    std::fs::write(bench.path("broken.mp4"), "no video").unwrap();
    let silent = serve(|_| Response::Nothing) + "/silent.mkv";
    let options = [&["--json", "--stall-timeout", "2s"], &SLOW[..]].concat();
    let healthy = [&HEALTHY[..], &options].concat();
    let all = [&["long.mp4", &silent, "broken.mp4"], &healthy[1..]].concat();
    let started = Instant::now();
    let undisturbed = bench.analyze(&healthy);
    let took = started.elapsed();
    std::fs::remove_dir_all(bench.path("out")).unwrap();

    let mut random = SplitMix64(1);
    let mut moment = || took.mul_f64(random.unit_fraction());
    let disk = Disk::mount(bench.path("out"), &format!("size={DISK_BYTES}"));
    let mut results = Results {
        bench,
        undisturbed,
        done: Vec::new(),
    };
    for _ in 0..hardening_rounds() {
        // The machine fails.
        let mut run = results.bench.start(&all);
        std::thread::sleep(moment());
        run.kill().unwrap();
        run.wait().unwrap();
        results.assert_kept();

        // A decoder crashes, a server is silent, and a file is no recording.
        let is_due = !results.done.contains(&"long.mp4");
        let run = results.bench.start(&all);
        if is_due {
            disturb(&results.bench, &run, "long", "SEGV");
        }
        let failures = results.end(run);
        let crashed = ["the decoder crashed (SIGSEGV)"];
        let others = ["stalled at the start", "it is not a recording"];
        assert_starts(
            &failures,
            &[&crashed[..usize::from(is_due)], &others].concat(),
        );
        assert!(results.done.contains(&"a.mp4") && results.done.contains(&"b.mp4"));

        // The system kills the worker, unless it has ended.
        let run = results.bench.start(&[&healthy[..], &["--force"]].concat());
        let id = wait_for("worker", || worker(&run));
        std::thread::sleep(moment());
        if worker(&run) == Some(id) {
            send("KILL", id);
        }
        let failures = results.end(run);
        assert!(
            failures.iter().all(|failure| failure.contains("SIGKILL")),
            "{failures:?}"
        );

        let Some(disk) = &disk else {
            continue;
        };
        disk.remount("ro");
        let run = results.bench.start(&healthy);
        let failures = results.end(run);
        assert_starts(
            &failures,
            &["out: the folder for the results cannot be written to"],
        );

        disk.remount("rw");
        let filler = results.bench.path("out/filler");
        std::fs::write(&filler, vec![0; DISK_BYTES]).unwrap_err();
        let run = results.bench.start(&[&healthy[..], &["--force"]].concat());
        let failures = results.end(run);
        assert_eq!(failures.len(), 1, "{failures:?}");
        assert!(failures[0].contains("o space left on"), "{failures:?}");
        std::fs::remove_file(filler).unwrap();
    }
    // The rest is done, and only that.
    let run = results.bench.start(&healthy);
    assert_eq!(results.end(run), [""; 0]);
    assert_eq!(results.bench.files("out"), results.undisturbed);
}
