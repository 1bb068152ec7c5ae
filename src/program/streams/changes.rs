// SPDX-License-Identifier: MPL-2.0

//! Changes of the faces as lines of text for people.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use attitude::Label;
use attitude::record::Record;

/// Describes what has changed in each stream since its last record.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Attitudes by track, for each stream with faces.
    faces: HashMap<String, BTreeMap<u32, Label>>,
}

impl Changes {
    /// Appends one line per change to `text`, each beginning with `time`.
    pub(crate) fn describe(&mut self, record: &Record, time: &str, text: &mut String) {
        let source = record.source.as_deref().unwrap_or(&record.stream);
        let before = self.faces.remove(&record.stream).unwrap_or_default();
        let faces = record.faces.iter().map(|face| (face.track, face.attitude));
        let now: BTreeMap<_, _> = faces.collect();
        let mut line = |track: u32, change: &dyn std::fmt::Display| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{time} {source}: face {track} {change}");
        };
        for track in before.keys().filter(|track| !now.contains_key(track)) {
            line(*track, &"is gone");
        }
        for (&track, label) in &now {
            match before.get(&track) {
                None => line(track, &format_args!("appears: {label}")),
                Some(earlier) if earlier != label => {
                    line(track, &format_args!("is {label}, was {earlier}"));
                }
                Some(_) => (),
            }
        }
        if !now.is_empty() {
            self.faces.insert(record.stream.clone(), now);
        }
    }
}

#[cfg(test)]
mod tests {
    use attitude::record::FaceRecord;

    use super::*;

    #[test]
    fn each_change_of_a_face_is_a_line() {
        let mut changes = Changes::default();
        let mut describe = |stream: &str, faces: &[(u32, Label)]| {
            let face = |&(track, attitude): &(u32, Label)| FaceRecord {
                track,
                attitude,
                ..FaceRecord::default()
            };
            let record = Record {
                stream: stream.to_owned(),
                source: Some(format!("camera {stream}")),
                faces: faces.iter().map(face).collect(),
                ..Record::default()
            };
            let mut text = String::new();
            changes.describe(&record, "12:00", &mut text);
            text
        };
        assert_eq!(describe("a", &[]), "");
        assert_eq!(
            describe("a", &[(1, Label::Unknown)]),
            "12:00 camera a: face 1 appears: unknown\n"
        );
        assert_eq!(
            describe("b", &[(1, Label::POSITIVE)]),
            "12:00 camera b: face 1 appears: positive\n"
        );
        assert_eq!(
            describe("a", &[(1, Label::NEUTRAL)]),
            "12:00 camera a: face 1 is neutral, was unknown\n"
        );
        assert_eq!(describe("a", &[(1, Label::NEUTRAL)]), "");
        assert_eq!(
            describe("a", &[(2, Label::NEUTRAL)]),
            "12:00 camera a: face 1 is gone\n12:00 camera a: face 2 appears: neutral\n"
        );
        assert_eq!(describe("a", &[]), "12:00 camera a: face 2 is gone\n");
        assert_eq!(changes.faces.len(), 1);
    }
}
