// SPDX-License-Identifier: MPL-2.0

//! Recordings that crash a decoder or never end: one recording fails, and the run goes on.

use std::time::{Duration, Instant};

use super::disturbances::{SLOW, disturb, send, wait_for, worker};
use super::http::{Response, has_http_source, serve};
use super::*;

#[test]
fn a_recording_that_crashes_the_decoder_fails_and_the_others_are_analyzed() {
    for (signal, reason) in [
        ("SEGV", "long.mp4: the decoder crashed (SIGSEGV)"),
        ("ABRT", "long.mp4: the decoder aborted (SIGABRT)"),
        (
            "KILL",
            "long.mp4: the system killed its worker process (SIGKILL)",
        ),
    ] {
        let bench = Bench::new();
        bench.long_clip("long.mp4", 120).clip("talk.mp4");
        let run = bench.start(&[&["long.mp4", "talk.mp4", "--json"], &SLOW[..]].concat());
        disturb(&bench, &run, "long", signal);
        let run = bench.end(run);
        run.assert_status(1)
            .assert_said(&[reason, "1 analyzed, 1 failed"]);
        let failed = run.events().into_iter().find(|e| e["event"] == "failed");
        let failed = failed.unwrap();
        let failure = failed["reason"].as_str().unwrap();
        assert!(failure.contains(&reason["long.mp4: ".len()..]), "{failed}");
        assert_eq!(failed["code"], "crashed");
        assert_eq!(bench.summary_table()[1], ["talk", "done", ""]);
        assert!(!bench.path("out/long").exists());
    }
}

#[test]
fn a_worker_that_crashes_after_other_recordings_is_replaced_once() {
    let bench = Bench::new();
    bench.clip("a.mp4").long_clip("long.mp4", 20);
    let run = bench.start(&[&["a.mp4", "long.mp4"], &SLOW[..]].concat());
    disturb(&bench, &run, "long", "SEGV");
    bench.end(run).assert_status(0);
    assert_eq!(bench.read("out/long/records.jsonl").lines().count(), 500);
}

#[test]
fn a_run_or_worker_that_is_suspended_for_longer_than_the_timeout_has_not_stalled() {
    let bench = Bench::new();
    bench.long_clip("long.mp4", 20);
    for stops_run in [true, false] {
        let options = ["long.mp4", "--force", "--stall-timeout", "1s"];
        let run = bench.start(&[&options, &SLOW[..]].concat());
        disturb(&bench, &run, "long", "STOP");
        let worker = worker(&run).unwrap();
        if stops_run {
            send("STOP", run.id());
        }
        std::thread::sleep(Duration::from_secs(4));
        if stops_run {
            send("CONT", run.id());
        }
        send("CONT", worker);
        bench.end(run).assert_status(0);
        assert_eq!(bench.summary_table()[0], ["long", "done", ""]);
        assert_eq!(bench.read("out/long/records.jsonl").lines().count(), 500);
    }
}

#[test]
fn workers_end_with_a_run_that_is_killed() {
    let bench = Bench::new();
    bench.long_clip("long.mp4", 120);
    let mut run = bench.start(&[&["long.mp4"], &SLOW[..]].concat());
    let worker = wait_for("worker", || worker(&run));
    run.kill().unwrap();
    run.wait().unwrap();
    wait_for("end of the worker", || {
        let is_running = Path::new(&format!("/proc/{worker}/stat")).exists();
        (!is_running).then_some(())
    });
}

#[test]
fn a_server_that_stalls_does_not_hold_up_the_run() {
    let bench = Bench::new();
    bench.encode("talk.mkv", MATROSKA);
    if !has_http_source() {
        return;
    }
    let content = std::fs::read(bench.path("talk.mkv")).unwrap();
    let address = serve(move |path| match path {
        "/stalling.mkv" => Response::Part(content[..content.len() * 2 / 3].to_vec()),
        _ => Response::Nothing,
    });
    let [silent, stalling] = ["silent", "stalling"].map(|name| format!("{address}/{name}.mkv"));
    bench
        .run(&[&silent, &stalling, "talk.mkv", "--stall-timeout", "2s"])
        .assert_status(1)
        .assert_said(&[
            "stalled at the start: nothing could be read for 2s",
            "stalled at 0:0",
            "1 analyzed, 2 failed",
        ]);
    // Without a limit, the run waits, and can still be interrupted.
    let run = bench.start(&[&silent, "--stall-timeout", "0"]);
    wait_for("worker", || worker(&run));
    std::thread::sleep(Duration::from_millis(500));
    send("INT", run.id());
    let begun = Instant::now();
    bench.end(run).assert_status(130);
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_folder_of_files_without_an_index_ends() {
    let bench = Bench::new();
    bench.clip("in/good.mp4");
    let whole = std::fs::read(bench.path("in/good.mp4")).unwrap();
    for number in 1..=8 {
        let path = bench.path(&format!("in/{number}.mp4"));
        std::fs::write(path, &whole[..4096]).unwrap();
    }
    bench
        .run(&["in"])
        .assert_status(1)
        .assert_said(&["in/8.mp4: the file is cut off", "1 analyzed, 8 failed"]);
}

/// Returns a GIF of gray frames that are shown for 0.1 s each.
fn gif(frames: u8) -> Vec<u8> {
    const SIDE: u16 = 64;
    let [low, high] = SIDE.to_le_bytes();
    // A table of four colors.
    let mut gif = [b"GIF89a", &[low, high, low, high, 0x91, 0, 0][..]].concat();
    gif.extend([0, 85, 170, 255].map(|gray| [gray; 3]).concat());
    for frame in 0..frames {
        gif.extend([0x21, 0xf9, 4, 0, 10, 0, 0, 0]);
        gif.extend([0x2c, 0, 0, 0, 0, low, high, low, high, 0, 2]);
        // Codes of three bits: the code that clears the table keeps them at this size.
        const CLEAR: u32 = 4;
        const END: u32 = 5;
        let pixels = u32::from(SIDE) * u32::from(SIDE);
        let color = u32::from(frame % 4);
        let mut codes: Vec<u32> = (0..pixels / 2)
            .flat_map(|_| [CLEAR, color, color])
            .collect();
        codes.push(END);
        let bits: Vec<u32> = codes
            .iter()
            .flat_map(|code| (0..3).map(move |bit| code >> bit & 1))
            .collect();
        let byte = |bits: &[u32]| (0..).zip(bits).map(|(at, bit)| (bit << at) as u8).sum();
        let bytes: Vec<u8> = bits.chunks(8).map(byte).collect();
        for block in bytes.chunks(255) {
            gif.push(block.len() as u8);
            gif.extend(block);
        }
        gif.push(0);
    }
    gif.push(0x3b);
    gif
}

#[test]
fn a_gif_is_analyzed_to_its_end() {
    let bench = Bench::new();
    init();
    if gst::ElementFactory::find("avdemux_gif").is_none() {
        println!("skipped: avdemux_gif is not installed");
        return;
    }
    std::fs::write(bench.path("talk.gif"), gif(10)).unwrap();
    bench.run(&["talk.gif"]).assert_status(0);
    assert_eq!(bench.read("out/talk/records.jsonl").lines().count(), 5);
}

#[test]
fn onnx_runtime_does_not_collect_telemetry() {
    let bench = Bench::new();
    bench.clip("talk.mp4");
    // It is where Microsoft's builds keep what they send. They send nothing in a CI system.
    let cache = bench.path("cache");
    let mut command = bench.command(&["talk.mp4"]);
    command.env("XDG_CACHE_HOME", &cache).env_remove("CI");
    Run(command.output().unwrap()).assert_status(0);
    assert!(!cache.join("Microsoft").exists());
}
