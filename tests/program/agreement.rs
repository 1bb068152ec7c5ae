// SPDX-License-Identifier: MPL-2.0

//! `gst-attitude agreement`.

use std::path::Path;
use std::process::{Command, Output};

use crate::support::*;

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gst-attitude"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

/// Runs the program, which must succeed; returns what it prints.
fn printed(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn annotations_are_compared_with_the_results_of_a_recording() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let read = |name: &str| std::fs::read_to_string(path(name)).unwrap();
    // Two seconds of each attitude.
    let pictures = [POSITIVE, POSITIVE, NEUTRAL, NEUTRAL, NEGATIVE, NEGATIVE].map(Patch);
    write_clip(
        &path("talk.mp4"),
        &pictures,
        "x264enc speed-preset=ultrafast ! mp4mux",
    );
    let (detector, classifier) = (model("one-face"), model("brightness"));
    printed(
        folder.path(),
        &[
            "analyze",
            "talk.mp4",
            "-o",
            "results",
            "--formats",
            "records.jsonl,attitude.eaf",
            "--detector-model",
            &detector,
            "--attitude-model",
            &classifier,
        ],
    );
    // The program's own segments, as ELAN gets them, agree with themselves.
    let own = printed(
        folder.path(),
        &[
            "agreement",
            "results/talk",
            "--annotations",
            "results/talk/attitude.eaf",
            "--tier",
            "Person 1",
        ],
    );
    assert!(
        own.contains("| gst-attitude, Person 1 |") && own.contains("| 100% | 1.00 | 1.00 |"),
        "{own}"
    );

    std::fs::write(
        path("people.csv"),
        "coder,start,end,label\nAnn,0,2,happy\nAnn,2,6,calm\nBen,0,2,positive\nBen,2,4,neutral\nBen,4,6,anger\n",
    )
    .unwrap();
    let arguments = [
        "agreement",
        "results/talk",
        "--annotations",
        "people.csv",
        "-o",
        "out",
    ];
    let compared = printed(folder.path(), &arguments);
    assert!(
        compared.contains("| Ann, Ben | 6 | 67% | 0.50 |"),
        "{compared}"
    );
    assert!(compared.contains("| all coders |"), "{compared}");
    let disagreements = read("out/disagreements.csv");
    assert!(
        disagreements.contains("4000000000,6000000000,Ann,Ben,neutral,negative"),
        "{disagreements}"
    );
    // Each tier has to be in one of the files.
    let chosen = printed(
        folder.path(),
        &[
            "agreement",
            "results/talk",
            "--annotations",
            "results/talk/attitude.eaf",
            "--annotations",
            "people.csv",
            "--tier",
            "Person 1",
            "--tier",
            "Ben",
        ],
    );
    assert!(
        chosen.contains("| Person 1, Ben |") && !chosen.contains("Ann"),
        "{chosen}"
    );
    assert!(read("out/confusion.csv").contains("Ann,Ben,neutral,negative,2"));
    assert!(read("out/agreement.csv").starts_with("first,second,units,agreement,kappa,alpha\n"));
    assert!(read("out/codebook.csv").contains("agreement,kappa,number,"));
    assert!(read("out/value-labels.csv").contains("confusion,first_label,positive,Positive"));
    let page = read("out/agreement.html");
    assert!(
        page.contains(r##"href="../results/talk/report.html#t=4""##),
        "{page}"
    );
    assert!(!page.contains("style="));

    for (arguments, expected) in [
        (
            &["agreement", "results", "--annotations", "people.csv"][..],
            "results: there are no results",
        ),
        (
            &[
                "agreement",
                "results/talk",
                "--annotations",
                "people.csv",
                "--person",
                "9",
            ],
            "there is no person 9",
        ),
        (
            &[
                "agreement",
                "results/talk",
                "--annotations",
                "people.csv",
                "--unit",
                "1ms",
            ],
            "at least 10ms",
        ),
        (
            &[
                "agreement",
                "results/talk",
                "--annotations",
                "people.csv",
                "--tier",
                "Cid",
            ],
            "it has: Ann, Ben",
        ),
        (
            &[
                "agreement",
                "results/talk",
                "--annotations",
                "people.csv",
                "--tier",
                "Ann",
                "--tier",
                "Cid",
            ],
            "no file of annotations has a tier or coder 'Cid'",
        ),
        (
            &[
                "agreement",
                "results/talk",
                "--annotations",
                "people.csv",
                "--annotations",
                "people.csv",
            ],
            "two coders have the name 'Ann'",
        ),
    ] {
        let output = run(folder.path(), arguments);
        let problem = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{problem}");
        assert!(problem.contains(expected), "{problem}");
    }
}
