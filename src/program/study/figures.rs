// SPDX-License-Identifier: MPL-2.0

//! The figures of a study as SVG: averages over time with bands, and means with participants.

use std::fmt::Write;

use attitude::clock;
use attitude::statistics::Interval;
use attitude::study::{EpochWindow, MeanPoint, Measure};
use maud::{Markup, html};

use super::analysis::{Alignment, ConditionResult};
use crate::report::text::Decimal;

/// Width and height of a figure, and the margins of its plot, in units of the picture.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 230.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = WIDTH - 28.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = HEIGHT - 38.0;

/// Height of the row of a condition in the figure of means.
const ROW: f64 = 44.0;

/// Number of styles of conditions in the style sheet; further conditions repeat them.
const STYLES: usize = 6;

/// Maximum number of points of a line; more are averaged.
const MAX_POINTS: usize = 800;

/// Maximum number of marks of an axis.
const MAX_TICKS: f64 = 8.0;

/// Returns the class of a condition in the style sheet.
fn class(condition: usize) -> String {
    format!("condition-{}", condition % STYLES)
}

/// Returns the sample of a condition's line for a legend.
pub(super) fn swatch(condition: usize) -> Markup {
    html! {
        svg.swatch viewBox="0 0 32 12" width="32" height="12" aria-hidden="true" focusable="false" {
            line class={ "line " (class(condition)) } x1="0" x2="32" y1="6" y2="6" {}
        }
    }
}

/// Returns the averages of `measure` over time, with a line and a band per condition.
pub(super) fn averages(alignment: &Alignment, measure: Measure, label: &str) -> Markup {
    let points: Vec<(&ConditionResult, Vec<Point>)> = alignment
        .conditions
        .iter()
        .map(|condition| {
            (
                condition,
                thinned(&condition.series[measure], &alignment.window),
            )
        })
        .collect();
    let all = || points.iter().flat_map(|(_, points)| points);
    let ends = all().flat_map(|point| [point.low, point.high]);
    let y = Scale::of_values(ends, measure, alignment.is_corrected, BOTTOM, TOP);
    let times = || all().flat_map(|point| [point.start_s, point.end_s]);
    let x = Scale {
        low: times().fold(f64::INFINITY, f64::min),
        high: times().fold(f64::NEG_INFINITY, f64::max),
        from: LEFT,
        to: RIGHT,
    };
    let is_event = alignment.window.before > 0;
    html! {
        svg.figure viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(label) {
            (frame(&x, &y, is_event))
            @for (condition, points) in &points {
                path class={ "band " (class(condition.condition)) } d=(band(points, &x, &y)) {}
            }
            @for (condition, points) in &points {
                path class={ "line " (class(condition.condition)) } d=(line(points, &x, &y)) {}
            }
            text.axis x=(Decimal((LEFT + RIGHT) / 2.0, 1)) y=(HEIGHT - 4.0) text-anchor="middle" {
                (if is_event { "Time after the event, in seconds" } else { "Time after the start" })
            }
        }
    }
}

/// Returns the means of `measure`, with their intervals and the participants, a row per condition.
pub(super) fn means(
    alignment: &Alignment,
    names: &[&str],
    measure: Measure,
    label: &str,
) -> Markup {
    let conditions = &alignment.conditions;
    let height = TOP + ROW * conditions.len() as f64;
    let values = |condition: &ConditionResult| -> Vec<f64> {
        let values = condition.participants.iter();
        values
            .filter_map(|participant| participant.values[measure])
            .collect()
    };
    let ends = conditions.iter().flat_map(|condition| {
        let interval = condition.means[measure].and_then(|mean| mean.interval);
        let ends = interval.map(|Interval { low, high }| [low, high]);
        values(condition)
            .into_iter()
            .chain(ends.into_iter().flatten())
    });
    let x = Scale::of_values(ends, measure, alignment.is_corrected, LEFT, RIGHT);
    html! {
        svg.figure viewBox={ "0 0 " (WIDTH) " " (height + 24.0) } role="img" aria-label=(label) {
            @for tick in x.ticks() {
                line.grid x1=(x.at(tick)) x2=(x.at(tick)) y1=(TOP) y2=(height) {}
                text.axis x=(x.at(tick)) y=(height + 16.0) text-anchor="middle" { (signed(tick)) }
            }
            @for (row, condition) in conditions.iter().enumerate() {
                @let y = TOP + ROW * (row as f64 + 0.5);
                text.axis x=(LEFT + 4.0) y=(y - ROW * 0.28) { (names[condition.condition]) }
                @for value in values(condition) {
                    circle class={ "participant " (class(condition.condition)) } cx=(x.at(value)) cy=(y + 8.0) r="3.5" {}
                }
                @if let Some(mean) = condition.means[measure] {
                    @if let Some(Interval { low, high }) = mean.interval {
                        line.interval x1=(x.at(low)) x2=(x.at(high)) y1=(y + 8.0) y2=(y + 8.0) {}
                    }
                    line.mean x1=(x.at(mean.mean)) x2=(x.at(mean.mean)) y1=(y - 1.0) y2=(y + 17.0) {}
                }
            }
        }
    }
}

/// Returns grid and axes.
fn frame(x: &Scale, y: &Scale, is_event: bool) -> Markup {
    let time = |tick: f64| match is_event {
        true => signed(tick),
        false => clock::position_s((tick * 1e9) as u64),
    };
    let steps = if is_event { &NUMBERS[..] } else { &TIMES[..] };
    html! {
        @for tick in y.ticks() {
            line.grid x1=(LEFT) x2=(RIGHT) y1=(y.at(tick)) y2=(y.at(tick)) {}
            text.axis x=(LEFT - 6.0) y=(Decimal(y.position(tick) + 4.0, 1)) text-anchor="end" { (signed(tick)) }
        }
        @for tick in x.ticks_of(steps) {
            line.grid x1=(x.at(tick)) x2=(x.at(tick)) y1=(TOP) y2=(BOTTOM) {}
            text.axis x=(x.at(tick)) y=(BOTTOM + 16.0) text-anchor="middle" { (time(tick)) }
        }
        @if is_event {
            line.event x1=(x.at(0.0)) x2=(x.at(0.0)) y1=(TOP) y2=(BOTTOM) {}
        }
    }
}

/// A point of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Point {
    start_s: f64,
    end_s: f64,
    mean: f64,
    low: f64,
    high: f64,
    /// `true` if there is no data between the point before and this one.
    is_after_gap: bool,
}

/// Returns the points of a line; consecutive bins are averaged if there are many.
fn thinned(series: &[MeanPoint], window: &EpochWindow) -> Vec<Point> {
    let stride = series.len().div_ceil(MAX_POINTS).max(1);
    let mut last_bin = None;
    let point = |chunk: &[MeanPoint]| {
        let count = chunk.len() as f64;
        let average =
            |value: &dyn Fn(&MeanPoint) -> f64| chunk.iter().map(value).sum::<f64>() / count;
        let (first, last) = (chunk[0].bin, chunk[chunk.len() - 1].bin);
        let is_after_gap = last_bin.is_none_or(|bin| bin + 1 != first);
        last_bin = Some(last);
        Point {
            start_s: window.time_s(first),
            end_s: window.time_s(last + 1),
            mean: average(&|point| point.mean),
            low: average(&|point| point.interval.map_or(point.mean, |interval| interval.low)),
            high: average(&|point| point.interval.map_or(point.mean, |interval| interval.high)),
            is_after_gap,
        }
    };
    series.chunks(stride).map(point).collect()
}

/// Returns the path of the means, at the middles of the bins.
fn line(points: &[Point], x: &Scale, y: &Scale) -> String {
    let mut path = String::new();
    for point in points {
        let command = if point.is_after_gap { 'M' } else { 'L' };
        let middle_s = (point.start_s + point.end_s) / 2.0;
        // Writing to a string does not fail.
        let _ = write!(path, "{command}{} {}", x.at(middle_s), y.at(point.mean));
    }
    path
}

/// Returns the path of the intervals.
fn band(points: &[Point], x: &Scale, y: &Scale) -> String {
    let mut path = String::new();
    for part in points.chunk_by(|_, next| !next.is_after_gap) {
        let middle = |point: &Point| x.at((point.start_s + point.end_s) / 2.0);
        let upper = part.iter().map(|point| (middle(point), y.at(point.high)));
        let lower = part
            .iter()
            .rev()
            .map(|point| (middle(point), y.at(point.low)));
        for (index, (x, y)) in upper.chain(lower).enumerate() {
            let command = if index == 0 { 'M' } else { 'L' };
            // Writing to a string does not fail.
            let _ = write!(path, "{command}{x} {y}");
        }
        path.push('Z');
    }
    path
}

/// Steps between marks of numbers, as multiples of powers of ten, and of times, in seconds.
const NUMBERS: [f64; 3] = [1.0, 2.0, 5.0];
const TIMES: [f64; 13] = [
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 14_400.0,
];

/// Maps values to positions in the picture.
#[derive(Clone, Copy, Debug)]
struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// Creates the scale of values of `measure`, which contains 0 and ends at marks.
    fn of_values(
        values: impl Iterator<Item = f64>,
        measure: Measure,
        is_corrected: bool,
        from: f64,
        to: f64,
    ) -> Self {
        let (mut low, mut high) = (0.0f64, 0.0f64);
        for value in values.filter(|value| value.is_finite()) {
            low = low.min(value);
            high = high.max(value);
        }
        let step = step(high - low, &NUMBERS);
        let (mut low, mut high) = ((low / step).floor() * step, (high / step).ceil() * step);
        // Marks beyond the possible values would mislead.
        let (min, max) = measure.range(is_corrected);
        (low, high) = (low.max(min), high.min(max));
        if high <= low {
            (low, high) = ((low - step).max(min), (high + step).min(max));
        }
        Self {
            low,
            high,
            from,
            to,
        }
    }

    fn position(&self, value: f64) -> f64 {
        self.from + (self.to - self.from) * (value - self.low) / (self.high - self.low)
    }

    /// Returns the position as text, in tenths of a unit.
    fn at(&self, value: f64) -> Decimal {
        Decimal(self.position(value), 1)
    }

    fn ticks(&self) -> Vec<f64> {
        self.ticks_of(&NUMBERS)
    }

    fn ticks_of(&self, steps: &[f64]) -> Vec<f64> {
        let step = step(self.high - self.low, steps);
        // The ends are included in spite of rounding errors.
        let first = (self.low / step - 1e-6).ceil() as i64;
        let last = (self.high / step + 1e-6).floor() as i64;
        (first..=last).map(|index| index as f64 * step).collect()
    }
}

/// Returns the step between marks over a range: one of `steps` or, of [`NUMBERS`], a multiple by a
/// power of ten.
fn step(range: f64, steps: &[f64]) -> f64 {
    let min = range / MAX_TICKS;
    if !(min > 0.0 && min.is_finite()) {
        return 1.0;
    }
    let power = match steps.len() == NUMBERS.len() {
        true => 10.0f64.powf(min.log10().floor()),
        false => 1.0,
    };
    let fits = steps
        .iter()
        .map(|step| step * power)
        .find(|step| *step >= min);
    fits.unwrap_or_else(|| match steps.len() == NUMBERS.len() {
        true => 10.0 * power,
        false => (min / TIMES[12]).ceil() * TIMES[12],
    })
}

/// Formats a number with a minus sign.
fn signed(value: f64) -> String {
    let text = Decimal(value.abs(), 3).to_string();
    match value < 0.0 && text != "0" {
        true => format!("−{text}"),
        false => text,
    }
}

#[cfg(test)]
mod tests;
