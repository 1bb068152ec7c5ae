// SPDX-License-Identifier: MPL-2.0

//! The editor of corrections in the report of a recording. Its script builds it from the data here;
//! it saves changes if `gst-attitude review` serves the page, and else offers the file for download.

use attitude::record::corrections::{Corrections, FILE, FirstSeen, Position};
use attitude::record::summary::{Person, Summary};
use attitude::timeline::{Segment, Timeline};
use maud::{Markup, PreEscaped, html};
use serde::Serialize;

use crate::corrections::CorrectionsFile;

pub(super) const SCRIPT: &str = include_str!("editor.js");
pub(super) const STYLE: &str = include_str!("editor.css");

/// What the script needs.
#[derive(Serialize)]
struct Data<'a> {
    /// Name of the file.
    file: &'static str,
    /// Its revision.
    revision: String,
    corrections: &'a Corrections,
    tiers: Vec<Tier<'a>>,
}

/// The segments of a person or of the scene.
#[derive(Serialize)]
struct Tier<'a> {
    /// Number of the person; `None` for the scene.
    number: Option<u32>,
    name: String,
    seen: Option<FirstSeen>,
    /// Start and end, as in the file, and attitude of each segment.
    segments: Vec<(Position, Position, &'a str)>,
}

impl<'a> Tier<'a> {
    fn scene(timeline: &Timeline) -> Self {
        Self {
            number: None,
            name: "All faces".to_owned(),
            seen: None,
            segments: segments(timeline),
        }
    }

    fn person(person: &Person) -> Self {
        let first = person.tracks.first().zip(person.first_center);
        Self {
            number: Some(person.id),
            name: person.name(),
            seen: first.map(|(track, [x, y])| FirstSeen {
                time: Position::from_ns(track.first_ns),
                x,
                y,
            }),
            segments: segments(&person.timeline),
        }
    }
}

fn segments(timeline: &Timeline) -> Vec<(Position, Position, &'static str)> {
    let segment = |Segment { span, attitude }: &Segment| {
        let (start, end) = (span.start_ns, span.end_ns);
        (
            Position::from_ns(start),
            Position::from_ns(end),
            attitude.name(),
        )
    };
    timeline.segments.iter().map(segment).collect()
}

/// Returns the section with the editor.
pub(super) fn section(file: &CorrectionsFile, summary: &Summary) -> Markup {
    let persons = summary.persons.iter().map(Tier::person);
    let data = Data {
        file: FILE,
        revision: file.revision(),
        corrections: &file.corrections,
        tiers: std::iter::once(Tier::scene(&summary.scene))
            .chain(persons)
            .collect(),
    };
    // These are plain values, which convert to JSON without errors.
    let json = serde_json::to_string(&data).unwrap_or_default();
    html! {
        section #corrections aria-labelledby="corrections-heading" {
            h2 #corrections-heading { "Corrections" }
            p.help {
                "Persons, attitudes, events and notes are corrected in " code { (FILE) }
                " in the folder of this report. "
                span.controls { "The editor below changes that file." }
            }
            div #editor hidden {}
            script #editor-data type="application/json" { (PreEscaped(without_markup(&json))) }
        }
    }
}

/// Escapes what a browser would read as markup in a script.
fn without_markup(json: &str) -> String {
    json.replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use attitude::Label;
    use attitude::record::summary::TrackSpan;
    use attitude::timeline::Span;

    use super::*;

    #[test]
    fn hostile_names_stay_data() {
        let person = Person {
            id: 3,
            name: Some("</script><script>alert(1)</script><!--".to_owned()),
            first_center: Some([0.25, 0.5]),
            tracks: vec![TrackSpan {
                first_ns: 1_200_000_000,
                ..TrackSpan::default()
            }],
            timeline: Timeline {
                segments: vec![Segment {
                    span: Span {
                        start_ns: 1_200_000_000,
                        end_ns: 2_000_000_000,
                    },
                    attitude: Label::NEGATIVE,
                }],
                ..Timeline::default()
            },
            ..Person::default()
        };
        let summary = Summary {
            persons: vec![person],
            ..Summary::default()
        };
        let page = section(&CorrectionsFile::default(), &summary).into_string();
        assert_eq!(page.matches("</script>").count(), 1, "{page}");
        assert!(!page.contains("<!--"), "{page}");
        for part in [
            r#""revision":"none""#,
            r#""seen":{"time":"0:01.2","x":0.25,"y":0.5}"#,
            r#""segments":[["0:01.2","0:02","negative"]]"#,
        ] {
            assert!(page.contains(part), "no {part} in {page}");
        }
    }
}
