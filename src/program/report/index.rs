// SPDX-License-Identifier: MPL-2.0

//! The page that leads to the reports of several recordings.

use attitude::Label;
use attitude::record::summary::Summary;
use maud::{Markup, html};

use super::document::{document, patterns};
use super::recording::Recording;
use super::timeline::bar;
use super::{text, trust};

const SCRIPT: &str = include_str!("sort-table.js");

/// One of the recordings.
pub struct Entry<'a> {
    /// The recording.
    pub recording: &'a Recording,
    /// What became of it.
    pub outcome: Outcome<'a>,
}

/// The summary and the address of its report, or what kept it from being analysed.
pub type Outcome<'a> = Result<(&'a Summary, String), String>;

/// The page, in HTML.
pub fn index(entries: &[Entry]) -> String {
    let shown = Shown {
        length: entries
            .iter()
            .any(|entry| entry.recording.duration_ns.is_some()),
        problem: entries.iter().any(|entry| problem(entry).is_some()),
    };
    let body = html! {
        (patterns())
        header {
            h1 { "Attitudes in " (text::count(entries.len() as u64, "recording")) }
            p.caution role="note" {
                (trust::caution(entries.iter().map(|entry| entry.recording.model.as_deref())))
            }
        }
        main {
            p.help {
                "Shares are of the time in which faces were seen, by the mean of all of them. "
                span.controls { "The heads of the columns sort." }
            }
            div.scroll {
                table.index {
                    caption.visually-hidden { "Recordings" }
                    thead { (heads(&shown)) }
                    tbody { @for entry in entries { (row(entry, &shown)) } }
                }
            }
        }
    };
    document("Attitudes in recordings", "", SCRIPT, &body)
}

/// Which columns there are beside those that always are.
struct Shown {
    length: bool,
    problem: bool,
}

fn heads(shown: &Shown) -> Markup {
    html! {
        tr {
            th scope="col" { "Recording" }
            @if shown.length { th scope="col" { "Length" } }
            th scope="col" { "Persons" }
            @for label in Label::ALL { th scope="col" { (text::named(label)) } }
            th scope="col" { "Samples" }
            th scope="col" { "With faces" }
            @if shown.problem { th scope="col" { "Incomplete" } }
        }
    }
}

fn row(entry: &Entry, shown: &Shown) -> Markup {
    let Entry { recording, outcome } = entry;
    let (summary, address) = match outcome {
        Ok((summary, address)) => (Some(*summary), Some(address)),
        Err(_) => (None, None),
    };
    let count = |of: fn(&Summary) -> u64| cell(summary.map(of), text::grouped);
    let shares = summary.and_then(|summary| summary.scene.shares.as_ref());
    html! {
        tr {
            th scope="row" data-value=(recording.name) {
                @match address {
                    Some(address) => a href=(address) { (recording.name) },
                    None => (recording.name),
                }
            }
            @if shown.length { (cell(recording.duration_ns, text::length)) }
            (count(|summary| summary.persons.len() as u64))
            @for label in Label::ALL {
                @match shares.map(|shares| shares[label]) {
                    Some(share) => td.share data-value=(share) {
                        (bar(share, label.name())) " " (text::percent(share))
                    },
                    None => td.share { "–" },
                }
            }
            (count(|summary| summary.samples))
            (count(|summary| summary.samples_with_faces))
            @if shown.problem {
                @let problem = problem(entry).unwrap_or_default();
                td data-value=(problem) { span.damage { (problem) } }
            }
        }
    }
}

/// What kept the recording, or a part of it, from being analysed.
fn problem<'a>(entry: &'a Entry) -> Option<&'a str> {
    match &entry.outcome {
        Ok(_) => entry.recording.damage.as_deref(),
        Err(problem) => Some(problem),
    }
}

/// A number, which `told` writes down.
fn cell(number: Option<u64>, told: impl Fn(u64) -> String) -> Markup {
    html! {
        @match number {
            Some(number) => td.number data-value=(number) { (told(number)) },
            None => td.number { "–" },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_leads_to_its_report_or_says_why_there_is_none() {
        let recording = Recording {
            name: "<a>.mp4".to_owned(),
            duration_ns: Some(90_000_000_000),
            ..Recording::default()
        };
        let summary = Summary {
            samples: 1234,
            ..Summary::default()
        };
        let good = Entry {
            recording: &recording,
            outcome: Ok((&summary, "%3Ca%3E.html".to_owned())),
        };
        let bad = Entry {
            recording: &recording,
            outcome: Err("no <video> in it".to_owned()),
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
