// SPDX-License-Identifier: MPL-2.0

//! Baselines of persons.

use super::*;

/// Writes a clip with a second per luma of the face.
fn write_faces(bench: &Bench, name: &str, lumas: &[u8]) {
    let pictures: Vec<Patch> = lumas.iter().map(|&luma| Patch(luma)).collect();
    write_clip(&bench.path(name), &pictures, MP4);
}

#[test]
fn a_person_who_looks_negative_is_neutral_against_the_own_baseline() {
    let bench = Bench::new();
    let lumas = [NEGATIVE, NEGATIVE, NEGATIVE, NEUTRAL, NEUTRAL];
    write_faces(&bench, "talk.mp4", &lumas);
    write_faces(&bench, "rest.mp4", &[NEGATIVE; 3]);
    let formats = ["--formats", "records.jsonl,segments.csv"];
    let analyze = |baseline: &str| {
        let arguments = ["talk.mp4", "--baseline", baseline];
        bench.analyze(&[&arguments[..], &formats].concat());
        bench.json("out/talk/summary.json")
    };
    let without = analyze("off");
    assert_eq!(without["persons"][0].get("baseline_change"), None);
    let records = bench.read("out/talk/records.jsonl");
    for (baseline, expected_s) in [("auto", 5.0), ("0:00-0:03", 3.0), ("rest.mp4", 3.0)] {
        let summary = analyze(baseline);
        let person = &summary["persons"][0];
        let change = &person["baseline_change"];
        let median = change["baseline"]["valence"].as_f64().unwrap();
        assert!(median < -0.7, "{baseline}: {median}");
        let learned_s = change["baseline"]["learned_ns"].as_f64().unwrap() / 1e9;
        assert!(
            (learned_s - expected_s).abs() < 0.5,
            "{baseline}: {learned_s}"
        );
        assert!(person["shares"]["negative"].as_f64().unwrap() > 0.5);
        let share = |attitude: &str| change["shares"][attitude].as_f64().unwrap();
        assert!((share("neutral") - 0.6).abs() < 0.1, "{baseline}: {change}");
        assert!(
            (share("positive") - 0.4).abs() < 0.1,
            "{baseline}: {change}"
        );
        assert_eq!(bench.read("out/talk/records.jsonl"), records);
        let segments = bench.read("out/talk/segments.csv");
        assert!(segments.contains(",neutral,attitude_change,"), "{segments}");
        let report = bench.read("out/talk/report.html");
        assert!(report.contains("Baseline −0."), "{baseline}");
    }
}

#[test]
fn a_baseline_that_cannot_be_computed_is_an_error_before_the_work() {
    let bench = Bench::new();
    bench.clip("talk.mp4");
    let missing = bench.run(&["talk.mp4", "--baseline", "rest.mp4"]);
    missing
        .assert_status(2)
        .assert_said(&["--baseline rest.mp4: expected off, auto, a part such as 0:00-0:20"]);
    let backwards = bench.run(&["talk.mp4", "--baseline", "0:20-0:10"]);
    backwards.assert_status(2);
    // No attitude is known.
    let unknown = ["--baseline", "talk.mp4", "--min-confidence", "1"];
    let unknown = bench.run(&[&["talk.mp4"], &unknown[..]].concat());
    unknown.assert_status(1).assert_said(&[
        "cannot compute the baseline from talk.mp4",
        "nobody has a known attitude",
    ]);
    assert!(!bench.path("out/talk").exists());
}
