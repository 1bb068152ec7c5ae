// SPDX-License-Identifier: MPL-2.0

//! CSV and Parquet: one row per segment, with the same syntax as
//! [`csv`](crate::record::formats::csv).

use super::{AnalyzedRecording, Export};
use crate::data_table::DataKind::{Count, Flag, Text};
use crate::data_table::labels::ATTITUDE_LABELS;
use crate::data_table::{DataTable, TableSchema, column, value};
use crate::record::formats::RecordingFile;

/// The export as CSV; see the [module](self).
pub static CSV: Export = Export {
    file: RecordingFile {
        name: "segments.csv",
        media_type: "text/csv; charset=utf-8",
        is_default: false,
    },
    description: "CSV: one row per segment of the scene and of each person",
    write: |recording, output| table(recording).write_csv(output),
    companions: &[],
};

/// The export as Parquet; see the [module](self).
#[cfg(feature = "parquet")]
pub static PARQUET: Export = Export {
    file: RecordingFile {
        name: "segments.parquet",
        media_type: "application/vnd.apache.parquet",
        is_default: false,
    },
    description: "Parquet: the table of segments.csv with types, for pandas, DuckDB, R, ...",
    write: |recording, output| table(recording).write_parquet(output),
    companions: &[],
};

/// Name and columns of the table.
pub static SCHEMA: TableSchema = TableSchema {
    name: "segments",
    columns: &[
        column("recording", Text, "name of the recording's folder"),
        column("subject", Text, "scene (all faces together) or person").with_labels(&[
            value("scene", "All faces together"),
            value("person", "One person"),
        ]),
        column(
            "person",
            Count,
            "number of the person, from 1; empty for the scene",
        ),
        column(
            "segment",
            Count,
            "number of the segment of the same subject and measure, from 1",
        ),
        column("start_ns", Count, "start in the recording, in nanoseconds"),
        column("end_ns", Count, "end in the recording, in nanoseconds"),
        column("duration_ns", Count, "duration in nanoseconds"),
        column("attitude", Text, "attitude during the segment").with_labels(&ATTITUDE_LABELS),
        column(
            "measure",
            Text,
            "attitude, or attitude_change for segments against the person's baseline",
        )
        .with_labels(&[
            value("attitude", "Attitude of the face"),
            value(
                "attitude_change",
                "Attitude of the change against the baseline",
            ),
        ]),
        column("name", Text, "name of the person from the corrections"),
        column("participant", Text, "participant from the corrections"),
        column(
            "corrected",
            Flag,
            "true if a person corrected the attitude of the segment or of a part of it",
        ),
    ],
};

fn table(recording: &AnalyzedRecording) -> DataTable {
    let mut table = DataTable::new(&SCHEMA);
    for tier in recording.tiers() {
        for (segment, number) in tier.segments.iter().zip(1_u64..) {
            table.push(vec![
                recording.name.into(),
                tier.person.map_or("scene", |_| "person").into(),
                tier.person.into(),
                number.into(),
                segment.span.start_ns.into(),
                segment.span.end_ns.into(),
                segment.span.len_ns().into(),
                segment.attitude.name().into(),
                tier.measure.name().into(),
                tier.custom_name.into(),
                tier.participant.into(),
                tier.is_corrected(segment).into(),
            ]);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::exports::tests::exported;

    #[test]
    fn segments_are_rows() {
        assert_eq!(
            exported(&CSV),
            "recording,subject,person,segment,start_ns,end_ns,duration_ns,attitude,measure,name,participant,corrected\n\
             \"'=a & \"\"b\"\"\",person,1,1,500000000,1500000000,1000000000,positive,attitude,,'=P,false\n\
             \"'=a & \"\"b\"\"\",person,1,2,1500000000,2000000000,500000000,negative,attitude,,'=P,true\n\
             \"'=a & \"\"b\"\"\",person,1,3,3000000000,3500000000,500000000,neutral,attitude,,'=P,false\n"
        );
    }
}
