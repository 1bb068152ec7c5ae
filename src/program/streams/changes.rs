// SPDX-License-Identifier: MPL-2.0

//! Changes of the faces as lines of text for people.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use attitude::Label;
use attitude::record::{FaceRecord, Record};
use attitude::trend::Direction;

/// What is described of a face.
#[derive(Clone, Copy, Debug)]
struct Face {
    attitude: Label,
    direction: Direction,
}

impl From<&FaceRecord> for Face {
    fn from(face: &FaceRecord) -> Self {
        Self {
            attitude: face.attitude,
            direction: face.trend.unwrap_or_default().direction,
        }
    }
}

/// Describes what has changed in each stream since its last record.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// The faces by track, for each stream with faces.
    faces: HashMap<String, BTreeMap<u32, Face>>,
}

impl Changes {
    /// Appends one line per change to `text`, each beginning with `time`.
    pub(crate) fn describe(&mut self, record: &Record, time: &str, text: &mut String) {
        let source = record.source.as_deref().unwrap_or(&record.stream);
        let before = self.faces.remove(&record.stream).unwrap_or_default();
        let faces = record.faces.iter();
        let faces = faces.map(|face| (face.track, Face::from(face)));
        let now: BTreeMap<_, _> = faces.collect();
        let mut line = |track: u32, change: &dyn std::fmt::Display| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{time} {source}: face {track} {change}");
        };
        for track in before.keys().filter(|track| !now.contains_key(track)) {
            line(*track, &"is gone");
        }
        for (&track, face) in &now {
            let label = face.attitude;
            let Some(earlier) = before.get(&track) else {
                line(track, &format_args!("appears: {label}"));
                continue;
            };
            if earlier.attitude != label {
                line(track, &format_args!("is {label}, was {}", earlier.attitude));
            }
            if earlier.direction != face.direction {
                line(
                    track,
                    &format_args!("{}", describe_direction(face.direction)),
                );
            }
        }
        if !now.is_empty() {
            self.faces.insert(record.stream.clone(), now);
        }
    }
}

fn describe_direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Steady => "is steady",
        Direction::Rising => "is turning positive",
        Direction::Falling => "is turning negative",
    }
}

#[cfg(test)]
mod tests {
    use attitude::trend::Trend;

    use super::*;

    #[test]
    fn a_change_of_the_trend_is_a_line() {
        let mut changes = Changes::default();
        let mut describe = |direction| {
            let trend = Trend {
                direction,
                ..Trend::default()
            };
            let face = FaceRecord {
                track: 1,
                trend: Some(trend),
                ..FaceRecord::default()
            };
            let record = Record {
                stream: "camera".to_owned(),
                faces: vec![face],
                ..Record::default()
            };
            let mut text = String::new();
            changes.describe(&record, "12:00", &mut text);
            text
        };
        assert_eq!(
            describe(Direction::Steady),
            "12:00 camera: face 1 appears: unknown\n"
        );
        assert_eq!(
            describe(Direction::Falling),
            "12:00 camera: face 1 is turning negative\n"
        );
        assert_eq!(describe(Direction::Falling), "");
        assert_eq!(
            describe(Direction::Steady),
            "12:00 camera: face 1 is steady\n"
        );
    }

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
