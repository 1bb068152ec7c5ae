// SPDX-License-Identifier: MPL-2.0

//! Tables of a timeline: its changes, and all of its data for people who cannot see the picture.

use std::cmp::Reverse;

use attitude::clock;
use attitude::timeline::{Change, Segment, Series, Timeline};
use maud::{Markup, html};

use super::text;
use crate::numbers;

/// Maximum number of changes in the table: the largest ones.
const MAX_CHANGES: usize = 100;

/// Maximum number of changes that are shown without a click.
const OPEN_CHANGES: usize = 10;

/// Maximum number of segments in the table: the longest ones.
const MAX_SEGMENTS: usize = 100;

/// Maximum number of rows of the table of scores.
pub(crate) const MAX_ROWS: usize = 60;

/// Returns the table of changes.
pub(crate) fn changes(name: &str, changes: &[Change]) -> Markup {
    if changes.is_empty() {
        return html! { p { "No change from one attitude to another without a gap between them." } };
    }
    let size = |change: &Change| change.size.unwrap_or(0.0).abs();
    let shown = first_by(changes, MAX_CHANGES, |a, b| size(b).total_cmp(&size(a)));
    html! {
        details open[shown.len() <= OPEN_CHANGES] {
            summary {
                (numbers::count(changes.len(), "change"))
                @if shown.len() < changes.len() { ", the " (shown.len()) " largest of them listed" }
            }
            div.scroll {
                table.changes {
                    caption.visually-hidden { "Changes of " (name) }
                    thead {
                        tr {
                            th scope="col" { "Time" }
                            th scope="col" { "From" }
                            th scope="col" { "To" }
                            th scope="col" { "Size, −2 to 2" }
                        }
                    }
                    tbody {
                        @for change in shown {
                            tr {
                                td { (text::moment(change.time_ns)) }
                                td { (text::named(change.from)) }
                                td { (text::named(change.to)) }
                                td.number {
                                    @match change.size {
                                        Some(size) => (text::valence(size)),
                                        None => "–",
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

/// Returns the data of the picture: the segments, and the mean scores of `series`.
pub(crate) fn data(name: &str, timeline: &Timeline, series: &Series) -> Markup {
    html! {
        details.data {
            summary { "The timeline as tables" }
            (segments(name, timeline))
            (scores(name, series))
        }
    }
}

fn segments(name: &str, timeline: &Timeline) -> Markup {
    let all = &timeline.segments;
    let shown = first_by(all, MAX_SEGMENTS, |a, b| {
        Reverse(a.span.len_ns()).cmp(&Reverse(b.span.len_ns()))
    });
    html! {
        div.scroll {
            table {
                caption {
                    "Segments of " (name)
                    @if shown.len() < all.len() {
                        ", the " (shown.len()) " longest of " (numbers::grouped(all.len() as u64))
                    }
                }
                thead {
                    tr {
                        th scope="col" { "From" }
                        th scope="col" { "Until" }
                        th scope="col" { "Lasts" }
                        th scope="col" { "Attitude" }
                    }
                }
                tbody {
                    @for Segment { span, attitude } in shown {
                        tr {
                            td { (text::moment(span.start_ns)) }
                            td { (clock::position(span.end_ns)) }
                            td.number { (text::length(span.len_ns())) }
                            td { (text::named(*attitude)) }
                        }
                    }
                }
            }
        }
    }
}

fn scores(name: &str, series: &Series) -> Markup {
    html! {
        div.scroll {
            table {
                caption {
                    "Mean scores of " (name) ", each over " (text::length(series.bin_ns))
                }
                thead {
                    tr {
                        th scope="col" { "From" }
                        th scope="col" { "Positive" }
                        th scope="col" { "Neutral" }
                        th scope="col" { "Negative" }
                    }
                }
                tbody {
                    @for (index, scores) in series.bins.iter().enumerate() {
                        tr {
                            td { (text::moment(series.time_ns(index))) }
                            @match scores {
                                Some(scores) => @for score in scores.to_array() {
                                    td.number { (text::score(score.into())) }
                                },
                                None => td colspan="3" { "not seen, or not classified" },
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Returns the first `max` of `all` by `order`, in their original order.
fn first_by<T>(all: &[T], max: usize, order: impl Fn(&T, &T) -> std::cmp::Ordering) -> Vec<&T> {
    let mut indices: Vec<usize> = (0..all.len()).collect();
    indices.sort_by(|&a, &b| order(&all[a], &all[b]));
    indices.truncate(max);
    indices.sort_unstable();
    indices.into_iter().map(|index| &all[index]).collect()
}

#[cfg(test)]
mod tests {
    use attitude::Label;

    use super::*;

    fn change(index: u64, size: Option<f64>) -> Change {
        Change {
            time_ns: index * 1_000_000_000,
            from: Label::NEUTRAL,
            to: Label::Unknown,
            size,
        }
    }

    #[test]
    fn the_largest_changes_are_listed_by_time() {
        let many: Vec<Change> = (0..300)
            .map(|i| change(i, (i != 7).then_some(if i % 2 == 0 { -0.9 } else { 0.1 })))
            .collect();
        let list = changes("person 1", &many).into_string();
        assert!(list.contains("300 changes, the 100 largest of them listed"));
        assert_eq!(list.matches("<td class=\"number\">−0.90</td>").count(), 100);
        assert!(!list.contains("<details open"));
        let (first, second) = (list.find("#t=0\"").unwrap(), list.find("#t=2\"").unwrap());
        assert!(first < second);
    }

    #[test]
    fn a_change_of_unknown_size_has_none() {
        let list = changes("person 1", &[change(0, None)]).into_string();
        assert!(
            list.contains("1 change<") && list.contains("<details open"),
            "{list}"
        );
        assert!(list.contains("<td class=\"number\">–</td>"));
        assert!(changes("x", &[]).into_string().contains("No change"));
    }
}
