// SPDX-License-Identifier: MPL-2.0

//! The formats in which the segments of a whole recording are written, one module per format. To
//! add a format, add its module and its entry in [`EXPORTS`].
//!
//! [`formats`](super::formats) write one record after the other; an export needs the
//! [`Summary`](super::summary::Summary), and is written at the end.

pub mod boris;
pub mod eaf;
mod elan_series;
pub mod segments;
pub mod textgrid;
mod xml;

use std::io::{self, Write};
use std::time::SystemTime;

use super::formats::RecordingFile;
use super::summary::Summarized;
use crate::timeline::{Segment, Span, TimedObservation};

/// All exports.
pub static EXPORTS: &[&Export] = &[
    &segments::CSV,
    #[cfg(feature = "parquet")]
    &segments::PARQUET,
    &eaf::EXPORT,
    &textgrid::EXPORT,
    &boris::EXPORT,
];

/// A format of the segments of a recording.
#[derive(Debug)]
pub struct Export {
    /// The file that `gst-attitude analyze` writes for a recording.
    pub file: RecordingFile,
    /// Description as one phrase, such as `ELAN: one tier per person`.
    pub description: &'static str,
    /// Writes the file.
    pub write: WriteExport,
    /// Names of files that belong to it and are written beside it, and their functions.
    pub companions: &'static [(&'static str, WriteExport)],
}

impl Export {
    /// Returns the names of all its files, and the functions that write them.
    pub fn files(&self) -> impl Iterator<Item = (&'static str, WriteExport)> {
        let companions = self.companions.iter().copied();
        std::iter::once((self.file.name, self.write)).chain(companions)
    }
}

/// Writes a file.
///
/// # Errors
/// Returns an error if the output cannot be written.
pub type WriteExport = fn(&AnalyzedRecording, &mut (dyn Write + Send)) -> io::Result<()>;

/// A recording and its segments.
#[derive(Clone, Copy, Debug)]
pub struct AnalyzedRecording<'a> {
    /// Name of the recording's results.
    pub name: &'a str,
    /// URI of the recording.
    pub uri: &'a str,
    /// URL of the recording relative to the exported file; `None` if there is none.
    pub relative_url: Option<&'a str>,
    /// Path of the recording relative to the exported file, with slashes; `None` if it is no file.
    pub relative_path: Option<&'a str>,
    /// Time of the recording's last change; `None` if it is not known.
    pub modified: Option<SystemTime>,
    /// Duration; `None` if it is not known.
    pub duration_ns: Option<u64>,
    /// Number of frames per second; `None` if it varies.
    pub frames_per_second: Option<f64>,
    /// The summary, which contains the segments, and the samples.
    pub summarized: &'a Summarized,
}

/// Formats the date of a document: that of the recording's last change, so that the same recording
/// gives the same file.
fn date(modified: Option<SystemTime>) -> String {
    let date = modified.unwrap_or(SystemTime::UNIX_EPOCH);
    humantime::format_rfc3339_seconds(date).to_string()
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
            segments: &self.summarized.summary.scene.segments,
            custom_name: None,
            participant: None,
            corrected: &self.summarized.summary.scene.corrected,
        };
        let persons = self.summarized.summary.persons.iter().flat_map(|person| {
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

    /// Returns the scene and the persons, each with its tier of attitudes and its samples.
    fn subjects(&self) -> impl Iterator<Item = (Tier<'_>, &[TimedObservation])> {
        let attitudes = |tier: &Tier| tier.measure == Measure::Attitude;
        let observations = self.summarized.observations();
        self.tiers().filter(attitudes).zip(observations)
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
    use crate::record::summary::{Person, Summary};
    use crate::timeline::{Observation, Timeline};
    use crate::{Label, Scores};

    /// Returns the file of a recording of 4 s, in which a person is positive from 0.5 to 1.5 s,
    /// negative until 2 s and, after a gap, neutral from 3 to 3.5 s. There are samples of the first
    /// two.
    pub(super) fn exported(export: &Export) -> String {
        exported_by(export.write)
    }

    /// Like [`exported`], by a function.
    pub(super) fn exported_by(write: WriteExport) -> String {
        let span = |start_ms: u64, end_ms: u64| Span {
            start_ns: start_ms * 1_000_000,
            end_ns: end_ms * 1_000_000,
        };
        let segment = |start_ms: u64, end_ms: u64, attitude| Segment {
            span: span(start_ms, end_ms),
            attitude,
        };
        let timeline = Timeline {
            segments: vec![
                segment(500, 1500, Label::POSITIVE),
                segment(1500, 2000, Label::NEGATIVE),
                segment(3000, 3500, Label::NEUTRAL),
            ],
            corrected: vec![span(1600, 1800)],
            ..Timeline::default()
        };
        let sample = |span: Span, scores| TimedObservation {
            observation: Observation {
                time_ns: span.start_ns,
                scores: Some(Scores::from_array(scores)),
                ..Observation::default()
            },
            span,
        };
        let samples = vec![
            sample(span(500, 1500), [0.8, 0.1, 0.1]),
            sample(span(1500, 2000), [0.1, 0.1, 0.8]),
        ];
        let summary = Summary {
            persons: vec![Person {
                id: 1,
                participant: Some("=P".to_owned()),
                timeline,
                ..Person::default()
            }],
            ..Summary::default()
        };
        let summarized = Summarized::with_observations(summary, samples.clone(), vec![samples]);
        let recording = AnalyzedRecording {
            name: "=a & \"b\"",
            uri: "file:///a%20&%20%22b%22.mp4",
            relative_url: Some("../../a%20&%20%22b%22.mp4"),
            relative_path: Some("../../a & \"b\".mp4"),
            modified: None,
            duration_ns: Some(4_000_000_000),
            frames_per_second: Some(25.0),
            summarized: &summarized,
        };
        let mut output = Vec::new();
        write(&recording, &mut output).unwrap();
        String::from_utf8(output).unwrap()
    }
}
