// SPDX-License-Identifier: MPL-2.0

//! The formats in which the segments of a whole recording are written, one module per format. To
//! add a format, add its module and its entry in [`EXPORTS`].
//!
//! [`formats`](super::formats) write one record after the other; an export needs the
//! [`Summary`], and is written at the end.

pub mod eaf;
pub mod segments;
pub mod textgrid;

use std::io::{self, Write};
use std::time::SystemTime;

use super::formats::RecordingFile;
use super::summary::Summary;
use crate::timeline::{Segment, Span};

/// All exports.
pub static EXPORTS: &[&Export] = &[&segments::EXPORT, &eaf::EXPORT, &textgrid::EXPORT];

/// A format of the segments of a recording.
#[derive(Debug)]
pub struct Export {
    /// The file that `gst-attitude analyze` writes for a recording.
    pub file: RecordingFile,
    /// Description as one phrase, such as `ELAN: one tier per person`.
    pub description: &'static str,
    /// Writes the file.
    ///
    /// # Errors
    /// Returns an error if the output cannot be written.
    pub write: fn(&AnalyzedRecording, &mut dyn Write) -> io::Result<()>,
}

/// A recording and its segments.
#[derive(Clone, Copy, Debug)]
pub struct AnalyzedRecording<'a> {
    /// Name of the recording's results.
    pub name: &'a str,
    /// URI of the recording.
    pub uri: &'a str,
    /// URL of the recording relative to the exported file; `None` if there is none.
    pub relative_url: Option<&'a str>,
    /// Time of the recording's last change; `None` if it is not known.
    pub modified: Option<SystemTime>,
    /// Duration; `None` if it is not known.
    pub duration_ns: Option<u64>,
    /// The summary, which contains the segments.
    pub summary: &'a Summary,
}

/// The segments of the scene or of a person.
struct Tier<'a> {
    /// Name, which is unique in a recording.
    name: String,
    /// Number of the person; `None` for the scene.
    person: Option<u32>,
    /// What the segments are of.
    measure: Measure,
    segments: &'a [Segment],
    /// Name of the person from the corrections.
    custom_name: Option<&'a str>,
    /// Id of the participant from the corrections.
    participant: Option<&'a str>,
    /// Time spans in which a person corrected the attitude.
    corrected: &'a [Span],
}

/// What segments are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Measure {
    /// The attitude of the face.
    Attitude,
    /// The attitude of the change against the baseline.
    AttitudeChange,
}

impl Measure {
    fn name(self) -> &'static str {
        match self {
            Self::Attitude => "attitude",
            Self::AttitudeChange => "attitude_change",
        }
    }
}

impl Tier<'_> {
    /// Returns `true` if a person corrected the attitude in a part of `segment`.
    fn is_corrected(&self, segment: &Segment) -> bool {
        let Span { start_ns, end_ns } = segment.span;
        let overlaps = |span: &Span| span.start_ns < end_ns && start_ns < span.end_ns;
        self.corrected.iter().any(overlaps)
    }
}

impl AnalyzedRecording<'_> {
    /// Returns the tier of the scene and those of the persons; a person with a baseline has a second
    /// one.
    fn tiers(&self) -> impl Iterator<Item = Tier<'_>> {
        let scene = Tier {
            name: "Scene".to_owned(),
            person: None,
            measure: Measure::Attitude,
            segments: &self.summary.scene.segments,
            custom_name: None,
            participant: None,
            corrected: &self.summary.scene.corrected,
        };
        let persons = self.summary.persons.iter().flat_map(|person| {
            let tier = |name: String, measure: Measure, segments| Tier {
                name,
                person: Some(person.id),
                measure,
                segments,
                custom_name: person.name.as_deref(),
                participant: person.participant.as_deref(),
                corrected: &person.timeline.corrected,
            };
            let attitude = tier(person.name(), Measure::Attitude, &person.timeline.segments);
            let change = person.baseline_change.as_ref().map(|change| {
                let name = format!("{} (change)", person.name());
                tier(name, Measure::AttitudeChange, &change.segments)
            });
            std::iter::once(attitude).chain(change)
        });
        std::iter::once(scene).chain(persons)
    }

    /// Returns the end of the recording: its duration, or the end of the last segment if that is
    /// later or the duration is not known.
    fn end_ns(&self) -> u64 {
        let segments = self.tiers().filter_map(|tier| tier.segments.last());
        let ends_ns = segments.map(|segment| segment.span.end_ns);
        ends_ns.chain(self.duration_ns).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Label;
    use crate::record::summary::Person;
    use crate::timeline::Timeline;

    /// Returns the file of a recording of 4 s, in which a person is positive from 0.5 to 1.5 s,
    /// negative until 2 s and, after a gap, neutral from 3 to 3.5 s.
    pub(super) fn exported(export: &Export) -> String {
        let segment = |start_ms: u64, end_ms: u64, attitude| Segment {
            span: Span {
                start_ns: start_ms * 1_000_000,
                end_ns: end_ms * 1_000_000,
            },
            attitude,
        };
        let timeline = Timeline {
            segments: vec![
                segment(500, 1500, Label::POSITIVE),
                segment(1500, 2000, Label::NEGATIVE),
                segment(3000, 3500, Label::NEUTRAL),
            ],
            corrected: vec![segment(1600, 1800, Label::NEGATIVE).span],
            ..Timeline::default()
        };
        let summary = Summary {
            persons: vec![Person {
                id: 1,
                participant: Some("=P".to_owned()),
                timeline,
                ..Person::default()
            }],
            ..Summary::default()
        };
        let recording = AnalyzedRecording {
            name: "=a & \"b\"",
            uri: "file:///a%20&%20%22b%22.mp4",
            relative_url: Some("../../a%20&%20%22b%22.mp4"),
            modified: None,
            duration_ns: Some(4_000_000_000),
            summary: &summary,
        };
        let mut output = Vec::new();
        (export.write)(&recording, &mut output).unwrap();
        String::from_utf8(output).unwrap()
    }
}
