// SPDX-License-Identifier: MPL-2.0

//! Annotations as tables: aggregated events of BORIS, and plain ones with start, end and label.

use std::path::Path;

use attitude::timeline::Span;

use super::{AnnotationMistake, RawAnnotation, RawCoding, default_coder};
use crate::data_file::{DataError, Row, Table};

/// Names of the columns of a kind of table.
struct Columns {
    start: &'static str,
    end: &'static str,
    label: &'static str,
    coder: &'static str,
}

/// Columns of the aggregated events of BORIS, in lower case.
const BORIS: Columns = Columns {
    start: "start (s)",
    end: "stop (s)",
    label: "behavior",
    coder: "observation id",
};

/// Columns of the events of BORIS that are not aggregated.
const BORIS_EVENTS: [&str; 2] = ["behavior", "time"];

/// Parses the text of the file at `path`.
///
/// # Errors
/// Returns the first mistake.
pub(super) fn parse(path: &Path, text: &str) -> Result<Vec<RawCoding>, DataError> {
    let table = Table::parse(path, text)?;
    let columns = match table.has(BORIS.start) && table.has(BORIS.label) {
        true => BORIS,
        false if BORIS_EVENTS.iter().all(|column| table.has(column)) => {
            return Err(table.header_error(AnnotationMistake::Events));
        }
        false => Columns {
            start: "start",
            end: "end",
            label: table.require_label_column()?,
            coder: "coder",
        },
    };
    table.require(&[columns.start, columns.end])?;
    let mut codings: Vec<RawCoding> = Vec::new();
    for row in table.rows() {
        let coder = row
            .get(columns.coder)
            .map_or_else(|| default_coder(path), str::to_owned);
        let annotation = annotation(&row, &columns)?;
        match codings.iter_mut().find(|coding| coding.coder == coder) {
            Some(coding) => coding.annotations.push(annotation),
            None => codings.push(RawCoding {
                coder,
                annotations: vec![annotation],
            }),
        }
    }
    Ok(codings)
}

fn annotation(row: &Row, columns: &Columns) -> Result<RawAnnotation, DataError> {
    let ns = |column| Ok((row.require_time_s(column)? * 1e9).round() as u64);
    let span = Span {
        start_ns: ns(columns.start)?,
        end_ns: ns(columns.end)?,
    };
    if span.end_ns <= span.start_ns {
        return Err(row.error(AnnotationMistake::EmptySpan));
    }
    Ok(RawAnnotation {
        span,
        label: row.require(columns.label)?.to_owned(),
        position: row.position(),
    })
}
