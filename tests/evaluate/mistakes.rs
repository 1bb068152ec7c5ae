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
    run.assert_failed(&["Error: positive/b.png: "]);
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
            "file,attitude\na.png,happy\n",
            "a.csv:1: the header lacks the column 'label'; it has: file, attitude",
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
        ("file,happy\na,1\n", "no face could be compared"),
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
        (&[][..], "<DATA>"),
    ] {
        let run = bench.run(arguments);
        assert_eq!(run.0.status.code(), Some(2));
        assert!(run.problems().contains(words), "{}", run.problems());
    }
}
