// SPDX-License-Identifier: MPL-2.0

//! ELAN's annotation format, EAF 3.0: one tier for the scene and per person, whose annotations are
//! segments. Attitudes are a controlled vocabulary, so that they can be corrected by choice. The scores
//! are time series beside it.

use std::io::{self, Write};

use super::xml::escaped;
use super::{AnalyzedRecording, Export, date, elan_series};
use crate::Label;
use crate::clock::NS_PER_MS;
use crate::record::formats::RecordingFile;

/// The export; see the [module](self).
pub static EXPORT: Export = Export {
    file: RecordingFile {
        name: "attitude.eaf",
        media_type: "application/xml",
        is_default: false,
    },
    description: "ELAN: one tier of segments for the scene and per person, and the scores as time series",
    write,
    companions: &[
        (elan_series::SCORES, elan_series::write_scores),
        (elan_series::TRACKS, elan_series::write_tracks),
    ],
};

/// Name of the type of all tiers, and of the vocabulary.
const ATTITUDE: &str = "attitude";

/// An annotation; its number, from 1, is also that of its two time slots.
struct Annotation {
    number: usize,
    start_ms: u64,
    end_ms: u64,
    label: Label,
}

fn write(recording: &AnalyzedRecording, output: &mut (dyn Write + Send)) -> io::Result<()> {
    let mut count = 0;
    let tiers: Vec<(String, Vec<Annotation>)> = recording
        .tiers()
        .map(|tier| {
            let segments = tier.segments.iter();
            let annotations = segments.filter_map(|segment| {
                let start_ms = segment.span.start_ns / NS_PER_MS;
                let end_ms = segment.span.end_ns / NS_PER_MS;
                // An annotation has a duration.
                (start_ms < end_ms).then(|| {
                    count += 1;
                    Annotation {
                        number: count,
                        start_ms,
                        end_ms,
                        label: segment.attitude,
                    }
                })
            });
            (tier.name, annotations.collect())
        })
        .collect();
    write_header(recording, count, output)?;
    write_time_order(
        tiers.iter().flat_map(|(_, annotations)| annotations),
        output,
    )?;
    for (name, annotations) in &tiers {
        write_tier(name, annotations, output)?;
    }
    write_types(output)?;
    writeln!(output, "</ANNOTATION_DOCUMENT>")
}

/// Writes the start of the document, with the link to the recording.
fn write_header(
    recording: &AnalyzedRecording,
    annotations: usize,
    output: &mut (dyn Write + Send),
) -> io::Result<()> {
    let relative = recording.relative_url.map(escaped);
    let relative = relative.map_or(String::new(), |url| {
        format!(" RELATIVE_MEDIA_URL=\"{url}\"")
    });
    write!(
        output,
        r#"<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="gst-attitude" DATE="{date}" FORMAT="3.0" VERSION="3.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">
    <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
        <MEDIA_DESCRIPTOR MEDIA_URL="{uri}" MIME_TYPE="{media_type}"{relative}/>
"#,
        date = date(recording.modified),
        uri = escaped(recording.uri),
        media_type = media_type(recording.uri),
    )?;
    elan_series::write_links(output)?;
    write!(
        output,
        r#"        <PROPERTY NAME="lastUsedAnnotationId">{annotations}</PROPERTY>
    </HEADER>
"#
    )
}

/// Writes the time slots of all annotations, sorted by time. Each annotation has its own, so that
/// moving one in ELAN leaves those of other tiers as they are.
fn write_time_order<'a>(
    annotations: impl Iterator<Item = &'a Annotation>,
    output: &mut (dyn Write + Send),
) -> io::Result<()> {
    let slots = annotations.flat_map(|annotation| {
        let [start, end] = annotation.slots();
        [(annotation.start_ms, start), (annotation.end_ms, end)]
    });
    let mut slots: Vec<(u64, usize)> = slots.collect();
    slots.sort_unstable();
    writeln!(output, "    <TIME_ORDER>")?;
    for (ms, slot) in slots {
        writeln!(
            output,
            r#"        <TIME_SLOT TIME_SLOT_ID="ts{slot}" TIME_VALUE="{ms}"/>"#
        )?;
    }
    writeln!(output, "    </TIME_ORDER>")
}

fn write_tier(
    name: &str,
    annotations: &[Annotation],
    output: &mut (dyn Write + Send),
) -> io::Result<()> {
    let name = escaped(name);
    writeln!(
        output,
        r#"    <TIER LINGUISTIC_TYPE_REF="{ATTITUDE}" PARTICIPANT="{name}" TIER_ID="{name}">"#
    )?;
    for annotation in annotations {
        let [start, end] = annotation.slots();
        write!(
            output,
            r#"        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a{number}" CVE_REF="{entry}" TIME_SLOT_REF1="ts{start}" TIME_SLOT_REF2="ts{end}">
                <ANNOTATION_VALUE>{value}</ANNOTATION_VALUE>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
"#,
            number = annotation.number,
            entry = entry_id(annotation.label),
            value = annotation.label.name(),
        )?;
    }
    writeln!(output, "    </TIER>")
}

/// Writes the type of the tiers, and its vocabulary.
fn write_types(output: &mut (dyn Write + Send)) -> io::Result<()> {
    write!(
        output,
        r#"    <LINGUISTIC_TYPE CONTROLLED_VOCABULARY_REF="{ATTITUDE}" GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="{ATTITUDE}" TIME_ALIGNABLE="true"/>
    <LANGUAGE LANG_ID="eng" LANG_LABEL="English (eng)"/>
    <CONTROLLED_VOCABULARY CV_ID="{ATTITUDE}">
        <DESCRIPTION LANG_REF="eng">Attitude of a face or of the scene</DESCRIPTION>
"#
    )?;
    for label in Label::ALL {
        write!(
            output,
            r#"        <CV_ENTRY_ML CVE_ID="{entry}">
            <CVE_VALUE LANG_REF="eng">{value}</CVE_VALUE>
        </CV_ENTRY_ML>
"#,
            entry = entry_id(label),
            value = label.name(),
        )?;
    }
    writeln!(output, "    </CONTROLLED_VOCABULARY>")
}

impl Annotation {
    /// Returns the numbers of the time slots of its start and its end.
    fn slots(&self) -> [usize; 2] {
        [2 * self.number - 1, 2 * self.number]
    }
}

/// Returns the id of the entry in the vocabulary.
fn entry_id(label: Label) -> String {
    format!("cve-{}", label.name())
}

/// Returns the media type by which ELAN chooses a player.
fn media_type(uri: &str) -> &'static str {
    let extension = uri.rsplit('.').next().unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "mp4" | "m4v" => "video/mp4",
        "mpg" | "mpeg" => "video/mpeg",
        "mov" => "video/quicktime",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::exports::tests::exported;

    #[test]
    fn time_slots_are_sorted_and_media_are_linked_by_relative_path() {
        let text = exported(&EXPORT);
        let slots = text.split("TIME_VALUE=\"").skip(1);
        let times: Vec<&str> = slots.map(|slot| slot.split('"').next().unwrap()).collect();
        assert_eq!(times, ["500", "1500", "1500", "2000", "3000", "3500"]);
        let link = "RELATIVE_MEDIA_URL=\"../../a%20&amp;%20%22b%22.mp4\"";
        assert!(text.contains(link), "{text}");
        assert!(text.contains("DATE=\"1970-01-01T00:00:00Z\""), "{text}");
        assert!(text.contains("TIER_ID=\"Person 1\""), "{text}");
        let link = "RELATIVE_LINK_URL=\"./attitude_tsconf.xml\"";
        assert!(text.contains(link), "{text}");
    }
}
