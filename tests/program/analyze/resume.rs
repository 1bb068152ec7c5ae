// SPDX-License-Identifier: MPL-2.0

//! Runs that continue a run that was stopped.

use std::time::{Duration, Instant};

use super::*;

const CLIPS: [&str; 4] = ["a.mp4", "b.mp4", "c.mp4", "d.mp4"];

fn bench() -> Bench {
    let bench = Bench::new();
    for name in CLIPS {
        bench.clip(name);
    }
    bench
}

/// Asserts that the visible files in `out` are complete, and those of an undisturbed run.
fn assert_whole(bench: &Bench, undisturbed: &Files) {
    if !bench.path("out").exists() {
        return;
    }
    let visible = bench
        .files("out")
        .into_iter()
        .filter(|(name, _)| !name.starts_with('.'));
    let visible: Files = visible.collect();
    for (name, bytes) in &visible {
        assert!(undisturbed[name] == *bytes, "{name} is half");
    }
    for name in CLIPS {
        let stem = name.trim_end_matches(".mp4");
        let files = visible
            .keys()
            .filter(|file| file.starts_with(&format!("{stem}/")));
        assert!([0, FILES.len()].contains(&files.count()), "{stem} is half");
    }
}

/// Kills runs at evenly spaced moments of their duration.
#[test]
fn a_killed_run_can_be_continued() {
    let moments = 4 * hardening_rounds();
    let bench = bench();
    let started = Instant::now();
    let undisturbed = bench.analyze(&CLIPS);
    let took = started.elapsed();
    for moment in 0..moments {
        std::fs::remove_dir_all(bench.path("out")).unwrap();
        for part in [moment, moments - moment] {
            let mut run = bench.start(&CLIPS);
            std::thread::sleep(took * part / moments);
            run.kill().unwrap();
            run.wait().unwrap();
            assert_whole(&bench, &undisturbed);
        }
        assert_eq!(bench.analyze(&CLIPS), undisturbed, "moment {moment}");
    }
}

#[test]
fn only_changes_are_analyzed_again() {
    let bench = bench();
    let first = bench.analyze(&CLIPS);
    let modified = |name: &str| {
        let path = bench.path(&format!("out/{name}/summary.json"));
        path.metadata().unwrap().modified().unwrap()
    };
    let before = ["a", "b"].map(modified);
    bench.encode("b.mp4", "x264enc quantizer=40 ! mp4mux");
    bench
        .run(&CLIPS)
        .assert_status(0)
        .assert_said(&["1 analyzed, 3 skipped"]);
    assert_eq!(modified("a"), before[0]);
    assert_ne!(modified("b"), before[1]);
    bench
        .run(&[&CLIPS[..], &["--max-faces", "2"]].concat())
        .assert_said(&["4 analyzed"]);
    bench
        .run(&[&CLIPS[..], &["--max-faces", "2", "--force"]].concat())
        .assert_said(&["4 analyzed"]);
    // A recording that was moved is the same; another of the same name is not.
    std::fs::create_dir(bench.path("moved")).unwrap();
    std::fs::rename(bench.path("a.mp4"), bench.path("moved/a.mp4")).unwrap();
    bench
        .run(&["moved/a.mp4", "--max-faces", "2"])
        .assert_said(&["0 analyzed, 1 skipped"]);
    bench.encode("other/a.mp4", "x264enc quantizer=45 ! mp4mux");
    bench.run(&["other/a.mp4"]).assert_status(0);
    let names: Vec<String> = bench.summary_table().into_iter().map(|[n, ..]| n).collect();
    assert_eq!(names, ["a.mp4", "a", "b", "c", "d"]);
    assert_eq!(bench.files("out")["c/faces.csv"], first["c/faces.csv"]);
}

#[test]
fn ctrl_c_ends_the_run_in_order() {
    let bench = Bench::new();
    bench.clip("a.mp4").long_clip("long.mp4", 120);
    for signal in ["INT", "TERM"] {
        let options = ["--jobs", "1", "--samples-per-second", "0", "--force"];
        let mut run = bench.start(&[&["a.mp4", "long.mp4"][..], &options].concat());
        let begun = Instant::now();
        while !bench.path("out/.partial-long").exists() {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "it does not begin"
            );
            assert!(run.try_wait().unwrap().is_none(), "it has ended already");
            std::thread::sleep(Duration::from_millis(5));
        }
        let killed = Command::new("kill")
            .args([&format!("-{signal}"), &run.id().to_string()])
            .status();
        assert!(killed.unwrap().success());
        let output = bench.end(run);
        assert_eq!(output.0.status.signal(), None);
        output.assert_status(130).assert_said(&["stopped"]);
        let folders = bench
            .files("out")
            .into_keys()
            .map(|name| match name.split_once('/') {
                Some((folder, _)) => folder.to_owned(),
                None => name,
            });
        let mut folders: Vec<String> = folders.collect();
        folders.dedup();
        let run_files = RUN_FILES.map(str::to_owned);
        assert_eq!(folders[..1], ["a"]);
        assert_eq!(folders[1..], run_files);
        assert_eq!(bench.summary_table()[1], ["long", "not analyzed", ""]);
    }
}
