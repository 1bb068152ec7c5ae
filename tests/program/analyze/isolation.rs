// SPDX-License-Identifier: MPL-2.0

//! Recordings that crash a decoder or never end: one recording fails, and the run goes on.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::*;

/// Waits until `find` finds something.
#[track_caller]
fn wait_for<T>(what: &str, mut find: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "no {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Returns the process that plays the recordings of `run`.
fn worker(run: &Child) -> Option<u32> {
    let parent = format!("PPid:\t{}", run.id());
    let processes = std::fs::read_dir("/proc").unwrap();
    let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    ids.into_iter().find(|id: &u32| {
        let status = std::fs::read_to_string(format!("/proc/{id}/status"));
        status.is_ok_and(|status| status.lines().any(|line| line == parent))
    })
}

fn send(signal: &str, process: u32) {
    let sent = Command::new("kill")
        .args([&format!("-{signal}"), &process.to_string()])
        .status();
    assert!(sent.unwrap().success());
}

/// Waits until `run` has samples of the recording `name`, and sends `signal` to its worker.
fn disturb(bench: &Bench, run: &Child, name: &str, signal: &str) {
    let records = bench.path(&format!("out/.partial-{name}/records.jsonl"));
    wait_for("sample", || {
        let bytes = records.metadata().ok()?.len();
        (bytes > 0).then_some(())
    });
    let worker = worker(run).unwrap();
    send(signal, worker);
    if signal == "SEGV" {
        // Rust's handler of stack overflows returns from the first one, as an instruction that
        // crashes is repeated.
        std::thread::sleep(Duration::from_millis(50));
        send(signal, worker);
    }
}

/// Options with which a long clip takes long.
const SLOW: [&str; 4] = ["--jobs", "1", "--samples-per-second", "0"];

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
fn a_recording_that_stalls_is_kept_up_to_there_and_the_others_are_analyzed() {
    let bench = Bench::new();
    bench.long_clip("long.mp4", 120).clip("talk.mp4");
    let options = ["--stall-timeout", "1s"];
    let run = bench.start(&[&["long.mp4", "talk.mp4"], &options[..], &SLOW].concat());
    disturb(&bench, &run, "long", "STOP");
    bench.end(run).assert_status(1).assert_said(&[
        "long.mp4: damaged: stalled at 0:",
        ": no new frame for 1s; the part that could be read is kept",
        "2 analyzed, 1 damaged",
    ]);
    assert_eq!(bench.summary_table()[0][1], "damaged");
    assert!(bench.read("out/long/records.jsonl").lines().count() > 0);
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

/// Starts a server that sends `content` of a file of `len` bytes, and then nothing.
fn serve_forever(content: Vec<u8>, len: usize) -> String {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut connections = Vec::new();
        for connection in server.incoming() {
            let mut connection = connection.unwrap();
            let _ = connection.read(&mut [0; 4096]);
            if !content.is_empty() {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {len}\r\n\r\n");
                let _ = connection.write_all(head.as_bytes());
                let _ = connection.write_all(&content);
            }
            connections.push(connection);
        }
    });
    format!("http://{address}/talk.mkv")
}

#[test]
fn a_server_that_stalls_does_not_hold_up_the_run() {
    let bench = Bench::new();
    bench.encode("talk.mkv", MATROSKA);
    if gst::ElementFactory::find("souphttpsrc").is_none() {
        println!("skipped: souphttpsrc is not installed");
        return;
    }
    let content = std::fs::read(bench.path("talk.mkv")).unwrap();
    let len = content.len();
    let silent = serve_forever(Vec::new(), len);
    let stalling = serve_forever(content[..len * 2 / 3].to_vec(), len);
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
fn each_fault_of_a_run_is_named_and_what_is_done_stays_done() {
    let bench = Bench::new();
    bench.long_clip("long.mp4", 120).clip("talk.mp4");
    std::fs::write(bench.path("broken.mp4"), "no video").unwrap();
    let silent = serve_forever(Vec::new(), 0);
    let inputs = ["long.mp4", &silent, "broken.mp4", "talk.mp4"];
    let options = ["--stall-timeout", "2s", "--json"];
    let run = bench.start(&[&inputs[..], &options, &SLOW].concat());
    disturb(&bench, &run, "long", "SEGV");
    let run = bench.end(run);
    run.assert_status(1);
    let failures: Vec<String> = run
        .events()
        .into_iter()
        .filter(|event| event["event"] == "failed")
        .map(|event| event["reason"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(failures.len(), 3, "{failures:?}");
    for (failure, reason) in std::iter::zip(
        &failures,
        [
            "the decoder crashed (SIGSEGV)",
            "stalled at the start",
            "it is not a recording",
        ],
    ) {
        assert!(failure.starts_with(reason), "{failure}");
    }
    let end = run.events().pop().unwrap();
    assert_eq!((&end["done"], &end["failed"]), (&1.into(), &3.into()));
    // The same command continues with what failed.
    let inputs = ["long.mp4", "talk.mp4"];
    bench
        .run(&[&inputs[..], &SLOW].concat())
        .assert_status(0)
        .assert_said(&["1 analyzed, 1 skipped"]);
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
