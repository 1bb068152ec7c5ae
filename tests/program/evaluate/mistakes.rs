// SPDX-License-Identifier: MPL-2.0

//! Mistakes of users, and how they are reported.

use super::*;

#[test]
fn an_unreadable_picture_is_reported_and_the_others_are_evaluated() {
    let bench = Bench::new();
    bench
        .face("positive", "faces/positive/a.png")
        .write("faces/positive/b.png", "no picture");
    let run = bench.run(&["faces"]);
    run.assert_failed(&["Error: cannot read faces/positive/b.png: "]);
    assert!(run.report().contains("pictures that cannot be read: 1"));
}

#[test]
fn mistakes_are_reported_by_file_and_line() {
    let bench = Bench::new();
    bench.faces();
    std::fs::create_dir(bench.path("empty")).unwrap();
    for (name, text, words) in [
        (
            "a.csv",
            "file,mood\na.png,happy\n",
            "a.csv:1: the header lacks the column 'label'; it has: file, mood",
        ),
        (
            "b.csv",
            "file,label\nneutral.png,neutral\na.png,bored\n",
            "b.csv:3: the label 'bored'",
        ),
        (
            "c.csv",
            "file,label\nneutral.png\n",
            "c.csv:2: the line has 1 field, but the header has 2",
        ),
        (
            "d.csv",
            "file,label,x,y,width,height\na.png,sad,1,2,3,\n",
            "d.csv:2: a box needs all of",
        ),
        (
            "e.csv",
            "file,label,x,y,width,height\na.png,sad,1,2,3,wide\n",
            "e.csv:2: 'wide' in the column 'height'",
        ),
        (
            "f.csv",
            "file,label\n",
            "f.csv: there are no labeled faces in it",
        ),
        (
            "g.csv",
            "file,start,end,attitude\na.mp4,3,1,sad\n",
            "g.csv:2: the segment ends before",
        ),
        (
            "h.csv",
            "file,start,end,attitude\na.mp4,noon,1,sad\n",
            "h.csv:2: 'noon' in the column 'start' is not a time",
        ),
        (
            "i.jsonl",
            "{\"file\": \"a.png\", \"label\": \"sad\"}\n{\"file\": 3}\n",
            "i.jsonl:2: ",
        ),
        ("j.txt", "", "j.txt: labeled faces must be"),
        (
            "k.csv",
            "file,label\r\n\r\n\r\nneutral.png,neutral\r\na.png,bored\r\n",
            "k.csv:5: the label 'bored'",
        ),
        (
            "l.csv",
            "file;label\na.png;happy\n",
            "l.csv:1: columns must be separated by commas, not by ';'",
        ),
        (
            "m.jsonl",
            "\u{feff}{\"file\": \"a.png\", \"label\": \"sad\", \"group\": [7]}\n",
            "m.jsonl:1: this is not a labeled face: a group must be a text or an integer",
        ),
        (
            "n.jsonl",
            "{\"file\": \"a.png\", \"label\": \"sad\", \"landmarks\": [[1, 2], [3, 2], [2, 3], [1, 4], [3, 1e38]]}\n",
            "n.jsonl:1: a landmark is too far from the picture",
        ),
    ] {
        bench.write(name, text).run(&[name]).assert_failed(&[words]);
    }
    bench
        .run(&["lost.csv"])
        .assert_failed(&["lost.csv: there is no such file"]);
    bench
        .run(&["empty"])
        .assert_failed(&["empty: there are no labeled faces"]);
    bench
        .write(
            "twice.csv",
            "file,label\npositive.png,happy\npositive.png,sad\n",
        )
        .write("p.csv", "file,happy\npositive.png,1\n")
        .run(&["twice.csv", "--predictions", "p=p.csv"])
        .assert_failed(&["several labeled faces in 'positive.png'"]);
    bench.write("faces.csv", "file,label\npositive.png,happy\n");
    for (text, words) in [
        ("file\n", "p.csv:1: there is neither"),
        ("file,bored\n", "p.csv:1: the column 'bored' is neither"),
        (
            "file,happy\npositive.png,-1\n",
            "p.csv:2: -1 in the column 'happy' is not a score",
        ),
        (
            "file,happy,sad\npositive.png,1e308,1.7e308\n",
            "in the column 'happy' is not a score; it must be a number from 0 to 1e30",
        ),
        ("file,happy\npositive.png,0\n", "p.csv:2: all scores are 0"),
        (
            "file,happy\na,1\na,1\n",
            "p.csv:3: there is a second prediction for 'a'",
        ),
        (
            "file,happy\na,1\n",
            "no prediction of p is for a face of the data: it has 'a', the data have 'positive.png'",
        ),
        ("file,happy\npositive.png,\n", "no face could be compared"),
    ] {
        let run = bench
            .write("p.csv", text)
            .run(&["faces.csv", "--predictions", "p=p.csv"]);
        run.assert_failed(&[words]);
    }
    bench
        .run(&["faces.csv", "--attitude-model", &model("truncated")])
        .assert_failed(&["truncated.onnx"]);
}

#[test]
fn wrong_arguments_are_refused() {
    let bench = Bench::new();
    for (arguments, words) in [
        (
            &["a.csv", "--mapping", "good=happy"][..],
            "invalid attitude 'good', expected positive",
        ),
        (
            &["a.csv", "--predictions", "p.csv"][..],
            "expected NAME=FILE.csv",
        ),
        (&["a.csv", "--execution-provider", "abacus"][..], "openvino"),
        (&["a.csv", "--detector-size", "4097"][..], "0..=4096"),
        (&["a.csv", "--device-id=-1"][..], "-1 is not in"),
        (&["a.csv", "--resamples", "99"][..], "99 is not in 100.."),
        (&[][..], "<DATA>"),
    ] {
        let run = bench.run(arguments);
        assert_eq!(run.0.status.code(), Some(2));
        assert!(run.problems().contains(words), "{}", run.problems());
    }
}

#[test]
fn a_picture_that_does_not_fit_in_memory_cannot_be_read() {
    let bench = Bench::new();
    bench.face("positive", "faces/positive/a.png");
    let file = std::fs::File::create(bench.path("faces/positive/b.png")).unwrap();
    let encoder = png::Encoder::new(file, 100_000, 100_000);
    let mut writer = encoder.write_header().unwrap();
    writer.write_chunk(png::chunk::IDAT, &[0]).unwrap();
    drop(writer);
    let run = bench.run(&["faces"]);
    run.assert_failed(&["b.png: ", "Memory limit exceeded"]);
    assert!(run.report().contains("the figures are of 1"));
}

#[test]
fn a_folder_that_cannot_be_written_is_reported_before_the_work() {
    let bench = Bench::new();
    bench
        .write("faces.csv", "file,label\nlost.png,happy\n")
        .write("file", "");
    std::fs::create_dir_all(bench.path("out/evaluation.json")).unwrap();
    for (folder, words) in [
        ("file", "file: it is not a folder"),
        ("out", "cannot write out/evaluation.json: "),
    ] {
        let run = bench.run(&["faces.csv", "--output", folder]);
        run.assert_failed(&[words]);
        assert!(!run.problems().contains("lost.png"), "{}", run.problems());
    }
}

#[test]
fn a_closed_standard_output_is_no_error_and_a_full_one_loses_no_files() {
    let bench = Bench::new();
    bench.face("positive", "faces/positive/a.png");
    let run = |output: std::process::Stdio, folder| {
        Command::new(env!("CARGO_BIN_EXE_gst-attitude"))
            .args(["evaluate", "faces", "--output", folder])
            .current_dir(bench.0.path())
            .stdout(output)
            .output()
            .unwrap()
    };
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert!(run(writer.into(), "one").status.success());
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let run = Run(run(full.into(), "two"));
    run.assert_failed(&["Error: cannot write to standard output: "]);
    Evaluation::read(&bench.path("two"));
}

#[test]
fn a_mapping_that_does_not_fit_the_data_causes_a_warning() {
    let bench = Bench::new();
    bench
        .patch(230, "faces/happy/a.png")
        .patch(230, "faces/happy/b.png")
        .patch(20, "faces/bored/a.png")
        .patch(20, "faces/sad/a.png");
    let problems = |name, mapping| {
        let model = model(name);
        let arguments = ["faces", "--no-detector", "--attitude-model", &model];
        let run = bench.run(&[&arguments[..], &["--mapping", mapping]].concat());
        assert!(run.0.status.success(), "{}", run.problems());
        run.problems()
    };
    let mapping = "positive=happiness,suprise; neutral=neutral,calm";
    let warnings = problems("emotions8", mapping);
    for warning in [
        "Warning: --mapping lists 'suprise', which occurs nowhere",
        "Warning: --mapping does not list 'happy', the label of 2 faces: it counts as negative",
        "Warning: --mapping does not list 'bored', the label of 1 face: it counts as negative",
    ] {
        assert!(warnings.contains(warning), "no '{warning}' in {warnings}");
    }
    for silent in ["'sad'", "'happiness'", "no emotions"] {
        assert!(!warnings.contains(silent), "{warnings}");
    }
    let warnings = problems("brightness", "positive=happy; negative=bored");
    let warning = "but not those of brightness, which has no emotions";
    assert!(warnings.contains(warning), "{warnings}");
    assert!(!warnings.contains("does not list"), "{warnings}");
}

#[test]
fn a_column_without_scores_is_refused_with_a_mapping_too() {
    let bench = Bench::new();
    bench
        .faces()
        .write("faces.csv", "file,label\npositive.png,happy\n")
        .write("p.csv", "file,happy,confidence\npositive.png,0.4,0.9\n");
    let arguments = ["faces.csv", "--predictions", "p=p.csv", "--mapping"];
    bench
        .run(&[&arguments[..], &["positive=happy"]].concat())
        .assert_failed(&["p.csv:1: the column 'confidence' is neither"]);
}

#[test]
fn repeated_and_ignored_data_cause_warnings() {
    let bench = Bench::new();
    bench
        .face("positive", "faces/happy/a.png")
        .face("positive", "faces/happy/more/b.png")
        .face("positive", "faces/.hidden/c.png")
        .write("faces/happy/.b.png", "hidden")
        .faces()
        .write(
            "faces.csv",
            "File,ATTITUDE\npositive.png,happy\npositive.png,happy\n",
        )
        .write(
            "p.csv",
            "file,label\nhappy/a.png,happy\nhappy/z.png,happy\n",
        );
    let problems = bench.run(&["faces.csv"]).problems();
    for warning in [
        "Warning: faces that are listed more than once, and count each time: 1",
        "Warning: only 2 groups: the intervals are unreliable",
    ] {
        assert!(problems.contains(warning), "no '{warning}' in {problems}");
    }
    let run = bench.run(&["faces", "--predictions", "p=p.csv"]);
    assert!(run.0.status.success(), "{}", run.problems());
    for warning in [
        "faces/happy/more: this folder is ignored",
        "predictions of p for files that are not in the data: 1, such as 'happy/z.png'",
    ] {
        let problems = run.problems();
        assert!(problems.contains(warning), "no '{warning}' in {problems}");
    }
    assert!(
        run.report()
            .contains("1 labeled face; the figures are of 1, in 1 group (")
    );
    assert!(!run.report().contains("not pictures"));
}

#[test]
fn invalid_scores_are_counted_apart_from_faces_that_are_turned_away() {
    let bench = Bench::new();
    bench.patch(128, "faces/neutral/a.png");
    let nan = model("nan");
    let arguments = [
        "faces",
        "--no-detector",
        "--output=out",
        "--attitude-model",
        &nan,
    ];
    bench.run(&arguments).assert_failed(&[
        "no face could be compared; not classified, as the output of a model is not a score: 1\n",
    ]);
    // There is nothing to write, so there are no files.
    let files = std::fs::read_dir(bench.path("out")).unwrap();
    assert_eq!(files.count(), 0);
}

#[test]
fn a_model_that_fails_is_named() {
    let bench = Bench::new();
    bench.patch(230, "faces/neutral/a.png");
    let (brightness, fails) = (model("brightness"), model("fails"));
    let arguments = ["faces", "--no-detector", "--attitude-model", &brightness];
    bench
        .run(&[&arguments[..], &["--attitude-model", &fails]].concat())
        .assert_failed(&["Error: fails: "]);
}
