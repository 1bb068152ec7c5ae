// SPDX-License-Identifier: MPL-2.0

//! Contents of pages, and mistakes of users.

use super::*;

#[test]
fn a_page_shows_faces_over_time() {
    let bench = Bench::new();
    bench.write("a.jsonl", two_faces()).write("a.mp4", "");
    bench.report(&["a.jsonl", "--video", "a.mp4", "-o", "deep/er/a.html"]);
    let page = bench.read("deep/er/a.html");
    for part in [
        r#"src="../../a.mp4""#,
        "<h1>a.mp4</h1>",
        "100 samples, usually 0.2 s apart, 100 with faces",
        "1280×720 px",
        r##"<a href="#t=8">0:08.0</a>"##,
        "joined by position and time alone",
        "Article 5(1)(f)",
        r#"http-equiv="Content-Security-Policy""#,
    ] {
        assert!(page.contains(part), "no {part} in {page}");
    }
    assert!(!page.contains("alert(1)"));
    assert!(!page.contains("style=") && !page.contains("onclick"));
    assert!(!page.contains("<img") && !page.contains("http://") && !page.contains("https://"));
}

#[test]
fn the_mean_valence_is_shown_for_the_scene_and_for_each_person() {
    let bench = Bench::new();
    // The records have no valence, as older ones; it follows from the scores.
    let script: Script = &[(0.0, NEGATIVE)];
    bench
        .write("a.jsonl", records(4.0, &[script, script]))
        .report(&["a.jsonl", "-o", "a.html"]);
    let page = bench.read("a.html");
    assert!(page.contains("Mean valence, −1 to 1"));
    assert_eq!(page.matches(r#"<td class="number">−0.75</td>"#).count(), 3);
}

#[test]
fn the_written_files_are_reported() {
    let bench = Bench::new();
    bench
        .write("a.jsonl", two_faces())
        .write("b.jsonl", two_faces());
    for (arguments, expected) in [
        (&["a.jsonl", "-o", "new/a.html"][..], "wrote new/a.html\n"),
        (
            &["a.jsonl", "-o", "pages"],
            "wrote 1 report and pages/index.html\n",
        ),
        (
            &["a.jsonl", "b.jsonl", "-o", "pages"],
            "wrote 2 reports and pages/index.html\n",
        ),
    ] {
        assert_eq!(problem(&bench.run(arguments)), expected);
    }
}

#[test]
fn files_of_one_name_are_named_after_their_folders() {
    let bench = Bench::new();
    for folder in ["a", "b"] {
        std::fs::create_dir(bench.path(folder)).unwrap();
        bench.write(&format!("{folder}/records.jsonl"), two_faces());
    }
    bench.report(&["a/records.jsonl", "b/records.jsonl", "-o", "pages"]);
    let index = bench.read("pages/index.html");
    for part in [
        r#"<a href="a-records.html">a/records.jsonl</a>"#,
        r#"<a href="b-records.html">b/records.jsonl</a>"#,
    ] {
        assert!(index.contains(part), "{part}");
    }
    assert!(
        bench
            .read("pages/b-records.html")
            .contains("<h1>b/records.jsonl</h1>")
    );
}

#[test]
fn without_a_recording_there_is_no_player() {
    let bench = Bench::new();
    bench
        .write("a.jsonl", two_faces())
        .report(&["a.jsonl", "-o", "a.html"]);
    let page = bench.read("a.html");
    assert!(page.contains("<h1>a.jsonl</h1>") && !page.contains("<video"));
}

#[test]
fn notes_are_marked_and_listed() {
    let bench = Bench::new();
    let notes = note(9.0, "asked <b>twice</b>") + &note(13.0, "left the room\n\nand came back");
    bench
        .write("a.jsonl", two_faces() + &notes)
        .write("a.mp4", "")
        .report(&["a.jsonl", "-o", "a.html"])
        .report(&["a.jsonl", "--video=a.mp4", "-o", "b.html"]);
    let page = bench.read("a.html");
    for part in [
        "Attitudes of the faces in this session, over time",
        "live, without a recording",
        r##"<a href="#t=9">0:09.0</a>"##,
        "asked &lt;b&gt;twice&lt;/b&gt;",
        "left the room\nand came back",
        "0:13.0 \u{2068}left the room and came back\u{2069}",
    ] {
        assert!(page.contains(part), "no {part} in {page}");
    }
    // On the scene's timeline and on each of the two persons'.
    assert_eq!(page.matches(r#"<svg class="marks""#).count(), 3);
    let beside = bench.read("b.html");
    assert!(beside.contains("in this recording") && !beside.contains("without a recording"));
    assert!(beside.contains(r#"<svg class="marks""#));
}

#[test]
fn pages_without_notes_do_not_mention_them() {
    let bench = Bench::new();
    bench
        .write("a.jsonl", two_faces())
        .report(&["a.jsonl", "-o", "a.html"]);
    let page = bench.read("a.html").to_lowercase();
    assert!(!page.contains("notes") && !page.contains("marks") && !page.contains("session"));
}

#[test]
fn a_recording_without_faces_has_a_page_too() {
    let bench = Bench::new();
    bench
        .write("a.jsonl", record(0.0, &[]))
        .report(&["a.jsonl", "-o", "a.html"]);
    let page = bench.read("a.html");
    assert!(page.contains("No face was found.") && page.contains("Never seen."));
}

#[test]
fn records_that_are_years_apart_have_a_page() {
    let bench = Bench::new();
    let faces = [face(1, [0.8, 0.1, 0.1])];
    let [first, last] = [0.0, 1.8e10].map(|time_s| record(time_s, &faces));
    bench.write("a.jsonl", first + &last);
    bench.report(&["a.jsonl", "-o", "a.html"]);
    assert!(bench.read("a.html").contains("5000000:00:00"));
}

#[test]
fn records_that_are_cut_short_are_reported() {
    let bench = Bench::new();
    let lines = two_faces();
    bench.write("a.jsonl", &lines[..lines.len() - 20]);
    bench.report(&["a.jsonl", "-o", "pages"]);
    for page in ["pages/a.html", "pages/index.html"] {
        assert!(
            bench.read(page).contains("in the middle of line 100"),
            "{page}"
        );
    }
}

#[test]
fn mistakes_are_reported_with_the_next_step() {
    let bench = Bench::new();
    bench
        .write("a.jsonl", two_faces())
        .write("empty.jsonl", "\n\n")
        .write("cut.jsonl", r#"{"schema":1,"#)
        .write(
            "new.jsonl",
            record(0.0, &[]).replace(r#""schema":1"#, r#""schema":2"#),
        )
        .write("note.jsonl", two_faces() + &note(1.0, ""))
        .write("mood.jsonl", two_faces().replace("neutral\",", "glad\","))
        .write("a.csv", "frame,track\n0,1\n")
        .write("index.jsonl", two_faces());
    for (arguments, expected) in [
        (
            &["nowhere.jsonl", "-o", "x.html"][..],
            "cannot read nowhere.jsonl: ",
        ),
        (
            &["empty.jsonl", "-o", "x.html"],
            "empty.jsonl: the file contains no record",
        ),
        (
            &["cut.jsonl", "-o", "x.html"],
            "cut.jsonl: line 1: the line is cut short",
        ),
        (
            &["new.jsonl", "-o", "x.html"],
            "new.jsonl: line 1: the record has schema 2",
        ),
        (
            &["note.jsonl", "-o", "x.html"],
            "note.jsonl: line 101: the line is not a note of a live session: it is empty",
        ),
        (&["a.csv", "-o", "x.html"], "with format=jsonl"),
        (&["mood.jsonl", "-o", "x.html"], "invalid attitude 'glad'"),
        (&["a.jsonl", "a.jsonl", "-o", "x.html"], "name a folder"),
        (&["a.jsonl", "a.jsonl", "-o", "x"], "rename one of them"),
        (&["index.jsonl", "-o", "x"], "rename one of them"),
        (
            &["a.jsonl", "--video", "no.mp4", "-o", "x.html"],
            "no.mp4: there is no such file",
        ),
        (
            &["a.jsonl", "--video", "a", "--video", "b", "-o", "x.html"],
            "there are 2 --video for 1 file of records; give one per file",
        ),
        (
            &["a.jsonl", "-o", "a.csv/x.html"],
            "cannot create the folder a.csv",
        ),
    ] {
        let output = bench.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(
            problem(&output).contains(expected),
            "{arguments:?}: {}",
            problem(&output)
        );
    }
    assert!(!bench.path("x").exists() && !bench.path("x.html").exists());
}
