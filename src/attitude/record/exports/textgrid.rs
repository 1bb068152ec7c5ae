// SPDX-License-Identifier: MPL-2.0

//! Praat's TextGrid: one interval tier for the scene and per person. The intervals of a tier cover
//! the recording; those in which nothing was seen have no text.

use std::io::{self, Write};

use super::{AnalyzedRecording, Export};
use crate::clock::{NS_PER_MS, NS_PER_S};
use crate::record::formats::RecordingFile;
use crate::timeline::{Segment, Span};

/// The export; see the [module](self).
pub static EXPORT: Export = Export {
    file: RecordingFile {
        name: "attitude.TextGrid",
        media_type: "text/plain; charset=utf-8",
        is_default: false,
    },
    description: "Praat TextGrid: one tier of segments for the scene and per person",
    write,
    companions: &[],
};

fn write(recording: &AnalyzedRecording, output: &mut (dyn Write + Send)) -> io::Result<()> {
    // Praat rejects an empty time domain.
    let end_ns = recording.end_ns().max(NS_PER_MS);
    let end = seconds(end_ns);
    writeln!(output, "File type = \"ooTextFile\"")?;
    writeln!(output, "Object class = \"TextGrid\"\n")?;
    writeln!(output, "xmin = 0\nxmax = {end}\ntiers? <exists>")?;
    writeln!(output, "size = {}\nitem []:", recording.tiers().count())?;
    for (tier, number) in recording.tiers().zip(1..) {
        let intervals = intervals(tier.segments, end_ns);
        writeln!(output, "    item [{number}]:")?;
        writeln!(output, "        class = \"IntervalTier\"")?;
        writeln!(output, "        name = {}", quoted(&tier.name))?;
        writeln!(output, "        xmin = 0\n        xmax = {end}")?;
        writeln!(output, "        intervals: size = {}", intervals.len())?;
        for ((span, text), number) in intervals.iter().zip(1..) {
            writeln!(output, "        intervals [{number}]:")?;
            writeln!(output, "            xmin = {}", seconds(span.start_ns))?;
            writeln!(output, "            xmax = {}", seconds(span.end_ns))?;
            writeln!(output, "            text = {}", quoted(text))?;
        }
    }
    Ok(())
}

/// Returns the intervals from 0 to `end_ns`, each with its text; those between segments are empty.
fn intervals(segments: &[Segment], end_ns: u64) -> Vec<(Span, &'static str)> {
    let mut intervals = Vec::new();
    let mut start_ns = 0;
    let end = Span {
        start_ns: end_ns,
        end_ns,
    };
    let segments = segments
        .iter()
        .map(|segment| (segment.span, segment.attitude.name()));
    for (span, text) in segments.chain([(end, "")]) {
        let gap = Span {
            start_ns,
            end_ns: span.start_ns,
        };
        intervals.extend(
            [(gap, ""), (span, text)]
                .into_iter()
                .filter(|(span, _)| span.len_ns() > 0),
        );
        start_ns = start_ns.max(span.end_ns);
    }
    intervals
}

/// Formats a time in seconds, with all nanoseconds, so that adjacent intervals stay adjacent.
fn seconds(ns: u64) -> String {
    let text = format!("{}.{:09}", ns / NS_PER_S, ns % NS_PER_S);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Puts `text` in quotes; those in it are doubled.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::exports::tests::exported;

    #[test]
    fn intervals_cover_the_recording_without_overlap() {
        let text = exported(&EXPORT);
        let person = text.split("item [2]:").nth(1).unwrap();
        let values = |key: &str| {
            let values = person.split("intervals [").skip(1).map(|interval| {
                let line = interval.lines().find(|line| line.trim().starts_with(key));
                line.unwrap().split(" = ").nth(1).unwrap().to_owned()
            });
            values.collect::<Vec<_>>()
        };
        assert_eq!(values("xmin"), ["0", "0.5", "1.5", "2", "3", "3.5"]);
        assert_eq!(values("xmax"), ["0.5", "1.5", "2", "3", "3.5", "4"]);
        let texts = ["", "positive", "negative", "", "neutral", ""];
        assert_eq!(values("text"), texts.map(quoted));
    }

    #[test]
    fn seconds_are_exact_and_quotes_are_doubled() {
        let times_ns = [0, 10, NS_PER_S, 10 * NS_PER_S + 200_000_001];
        let formatted = times_ns.map(seconds);
        assert_eq!(formatted, ["0", "0.00000001", "1", "10.200000001"]);
        assert_eq!(quoted("a \"b\""), "\"a \"\"b\"\"\"");
    }
}
