// SPDX-License-Identifier: MPL-2.0

//! The report of a study.

use std::path::Path;

use attitude::statistics::Interval;
use attitude::study::{ComparisonDesign, Measure};
use maud::{Markup, html};

use super::StudyResults;
use super::analysis::{Alignment, ConditionComparison, ConditionResult};
use super::design::START;
use super::figures::{averages, means, swatch};
use super::methods::Methods;
use crate::numbers::count;
use crate::report::document::{document, scrollable};
use crate::report::text::{length, percent, score, valence};
use crate::report::{address, trust};

const STYLE: &str = include_str!("study.css");

/// File name of a recording's report in the folder of its results.
const REPORT: &str = "report.html";

/// Returns the report as HTML, for the folder `output`.
pub(super) fn page(results: &StudyResults, methods: &Methods, output: &Path) -> String {
    let study = &results.study;
    let names = study.conditions();
    let files = results
        .recordings
        .iter()
        .filter_map(|entry| entry.results.as_ref());
    let models = files.map(|results| results.file.analysis.models["attitude"].as_str());
    let body = html! {
        header {
            h1 { (study.title) }
            p {
                (count(results.recordings.len(), "recording")) " of "
                (count(study.participants().len(), "participant")) " in " (count(names.len(), "condition"))
            }
            p.caution role="note" { (trust::caution(models)) }
            ul.legend {
                @for (index, name) in names.iter().enumerate() { li { (swatch(index)) " " (name) } }
            }
        }
        main {
            @for alignment in &results.alignments { (section(alignment, &names)) }
            (methods_section(methods))
            (recordings(results, output))
        }
    };
    document(&study.title, STYLE, &[], &body)
}

/// Returns the section of an alignment.
fn section(alignment: &Alignment, names: &[&str]) -> Markup {
    let title = match alignment.name.as_str() {
        START => "From the start of recordings".to_owned(),
        name => format!("Around the event “{name}”"),
    };
    let kind = match alignment.is_corrected {
        true => "change of ",
        false => "",
    };
    html! {
        section {
            h2 { (title) }
            p.help {
                @if has_intervals(alignment) {
                    "Lines are means over participants, bands their 95% intervals at each time. In the rows below, dots \
                     are participants, and bars the means with their 95% intervals."
                } @else {
                    "Lines are means over participants. In the rows below, dots are participants, and bars the means. \
                     There are too few participants for intervals."
                }
                @if alignment.is_corrected { " Changes are differences from the mean before the event." }
            }
            div.figures {
                @for measure in alignment.measures() {
                    @let label = format!("{kind}{}", phrase(measure));
                    figure {
                        figcaption { (capitalized(&label)) }
                        (scrollable(&format!("Figures of the {label}"), &html! {
                            (averages(alignment, measure, &format!("Average {label} over time")))
                            (means(alignment, names, measure, &format!("Mean {label} of conditions")))
                        }))
                    }
                }
            }
            (condition_table(alignment, names))
            (comparison_table(alignment, names))
        }
    }
}

/// Returns `true` if a mean has an interval.
fn has_intervals(alignment: &Alignment) -> bool {
    let means = alignment.conditions.iter().flat_map(|condition| {
        let of = |measure| condition.means[measure];
        alignment.measures().filter_map(of)
    });
    means.into_iter().any(|mean| mean.interval.is_some())
}

/// Returns the description of a measure.
fn phrase(measure: Measure) -> &'static str {
    match measure {
        Measure::Valence => "valence, −1 to 1",
        Measure::PositiveShare => "share of participants who look positive",
        Measure::NegativeShare => "share of participants who look negative",
        Measure::ValenceChange => "valence minus the participant's own baseline, −2 to 2",
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

fn condition_table(alignment: &Alignment, names: &[&str]) -> Markup {
    let cell = |condition: &ConditionResult, measure| match condition.means[measure] {
        Some(mean) => {
            let format = format_of(measure, alignment.is_corrected);
            html! { (format(mean.mean)) (interval(mean.interval, format)) }
        }
        None => html! { "–" },
    };
    html! {
        (scrollable("Means over participants", &html! {
            table {
                caption { "Means over participants" }
                thead {
                    tr {
                        th scope="col" { "Condition" }
                        th scope="col" { "Participants" }
                        th scope="col" { "Recordings" }
                        @for measure in alignment.measures() { th scope="col" { (capitalized(short(measure))) } }
                        @if alignment.is_corrected {
                            th scope="col" { "Change of valence: d" sub { "z" } }
                            th scope="col" { "p, corrected" }
                        }
                    }
                }
                tbody {
                    @for condition in &alignment.conditions {
                        tr {
                            th scope="row" { (swatch(condition.condition)) " " (names[condition.condition]) }
                            td.number { (condition.participants.len()) }
                            td.number { (condition.recordings) }
                            @for measure in alignment.measures() { td.number { (cell(condition, measure)) } }
                            @if alignment.is_corrected {
                                @let d_z = condition.means[Measure::Valence].and_then(|mean| mean.d_z);
                                td.number { (number(d_z)) }
                                td.number { (p_value(condition.p_holm[Measure::Valence])) }
                            }
                        }
                    }
                }
            }
        }))
    }
}

/// Returns the name of a measure in tables.
fn short(measure: Measure) -> &'static str {
    match measure {
        Measure::Valence => "valence",
        Measure::PositiveShare => "positive share",
        Measure::NegativeShare => "negative share",
        Measure::ValenceChange => "valence minus baseline",
    }
}

fn comparison_table(alignment: &Alignment, names: &[&str]) -> Markup {
    if alignment.comparisons.is_empty() {
        return html! { p { "There is a single condition, and nothing to compare." } };
    }
    html! {
        (scrollable("Comparisons of conditions", &html! {
            table {
                caption { "Comparisons of conditions: the first minus the second" }
                thead {
                    tr {
                        th scope="col" { "Conditions" }
                        th scope="col" { "Measure" }
                        th scope="col" { "Participants" }
                        th scope="col" { "Difference, 95% interval" }
                        th scope="col" { "Effect size" }
                        th scope="col" { "Cliff’s delta" }
                        th scope="col" { "p" }
                        th scope="col" { "p, corrected" }
                    }
                }
                tbody { @for of in &alignment.comparisons { (comparison_row(of, names)) } }
            }
        }))
    }
}

fn comparison_row(of: &ConditionComparison, names: &[&str]) -> Markup {
    let comparison = &of.comparison;
    let [first, second] = of.conditions.map(|condition| names[condition]);
    let is_within = comparison.design == ComparisonDesign::Within;
    html! {
        tr {
            th scope="row" { (first) " − " (second) }
            td { (capitalized(short(of.measure))) }
            td {
                @match comparison.design {
                    ComparisonDesign::Within => { (comparison.participants[0]) " in both" }
                    ComparisonDesign::Between => {
                        (comparison.participants[0]) " and " (comparison.participants[1])
                    }
                }
                @if comparison.left_out > 0 { ", " (comparison.left_out) " left out" }
            }
            td.number { (valence(comparison.difference)) (interval(comparison.interval, valence)) }
            td.number {
                @if is_within { "d" sub { "z" } " = " (number(comparison.effect_size)) }
                @else { "g = " (number(comparison.hedges_g)) }
            }
            td.number { (number(comparison.cliffs_delta)) }
            td.number { (p_value(Some(comparison.test.p))) }
            td.number { (p_value(Some(of.p_holm))) }
        }
    }
}

/// Returns the format of values of a measure: with a sign if they can be negative.
fn format_of(measure: Measure, is_corrected: bool) -> fn(f64) -> String {
    match measure {
        Measure::PositiveShare | Measure::NegativeShare if !is_corrected => score,
        _ => valence,
    }
}

fn interval(interval: Option<Interval>, format: fn(f64) -> String) -> String {
    interval.map_or(String::new(), |Interval { low, high }| {
        format!(" [{}, {}]", format(low), format(high))
    })
}

fn number(value: Option<f64>) -> String {
    value.map_or("–".to_owned(), valence)
}

/// Formats a p-value.
fn p_value(p: Option<f64>) -> String {
    match p {
        None => "–".to_owned(),
        Some(p) if p < 0.001 => "< 0.001".to_owned(),
        Some(p) => format!("{p:.3}"),
    }
}

fn methods_section(methods: &Methods) -> Markup {
    html! {
        section #methods {
            h2 { "Methods" }
            @for paragraph in &methods.paragraphs { p { (paragraph) } }
            h3 { "Limits" }
            p { (methods.limits) }
            p.help {
                "Hesterberg, T. C. (2015). What Teachers Should Know About the Bootstrap: Resampling in the Undergraduate \
                 Statistics Curriculum. The American Statistician, 69(4), 371–386."
            }
        }
    }
}

/// Returns the table of recordings.
fn recordings(results: &StudyResults, output: &Path) -> Markup {
    let rows = results.study.recordings.iter().zip(&results.recordings);
    html! {
        section {
            h2 { "Recordings" }
            div.scroll {
                table.index {
                    thead {
                        tr {
                            th scope="col" { "Recording" }
                            th scope="col" { "Participant" }
                            th scope="col" { "Condition" }
                            th scope="col" { "Person" }
                            th scope="col" { "Seen for" }
                            th scope="col" { "Valence" }
                            th scope="col" { "Positive" }
                            th scope="col" { "Events used" }
                            th scope="col" { "Left out" }
                        }
                    }
                    tbody {
                        @for (recording, entry) in rows {
                            @let measured = entry.measured.as_ref().ok();
                            @let after = measured.map(|measured| &measured.whole.epoch.after);
                            @let report = entry.results.as_ref().map(|results| results.folder.join(REPORT));
                            @let report = report.and_then(|path| address::relative(output, &path).ok());
                            tr {
                                th scope="row" {
                                    @match &report {
                                        Some(report) => a href=(report) { (recording.file) },
                                        None => (recording.file),
                                    }
                                }
                                td { (recording.participant) }
                                td { (recording.condition.as_deref().unwrap_or("–")) }
                                @match measured {
                                    Some(measured) => {
                                        td.number { (measured.person) " of " (measured.persons) }
                                        td.number { (length(measured.seen_ns)) }
                                    }
                                    None => { td { "–" } td { "–" } }
                                }
                                td.number { (number(after.and_then(|after| after[Measure::Valence]))) }
                                td.number {
                                    @match after.and_then(|after| after[Measure::PositiveShare]) {
                                        Some(share) => (percent(share)),
                                        None => "–",
                                    }
                                }
                                td.number {
                                    @let events = measured.map_or(&[][..], |measured| &measured.events);
                                    (events.iter().filter(|checked| checked.exclusion.is_none()).count())
                                    " of " (recording.events.len())
                                }
                                td.status {
                                    @match &entry.measured {
                                        Err(reason) => (reason),
                                        Ok(measured) => (measured.whole.exclusion.as_deref().unwrap_or_default()),
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
