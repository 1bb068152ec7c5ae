// SPDX-License-Identifier: MPL-2.0

//! Studies of made records.

use serde_json::json;

use super::*;

const S: u64 = 1_000_000_000;

/// Writes results of a recording of a minute, as `analyze` does, with five samples per second of a face
/// whose positive score is `positive` at each second; `None` while it is not seen.
fn write_results(bench: &Bench, name: &str, positive: impl Fn(u64) -> Option<f64>) {
    let mut lines = String::new();
    for sample in 0..300_u64 {
        let faces = positive(sample / 5).map(|positive| {
            let scores = json!({"positive": positive, "neutral": 1.0 - positive, "negative": 0.0});
            let attitude = if positive > 0.5 { "positive" } else { "neutral" };
            json!({
                "track": 1, "box": [10.0, 10.0, 40.0, 50.0], "landmarks": null, "detection": 0.9,
                "attitude": attitude, "confidence": 0.8, "scores": scores, "raw": scores, "fresh": true, "age_ns": 0,
            })
        });
        let time_ns = sample * S / 5;
        let record = json!({
            "schema": 1, "stream": name, "frame": 2 * sample, "pts_ns": time_ns, "running_time_ns": time_ns,
            "stream_time_ns": time_ns, "utc": null, "width": 320, "height": 180, "faces": Vec::from_iter(faces),
        });
        lines += &format!("{record}\n");
    }
    let mut summary = serde_json::to_value(attitude::record::summary::Summary::default()).unwrap();
    let file = json!({
        "document": 1, "program": "gst-attitude 0.1.0", "fingerprint": "", "damage": null,
        "recording": {
            "name": name, "path": null, "uri": format!("file:///gone/{name}.mp4"), "size_bytes": 1, "modified_ns": 1,
            "duration_ns": 60 * S, "width": 320, "height": 180, "frames_per_second": 25.0, "frames": 1500,
            "failed_samples": 0,
        },
        "analysis": {
            "provider": "cpu", "max_faces": 16, "detector_size": 320,
            "settings": {"samples_per_second": 5.0, "min_confidence": 0.45, "mapping": null},
            "models": {"attitude": "gst-attitude", "attitude_sha256": "0123456789abcdef01", "detector_sha256": "fedcba9876543210"},
        },
    });
    summary
        .as_object_mut()
        .unwrap()
        .extend(file.as_object().unwrap().clone());
    bench.write(&format!("results/{name}/records.jsonl"), lines);
    bench.write(&format!("results/{name}/summary.json"), summary.to_string());
}

/// Returns a step from `before` to `after` at 30 s.
fn step(before: f64, after: f64) -> impl Fn(u64) -> Option<f64> {
    move |second| Some(if second < 30 { before } else { after })
}

/// Makes a study of six participants in two conditions, with its tables in `out`.
fn study_of_two_conditions(bench: &Bench) {
    let mut table = "participant,recording,condition,event,start\n".to_owned();
    for participant in 0..6 {
        let own = 0.1 * f64::from(participant);
        for (condition, after) in [("a", own + 0.3), ("b", own + 0.1)] {
            let name = format!("p{participant}{condition}");
            write_results(bench, &name, step(own, after));
            // The recordings are gone; their results are found by name.
            table += &format!("{participant},videos/{name}.mp4,{condition},bell,30\n");
        }
    }
    bench.write("study.csv", table);
    let output = bench.study(&["study.csv", "-o", "out", "--results", "results"]);
    assert!(output.status.success(), "{}", problem(&output));
}

#[test]
fn valence_is_compared_with_the_own_baseline_of_participants() {
    let bench = Bench::new();
    let mut table = "participant,recording,condition\n".to_owned();
    for participant in 0..6 {
        // Resting faces differ by participant and condition; the changes by condition only.
        for (condition, rest, change) in [("a", 0.1, 0.4), ("b", 0.3, 0.2)] {
            let rest = rest + 0.05 * f64::from(participant);
            let name = format!("p{participant}{condition}");
            let positive = move |second| Some(if second < 40 { rest } else { rest + change });
            write_results(&bench, &name, positive);
            bench.set_rule(&name, "baseline", json!("auto"));
            table += &format!("p{participant},{name}.mp4,{condition}\n");
        }
    }
    bench.write("study.csv", table);
    let output = bench.study(&["study.csv", "-o", "out", "--results", "results"]);
    assert!(output.status.success(), "{}", problem(&output));
    let comparisons = bench.table("out/comparisons.csv");
    let difference = |measure: &str| {
        let values = [("aligned_to", "start"), ("measure", measure)];
        number(row(&comparisons, &values), "difference")
    };
    // The changes last for a third of the time. A baseline is accurate to about 1/64.
    assert!((difference("valence_change") - 0.2 / 3.0).abs() < 0.02);
    assert!(difference("valence") < -0.1);
    let recordings = bench.table("out/recordings.csv");
    assert!((number(&recordings[0], "valence_change") - 0.4 / 3.0).abs() < 0.02);
    assert!(bench.read("out/methods.txt").contains("own baseline"));
    assert!(
        bench
            .read("out/study.html")
            .contains("own baseline, −2 to 2")
    );
}

#[test]
fn participants_in_both_conditions_are_compared_within() {
    let bench = Bench::new();
    study_of_two_conditions(&bench);
    let comparisons = bench.table("out/comparisons.csv");
    let bell = row(
        &comparisons,
        &[("aligned_to", "bell"), ("measure", "valence")],
    );
    assert_eq!(bell["design"], "within");
    assert_eq!(
        (number(bell, "difference"), number(bell, "cliffs_delta")),
        (0.2, 1.0)
    );
    // The smallest p-value of six pairs.
    assert_eq!(number(bell, "p"), 0.03125);
    // All differences are the same, so that their standard deviation is 0.
    assert_eq!((bell["d_z"].as_str(), bell["hedges_g"].as_str()), ("", ""));
    assert_eq!((number(bell, "low"), number(bell, "high")), (0.2, 0.2));

    let averages = bench.table("out/averages.csv");
    let at = |time: &str| {
        let values = [
            ("aligned_to", "bell"),
            ("condition", "a"),
            ("measure", "valence"),
            ("time_s", time),
        ];
        number(row(&averages, &values), "mean")
    };
    assert_eq!((at("-1"), at("0"), at("19")), (0.0, 0.3, 0.3));

    let page = bench.read("out/study.html");
    for part in [
        "Around the event “bell”",
        "12 recordings of 6 participants in 2 conditions (a, b) were analyzed.",
        "classifier gst-attitude, SHA-256 0123456789abcdef…",
        "minus the mean of the 5 s before it (baseline)",
        "0 of 12 recordings and 0 of 12 events",
        "The same participants were compared",
        "effect of the conditions only if participants or their order were assigned at random",
    ] {
        assert!(page.contains(part), "no {part} in {page}");
    }
    assert!(!page.contains("Different participants were compared"));
    assert!(!page.contains("style="));
}

#[test]
fn what_is_not_seen_or_not_there_is_left_out_with_its_reason() {
    let bench = Bench::new();
    write_results(&bench, "one", step(0.0, 0.8));
    write_results(&bench, "two", |second| (second < 29).then_some(0.6));
    bench.write("results/three/summary.json", "{}");
    bench.write(
        "study.toml",
        r#"
        results = "results"
        title = "<b>Bells & whistles</b>"
        [[recording]]
        file = "one"
        participant = "<i>p1</i>"
        condition = "a"
        exclude = ["0:50-1:00"]
        events = [{ name = "bell", start = 30 }, { name = "late", start = 200 }]
        [[recording]]
        file = "two"
        participant = 2
        condition = "a"
        person = 1
        events = [{ name = "bell", start = 30 }]
        [[recording]]
        file = "three"
        participant = 3
        condition = "a"
        [[recording]]
        file = "two.mp4"
        participant = 4
        condition = "a"
        person = 7
        "#,
    );
    let output = bench.study(&["study.toml", "-o", "out"]);
    assert_eq!(output.status.code(), Some(1), "{}", problem(&output));
    for part in [
        "two: left out of the averages from the start: seen for 48% of the time, less than min-seen, 50%",
        "one: the event 'late' at 3:20.0 is left out: seen for 0% of the time after the event",
        "Error: three: there is neither a file ./three nor a folder with its results in ./results",
        "Error: two.mp4: there is no person 7; the report of the recording shows 1 person",
        "2 recordings of 4 participants in 1 condition",
    ] {
        let problem = problem(&output).replace("file three", "file ./three");
        let problem = problem.replace("in results", "in ./results");
        assert!(problem.contains(part), "no {part} in {problem}");
    }
    let recordings = bench.table("out/recordings.csv");
    let one = row(&recordings, &[("recording", "one")]);
    // 30 of the 50 s that are not excluded, at 0; 20 s at 0.8.
    assert_eq!(
        (one["status"].as_str(), number(one, "valence")),
        ("used", 0.32)
    );
    assert_eq!(
        row(&recordings, &[("recording", "two")])["status"],
        "excluded"
    );
    assert_eq!(
        row(&recordings, &[("recording", "three")])["status"],
        "failed"
    );
    let events = bench.table("out/events.csv");
    let bells: Vec<&str> = events.iter().map(|row| row["status"].as_str()).collect();
    assert_eq!(bells, ["used", "excluded", "excluded"]);
    let page = bench.read("out/study.html");
    assert!(page.contains("&lt;b&gt;Bells &amp; whistles&lt;/b&gt;") && !page.contains("<i>p1"));
    assert!(page.contains("There is a single condition, and nothing to compare."));
    let methods = bench.read("out/methods.txt");
    assert!(
        methods.contains("2 further recordings could not be used"),
        "{methods}"
    );
    assert!(
        methods.contains("parts of 1 recording were excluded by hand"),
        "{methods}"
    );
}

#[test]
fn corrections_choose_the_participant_and_add_events() {
    let bench = Bench::new();
    // The interviewer is seen for longer than the participant.
    write_results(&bench, "one", |second| (second < 35).then_some(0.9));
    let two_faces = bench.read("results/one/records.jsonl");
    let with_participant = |line: &str| {
        let mut record: serde_json::Value = serde_json::from_str(line).unwrap();
        let face = |positive: f64, track: u64, x: f64| {
            let scores = json!({"positive": positive, "neutral": 1.0 - positive, "negative": 0.0});
            json!({
                "track": track, "box": [x, 10.0, 40.0, 50.0], "landmarks": null, "detection": 0.9,
                "attitude": "neutral", "confidence": 0.8, "scores": scores, "raw": scores, "fresh": true, "age_ns": 0,
            })
        };
        let is_late = record["pts_ns"].as_u64().unwrap() >= 30 * S;
        let mut faces = vec![face(0.9, 1, 10.0)];
        if is_late {
            faces.push(face(0.2, 2, 200.0));
        }
        record["faces"] = json!(faces);
        format!("{record}\n")
    };
    let records: String = two_faces.lines().map(with_participant).collect();
    bench.write("results/one/records.jsonl", records);
    bench.write(
        "results/one/corrections.toml",
        "version = 1\n[[person]]\nnumber = 2\nparticipant = \"p1\"\n\
         [[event]]\ntime = \"0:40\"\nname = \"question\"\n",
    );
    bench.write(
        "study.csv",
        "participant,recording,condition,from\np1,one,a,30\n",
    );
    let output = bench.study(&["study.csv", "-o", "out", "--results", "results"]);
    assert!(output.status.success(), "{}", problem(&output));
    let recordings = bench.table("out/recordings.csv");
    let one = row(&recordings, &[("recording", "one")]);
    assert_eq!((one["person"].as_str(), number(one, "valence")), ("2", 0.2));
    let events = bench.table("out/events.csv");
    assert_eq!(row(&events, &[("event", "question")])["status"], "used");
    let methods = bench.read("out/methods.txt");
    assert!(
        methods.contains("of 1 recording were corrected by hand"),
        "{methods}"
    );

    bench.write("results/one/corrections.toml", "version = 1\nx = 1\n");
    let output = bench.study(&["study.csv", "-o", "out", "--results", "results"]);
    assert!(!output.status.success());
    let problem = problem(&output);
    assert!(
        problem.contains("corrections.toml: line 2: unknown field `x`"),
        "{problem}"
    );
}

#[test]
fn mistakes_are_reported_with_the_next_step() {
    let bench = Bench::new();
    bench.write("empty.toml", "").write(
        "gone.csv",
        "participant,recording,condition\n1,gone.mp4,x\n",
    );
    for (arguments, status, expected) in [
        (
            &["empty.toml", "-o", "out"][..],
            2,
            "empty.toml: there is no recording; add [[recording]]",
        ),
        (
            &["nowhere.toml", "-o", "out"],
            2,
            "nowhere.toml: there is no such file",
        ),
        (
            &["gone.csv", "-o", "out"],
            1,
            "gone.mp4: there is neither a file gone.mp4 nor a folder",
        ),
        (
            &["gone.csv", "-o", "out"],
            1,
            "no recording of the study could be used",
        ),
        (
            &["gone.csv", "-o", "empty.toml"],
            1,
            "cannot create the folder empty.toml",
        ),
    ] {
        let output = bench.study(arguments);
        assert_eq!(output.status.code(), Some(status), "{}", problem(&output));
        assert!(problem(&output).contains(expected), "{}", problem(&output));
    }
    assert!(!bench.path("out/study.html").exists());
}

#[test]
fn tables_have_labels_in_r_and_spss() {
    let has_packages = Command::new("Rscript")
        .args(["-e", "library(haven); library(readr)"])
        .output();
    if !has_packages.is_ok_and(|output| output.status.success()) {
        println!("skipped: no R with haven and readr; pipelines/setup.sh --tests installs them");
        return;
    }
    let bench = Bench::new();
    study_of_two_conditions(&bench);
    let script = project("pipelines/study/labels.R");
    let output = succeed(
        Command::new("Rscript")
            .arg(script)
            .arg(bench.path("out"))
            .arg(bench.path("spss")),
    );
    let written = String::from_utf8(output.stdout).unwrap();
    for table in ["recordings", "events", "averages", "comparisons"] {
        assert!(written.contains(&format!("{table}.sav: ")), "{written}");
    }
    succeed(
        Command::new("Rscript")
            .args(["-e", COMPARE_LABELS])
            .arg(bench.path("out"))
            .arg(bench.path("spss")),
    );
}

/// Compares the SPSS files with the tables and the codebook.
const COMPARE_LABELS: &str = r#"
library(haven)
folders <- commandArgs(trailingOnly = TRUE)
codebook <- read.csv(file.path(folders[1], "codebook.csv"))
labels <- read.csv(file.path(folders[1], "value-labels.csv"))
for (name in c("recordings", "events", "comparisons", "conditions")) {
  table <- read_sav(file.path(folders[2], paste0(name, ".sav")))
  csv <- read.csv(file.path(folders[1], paste0(name, ".csv")))
  stopifnot(identical(names(table), names(csv)), nrow(table) == nrow(csv), nrow(csv) > 0)
  for (column in names(csv)) {
    described <- codebook$description[codebook$table == name & codebook$column == column]
    stopifnot(identical(attr(table[[column]], "label"), described))
    values <- labels[labels$table == name & labels$column == column, ]
    if (nrow(values) > 0) {
      expected <- values$label[match(csv[[column]], values$value)]
      stopifnot(identical(as.character(as_factor(table[[column]])), expected))
    } else if (is.numeric(csv[[column]])) {
      stopifnot(isTRUE(all.equal(as.numeric(table[[column]]), csv[[column]])))
    }
  }
}
"#;
