// SPDX-License-Identifier: MPL-2.0

//! Lists of labelled parts of videos.

use std::path::Path;

use super::{Data, Segment, beside};
use crate::evaluate::labels::Labels;
use crate::evaluate::table::{Failure, Row, Table};
use crate::values;

pub fn read(path: &Path, table: &Table, labels: Labels, data: &mut Data) -> Result<(), Failure> {
    table.require(&["file", "start", "end"])?;
    let label_column = table.require_label_column()?;
    for row in table.rows() {
        let file = row.require("file")?;
        let label = labels.label(row.require(label_column)?);
        let (start_s, end_s) = (time_s(&row, "start")?, time_s(&row, "end")?);
        if end_s <= start_s {
            return Err(row.mistake("the segment ends before it begins"));
        }
        data.segments.push(Segment {
            file: file.to_owned(),
            path: beside(path, file),
            start_s,
            end_s,
            label: label.map_err(|problem| row.mistake(&format!("the label {problem}")))?,
            group: row.get("group").map(str::to_owned),
            place: row.place(),
        });
    }
    Ok(())
}

fn time_s(row: &Row, column: &str) -> Result<f64, Failure> {
    let text = row.require(column)?;
    values::time_s(text).ok_or_else(|| {
        row.mistake(&format!(
            "'{text}' in the column '{column}' is no time; write seconds or HH:MM:SS.fff"
        ))
    })
}
