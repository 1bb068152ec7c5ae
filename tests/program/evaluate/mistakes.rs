// SPDX-License-Identifier: MPL-2.0

//! What users do wrong, and what they are told.

use super::*;

#[test]
fn a_picture_that_cannot_be_read_is_named_and_the_run_goes_on() {
    let bench = Bench::new();
    bench
        .face("positive", "faces/positive/a.png")
        .write("faces/positive/b.png", "no picture");
    let run = bench.run(&["faces"]);
    run.assert_failed(&["Error: positive/b.png: faces/positive/b.png cannot be read: "]);
    assert!(run.report().contains("pictures that cannot be read: 1"));
}

#[test]
fn mistakes_are_told_by_file_and_line() {
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
            "c.csv:2: 1 fields where the header has 2",
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
            "f.csv: there are no labelled faces in it",
        ),
        (
            "g.csv",
            "file,start,end,attitude\na.mp4,3,1,sad\n",
            "g.csv:2: the segment ends before",
        ),
        (
            "h.csv",
            "file,start,end,attitude\na.mp4,noon,1,sad\n",
            "h.csv:2: 'noon' in the column 'start' is no time",
        ),
        (
            "i.jsonl",
            "{\"file\": \"a.png\", \"label\": \"sad\"}\n{\"file\": 3}\n",
            "i.jsonl:2: ",
        ),
        ("j.txt", "", "j.txt: labelled faces are"),
        (
            "k.csv",
            "file,label\r\n\r\n\r\nneutral.png,neutral\r\na.png,bored\r\n",
            "k.csv:5: the label 'bored'",
        ),
        (
            "l.csv",
            "file;label\na.png;happy\n",
            "l.csv:1: columns are separated by commas, and here by ';'",
        ),
        (
            "m.jsonl",
            "\u{feff}{\"file\": \"a.png\", \"label\": \"sad\", \"group\": [7]}\n",
            "m.jsonl:1: a group is a text or a whole number",
        ),
    ] {
        bench.write(name, text).run(&[name]).assert_failed(&[words]);
    }
    bench
        .run(&["lost.csv"])
        .assert_failed(&["lost.csv: not there"]);
    bench
        .run(&["empty"])
        .assert_failed(&["empty: there are no labelled faces"]);
    bench
        .write(
            "twice.csv",
            "file,label\npositive.png,happy\npositive.png,sad\n",
        )
        .write("p.csv", "file,happy\npositive.png,1\n")
        .run(&["twice.csv", "--predictions", "p=p.csv"])
        .assert_failed(&["several labelled faces in 'positive.png'"]);
    bench.write("faces.csv", "file,label\npositive.png,happy\n");
    for (text, words) in [
        ("file\n", "p.csv:1: there is neither"),
        ("file,bored\n", "p.csv:1: the column 'bored' is neither"),
        (
            "file,happy\npositive.png,-1\n",
            "p.csv:2: -1 in the column 'happy' is no score",
        ),
        ("file,happy\npositive.png,0\n", "p.csv:2: all scores are 0"),
        (
            "file,happy\na,1\na,1\n",
            "p.csv:3: there is a second answer about 'a'",
        ),
        (
            "file,happy\na,1\n",
            "no answer of p is about a face of the data: it has 'a', the data have 'positive.png'",
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
fn wrong_arguments_are_told() {
    let bench = Bench::new();
    for (arguments, words) in [
        (
            &["a.csv", "--mapping", "good=happy"][..],
            "'good' is none of positive",
        ),
        (
            &["a.csv", "--predictions", "p.csv"][..],
            "must be NAME=FILE.csv",
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
fn a_picture_that_promises_more_than_memory_holds_cannot_be_read() {
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
fn a_place_for_results_that_cannot_be_written_is_told_before_the_work() {
    let bench = Bench::new();
    bench
        .write("faces.csv", "file,label\nlost.png,happy\n")
        .write("file", "");
    std::fs::create_dir_all(bench.path("out/evaluation.json")).unwrap();
    for (folder, words) in [
        ("file", "file: it is not a folder"),
        ("out", "out/evaluation.json: "),
    ] {
        let run = bench.run(&["faces.csv", "--output", folder]);
        run.assert_failed(&[words]);
        assert!(!run.problems().contains("lost.png"), "{}", run.problems());
    }
}

#[test]
fn what_nobody_reads_to_the_end_is_no_error_and_a_full_disk_loses_no_files() {
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
    run.assert_failed(&["Error: standard output: "]);
    Evaluation::read(&bench.path("two"));
}

#[test]
fn a_mapping_that_does_not_fit_the_data_is_warned_of() {
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
    let told = problems("emotions8", mapping);
    for warning in [
        "Warning: --mapping lists 'suprise', which occurs nowhere",
        "Warning: 2 faces are labelled 'happy', which --mapping does not list: they count as negative",
        "Warning: 1 faces are labelled 'bored', which --mapping does not list",
    ] {
        assert!(told.contains(warning), "no '{warning}' in {told}");
    }
    for silent in ["'sad'", "'happiness'", "tells no emotions"] {
        assert!(!told.contains(silent), "{told}");
    }
    let told = problems("brightness", "positive=happy; negative=bored");
    let warning = "not what brightness answers, which tells no emotions";
    assert!(told.contains(warning), "{told}");
    assert!(!told.contains("labelled '"), "{told}");
}

#[test]
fn a_column_of_something_else_than_scores_is_no_emotion_with_a_mapping_either() {
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
fn what_weighs_more_than_meant_or_is_passed_over_is_warned_of() {
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
        "Warning: faces that are listed a second time, and count again: 1",
        "Warning: only 2 groups: the intervals tell little",
    ] {
        assert!(problems.contains(warning), "no '{warning}' in {problems}");
    }
    let run = bench.run(&["faces", "--predictions", "p=p.csv"]);
    assert!(run.0.status.success(), "{}", run.problems());
    for warning in [
        "faces/happy/more: what is in this folder is not looked at",
        "1 answers of p are about what is not in the data, such as 'happy/z.png'",
    ] {
        let problems = run.problems();
        assert!(problems.contains(warning), "no '{warning}' in {problems}");
    }
    assert!(run.report().contains("1 labelled faces"));
    assert!(!run.report().contains("no pictures"));
}

#[test]
fn a_model_that_answers_no_scores_is_told_from_faces_that_are_turned_away() {
    let bench = Bench::new();
    bench.patch(128, "faces/neutral/a.png");
    let nan = model("nan");
    let arguments = ["faces", "--no-detector", "--attitude-model", &nan];
    bench.run(&arguments).assert_failed(&[
        "not judged, being cut off or turned away: 0",
        "not judged, as what a model answers are no scores: 1",
    ]);
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
