// SPDX-License-Identifier: MPL-2.0

//! The index page, which links to the reports of several recordings.

use attitude::Label;
use attitude::record::summary::Summary;
use maud::{Markup, html};

use super::document::{document, patterns};
use super::recording::RecordingFacts;
use super::timeline::bar;
use super::{participants, text, trust};
use crate::numbers;

const SCRIPTS: &[&str] = &[
    include_str!("sort-table.js"),
    include_str!("filter-table.js"),
];

/// A recording in the index.
pub(crate) struct Entry<'a> {
    pub(crate) recording: &'a RecordingFacts,
    pub(crate) result: &'a AnalysisResult<'a>,
}

/// Result of a recording's analysis.
pub(crate) enum AnalysisResult<'a> {
    /// The summary, and the address of the report.
    Report(&'a Summary, String),
    /// The reason why there is no report.
    Failed(String),
}

/// Returns the index page as HTML.
pub(crate) fn index(entries: &[Entry]) -> String {
    let columns = Columns {
        length: entries
            .iter()
            .any(|entry| entry.recording.duration_ns.is_some()),
        problem: entries.iter().any(|entry| problem(entry).is_some()),
    };
    let body = html! {
        (patterns())
        header {
            h1 { "Attitudes in " (numbers::count(entries.len(), "recording")) }
            p.caution role="note" {
                (trust::caution(entries.iter().map(|entry| entry.recording.model.as_deref())))
            }
        }
        main {
            p.help {
                "Shares of the time in which faces were seen, by the mean of all faces. "
                span.controls { "Click a column heading to sort." }
            }
            (filter())
            div.scroll {
                table.index {
                    caption.visually-hidden { "Recordings" }
                    thead { (heads(&columns)) }
                    tbody { @for entry in entries { (row(entry, &columns)) } }
                }
            }
            @if let Some(section) = participants::section(entries) { (section) }
        }
    };
    document("Attitudes in recordings", "", SCRIPTS, &body)
}

/// Returns the fields that select recordings; without scripts they are hidden.
fn filter() -> Markup {
    html! {
        form #filter role="search" hidden {
            label { "Search names and participants " input type="search" autocomplete="off"; }
            label {
                "Most of the time "
                select {
                    option value="" { "any attitude" }
                    @for label in Label::ALL { option value=(label.name()) { (label.name()) } }
                }
            }
            output {}
        }
    }
}

/// The optional columns of the table.
struct Columns {
    length: bool,
    problem: bool,
}

fn heads(columns: &Columns) -> Markup {
    html! {
        tr {
            th scope="col" { "Recording" }
            @if columns.length { th scope="col" { "Length" } }
            th scope="col" { "Persons" }
            @for label in Label::ALL { th scope="col" { (text::named(label)) } }
            th scope="col" { "Samples" }
            th scope="col" { "With faces" }
            @if columns.problem { th scope="col" { "Incomplete" } }
        }
    }
}

fn row(entry: &Entry, columns: &Columns) -> Markup {
    let Entry { recording, result } = entry;
    let (summary, address) = match result {
        AnalysisResult::Report(summary, address) => (Some(*summary), Some(address)),
        AnalysisResult::Failed(_) => (None, None),
    };
    let number = |of: fn(&Summary) -> u64| cell(summary.map(of), numbers::grouped);
    let shares = summary.and_then(|summary| summary.scene.shares.as_ref());
    let most_frequent = participants::most_frequent(shares).map(Label::name);
    html! {
        tr data-search=(participants::searched(&recording.name, summary)) data-attitude=[most_frequent] {
            th scope="row" data-value=(recording.name) {
                @match address {
                    Some(address) => a href=(address) { (recording.name) },
                    None => (recording.name),
                }
            }
            @if columns.length { (cell(recording.duration_ns, text::length)) }
            (number(|summary| summary.persons.len() as u64))
            @for label in Label::ALL {
                @match shares.map(|shares| shares[label]) {
                    Some(share) => td.share data-value=(share) {
                        (bar(share, label.name())) " " (text::percent(share))
                    },
                    None => td.share { "–" },
                }
            }
            (number(|summary| summary.samples))
            (number(|summary| summary.samples_with_faces))
            @if columns.problem {
                @let problem = problem(entry).unwrap_or_default();
                td data-value=(problem) { span.damage { (problem) } }
            }
        }
    }
}

/// Returns the reason why the recording, or a part of it, was not analyzed.
fn problem<'a>(entry: &'a Entry) -> Option<&'a str> {
    match entry.result {
        AnalysisResult::Report(..) => entry.recording.damage.as_deref(),
        AnalysisResult::Failed(problem) => Some(problem),
    }
}

/// Returns the cell of a number, which `format` turns into text.
fn cell(number: Option<u64>, format: impl Fn(u64) -> String) -> Markup {
    html! {
        @match number {
            Some(number) => td.number data-value=(number) { (format(number)) },
            None => td.number { "–" },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_links_to_its_report_or_gives_the_reason_why_there_is_none() {
        let recording = RecordingFacts {
            name: "<a>.mp4".to_owned(),
            duration_ns: Some(90_000_000_000),
            ..RecordingFacts::default()
        };
        let summary = Summary {
            samples: 1234,
            ..Summary::default()
        };
        let good = Entry {
            recording: &recording,
            result: &AnalysisResult::Report(&summary, "%3Ca%3E.html".to_owned()),
        };
        let bad = Entry {
            recording: &recording,
            result: &AnalysisResult::Failed("no <video> in it".to_owned()),
        };
        let page = index(&[good, bad]);
        for part in [
            "Attitudes in 2 recordings",
            r#"<a href="%3Ca%3E.html">&lt;a&gt;.mp4</a>"#,
            r#"<td class="number" data-value="90000000000">1 min 30 s</td>"#,
            r#"<td class="number" data-value="1234">1,234</td>"#,
            r#"<span class="damage">no &lt;video&gt; in it</span>"#,
        ] {
            assert!(page.contains(part), "{part}\n{page}");
        }
        assert!(!page.contains("<a>.mp4"));
        assert!(index(&[]).contains("0 recordings"));
    }
}
