// SPDX-License-Identifier: MPL-2.0

use attitude::Attitude::{Negative, Neutral, Positive};

use super::*;
use crate::console;

const MS: u64 = 1_000_000;

/// Reads a file of this name and text.
fn read_file(name: &str, text: &str, tiers: &[&str]) -> Result<Annotations, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    let tiers: Vec<String> = tiers.iter().map(|&tier| tier.to_owned()).collect();
    read(&path, &tiers, Labels(None)).map_err(|error| {
        let text = console::chain(&error);
        text.replace(&format!("{}/", folder.path().display()), "")
    })
}

fn spans_ms(coding: &Coding) -> Vec<(u64, u64, Attitude)> {
    let spans = coding.spans.iter();
    spans
        .map(|coded| {
            (
                coded.span.start_ns / MS,
                coded.span.end_ns / MS,
                coded.label,
            )
        })
        .collect()
}

const EAF: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="2026-11-29T00:00:00Z" FORMAT="3.0" VERSION="3.0">
    <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds"/>
    <TIME_ORDER>
        <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="0"/>
        <TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="1500"/>
        <TIME_SLOT TIME_SLOT_ID="ts3"/>
    </TIME_ORDER>
    <TIER LINGUISTIC_TYPE_REF="default-lt" TIER_ID="Ann">
        <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
            <ANNOTATION_VALUE> Happy </ANNOTATION_VALUE>
        </ALIGNABLE_ANNOTATION></ANNOTATION>
        <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts2" TIME_SLOT_REF2="ts3">
            <ANNOTATION_VALUE>negative</ANNOTATION_VALUE>
        </ALIGNABLE_ANNOTATION></ANNOTATION>
    </TIER>
    <TIER LINGUISTIC_TYPE_REF="default-lt" TIER_ID="words">
        <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a3" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
            <ANNOTATION_VALUE>well, you know</ANNOTATION_VALUE>
        </ALIGNABLE_ANNOTATION></ANNOTATION>
    </TIER>
    <TIER LINGUISTIC_TYPE_REF="default-lt" TIER_ID="empty"/>
</ANNOTATION_DOCUMENT>
"#;

#[test]
fn tiers_of_elan_are_coders() {
    let read = read_file("a.eaf", EAF, &[]).unwrap();
    assert_eq!(read.unlabeled, ["words", "empty"]);
    let [ann] = &read.codings[..] else {
        panic!("{read:?}");
    };
    assert_eq!(ann.coder, "Ann");
    assert_eq!(spans_ms(ann), [(0, 1500, Positive)]);
    let problem = read_file("a.eaf", EAF, &["words"]).unwrap_err();
    assert!(
        problem.starts_with("a.eaf:18: the label 'well, you know' is neither"),
        "{problem}"
    );
    let problem = read_file("a.eaf", EAF, &["Bob", "Cid"]).unwrap_err();
    assert!(
        problem.contains("no tier or coder 'Bob' or 'Cid'; it has: Ann, words, empty"),
        "{problem}"
    );
    let read = read_file("a.eaf", EAF, &["Ann", "Bob"]).unwrap();
    assert_eq!((read.codings.len(), read.unlabeled.len()), (1, 0));
}

#[test]
fn observations_of_boris_are_coders() {
    let text = "Observation id,Subject,Behavior,Behavior type,Start (s),Stop (s),Duration (s)\n\
                first,p1,negative,STATE,2.5,4,1.5\n\
                first,p1,neutral,STATE,0,2.5,2.5\n\
                second,p1,positive,STATE,1,3,2\n";
    let Annotations { codings, .. } = read_file("events.csv", text, &[]).unwrap();
    let names: Vec<&str> = codings.iter().map(|coding| coding.coder.as_str()).collect();
    assert_eq!(names, ["first", "second"]);
    assert_eq!(
        spans_ms(&codings[0]),
        [(0, 2500, Neutral), (2500, 4000, Negative)]
    );
    let events = "Observation id,Behavior,Behavior type,Time\nfirst,negative,START,2.5\n";
    let problem = read_file("events.csv", events, &[]).unwrap_err();
    assert!(problem.contains("Export aggregated events"), "{problem}");
}

#[test]
fn tables_have_start_end_and_label() {
    let text = "start,end,label\n0:01,0:03,joy\n3,4.5,unknown\n4.5,5,anger\n";
    let Annotations { codings, unlabeled } = read_file("ben.csv", text, &[]).unwrap();
    assert_eq!((codings[0].coder.as_str(), unlabeled.len()), ("ben", 0));
    assert_eq!(
        spans_ms(&codings[0]),
        [(1000, 3000, Positive), (4500, 5000, Negative)]
    );
    let text = "coder,start,end,attitude\nann,0,1,neutral\nben,0,1,positive\n";
    let Annotations { codings, .. } = read_file("both.csv", text, &["ben"]).unwrap();
    assert_eq!((codings.len(), codings[0].coder.as_str()), (1, "ben"));
}

#[test]
fn mistakes_are_reported_with_their_line() {
    for (name, text, expected) in [
        (
            "a.txt",
            "",
            "a.txt: annotations must be a .eaf or .csv file",
        ),
        (
            "a.eaf",
            "<a/>",
            "a.eaf: this is not an annotation document of ELAN: it begins with a",
        ),
        (
            "a.eaf",
            "no xml",
            "a.eaf: this is not an annotation document of ELAN: ",
        ),
        (
            "a.csv",
            "start,end,label\n2,1,neutral\n",
            "a.csv:2: the annotation ends before it begins",
        ),
        (
            "a.csv",
            "start,end,label\n0,1,calm\n1,2,meh\n",
            "a.csv:3: the label 'meh' is neither",
        ),
        (
            "a.csv",
            "start,end,label\n",
            "there is no tier or coder with labels of attitudes",
        ),
        (
            "a.csv",
            "start,label\n0,calm\n",
            "the header lacks the column 'end'",
        ),
        (
            "a.csv",
            "start,end\n0,1\n",
            "the header lacks the column 'label'",
        ),
    ] {
        let problem = read_file(name, text, &[]).unwrap_err();
        assert!(problem.contains(expected), "{problem}");
    }
}
