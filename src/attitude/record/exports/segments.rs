// SPDX-License-Identifier: MPL-2.0

//! CSV: one row per segment, with the same syntax as [`csv`](crate::record::formats::csv).

use std::io::{self, Write};

use super::{AnalyzedRecording, Export, Tier};
use crate::record::formats::RecordingFile;
use crate::record::spreadsheet;
use crate::record::table::RowWriter;
use crate::timeline::Segment;

/// The export; see the [module](self).
pub static EXPORT: Export = Export {
    file: RecordingFile {
        name: "segments.csv",
        media_type: "text/csv; charset=utf-8",
        is_default: false,
    },
    description: "CSV: one row per segment of the scene and of each person",
    write,
};

/// A row of the table.
struct Row<'a> {
    recording: &'a str,
    tier: &'a Tier<'a>,
    /// Number of the segment in its tier, from 1.
    number: usize,
    segment: &'a Segment,
}

/// A column: its name, and a function that returns the value.
type Column = (&'static str, fn(&Row) -> String);

/// All columns, in their order.
const COLUMNS: [Column; 12] = [
    ("recording", |row| {
        spreadsheet::escape(row.recording).into_owned()
    }),
    ("subject", |row| {
        let subject = row.tier.person.map_or("scene", |_| "person");
        subject.to_owned()
    }),
    ("person", |row| {
        row.tier.person.map_or(String::new(), |id| id.to_string())
    }),
    ("segment", |row| row.number.to_string()),
    ("start_ns", |row| row.segment.span.start_ns.to_string()),
    ("end_ns", |row| row.segment.span.end_ns.to_string()),
    ("duration_ns", |row| row.segment.span.len_ns().to_string()),
    ("attitude", |row| row.segment.attitude.name().to_owned()),
    ("measure", |row| row.tier.measure.name().to_owned()),
    ("name", |row| optional(row.tier.custom_name)),
    ("participant", |row| optional(row.tier.participant)),
    ("corrected", |row| {
        row.tier.is_corrected(row.segment).to_string()
    }),
];

fn optional(text: Option<&str>) -> String {
    text.map_or(String::new(), |text| spreadsheet::escape(text).into_owned())
}

fn write(recording: &AnalyzedRecording, output: &mut dyn Write) -> io::Result<()> {
    let mut rows = RowWriter::default();
    rows.write(output, COLUMNS.iter(), |(name, _), cell| {
        cell.push_str(name);
    })?;
    for tier in recording.tiers() {
        for (index, segment) in tier.segments.iter().enumerate() {
            let row = Row {
                recording: recording.name,
                tier: &tier,
                number: index + 1,
                segment,
            };
            rows.write(output, COLUMNS.iter(), |(_, value), cell| {
                cell.push_str(&value(&row));
            })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::exports::tests::exported;

    #[test]
    fn segments_are_rows() {
        assert_eq!(
            exported(&EXPORT),
            "recording,subject,person,segment,start_ns,end_ns,duration_ns,attitude,measure,name,participant,corrected\n\
             \"'=a & \"\"b\"\"\",person,1,1,500000000,1500000000,1000000000,positive,attitude,,'=P,false\n\
             \"'=a & \"\"b\"\"\",person,1,2,1500000000,2000000000,500000000,negative,attitude,,'=P,true\n\
             \"'=a & \"\"b\"\"\",person,1,3,3000000000,3500000000,500000000,neutral,attitude,,'=P,false\n"
        );
    }
}
