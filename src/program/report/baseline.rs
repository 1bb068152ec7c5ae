// SPDX-License-Identifier: MPL-2.0

//! The valence of a person against the baseline: a line over the scores, and a sentence.

use std::fmt::Write;

use attitude::Label;
use attitude::timeline::Series;
use attitude::timeline::baseline::BaselineChange;
use maud::{Markup, html};

use super::axis::Axis;
use super::text;

/// Width and height of the line's picture in its own units.
const UNITS: f64 = 10_000.0;

/// Returns the line of the valence minus the baseline, from 1 at the top to −1 at the bottom of the
/// scores, with a line at 0.
pub(crate) fn line(series: &Series, change: &BaselineChange, axis: &Axis) -> Markup {
    html! {
        svg.change aria-hidden="true" focusable="false" viewBox={ "0 0 " (UNITS) " " (UNITS) }
            preserveAspectRatio="none" {
            path.zero d={ "M0 " (UNITS / 2.0) "H" (UNITS) } {}
            path d=(path(series, change.baseline.valence, axis)) {}
        }
    }
}

/// Returns the line as a path, interrupted where there are no scores.
fn path(series: &Series, baseline: f64, axis: &Axis) -> String {
    let mut path = String::new();
    let mut is_connected = false;
    for (index, scores) in series.bins.iter().enumerate() {
        if let Some(scores) = scores {
            let middle_ns = series.time_ns(index).saturating_add(series.bin_ns / 2);
            let x = (UNITS * axis.position(middle_ns)).round();
            let change = (f64::from(scores.valence()) - baseline).clamp(-1.0, 1.0);
            let y = (UNITS * (1.0 - change) / 2.0).round();
            let command = if is_connected { 'L' } else { 'M' };
            // Writing to a string does not fail.
            let _ = write!(path, "{command}{x} {y}");
        }
        is_connected = scores.is_some();
    }
    path
}

/// Returns a sentence about the baseline and the attitudes against it.
pub(crate) fn facts(change: &BaselineChange) -> Markup {
    let baseline = change.baseline;
    html! {
        p.facts {
            "Baseline " (text::valence(baseline.valence)) ", the median valence of "
            (text::length(baseline.learned_ns)) "."
            @if let Some(shares) = &change.shares {
                " Against it, "
                @for (index, label) in Label::ALL.into_iter().enumerate() {
                    @if index > 0 { ", " }
                    (label.name()) " " (text::percent(shares[label]))
                }
                " of the time seen"
                @if let Some(valence) = change.valence { "; mean change " (text::valence(valence)) }
                ". The thin line is the valence minus the baseline, from +1 at the top to −1 at the bottom."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use attitude::Scores;
    use attitude::timeline::Shares;
    use attitude::timeline::baseline::KnownBaseline;

    use super::*;
    use crate::report::strip::tests::{S, axis};

    #[test]
    fn the_line_is_interrupted_without_scores_and_stays_in_the_picture() {
        let scores = |positive, negative| Some(Scores::from_array([positive, 0.0, negative]));
        let series = Series {
            start_ns: 0,
            bin_ns: S,
            bins: vec![scores(0.25, 0.75), scores(0.5, 0.5), None, scores(1.0, 0.0)],
        };
        let path = path(&series, -0.5, &axis(4));
        assert_eq!(path, "M1250 5000L3750 2500M8750 0");
    }

    #[test]
    fn the_sentence_has_the_time_that_the_baseline_is_based_on() {
        let change = BaselineChange {
            baseline: KnownBaseline {
                valence: -0.42,
                learned_ns: 20 * S,
            },
            valence: Some(0.1),
            shares: Some(Shares {
                positive: 0.25,
                neutral: 0.75,
                negative: 0.0,
                unknown: 0.0,
            }),
            segments: Vec::new(),
        };
        let facts = facts(&change).into_string();
        assert!(
            facts.contains("Baseline −0.42, the median valence of 20 s."),
            "{facts}"
        );
        assert!(facts.contains("positive 25%, neutral 75%, negative 0%, unknown 0% of the time seen; mean change +0.10."));
    }
}
