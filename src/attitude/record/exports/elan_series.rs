// SPDX-License-Identifier: MPL-2.0

//! ELAN's time series: the scores as CSV, and the configuration of the tracks that ELAN draws of it.
//!
//! ELAN splits lines at commas, without quotes, and ignores those that begin with `#`. Times without
//! a decimal point are milliseconds. A track has a gap at NaN. The name of the configuration must end
//! in `_tsconf.xml`; it names its CSV file as the annotation document does.

use std::io::{self, Write};

use super::xml::escaped;
use super::{AnalyzedRecording, date};
use crate::Scores;
use crate::clock::NS_PER_MS;
use crate::timeline::TimedObservation;

/// Name of the file of scores.
pub(super) const SCORES: &str = "attitude_scores.csv";

/// Name of the file that describes the tracks.
pub(super) const TRACKS: &str = "attitude_tsconf.xml";

/// A value of scores, of which each tier has a track.
struct Measure {
    name: &'static str,
    of: fn(&Scores) -> f32,
    /// Minimum; the maximum is 1.
    min: i8,
    /// Red, green and blue of the line.
    color: &'static str,
}

const MEASURES: [Measure; 4] = [
    Measure {
        name: "valence",
        of: Scores::valence,
        min: -1,
        color: "0,0,0",
    },
    Measure {
        name: "positive",
        of: |scores| scores.positive,
        min: 0,
        color: "0,114,178",
    },
    Measure {
        name: "neutral",
        of: |scores| scores.neutral,
        min: 0,
        color: "130,130,130",
    },
    Measure {
        name: "negative",
        of: |scores| scores.negative,
        min: 0,
        color: "213,94,0",
    },
];

/// Writes the scores: one row per time at which a sample begins or ends, with the scores of the
/// samples that are shown then.
pub(super) fn write_scores(
    recording: &AnalyzedRecording,
    output: &mut (dyn Write + Send),
) -> io::Result<()> {
    write!(output, "#time_ms")?;
    let mut tiers: Vec<Cursor> = Vec::new();
    for (subject, observations) in recording.subjects() {
        for Measure { name, .. } in &MEASURES {
            match subject.person {
                Some(number) => write!(output, ",person_{number}_{name}")?,
                None => write!(output, ",scene_{name}")?,
            }
        }
        tiers.push(Cursor {
            observations,
            next: 0,
        });
    }
    writeln!(output)?;
    for time_ms in times_ms(&tiers) {
        write!(output, "{time_ms}")?;
        for tier in &mut tiers {
            let scores = tier.advance(time_ms);
            for Measure { of, .. } in &MEASURES {
                match scores {
                    Some(scores) => write!(output, ",{:.4}", of(&scores))?,
                    None => write!(output, ",NaN")?,
                }
            }
        }
        writeln!(output)?;
    }
    Ok(())
}

/// Observations of the scene or of a person, which are read once.
struct Cursor<'a> {
    observations: &'a [TimedObservation],
    /// Index of the first observation that has not ended.
    next: usize,
}

impl Cursor<'_> {
    /// Returns the scores of the observation at `time_ms`, which must not go back; `None` if there
    /// are none.
    fn advance(&mut self, time_ms: u64) -> Option<Scores> {
        let ends_before = |timed: &TimedObservation| timed.span.end_ns / NS_PER_MS <= time_ms;
        while self.observations.get(self.next).is_some_and(ends_before) {
            self.next += 1;
        }
        let timed = self.observations.get(self.next)?;
        let is_shown = timed.span.start_ns / NS_PER_MS <= time_ms;
        timed.observation.scores.filter(|_| is_shown)
    }
}

/// Returns the times at which an observation begins or ends, and 0, so that there is a row in any
/// case.
fn times_ms(tiers: &[Cursor]) -> Vec<u64> {
    let observations = tiers.iter().flat_map(|tier| tier.observations);
    let ends_ns = observations.flat_map(|timed| [timed.span.start_ns, timed.span.end_ns]);
    let mut times_ms: Vec<u64> = ends_ns.map(|ns| ns / NS_PER_MS).chain([0]).collect();
    times_ms.sort_unstable();
    times_ms.dedup();
    times_ms
}

/// Writes the description of the tracks.
pub(super) fn write_tracks(
    recording: &AnalyzedRecording,
    output: &mut (dyn Write + Send),
) -> io::Result<()> {
    write!(
        output,
        r#"<?xml version="1.0" encoding="UTF-8"?>
<timeseries date="{date}" version="1.0">
    <tracksource sample-type="Discontinuous Rate" source-url="{source}" time-column="0">
        <property key="provider" value="mpi.eudico.client.annotator.timeseries.csv.CSVServiceProvider"/>
"#,
        date = date(recording.modified),
        source = link(SCORES),
    )?;
    let subjects = recording.subjects();
    let tracks =
        subjects.flat_map(|(tier, _)| MEASURES.iter().map(move |of| (tier.name.clone(), of)));
    for ((subject, measure), column) in tracks.zip(1..) {
        let Measure {
            name, min, color, ..
        } = measure;
        write!(
            output,
            r#"        <track derivative="0" name="{subject}: {name}">
            <property key="detect-range" value="false"/>
            <sample-position>
                <pos col="{column}" row="0"/>
            </sample-position>
            <description/>
            <units/>
            <range max="1.0" min="{min}.0"/>
            <color>{color}</color>
        </track>
"#,
            subject = escaped(&subject),
        )?;
    }
    writeln!(output, "    </tracksource>\n</timeseries>")
}

/// Returns the address of a file beside the annotation document. ELAN searches for it there, so that
/// the folder can be moved.
fn link(file: &str) -> String {
    format!("./{file}")
}

/// Writes the links in the header of the annotation document.
pub(super) fn write_links(output: &mut dyn Write) -> io::Result<()> {
    for (file, media_type) in [(SCORES, "text/plain"), (TRACKS, "text/xml")] {
        let link = link(file);
        writeln!(
            output,
            r#"        <LINKED_FILE_DESCRIPTOR LINK_URL="{link}" MIME_TYPE="{media_type}" RELATIVE_LINK_URL="{link}"/>"#
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::exports::tests::exported_by;

    #[test]
    fn each_time_has_the_scores_that_are_shown_then() {
        let text = exported_by(write_scores);
        let expected = "#time_ms,scene_valence,scene_positive,scene_neutral,scene_negative,\
             person_1_valence,person_1_positive,person_1_neutral,person_1_negative\n\
             0,NaN,NaN,NaN,NaN,NaN,NaN,NaN,NaN\n\
             500,0.7000,0.8000,0.1000,0.1000,0.7000,0.8000,0.1000,0.1000\n\
             1500,-0.7000,0.1000,0.1000,0.8000,-0.7000,0.1000,0.1000,0.8000\n\
             2000,NaN,NaN,NaN,NaN,NaN,NaN,NaN,NaN\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn each_column_is_a_track() {
        let text = exported_by(write_tracks);
        for part in [
            r#"source-url="./attitude_scores.csv""#,
            r#"name="Scene: valence""#,
            r#"name="Person 1: negative""#,
            r#"<pos col="8" row="0"/>"#,
            r#"<range max="1.0" min="-1.0"/>"#,
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert_eq!(text.matches("<track ").count(), 8);
    }
}
