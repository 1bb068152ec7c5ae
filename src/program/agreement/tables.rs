// SPDX-License-Identifier: MPL-2.0

//! The agreement as tables and as Markdown.

use std::fmt::Write;

use attitude::Attitude;
use attitude::data_table::DataKind::{Count, Number, Text};
use attitude::data_table::labels::ATTITUDE_LABELS;
use attitude::data_table::{DataColumn, DataTable, DataValue, TableSchema, column};

use super::coders::Coders;
use crate::report::text::percent;

const FIRST: DataColumn = column("first", Text, "first coder");
const SECOND: DataColumn = column(
    "second",
    Text,
    "second coder; empty if first stands for several",
);

static AGREEMENT: TableSchema = TableSchema {
    name: "agreement",
    columns: &[
        FIRST,
        SECOND,
        column(
            "units",
            Count,
            "number of units that both coders have labeled",
        ),
        column(
            "agreement",
            Number,
            "fraction of these units with the same label, 0 to 1",
        ),
        column(
            "kappa",
            Number,
            "Cohen's kappa, at most 1; 0 is the agreement of chance",
        ),
        column(
            "alpha",
            Number,
            "Krippendorff's alpha for nominal data, at most 1; empty if not defined",
        ),
    ],
};

static CONFUSION: TableSchema = TableSchema {
    name: "confusion",
    columns: &[
        FIRST,
        SECOND,
        column("first_label", Text, "label of the first coder").with_labels(&ATTITUDE_LABELS),
        column("second_label", Text, "label of the second coder").with_labels(&ATTITUDE_LABELS),
        column("units", Count, "number of units with these labels"),
    ],
};

static DISAGREEMENTS: TableSchema = TableSchema {
    name: "disagreements",
    columns: &[
        column("start_ns", Count, "start in the recording, in nanoseconds"),
        column("end_ns", Count, "end in the recording, in nanoseconds"),
        FIRST,
        SECOND,
        column("first_label", Text, "label of the first coder").with_labels(&ATTITUDE_LABELS),
        column("second_label", Text, "label of the second coder").with_labels(&ATTITUDE_LABELS),
    ],
};

/// All tables.
pub(crate) static TABLES: [&TableSchema; 3] = [&AGREEMENT, &CONFUSION, &DISAGREEMENTS];

/// Returns all tables.
pub(super) fn tables(coders: &Coders) -> Vec<DataTable> {
    vec![agreement(coders), confusion(coders), disagreements(coders)]
}

/// Returns the sets of several coders that have an alpha of their own, with their names.
pub(super) fn groups(coders: &Coders) -> Vec<(&'static str, std::ops::Range<usize>)> {
    let count = coders.names.len();
    let mut groups = Vec::new();
    if count > 3 {
        groups.push(("all annotators", 1..count));
    }
    if count > 2 {
        groups.push(("all coders", 0..count));
    }
    groups
}

fn agreement(coders: &Coders) -> DataTable {
    let mut table = DataTable::new(&AGREEMENT);
    for pair in coders.pairs() {
        let total = pair.confusion.total();
        let known = |value: f64| (total > 0).then_some(value);
        table.push(vec![
            coders.names[pair.coders[0]].as_str().into(),
            coders.names[pair.coders[1]].as_str().into(),
            total.into(),
            known(pair.confusion.accuracy()).into(),
            known(pair.confusion.kappa()).into(),
            pair.alpha.into(),
        ]);
    }
    for (name, group) in groups(coders) {
        let missing = DataValue::Missing;
        let alpha = coders.alpha(group).into();
        table.push(vec![
            name.into(),
            missing.clone(),
            missing.clone(),
            missing.clone(),
            missing,
            alpha,
        ]);
    }
    table
}

fn confusion(coders: &Coders) -> DataTable {
    let mut table = DataTable::new(&CONFUSION);
    for pair in coders.pairs() {
        for first in Attitude::ALL {
            for second in Attitude::ALL {
                table.push(vec![
                    coders.names[pair.coders[0]].as_str().into(),
                    coders.names[pair.coders[1]].as_str().into(),
                    first.name().into(),
                    second.name().into(),
                    pair.confusion.counts[first as usize][second as usize].into(),
                ]);
            }
        }
    }
    table
}

fn disagreements(coders: &Coders) -> DataTable {
    let mut table = DataTable::new(&DISAGREEMENTS);
    for of in coders.disagreements() {
        table.push(vec![
            of.span.start_ns.into(),
            of.span.end_ns.into(),
            coders.names[of.coders[0]].as_str().into(),
            coders.names[of.coders[1]].as_str().into(),
            of.labels[0].name().into(),
            of.labels[1].name().into(),
        ]);
    }
    table
}

/// Formats a coefficient.
pub(super) fn coefficient(value: Option<f64>) -> String {
    value.map_or("–".to_owned(), |value| {
        format!("{value:.2}").replace('-', "−")
    })
}

/// Formats the agreement as Markdown.
pub(super) fn markdown(coders: &Coders) -> String {
    let mut text = "| coders | units | agreement | Cohen's kappa | Krippendorff's alpha |\n\
                    |---|---|---|---|---|\n"
        .to_owned();
    for pair in coders.pairs() {
        let [first, second] = pair.coders.map(|coder| escaped(&coders.names[coder]));
        let total = pair.confusion.total();
        let known = |value: f64| (total > 0).then_some(value);
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "| {first}, {second} | {total} | {} | {} | {} |",
            known(pair.confusion.accuracy()).map_or("–".to_owned(), percent),
            coefficient(known(pair.confusion.kappa())),
            coefficient(pair.alpha)
        );
    }
    for (name, group) in groups(coders) {
        let _ = writeln!(
            text,
            "| {name} | | | | {} |",
            coefficient(coders.alpha(group))
        );
    }
    text
}

/// Escapes the characters of names that have a meaning in a table of Markdown.
fn escaped(name: &str) -> String {
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    name.chars()
        .map(visible)
        .collect::<String>()
        .replace('|', "\\|")
}
