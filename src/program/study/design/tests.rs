// SPDX-License-Identifier: MPL-2.0

use super::*;
use crate::console;

const S: u64 = NS_PER_S;

/// Reads a study with this text from a file of this name.
fn read(name: &str, text: &str) -> Result<Study, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    Study::read(&path).map_err(|error| {
        let text = console::chain(&error);
        text.replace(&format!("{}/", folder.path().display()), "")
    })
}

#[test]
fn a_file_has_settings_recordings_and_events() {
    let study = read(
        "study.toml",
        r#"
title = "Praise"
results = "results"
bin = "500ms"
before = 2
after = "10s"
correct-baseline = false
min-seen = 0.25
seed = 7

[[recording]]
file = "a/one.mp4"
participant = 1
condition = "praised"
person = 2
from = "0:05"
to = 65.5
exclude = ["0:30-0:35", "0:10-0:20", "0:15-0:25"]
events = [{ name = "feedback", start = "0:20" }, { name = "feedback", start = 40, condition = "blamed" }]

[[recording]]
file = "b"
participant = "p2"
"#,
    )
    .unwrap();
    assert_eq!(study.title, "Praise");
    let settings = study.settings;
    let window = settings.window;
    assert_eq!((window.before, window.after, window.bin_ns), (4, 20, S / 2));
    assert_eq!((settings.is_corrected, settings.min_seen), (false, 0.25));
    assert_eq!((settings.params.seed, settings.params.resamples), (7, 1000));
    let [one, two] = &study.recordings[..] else {
        panic!("{study:?}");
    };
    assert_eq!((one.participant.as_str(), one.person), ("1", Some(2)));
    assert_eq!((one.from_ns, one.to_ns), (5 * S, Some(65 * S + S / 2)));
    let excluded_s = one
        .excluded
        .iter()
        .map(|span| (span.start_ns / S, span.end_ns / S));
    assert_eq!(excluded_s.collect::<Vec<_>>(), [(10, 25), (30, 35)]);
    assert!(one.path.ends_with("a/one.mp4") && one.path.is_absolute());
    assert_eq!(two.condition, None);
    assert_eq!(study.participants(), ["1", "p2"]);
    assert_eq!(study.conditions(), ["praised", "blamed"]);
    assert_eq!(study.events(), ["feedback"]);
}

#[test]
fn a_table_has_a_row_per_event() {
    let study = read(
        "praise.csv",
        "Participant,recording,condition,event,start,from\n\
         p1,one.mp4,praised,feedback,0:20,5\n\
         p1,one.mp4,praised,question,40,5\n\
         p1,two.mp4,praised,feedback,20,\n\
         p1,two.mp4,blamed,feedback,50,\n\
         p2,three.mp4,blamed,,,\n",
    )
    .unwrap();
    assert_eq!(study.title, "praise");
    let conditions: Vec<_> = study
        .recordings
        .iter()
        .map(|r| r.condition.as_deref())
        .collect();
    assert_eq!(conditions, [Some("praised"), None, Some("blamed")]);
    assert_eq!(study.recordings[0].from_ns, 5 * S);
    let events = &study.recordings[1].events;
    assert_eq!(
        (events[1].start_ns, events[1].condition.as_str()),
        (50 * S, "blamed")
    );
    assert_eq!(study.recordings[2].events, []);
    let unnamed = read("a.csv", "participant,recording,condition,start\n1,a,x,3\n").unwrap();
    assert_eq!(unnamed.events(), ["event"]);
}

#[test]
fn settings_and_a_table_are_combined() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    write("all.csv", "participant,recording,condition\n1,a.mp4,x\n");
    let path = write(
        "study.toml",
        "bin = \"2s\"\nbefore = 4\nrecordings = \"all.csv\"\n",
    );
    let study = Study::read(&path).unwrap();
    assert_eq!(study.settings.window.before, 2);
    assert_eq!(study.recordings.len(), 1);
}

#[test]
fn mistakes_are_reported_with_their_line() {
    let recording = "[[recording]]\nfile = \"a\"\nparticipant = 1\ncondition = \"x\"\n";
    for (text, expected) in [
        (
            "bin = 0.01".to_owned(),
            "study.toml: 'bin' must be from 100ms to 1h",
        ),
        (
            "before = 2.5".to_owned(),
            "'before' must be a multiple of 'bin'",
        ),
        ("after = 0".to_owned(), "'after' must be longer than 0"),
        ("before = 0".to_owned(), "'correct-baseline' must be false"),
        ("min-seen = 2".to_owned(), "'min-seen' is not from 0 to 1"),
        (
            "resamples = 1".to_owned(),
            "'resamples' is not from 100 to 100000",
        ),
        (
            "\nbefore = \"soon\"".to_owned(),
            "study.toml:2: 'soon': expected a duration",
        ),
        (
            "\nseeds = 1".to_owned(),
            "study.toml:2: unknown field `seeds`",
        ),
        ("seed = ".to_owned(), "study.toml:1: "),
        (String::new(), "there is no recording"),
        (
            format!("{recording}from = 5\nto = 4"),
            "study.toml:1: the recording ends before it begins",
        ),
        (
            format!("\n{recording}{recording}"),
            "study.toml:6: the recording 'a' is listed before",
        ),
        (
            format!("{recording}exclude = [\"5-4\"]"),
            "a part of the recording, such as \"0:30-0:45\"",
        ),
        (
            format!("{recording}events = [{{ name = \"start\", start = 1 }}]"),
            "cannot have the name 'start'",
        ),
        (
            "[[recording]]\nfile = \"a\"\nparticipant = 1\nevents = [{ name = \"b\", start = 1 }]"
                .to_owned(),
            "the event has no condition",
        ),
        (
            "[[recording]]\nfile = \"a\"\nparticipant = \" \"".to_owned(),
            "'participant' is empty",
        ),
    ] {
        let problem = read("study.toml", &text).unwrap_err();
        assert!(problem.contains(expected), "{text}: {problem}");
    }
    for (text, expected) in [
        (
            "participant,recording\n",
            "the header lacks the column 'condition'",
        ),
        (
            "participant,recording,condition\np1,,x\n",
            "study.csv:2: the column 'recording' is empty",
        ),
        (
            "participant,recording,condition,start\n1,a,x,soon\n",
            "study.csv:2: 'soon' in the column 'start'",
        ),
        (
            "participant,recording,condition,event\n1,a,x,talk\n",
            "'start' is empty",
        ),
        (
            "participant,recording,condition\np1,a,x\np2,a,x\n",
            "study.csv:3: the recording 'a' has another participant",
        ),
    ] {
        let problem = read("study.csv", text).unwrap_err();
        assert!(problem.contains(expected), "{text}: {problem}");
    }
    assert!(
        read("study.txt", "")
            .unwrap_err()
            .contains("must be a .toml or .csv file")
    );
    let missing = Study::read(Path::new("/nowhere/study.toml")).unwrap_err();
    assert!(console::chain(&missing).contains("there is no such file"));
}
