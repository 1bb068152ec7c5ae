// SPDX-License-Identifier: MPL-2.0

//! Results of a recording.

use super::*;

fn records(bench: &Bench, name: &str) -> Vec<Value> {
    let text = bench.read(&format!("out/{name}/records.jsonl"));
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn times_ms(records: &[Value]) -> Vec<u64> {
    let times = records
        .iter()
        .map(|r| r["stream_time_ns"].as_u64().unwrap());
    times.map(|time_ns| time_ns / 1_000_000).collect()
}

#[test]
fn a_recording_gets_a_folder() {
    let bench = Bench::new();
    bench.clip("talk.mp4");
    let files = bench.analyze(&["talk.mp4"]);
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    let expected = FILES.map(|name| format!("talk/{name}"));
    let (run_files, files_of_recording): (Vec<&str>, Vec<&str>) =
        names.iter().partition(|name| !name.contains('/'));
    assert_eq!(run_files, RUN_FILES);
    assert_eq!(files_of_recording, expected);

    let records = records(&bench, "talk");
    assert_eq!(records.len(), 15);
    let attitudes: Vec<&str> = records
        .iter()
        .map(|record| record["faces"][0]["attitude"].as_str().unwrap())
        .collect();
    assert_eq!((attitudes[2], attitudes[14]), ("positive", "negative"));
    assert!(records.iter().all(|record| record["stream"] == "talk"));

    let rows = csv::Reader::from_reader(&files["talk/faces.csv"][..])
        .into_records()
        .count();
    assert_eq!(rows, 15);
    let subtitles = bench.read("out/talk/attitude.vtt");
    assert!(
        subtitles.starts_with("WEBVTT\n\n00:00:00.000 --> 00:00:01.")
            && subtitles.contains("#1 positive"),
        "{subtitles}"
    );
    let last = subtitles.trim_end().rsplit("\n\n").next().unwrap();
    assert!(last.contains(" --> 00:00:03.000\n#1 negative"), "{last}");

    let summary = bench.json("out/talk/summary.json");
    let recording = &summary["recording"];
    assert_eq!(recording["name"], "talk");
    assert_eq!(recording["duration_ns"], 3_000_000_000u64);
    assert_eq!(
        (&recording["width"], &recording["height"]),
        (&320.into(), &192.into())
    );
    assert_eq!(recording["frames_per_second"], 25.0);
    assert_eq!(recording["frames"], 75);
    assert_eq!(
        recording["size_bytes"],
        bench.path("talk.mp4").metadata().unwrap().len()
    );
    assert_eq!(summary["damage"], Value::Null);
    assert_eq!(summary["samples"], 15);
    assert_eq!(summary["rules"]["join_gap_ns"], 10_000_000_000u64);
    let person = &summary["persons"][0];
    assert_eq!(person["tracks"][0]["track"], 1);
    assert_eq!(person["segments"][0]["attitude"], "positive");
    assert_eq!(summary["analysis"]["provider"], "cpu");
    assert_eq!(bench.summary_table(), [["talk", "done", ""]]);
}

#[test]
fn average_faces_are_classified_by_the_embedded_models() {
    let bench = Bench::new();
    let faces = ["neutral", "positive", "negative"].map(|a| Portrait::new(a, 80, 16, 160));
    write_clip(&bench.path("faces.mkv"), &faces, MATROSKA);
    let output = Command::new(env!("CARGO_BIN_EXE_gst-attitude"))
        .args(["analyze", "faces.mkv", "-o", "out"])
        .current_dir(bench.0.path())
        .output();
    Run(output.unwrap()).assert_status(0);
    let records = records(&bench, "faces");
    for (number, attitude) in [(4, "neutral"), (9, "positive"), (14, "negative")] {
        assert_eq!(
            records[number]["faces"][0]["attitude"], attitude,
            "{number}"
        );
    }
}

#[test]
fn the_same_recording_gives_the_same_bytes() {
    let bench = Bench::new();
    bench.clip("talk.mp4").encode("other.mkv", MATROSKA);
    let first = bench.analyze(&["talk.mp4", "other.mkv"]);
    let second = bench.analyze(&["talk.mp4", "other.mkv", "--force", "--jobs", "2"]);
    assert_eq!(first, second);
}

#[test]
fn times_of_a_part_are_positions_in_the_recording() {
    let bench = Bench::new();
    bench.clip("talk.mp4").encode("other.mkv", MATROSKA);
    let inputs = ["talk.mp4", "other.mkv"];
    bench.analyze(&[&inputs[..], &["--from", "0:01.2", "--to", "2.2"]].concat());
    for name in ["talk", "other"] {
        let records = records(&bench, name);
        assert_eq!(times_ms(&records), [1200, 1400, 1600, 1800, 2000], "{name}");
        assert_eq!(records[0]["running_time_ns"], 0);
    }
    bench.analyze(&[&inputs[..], &["--to", "0.5"]].concat());
    assert_eq!(times_ms(&records(&bench, "talk")), [0, 200, 400]);
}

#[test]
fn a_part_beyond_the_end_of_a_recording_is_an_error() {
    let bench = Bench::new();
    bench.clip("talk.mp4").encode("other.mkv", MATROSKA);
    for from in ["3", "1:00:00"] {
        bench
            .run(&["talk.mp4", "other.mkv", "--from", from])
            .assert_status(1)
            .assert_said(&[
                "talk.mp4: it is 0:03.0 long, but --from is ",
                "other.mkv: it is 0:03.0 long, but --from is ",
                "0 analyzed, 2 failed",
            ]);
    }
}

#[test]
fn values_out_of_range_are_refused() {
    let bench = Bench::new();
    bench.clip("talk.mp4");
    for (arguments, problem) in [
        (
            &["--from", "2", "--to", "1"][..],
            "--to 0:01.0 is not after --from 0:02.0",
        ),
        (
            &["--from", "noon"],
            "'noon' for '--from <TIME>': expected seconds, MM:SS",
        ),
        (
            &["--from", "-1"],
            "'-1' for '--from <TIME>': expected seconds, MM:SS",
        ),
        (
            &["--join-gap", "-1"],
            "'-1' for '--join-gap <SECONDS>': expected a number from 0 to 1000000",
        ),
        (&["--min-confidence", "2"], "expected a number from 0 to 1"),
        (&["--max-faces", "-3"], "-3 is not in 1..=512"),
        (&["--jobs", "0"], "expected an integer of at least 1"),
        (&["--formats", "xls"], "[possible values: records.jsonl, "),
    ] {
        bench
            .run(&[&["talk.mp4"], arguments].concat())
            .assert_status(2)
            .assert_said(&[problem]);
    }
}

#[test]
fn a_mapping_of_emotions_that_the_model_does_not_have_is_refused() {
    let bench = Bench::new();
    bench.clip("talk.mp4");
    bench
        .run(&["talk.mp4", "--mapping", "positive=hapiness"])
        .assert_status(1)
        .assert_said(&[
            "Error: cannot load ",
            "brightness.onnx: the mapping lists 'hapiness', which is not a label of the model; its \
             labels are positive, neutral, negative",
        ]);
}

#[test]
fn the_sample_rate_and_the_formats_can_be_chosen() {
    let bench = Bench::new();
    bench.clip("talk.mp4");
    let files = bench.analyze(&[
        "talk.mp4",
        "--samples-per-second",
        "0",
        "--formats",
        "records.jsonl",
    ]);
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "codebook.csv",
            "index.html",
            "summary.csv",
            "talk/records.jsonl",
            "talk/report.html",
            "talk/summary.json",
            "value-labels.csv"
        ]
    );
    assert_eq!(records(&bench, "talk").len(), 75);
    bench.analyze(&["talk.mp4", "--samples-per-second", "1"]);
    assert_eq!(times_ms(&records(&bench, "talk")), [0, 1000, 2000]);
}

#[test]
fn pages_link_to_the_recording_and_to_each_other() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("one day")).unwrap();
    bench.clip("one day/talk.mp4");
    std::fs::write(bench.path("broken.mp4"), "no video").unwrap();
    bench.run(&["one day", "broken.mp4"]).assert_status(1);
    let page = bench.read("out/talk/report.html");
    assert!(page.contains("src=\"../../one%20day/talk.mp4\""), "{page}");
    let index = bench.read("out/index.html");
    assert!(index.contains("href=\"talk/report.html\""), "{index}");
    assert!(index.contains("broken.mp4"), "{index}");
}

#[test]
fn links_of_a_page_that_will_be_moved_start_at_its_destination() {
    let bench = Bench::new();
    bench.clip("talk.mp4");
    std::fs::create_dir_all(bench.path("all/results")).unwrap();
    let moved = ["--name", "monday", "--destination", "all/results"];
    bench.analyze(&[&["talk.mp4"][..], &moved].concat());
    let page = bench.read("out/monday/report.html");
    assert!(page.contains("src=\"../../../talk.mp4\""), "{page}");
}

#[test]
fn the_log_shows_what_happens_on_request() {
    let bench = Bench::new();
    bench.clip("talk.mp4");
    bench
        .run(&["talk.mp4", "--log", "info"])
        .assert_status(0)
        .assert_said(&["INFO", "found inputs recordings=1", "starting to play"]);
    let silent = bench.run(&["talk.mp4", "--force", "--quiet"]);
    // Debian 13's ONNX Runtime writes such lines when it is loaded.
    let problems = silent.problems();
    let own = |line: &&str| !line.is_empty() && !line.starts_with("Schema error");
    assert_eq!(problems.lines().find(own), None);
    bench.run(&["talk.mp4", "--log", "loud"]).assert_status(2);
}

#[test]
fn events_are_written_as_json() {
    let bench = Bench::new();
    bench.clip("talk.mp4");
    std::fs::write(bench.path("broken.mp4"), "no video").unwrap();
    let run = bench.run(&["talk.mp4", "broken.mp4", "--json", "--quiet", "--jobs", "1"]);
    // How often the progress is reported depends on the machine.
    let events = run.assert_status(1).events().into_iter();
    let events: Vec<Value> = events
        .filter(|event| event["event"] != "progress")
        .collect();
    let found: Vec<(&str, &str)> = events
        .iter()
        .map(|event| {
            (
                event["event"].as_str().unwrap(),
                event["input"].as_str().unwrap_or(""),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("run", ""),
            ("started", "talk.mp4"),
            ("done", "talk.mp4"),
            ("started", "broken.mp4"),
            ("failed", "broken.mp4"),
            ("end", ""),
        ]
    );
    assert_eq!(
        (&events[5]["done"], &events[5]["failed"]),
        (&1.into(), &1.into())
    );
}
