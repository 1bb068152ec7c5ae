// SPDX-License-Identifier: MPL-2.0

//! The page about the agreement of coders.

use std::path::Path;

use attitude::record::summary::Person;
use attitude::timeline::Span;
use attitude::{Attitude, clock};
use maud::{Markup, html};

use super::coders::{Coders, Pair};
use super::tables::{coefficient, groups};
use crate::numbers::{count, grouped};
use crate::report::axis::{Axis, Width};
use crate::report::chart::anchor;
use crate::report::document::{document, patterns, scrollable};
use crate::report::text::{length, named, percent, seconds};
use crate::report::{address, trust};

/// File name of a recording's report.
const REPORT: &str = "report.html";

/// Maximum number of disagreements in the list; the table of CSV has all.
const MAX_LISTED: usize = 500;

const STYLE: &str = "
.runs { display: block; width: 100%; height: 22px; background: var(--empty); }
.runs rect { stroke: none; }
.runs .negative { fill: url(#hatched); }
.times { display: block; width: 100%; height: 18px; fill: var(--text-muted); font-size: 13px; }
.confusions { display: flex; flex-wrap: wrap; gap: 1rem 3rem; }
";

/// Returns the page as HTML, for the folder `output`; `results` is the folder of the recording.
pub(super) fn page(
    coders: &Coders,
    person: &Person,
    recording: &str,
    results: &Path,
    output: &Path,
) -> String {
    let report = address::relative(output, &results.join(REPORT)).ok();
    let body = html! {
        (patterns())
        header {
            h1 { "Agreement about " (recording) }
            p {
                (count(coders.names.len(), "coder")) ", "
                (count(coders.units(), "unit")) " of " (length(coders.unit_ns))
                "; gst-attitude has the segments of "
                @match &report {
                    Some(report) => a href={ (report) "#person-" (person.id) } { (person.name()) },
                    None => (person.name()),
                }
            }
            p.caution role="note" { (trust::caution([None].into_iter())) }
        }
        main {
            (agreement(coders))
            (timelines(coders))
            (confusions(coders))
            (disagreements(coders, report.as_deref()))
            (limits())
        }
    };
    document(&format!("Agreement about {recording}"), STYLE, &[], &body)
}

fn agreement(coders: &Coders) -> Markup {
    html! {
        section {
            h2 { "Agreement" }
            (scrollable("Agreement", &html! {
                table {
                    thead {
                        tr {
                            th scope="col" { "Coders" }
                            th scope="col" { "Units of both" }
                            th scope="col" { "Same label" }
                            th scope="col" { "Cohen’s kappa" }
                            th scope="col" { "Krippendorff’s alpha" }
                        }
                    }
                    tbody {
                        @for pair in coders.pairs() {
                            @let total = pair.confusion.total();
                            tr {
                                th scope="row" { (names(coders, &pair)) }
                                td.number { (grouped(total)) }
                                td.number { @if total > 0 { (percent(pair.confusion.accuracy())) } @else { "–" } }
                                td.number { (coefficient((total > 0).then(|| pair.confusion.kappa()))) }
                                td.number { (coefficient(pair.alpha)) }
                            }
                        }
                        @for (name, group) in groups(coders) {
                            tr {
                                th scope="row" { (name) }
                                td { "–" } td { "–" } td { "–" }
                                td.number { (coefficient(coders.alpha(group))) }
                            }
                        }
                    }
                }
            }))
        }
    }
}

fn names(coders: &Coders, pair: &Pair) -> String {
    let [first, second] = pair.coders.map(|coder| coders.names[coder].as_str());
    format!("{first}, {second}")
}

/// Returns the labels of each coder over time.
fn timelines(coders: &Coders) -> Markup {
    let axis = Axis::of(Span {
        start_ns: 0,
        end_ns: (coders.units() as u64).saturating_mul(coders.unit_ns),
    });
    html! {
        section {
            h2 { "Labels over time" }
            @for (coder, name) in coders.names.iter().enumerate() {
                h3 { (name) }
                svg.runs role="img" aria-label={ "Labels of " (name) " over time" } {
                    @for (span, attitude) in coders.runs(coder) {
                        @let (x, width) = axis.extent(span);
                        rect class=(attitude.name()) x=(x) width=(width) height="100%" {}
                    }
                }
            }
            svg.times aria-hidden="true" focusable="false" {
                @for time_ns in axis.ticks() {
                    @let position = axis.position(time_ns);
                    text x=(Width(position)) y="14" text-anchor=(anchor(position)) { (clock::position_s(time_ns)) }
                }
            }
            ul.legend {
                @for attitude in Attitude::ALL { li { (named(attitude.into())) } }
                li { span.attitude.gap { "no label" } }
            }
        }
    }
}

fn confusions(coders: &Coders) -> Markup {
    html! {
        section {
            h2 { "Confusion" }
            p.help { "Numbers of units; rows are the labels of the first coder, columns those of the second." }
            div.confusions {
                @for pair in coders.pairs() {
                    (scrollable(&format!("Confusion of {}", names(coders, &pair)), &html! {
                        table {
                            caption { (names(coders, &pair)) }
                            thead {
                                tr {
                                    td {}
                                    @for attitude in Attitude::ALL { th scope="col" { (named(attitude.into())) } }
                                }
                            }
                            tbody {
                                @for first in Attitude::ALL {
                                    tr {
                                        th scope="row" { (named(first.into())) }
                                        @for units in pair.confusion.counts[first as usize] {
                                            td.number { (grouped(units)) }
                                        }
                                    }
                                }
                            }
                        }
                    }))
                }
            }
        }
    }
}

fn disagreements(coders: &Coders, report: Option<&str>) -> Markup {
    let all = coders.disagreements();
    html! {
        section {
            h2 { "Disagreements" }
            p.help {
                (count(all.len(), "disagreement"))
                @if all.len() > MAX_LISTED { ", the first " (MAX_LISTED) " listed; disagreements.csv has all" }
                ". A time opens the report of the recording there."
            }
            div.scroll {
                table {
                    thead {
                        tr {
                            th scope="col" { "Time" }
                            th scope="col" { "Coders" }
                            th scope="col" { "First" }
                            th scope="col" { "Second" }
                        }
                    }
                    tbody {
                        @for of in all.iter().take(MAX_LISTED) {
                            tr {
                                td {
                                    @match report {
                                        Some(report) => a href={ (report) "#t=" (seconds(of.span.start_ns)) } {
                                            (of.time())
                                        },
                                        None => (of.time()),
                                    }
                                }
                                td { (coders.names[of.coders[0]]) ", " (coders.names[of.coders[1]]) }
                                td { (named(of.labels[0].into())) }
                                td { (named(of.labels[1].into())) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn limits() -> Markup {
    html! {
        section {
            h2 { "How far to trust this" }
            p {
                "The label of a unit is the one in its middle; units that one of two coders has not labeled do not count. \
                 Cohen’s kappa and Krippendorff’s alpha are 1 for perfect agreement and 0 for that of chance. Consecutive \
                 units show the same face and are not independent: the figures describe this recording, and have no \
                 intervals. Agreement of people with each other is the best that a program can be measured by; none of \
                 them knows what the person felt."
            }
        }
    }
}
