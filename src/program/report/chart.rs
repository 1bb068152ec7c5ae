// SPDX-License-Identifier: MPL-2.0

//! The picture of a timeline: the scores as areas above each other, and the segments as a strip.
//!
//! Positions are shares of the width, so that the page can scale it. Scores add up to 1: from
//! the top down to the first edge is positive, from the bottom up to the second edge is negative.

use std::fmt::Write;

use attitude::timeline::{Segment, Series};
use attitude::{Attitude, Label, Scores, clock};
use maud::{Markup, html};

use super::axis::{Axis, Width};

/// Heights in px; the style sheet has their sum.
pub(crate) const SCORES_PX: u32 = 80;
const STRIP_Y_PX: u32 = SCORES_PX + 4;
const STRIP_PX: u32 = 22;
const STRIP_END_PX: u32 = STRIP_Y_PX + STRIP_PX;
/// Vertical position of the numbers of the axis, in px.
const TICKS_Y_PX: u32 = STRIP_END_PX + 15;

/// Width and height of the scores' picture in its own units.
const UNITS: f64 = 10_000.0;

/// Minimum shares of the width for a sign, for a word on a wide screen, and for a word on any
/// screen.
const SIGN_FROM: f64 = 0.025;
const WORD_FROM: f64 = 0.09;
const ANY_WORD_FROM: f64 = 0.22;

/// Number of segments above which they have no outlines, which would hide them.
const DENSE_FROM: usize = 60;

/// Returns the picture of the scores in `series` and of the segments in `strip`, from
/// [`strip`](super::strip::strip), along `axis`.
pub(crate) fn chart(series: &Series, strip: &[Segment], axis: &Axis) -> Markup {
    let [positive, neutral, negative] = areas(series, axis);
    let ticks: Vec<(u64, f64)> = axis
        .ticks()
        .iter()
        .map(|&ns| (ns, axis.position(ns)))
        .collect();
    html! {
        svg.chart aria-hidden="true" focusable="false" {
            rect.empty width="100%" height=(SCORES_PX) {}
            svg width="100%" height=(SCORES_PX) viewBox={ "0 0 " (UNITS) " " (UNITS) }
                preserveAspectRatio="none" {
                path.neutral d=(neutral) {}
                path.positive.edged d=(positive) {}
                path.negative.edged d=(negative) {}
            }
            rect.empty y=(STRIP_Y_PX) width="100%" height=(STRIP_PX) {}
            @for (_, position) in &ticks {
                line.grid x1=(Width(*position)) x2=(Width(*position)) y2=(STRIP_END_PX) {}
            }
            svg.strip.dense[strip.len() > DENSE_FROM] y=(STRIP_Y_PX) width="100%" height=(STRIP_PX) {
                @for segment in strip {
                    @let (x, width) = axis.extent(segment.span);
                    rect class=(segment.attitude.name()) x=(x) width=(width) {}
                }
                @for segment in strip { (label(segment, axis)) }
            }
            @for (ns, position) in &ticks {
                text.tick x=(Width(*position)) y=(TICKS_Y_PX) text-anchor=(anchor(*position)) {
                    (clock::position_s(*ns))
                }
            }
        }
    }
}

/// Returns the text anchor that keeps a label at `position`, 0 to 1, within the picture.
pub(crate) fn anchor(position: f64) -> &'static str {
    match position {
        position if position < 0.05 => "start",
        position if position > 0.95 => "end",
        _ => "middle",
    }
}

/// Returns the word or the sign that fits into a segment.
fn label(segment: &Segment, axis: &Axis) -> Markup {
    let (x, width) = axis.extent(segment.span);
    let middle = Width(x.0 + width.0 / 2.0);
    let word = match width.0 {
        width if width >= ANY_WORD_FROM => Some("word"),
        width if width >= WORD_FROM => Some("word wide"),
        _ => None,
    };
    html! {
        @if let Some(class) = word {
            text class=(class) x=(middle) y="15" { (segment.attitude.name()) }
        }
        @if width.0 >= SIGN_FROM && width.0 < ANY_WORD_FROM {
            text class=(if word.is_some() { "sign narrow" } else { "sign" }) x=(middle) y="15" {
                (sign(segment.attitude))
            }
        }
    }
}

/// Returns the sign of an attitude; the style sheet has the same.
fn sign(attitude: Label) -> &'static str {
    match attitude {
        Label::Known(Attitude::Positive) => "+",
        Label::Known(Attitude::Neutral) => "=",
        Label::Known(Attitude::Negative) => "−",
        Label::Unknown => "?",
    }
}

/// Returns the outlines of the scores' areas, in the order of [`Attitude::ALL`]. The others cover
/// neutral, which fills the height.
fn areas(series: &Series, axis: &Axis) -> [String; 3] {
    let mut areas: [String; 3] = Default::default();
    let mut index = 0;
    for stretch in series.bins.chunk_by(|a, b| a.is_some() == b.is_some()) {
        let scores: Vec<&Scores> = stretch.iter().flatten().collect();
        if !scores.is_empty() {
            add_stretch(&scores, index, series, axis, &mut areas);
        }
        index += stretch.len();
    }
    areas
}

/// Appends the areas of consecutive bins with `scores`, from the bin `first` on.
fn add_stretch(
    scores: &[&Scores],
    first: usize,
    series: &Series,
    axis: &Axis,
    areas: &mut [String; 3],
) {
    let x = |ns: u64| (UNITS * axis.position(ns)).round();
    let (start, end) = (
        x(series.time_ns(first)),
        x(series.time_ns(first + scores.len())),
    );
    let [positive, neutral, negative] = areas;
    // Writing to a string does not fail.
    let _ = write!(neutral, "M{start} 0H{end}V{UNITS}H{start}Z");
    let edges = [
        (positive, 0.0, Attitude::Positive),
        (negative, UNITS, Attitude::Negative),
    ];
    for (area, base, attitude) in edges {
        let y = |scores: &Scores| {
            let depth = (UNITS * normalized(scores, attitude)).round();
            (base - depth).abs()
        };
        let _ = write!(area, "M{start} {base}V{}L", y(scores[0]));
        for (offset, scores) in scores.iter().enumerate() {
            let start_ns = series.time_ns(first + offset);
            let middle_ns = start_ns.saturating_add(series.bin_ns / 2);
            let _ = write!(area, "{} {} ", x(middle_ns), y(scores));
        }
        let _ = write!(area, "{end} {}V{base}Z", y(scores[scores.len() - 1]));
    }
}

/// Returns the score of `attitude` divided by the sum of all three.
pub(super) fn normalized(scores: &Scores, attitude: Attitude) -> f64 {
    let sum: f32 = scores.to_array().iter().sum();
    f64::from(scores[attitude] / sum.max(f32::MIN_POSITIVE)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::strip::tests::{S, axis, segment};

    #[test]
    fn a_gap_is_a_gap_and_areas_reach_to_its_edges() {
        let scores = |positive, negative| Some(Scores::from_array([positive, 0.0, negative]));
        let series = Series {
            start_ns: 0,
            bin_ns: S,
            bins: vec![scores(0.25, 0.75), None, scores(0.5, 0.5), scores(1.0, 0.0)],
        };
        let [positive, neutral, negative] = areas(&series, &axis(4));
        assert_eq!(neutral, "M0 0H2500V10000H0ZM5000 0H10000V10000H5000Z");
        assert_eq!(
            positive,
            "M0 0V2500L1250 2500 2500 2500V0ZM5000 0V5000L6250 5000 8750 10000 10000 10000V0Z"
        );
        assert!(
            negative.starts_with("M0 10000V2500L1250 2500 "),
            "{negative}"
        );
        assert_eq!(areas(&Series::default(), &axis(4)), ["", "", ""]);
    }

    #[test]
    fn what_is_not_a_share_stays_within_the_picture() {
        for (scores, expected) in [
            ([2.0, 0.0, 0.0], 1.0),
            ([1.0, 0.0, 1.0], 0.5),
            ([0.0; 3], 0.0),
        ] {
            let scores = Scores::from_array(scores);
            assert_eq!(normalized(&scores, Attitude::Positive), expected);
        }
    }

    #[test]
    fn labels_are_words_signs_or_nothing() {
        let axis = axis(100);
        let labeled = |end_ms| {
            let segment = segment(0, end_ms, Label::NEGATIVE);
            label(&segment, &axis).into_string()
        };
        assert!(labeled(50_000).contains(">negative<") && !labeled(50_000).contains("sign"));
        assert!(labeled(10_000).contains("word wide") && labeled(10_000).contains("sign narrow"));
        assert!(labeled(3_000).contains(">−<"));
        assert_eq!(labeled(1_000), "");
    }
}
