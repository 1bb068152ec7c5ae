// SPDX-License-Identifier: MPL-2.0

//! Test of determinism: in mode `sync`, the same input gives the same records, byte for byte, on
//! any number of cores and threads. Each run is a process that executes only the test `run` of this
//! test program.

use std::process::Command;

use gst_video::VideoFormat;

use crate::support::*;

/// Variable that is set in the processes of the runs.
const RUN: &str = "GST_ATTITUDE_TEST_RUN";
/// Prefix of the records in the output.
const RECORDS: &str = "records: ";

#[test]
fn run() {
    if std::env::var_os(RUN).is_none() {
        return;
    }
    let element = element(&[("mode", "sync"), ("messages", "sample")]);
    let mut rig = Rig::new(element, info(VideoFormat::Nv12, WIDTH, HEIGHT));
    rig.begin_stream("clip");
    for number in 0..60 {
        let attitude = ["neutral", "positive", "negative"][number as usize / 20];
        let buffer = rig.frame(&Portrait::new(attitude, 60 + number, 20, 140));
        rig.push(buffer);
    }
    let records = rig.records();
    assert_eq!(records.len(), 12);
    assert!(records.iter().all(|record| record.faces.len() == 1));
    println!("{RECORDS}{}", serde_json::to_string(&records).unwrap());
}

/// Returns the records of a run on these cores.
fn records(cores: &str, threads: &str) -> String {
    let output = Command::new("taskset")
        .args(["--cpu-list", cores])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "determinism::run", "--nocapture"])
        .env(RUN, "1")
        .env("OMP_NUM_THREADS", threads)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let records = text.lines().find_map(|line| line.split_once(RECORDS));
    records.unwrap().1.to_owned()
}

#[test]
fn another_run_on_other_cores_and_with_other_threads_gives_the_same_bytes() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let mut lines = status.lines();
    let all = lines.find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let all = all.unwrap().trim();
    let one = all.split(['-', ',']).next().unwrap();
    let expected = records(all, "1");
    for (cores, threads) in [(all, "1"), (all, "4"), (one, "1"), (one, "4")] {
        assert!(records(cores, threads) == expected, "{cores} {threads}");
    }
}
