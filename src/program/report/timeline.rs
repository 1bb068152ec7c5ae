// SPDX-License-Identifier: MPL-2.0

//! The timeline of a person or of the scene: picture, facts and figures.

use std::fmt::Write;

use attitude::timeline::{Mean, Segment, Series, Shares, Span, Timeline};
use attitude::{ByAttitude, Label};
use maud::{Markup, html};

use super::axis::{Axis, Width};
use super::chart::chart;
use super::strip::{MAX_DRAWN, MAX_KNOWN, strip};
use super::text;
use super::zoom;
use crate::numbers;

/// Returns the picture of the timeline of `name`, with `marks` over it. The scripts turn it into a
/// slider, and show the `detail` of a part.
pub(crate) fn picture(
    name: &str,
    timeline: &Timeline,
    series: &Series,
    detail: &Series,
    axis: &Axis,
    marks: &Markup,
) -> Markup {
    let drawn = strip(&timeline.segments, axis, MAX_DRAWN);
    let known = strip(&timeline.segments, axis, MAX_KNOWN);
    let Span { start_ns, end_ns } = axis.span();
    html! {
        div.timeline role="img" aria-label={ "Timeline of " (name) }
            data-start=(text::seconds(start_ns)) data-end=(text::seconds(end_ns))
            data-segments=(segment_data(&known))
            data-detail-start=(text::seconds(detail.start_ns))
            data-detail-end=(text::seconds(detail.time_ns(detail.bins.len())))
            data-detail=(zoom::detail(detail)) {
            div.zoomable {
                (chart(series, &drawn, axis))
                (marks)
                div.playhead hidden {}
            }
        }
    }
}

/// Returns start, end and attitude of each segment for the script.
fn segment_data(strip: &[Segment]) -> String {
    let mut data = String::new();
    for Segment { span, attitude } in strip {
        let (start, end) = (text::seconds(span.start_ns), text::seconds(span.end_ns));
        // Writing to a string does not fail.
        let _ = write!(data, "{start} {end} {} ", attitude.name());
    }
    data
}

/// Returns a sentence with times, number of samples and mean confidence.
pub(crate) fn facts(timeline: &Timeline) -> Markup {
    let (Some(first), Some(last)) = (timeline.segments.first(), timeline.segments.last()) else {
        return html! { p.facts { "Never seen." } };
    };
    html! {
        p.facts {
            "Seen for " (text::length(timeline.seen_ns)) " between " (text::moment(first.span.start_ns))
            " and " (text::moment(last.span.end_ns)) ", "
            @if timeline.gaps.is_empty() { "without a gap" }
            @else { "with " (numbers::count(timeline.gaps.len(), "gap")) }
            ". " (numbers::count(timeline.samples, "sample")) ", " (numbers::grouped(timeline.classified_samples))
            " of them classified."
            @if let Some(confidence) = timeline.confidence {
                " Mean confidence " (text::score(confidence)) "."
            }
            @if !timeline.corrected.is_empty() {
                @let corrected_ns = timeline.corrected.iter().map(Span::len_ns).sum();
                " A person corrected the attitude in " (text::length(corrected_ns)) " of it, which have no scores."
            }
        }
    }
}

/// Returns the table of share of time, longest segment and mean score per attitude.
pub(crate) fn figures(name: &str, timeline: &Timeline) -> Markup {
    html! {
        div.scroll {
            table.figures {
                caption.visually-hidden { "Attitudes of " (name) }
                thead {
                    tr {
                        th scope="col" { "Attitude" }
                        th scope="col" { "Share of the time seen" }
                        th scope="col" { "Longest segment" }
                        th scope="col" { "Mean score (95% interval)" }
                    }
                }
                tbody {
                    @for label in Label::ALL {
                        tr {
                            th scope="row" { (text::named(label)) }
                            td { (share_cell(timeline.shares.as_ref(), label)) }
                            td { (longest_cell(&timeline.longest, label)) }
                            td { (mean_cell(timeline.means.as_ref(), label)) }
                        }
                    }
                }
            }
        }
    }
}

/// Returns the share of `label`, with a bar.
fn share_cell(shares: Option<&Shares>, label: Label) -> Markup {
    html! {
        @if let Some(shares) = shares {
            @let share = shares[label];
            (bar(share, label.name())) " " (text::percent(share))
        } @else { "–" }
    }
}

/// Returns a bar as wide as `share`, with a class of the style sheet.
pub(crate) fn bar(share: f64, class: &str) -> Markup {
    html! {
        svg.bar aria-hidden="true" focusable="false" {
            rect class=(class) width=(Width(share)) height="100%" {}
        }
    }
}

/// Returns all shares in one bar.
pub(crate) fn shares_bar(shares: &Shares) -> Markup {
    let describe = |label: Label| format!("{} {}", label.name(), text::percent(shares[label]));
    let mut end = 0.0;
    let parts = Label::ALL.map(|label| {
        let start = end;
        end += shares[label];
        (label, start, shares[label])
    });
    html! {
        svg.bar.shares role="img" aria-label=(Label::ALL.map(describe).join(", ")) {
            @for (label, start, share) in parts.into_iter().filter(|(_, _, share)| *share > 0.0) {
                rect class=(label.name()) x=(Width(start)) width=(Width(share)) height="100%" {}
            }
        }
    }
}

fn longest_cell(longest: &ByAttitude<Option<Span>>, label: Label) -> Markup {
    html! {
        @match label.attitude().and_then(|attitude| longest[attitude]) {
            Some(span) => { (text::length(span.len_ns())) ", from " (text::moment(span.start_ns)) }
            None => { "–" }
        }
    }
}

fn mean_cell(means: Option<&ByAttitude<Mean>>, label: Label) -> Markup {
    html! {
        @match means.zip(label.attitude()).map(|(means, attitude)| means[attitude]) {
            Some(mean) => {
                (text::score(mean.value))
                @if let Some(interval) = mean.interval_95 {
                    " (" (text::score(interval.low)) " to " (text::score(interval.high)) ")"
                }
            }
            None => { "–" }
        }
    }
}

#[cfg(test)]
mod tests {
    use attitude::statistics::Interval;

    use super::*;

    #[test]
    fn bars_of_shares_follow_each_other_and_have_names() {
        let shares = Shares {
            positive: 0.25,
            neutral: 0.0,
            negative: 0.5,
            unknown: 0.25,
        };
        let bar = shares_bar(&shares).into_string();
        assert!(
            bar.contains(r#"aria-label="positive 25%, neutral 0%, negative 50%, unknown 25%""#)
        );
        assert!(
            bar.contains(r#"<rect class="negative" x="25%" width="50%""#),
            "{bar}"
        );
        assert!(bar.contains(r#"<rect class="unknown" x="75%" width="25%""#));
        assert!(!bar.contains(r#"class="neutral""#));
    }

    #[test]
    fn a_face_that_was_never_seen_has_no_figures() {
        let nothing = Timeline::default();
        assert!(facts(&nothing).into_string().contains("Never seen"));
        let figures = figures("the scene", &nothing).into_string();
        assert!(
            !figures.contains('%') || figures.matches('%').count() == 1,
            "{figures}"
        );
    }

    #[test]
    fn the_report_says_why_a_corrected_time_has_no_scores() {
        let span = Span {
            start_ns: 0,
            end_ns: 4_000_000_000,
        };
        let corrected = Span {
            start_ns: 1_000_000_000,
            ..span
        };
        let timeline = Timeline {
            segments: vec![Segment {
                span,
                attitude: Label::POSITIVE,
            }],
            corrected: vec![corrected],
            ..Timeline::default()
        };
        let facts = facts(&timeline).into_string();
        let expected = "corrected the attitude in 3 s of it, which have no scores";
        assert!(facts.contains(expected), "{facts}");
    }

    #[test]
    fn a_mean_has_its_interval_if_it_is_known() {
        let mean_of = |interval_95| {
            let means = ByAttitude::from_fn(|_| Mean {
                value: 0.3149,
                interval_95,
            });
            mean_cell(Some(&means), Label::POSITIVE).into_string()
        };
        assert_eq!(mean_of(None), "0.31");
        let interval = Interval {
            low: 0.25,
            high: 0.381,
        };
        assert_eq!(mean_of(Some(interval)), "0.31 (0.25 to 0.38)");
        assert_eq!(mean_cell(None, Label::POSITIVE).into_string(), "–");
    }

    #[test]
    fn segments_are_written_for_the_script() {
        let segment = |start_ns, end_ns, attitude| Segment {
            span: Span { start_ns, end_ns },
            attitude,
        };
        let strip = [
            segment(0, 1_500_000_000, Label::POSITIVE),
            segment(2_000_000_000, 3_000_000_000, Label::Unknown),
        ];
        assert_eq!(segment_data(&strip), "0 1.5 positive 2 3 unknown ");
    }
}
