// SPDX-License-Identifier: MPL-2.0

//! Corrections in the results.

use super::*;

const CORRECTIONS: &str = r#"
version = 1

[[person]]
number = 1
name = "=Ann <b>"
participant = "P01"
seen = { time = "0:00", x = 0.5, y = 0.5 }

[[attitude]]
person = 1
start = "0:00"
end = "0:00.6"
attitude = "negative"

[[note]]
time = "0:02"
text = "laughs"

[[merge]]
person = 1
with = [7]
"#;

const FORMATS: [&str; 2] = [
    "--formats",
    "records.jsonl,faces.csv,segments.csv,attitude.eaf",
];

/// Returns the position of the only face as fractions of the frame.
fn seen(bench: &Bench) -> String {
    let center = &bench.json("out/a/summary.json")["persons"][0]["first_center"];
    format!("x = {}, y = {} }}", center[0], center[1])
}

#[test]
fn corrections_are_applied_and_survive_another_analysis() {
    let bench = Bench::new();
    bench.clip("a.mp4");
    let arguments = [&["a.mp4"][..], &FORMATS].concat();
    let analyzed = bench.analyze(&arguments);
    let path = bench.path("out/a/corrections.toml");
    let text = CORRECTIONS.replace("x = 0.5, y = 0.5 }", &seen(&bench));
    std::fs::write(&path, &text).unwrap();
    bench.run(&arguments).assert_status(0).assert_said(&[
        "0 analyzed, 1 skipped",
        "a correction of a has no effect: merge with person 1: there is no person 7",
    ]);
    let corrected = bench.files("out");
    for name in ["a/records.jsonl", "a/faces.csv"] {
        assert_eq!(corrected[name], analyzed[name], "{name}");
    }
    let summary = bench.json("out/a/summary.json");
    let person = &summary["persons"][0];
    assert_eq!(person["name"], "=Ann <b>");
    assert_eq!(person["segments"][0]["attitude"], "negative");
    assert_eq!(person["corrected"][0]["end_ns"], 600_000_000);
    assert_eq!(summary["corrections"]["counts"]["notes"], 1);
    let table = bench.read("out/a/segments.csv");
    assert!(
        table.contains(",negative,attitude,'=Ann <b>,P01,true\n"),
        "{table}"
    );
    assert!(
        bench
            .read("out/a/attitude.eaf")
            .contains("TIER_ID=\"=Ann &lt;b&gt;\"")
    );
    assert!(
        bench
            .read("out/summary.csv")
            .lines()
            .nth(1)
            .unwrap()
            .ends_with(",4")
    );
    let report = bench.read("out/a/report.html");
    for part in ["1 merge", "no person 7", "=Ann &lt;b&gt;", "laughs"] {
        assert!(report.contains(part), "no {part}");
    }
    // Again: nothing changes. Analyzed again, with other settings and back: the same.
    assert_eq!(bench.analyze(&arguments), corrected);
    bench.analyze(&[&arguments[..], &["--force"]].concat());
    assert_eq!(bench.files("out"), corrected);
    bench.analyze(&[&arguments[..], &["--samples-per-second", "10"]].concat());
    assert_eq!(
        bench.json("out/a/summary.json")["persons"][0]["name"],
        "=Ann <b>"
    );
    assert_eq!(bench.read("out/a/corrections.toml"), text);
    bench.analyze(&arguments);
    assert_eq!(bench.files("out"), corrected);
    // Without corrections, the results are those of the analysis.
    std::fs::remove_file(&path).unwrap();
    assert_eq!(bench.analyze(&arguments), analyzed);
}

#[test]
fn mistakes_in_corrections_are_named_and_change_nothing() {
    let bench = Bench::new();
    bench.clip("a.mp4");
    let analyzed = bench.analyze(&["a.mp4"]);
    std::fs::write(
        bench.path("out/a/corrections.toml"),
        "version = 1\n\nnames = 1\n",
    )
    .unwrap();
    for arguments in [&["a.mp4"][..], &["a.mp4", "--force"]] {
        bench
            .run(arguments)
            .assert_status(1)
            .assert_said(&["out/a/corrections.toml: line 3: unknown field `names`"]);
    }
    assert_eq!(
        bench.files("out")["a/summary.json"],
        analyzed["a/summary.json"]
    );
    std::fs::remove_file(bench.path("out/a/corrections.toml")).unwrap();
    assert_eq!(bench.analyze(&["a.mp4"]), analyzed);
}

#[test]
fn without_records_corrections_need_another_analysis() {
    let bench = Bench::new();
    bench.clip("a.mp4");
    let arguments = ["a.mp4", "--formats", "segments.csv"];
    bench.analyze(&arguments);
    let exclusion = "version = 1\n[[exclude]]\nstart = 0\nend = 1\n";
    std::fs::write(bench.path("out/a/corrections.toml"), exclusion).unwrap();
    bench
        .run(&arguments)
        .assert_status(0)
        .assert_said(&["1 analyzed"]);
    let gaps = &bench.json("out/a/summary.json")["persons"][0]["tracks"];
    assert_eq!(gaps[0]["first_ns"], 0);
    let segments = &bench.json("out/a/summary.json")["scene"]["segments"];
    assert_eq!(segments[0]["start_ns"], 1_000_000_000);
    bench
        .run(&arguments)
        .assert_status(0)
        .assert_said(&["1 skipped"]);
}
