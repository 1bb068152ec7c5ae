// SPDX-License-Identifier: MPL-2.0

//! Lists of labelled parts of videos.

use std::path::Path;

use super::{Data, Segment, beside};
use crate::evaluate::labels::Labels;
use crate::evaluate::table::{Failure, Row, Table};

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
    parse_time_s(text).ok_or_else(|| {
        row.mistake(&format!(
            "'{text}' in the column '{column}' is no time; write seconds or HH:MM:SS.fff"
        ))
    })
}

/// Seconds, MM:SS or HH:MM:SS, each with or without a fraction.
fn parse_time_s(text: &str) -> Option<f64> {
    let parts: Vec<&str> = text.split(':').collect();
    let (seconds, larger) = parts.split_last()?;
    if larger.len() > 2 {
        return None;
    }
    let seconds: f64 = seconds.parse().ok()?;
    let is_sensible = seconds >= 0.0 && (larger.is_empty() || seconds < 60.0);
    let mut minutes = 0;
    for part in larger {
        minutes = minutes * 60 + u64::from(part.parse::<u16>().ok()?);
    }
    (is_sensible && seconds.is_finite()).then_some(minutes as f64 * 60.0 + seconds)
}

#[cfg(test)]
mod tests {
    use super::parse_time_s;

    #[test]
    fn times_are_seconds_or_clock_readings() {
        assert_eq!(parse_time_s("12.5"), Some(12.5));
        assert_eq!(parse_time_s("02:03.25"), Some(123.25));
        assert_eq!(parse_time_s("01:02:03"), Some(3723.0));
        for wrong in ["", "-1", "1:60", "1:2:3:4", "NaN", "inf", "noon", "1:-2"] {
            assert_eq!(parse_time_s(wrong), None, "{wrong}");
        }
    }
}
