// SPDX-License-Identifier: MPL-2.0

//! Interface for programs that distribute recordings over machines.

use super::*;

/// Analyzes the recordings in the plan of `inputs` one by one, in another order, like a program
/// that distributes them, and writes the tables of `out`.
fn distribute(bench: &Bench, inputs: &[&str]) -> Run {
    let planned = bench.run(&[inputs, &["--plan"]].concat());
    planned.assert_status(0);
    let mut outcomes = String::new();
    for recording in planned.events().iter().rev() {
        let [name, uri] = ["name", "uri"].map(|key| recording[key].as_str().unwrap());
        let arguments = ["--name", name, "--json", uri];
        let run = Run(bench.command_into("part", &arguments).output().unwrap());
        let events = run.events();
        let field = |key| events.iter().find_map(|event| event.get(key));
        let reason = field("reason");
        if reason.is_none() {
            let whole = bench.path("part").join(name);
            let document = bench.json(&format!("part/{name}/summary.json"));
            assert_eq!(document["fingerprint"], recording["fingerprint"]);
            std::fs::rename(whole, bench.path("out").join(name)).unwrap();
        }
        outcomes +=
            &serde_json::json!({"uri": uri, "reason": reason, "code": field("code")}).to_string();
        outcomes += "\n";
    }
    std::fs::write(bench.path("outcomes"), outcomes).unwrap();
    bench.run(&[inputs, &["--collect", "outcomes"]].concat())
}

#[test]
fn distributed_recordings_have_the_same_results() {
    let bench = Bench::new();
    bench
        .clip("in/talk.mp4")
        .encode("in/talk.mkv", MATROSKA)
        .clip("in/deep/talk.mkv");
    std::fs::write(bench.path("in/text.mp4"), "no video").unwrap();
    init();
    run_pipeline(&format!(
        "audiotestsrc num-buffers=20 ! avenc_aac ! mp4mux ! filesink location={}",
        bench.path("in/sound.mp4").display()
    ));
    let mut whole = bench.command_into("whole", &["in"]);
    Run(whole.output().unwrap()).assert_status(1);
    distribute(&bench, &["in"])
        .assert_status(1)
        .assert_said(&["0 analyzed, 3 skipped, 1 failed"]);
    assert!(bench.files("whole") == bench.files("out"));
    let plan = bench.run(&["in", "--plan"]).events();
    let done: Vec<bool> = plan.iter().map(|r| r["done"].as_bool().unwrap()).collect();
    assert_eq!(done, [true, false, true, true, false]);
}

#[test]
fn unplanned_recordings_are_omitted_and_changed_ones_are_reported() {
    let bench = Bench::new();
    bench.clip("a.mp4").clip("b.mp4");
    distribute(&bench, &["a.mp4"]).assert_status(0);
    bench
        .run(&["a.mp4", "b.mp4", "--collect", "outcomes"])
        .assert_status(0);
    assert_eq!(bench.summary_table(), [["a", "done", ""]]);
    bench
        .run(&["a.mp4", "--collect", "outcomes", "--max-faces", "2"])
        .assert_status(1)
        .assert_said(&["a.mp4: it has changed since it was planned"]);
    std::fs::write(bench.path("list"), "{\"uri\": \"file:///a\"}\n[]\n").unwrap();
    for (arguments, problem) in [
        (
            &["--collect", "lost"][..],
            "cannot read the file of --collect, lost: No such file",
        ),
        (&["--collect", "a.mp4"], "a.mp4: "),
        (&["--collect", "list"], "list:2: expected a JSON object"),
        (
            &["b.mp4", "--name", "x"],
            "--name is for one recording, but the inputs have 2",
        ),
        (&["--name", "../x"], "the name of a folder"),
    ] {
        let run = bench.run(&[&["a.mp4"], arguments].concat());
        assert_ne!(run.0.status.code(), Some(0));
        run.assert_said(&[problem]);
    }
}

#[test]
fn copies_are_reported_by_the_uri_of_the_original() {
    let bench = Bench::new();
    bench.clip("copies/bucket/day 1/talk.mp4");
    let origin = ["copies", "--origin", "copies", "s3://"];
    let first = bench.analyze(&origin);
    let recording = bench.json("out/talk/summary.json")["recording"].clone();
    assert_eq!(recording["uri"], "s3://bucket/day%201/talk.mp4");
    assert_eq!(recording["path"], Value::Null);
    // The copies may be anywhere.
    std::fs::rename(bench.path("copies"), bench.path("others")).unwrap();
    bench
        .run(&["others", "--origin", "others", "s3://"])
        .assert_status(0)
        .assert_said(&["0 analyzed, 1 skipped"]);
    assert!(bench.files("out") == first);
}
