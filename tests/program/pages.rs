// SPDX-License-Identifier: MPL-2.0

//! The pages of `analyze`, `study` and `agreement` in Debian's Chromium, which `pages.py` controls through
//! Playwright. If one of them is not installed, the test says so and passes.

use std::path::Path;
use std::process::Command;

use crate::support::*;

/// Runs the program; returns its exit status.
fn status(folder: &Path, arguments: &[&str]) -> Option<i32> {
    let program = env!("CARGO_BIN_EXE_gst-attitude");
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    println!("{}", String::from_utf8_lossy(&output.stderr));
    output.status.code()
}

#[test]
fn pages_are_accessible_at_every_width_light_and_dark() {
    let Some(python) = playwright() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let pictures = [POSITIVE, NEUTRAL, NEGATIVE, POSITIVE].map(Patch);
    let recordings = ["ann", "interview of 2026-11-29 with a long name"];
    for name in recordings {
        let file = path(&format!("{name}.mp4"));
        write_clip(&file, &pictures, "x264enc speed-preset=ultrafast ! mp4mux");
    }
    std::fs::write(path("broken.mp4"), "no recording").unwrap();
    let models = [model("one-face"), model("brightness")];
    let analyze = [
        "analyze",
        ".",
        "--output=results",
        "--baseline=auto",
        "--detector-model",
        models[0].as_str(),
        "--attitude-model",
        models[1].as_str(),
    ];
    assert_eq!(status(folder.path(), &analyze), Some(1));
    // With corrections, the index has a table of participants, and the report has notes.
    let corrections = "version = 1\n\
         [[person]]\nnumber = 1\nname = \"Ann\"\nparticipant = \"P01\"\n\
         [[note]]\ntime = \"0:01\"\ntext = \"laughs\"\n";
    std::fs::write(path("results/ann/corrections.toml"), corrections).unwrap();
    assert_eq!(status(folder.path(), &analyze), Some(1));

    let recording = |name: &str, condition: &str| {
        format!(
            "[[recording]]\nfile = \"{name}.mp4\"\nparticipant = \"{name}\"\ncondition = \"{condition}\"\n\
             events = [{{ name = \"question\", start = 2 }}]\n"
        )
    };
    let study = format!(
        "before = \"1s\"\nafter = \"1s\"\nresults = \"results\"\n{}{}",
        recording(recordings[0], "praised"),
        recording(recordings[1], "criticized")
    );
    std::fs::write(path("study.toml"), study).unwrap();
    let study = ["study", "study.toml", "--output=study"];
    assert_eq!(status(folder.path(), &study), Some(0));

    let annotations = "coder,start,end,label\nBen,0,2,positive\nCid,0,4,neutral\n";
    std::fs::write(path("people.csv"), annotations).unwrap();
    let agreement = [
        "agreement",
        "results/ann",
        "--annotations=people.csv",
        "--output=agreement",
    ];
    assert_eq!(status(folder.path(), &agreement), Some(0));

    let pages = [
        "results/index.html",
        "results/ann/report.html",
        "study/study.html",
        "agreement/agreement.html",
    ];
    let output = Command::new(python)
        .arg(project("tests/program/pages.py"))
        .args(pages.map(path))
        .output()
        .unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
