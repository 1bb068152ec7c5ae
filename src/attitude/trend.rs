// SPDX-License-Identifier: MPL-2.0

//! Trend of the [valence](crate::Scores::valence): whether it rises or falls.
//!
//! The valence is averaged in bins of [`BIN_NS`]. A line is fitted to the bins of the latest
//! [`WINDOW_NS`] by ordinary least squares. Consecutive values resemble each other, because
//! expressions last, so the standard error of the slope counts as many independent values as there
//! are times of [`INDEPENDENT_NS`] in the window (Zwiers and von Storch, "Taking Serial Correlation
//! into Account in Tests of the Mean", Journal of Climate 8, 1995). The residuals are those of the line
//! or, if these are smaller, those of the best step from one mean to another: a sudden change would
//! otherwise count as noise, and no step, however large, is more than 3.5 of the line's standard
//! errors.
//!
//! The valence begins to rise or fall when the line changes by at least [`MIN_CHANGE`] over the
//! window, and by at least [`ENTER_ERRORS`] standard errors. It is steady again when one of the two
//! is less than half of that. A trend after a sudden change ends when the change has left the
//! window.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Length of a bin.
pub const BIN_NS: u64 = 2_000_000_000;

/// Length of the window.
pub const WINDOW_NS: u64 = 60_000_000_000;

/// Minimum change of the fitted line over the window at which the valence begins to rise or fall.
pub const MIN_CHANGE: f32 = 0.3;

/// Minimum change of the fitted line at which the valence begins to rise or fall, in standard
/// errors.
pub const ENTER_ERRORS: f32 = 4.0;

/// Time between values that count as independent.
pub const INDEPENDENT_NS: u64 = 10_000_000_000;

/// Number of bins of a window.
const BINS: usize = (WINDOW_NS / BIN_NS) as usize;

/// Minimum number of bins with a valence for a trend. With fewer, the first change of an expression
/// would be one.
const MIN_BINS: usize = BINS / 2;

/// Minimum number of bins before and after a step.
const MIN_STEP_BINS: usize = 3;

/// Direction of a trend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// The valence neither rises nor falls.
    #[default]
    Steady,
    /// The valence rises: the attitude becomes more positive.
    Rising,
    /// The valence falls: the attitude becomes more negative.
    Falling,
}

impl Direction {
    /// All directions.
    pub const ALL: [Self; 3] = [Self::Steady, Self::Rising, Self::Falling];

    /// Returns the name: `steady`, `rising` or `falling`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Steady => "steady",
            Self::Rising => "rising",
            Self::Falling => "falling",
        }
    }

    /// Returns the direction with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|direction| direction.name() == name)
    }
}

/// A trend at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trend {
    /// Whether the valence rises or falls.
    pub direction: Direction,
    /// Time since which this is the direction.
    pub since_ns: u64,
    /// Change of the fitted line over [`WINDOW_NS`]; rarely outside −2 to 2.
    pub change: f32,
    /// Standard error of `change`.
    pub standard_error: f32,
}

/// Sum of the valences in a bin.
#[derive(Clone, Copy, Debug, Default)]
struct Bin {
    index: u64,
    sum: f64,
    count: u32,
}

/// Computes the trend of a face, a person or the scene. Stores the bins of one window.
#[derive(Clone, Debug, Default)]
pub struct TrendDetector {
    /// Bins with a valence, oldest first.
    bins: VecDeque<Bin>,
    /// Index of the current bin.
    index: u64,
    trend: Option<Trend>,
}

impl TrendDetector {
    /// Adds the valence at a time, −1 to 1, or that it is not known, and returns the trend; `None`
    /// if the valence is known for less than half of the window. Times must not go back.
    pub fn push(&mut self, time_ns: u64, valence: Option<f32>) -> Option<Trend> {
        let index = time_ns / BIN_NS;
        if index > self.index {
            self.index = index;
            self.update(index * BIN_NS);
        }
        if let Some(valence) = valence {
            match self.bins.back_mut() {
                Some(newest) if newest.index == self.index => newest.add(valence),
                _ => {
                    let mut bin = Bin {
                        index: self.index,
                        ..Bin::default()
                    };
                    bin.add(valence);
                    self.bins.push_back(bin);
                }
            }
        }
        self.trend
    }

    /// Computes the trend in the window that ends at `end_ns`, from its complete bins.
    fn update(&mut self, end_ns: u64) {
        let first = self.index.saturating_sub(BINS as u64);
        while self.bins.front().is_some_and(|bin| bin.index < first) {
            self.bins.pop_front();
        }
        if self.bins.len() < MIN_BINS {
            self.trend = None;
            return;
        }
        let Line { change, error } = Line::fit(&self.bins);
        let is_beyond = |share: f32| {
            change.abs() >= share * MIN_CHANGE && change.abs() >= share * ENTER_ERRORS * error
        };
        let of_change = if change > 0.0 {
            Direction::Rising
        } else {
            Direction::Falling
        };
        let before = self.trend.unwrap_or(Trend {
            since_ns: end_ns,
            ..Trend::default()
        });
        let direction = match before.direction {
            current if current == of_change && is_beyond(0.5) => current,
            _ if is_beyond(1.0) => of_change,
            _ => Direction::Steady,
        };
        let since_ns = if direction == before.direction {
            before.since_ns
        } else {
            end_ns
        };
        self.trend = Some(Trend {
            direction,
            since_ns,
            change,
            standard_error: error,
        });
    }
}

impl Bin {
    fn add(&mut self, valence: f32) {
        self.sum += f64::from(valence);
        self.count += 1;
    }

    fn mean(&self) -> f64 {
        self.sum / f64::from(self.count)
    }
}

/// A line that is fitted to bins.
#[derive(Clone, Copy, Debug, Default)]
struct Line {
    /// Change over the window.
    change: f32,
    /// Standard error of `change`.
    error: f32,
}

impl Line {
    /// Fits a line to at least two bins.
    fn fit(bins: &VecDeque<Bin>) -> Self {
        let count = bins.len() as f64;
        let mean_of = |value: fn(&Bin) -> f64| bins.iter().map(value).sum::<f64>() / count;
        let index = |bin: &Bin| bin.index as f64;
        let (mean_index, mean_valence) = (mean_of(index), mean_of(Bin::mean));
        let (mut spread, mut joint) = (0.0, 0.0);
        for bin in bins {
            let distance = index(bin) - mean_index;
            spread += distance * distance;
            joint += distance * (bin.mean() - mean_valence);
        }
        let slope = joint / spread;
        let residuals = bins.iter().map(|bin| {
            let residual = bin.mean() - mean_valence - slope * (index(bin) - mean_index);
            residual * residual
        });
        let variance = residuals.sum::<f64>().min(residuals_of_step(bins)) / count;
        let independent = count * BIN_NS as f64 / INDEPENDENT_NS as f64;
        // The line takes two degrees of freedom.
        let slope_variance = variance * count / ((independent - 2.0).max(0.5) * spread);
        Self {
            change: (slope * BINS as f64) as f32,
            error: (slope_variance.sqrt() * BINS as f64) as f32,
        }
    }
}

/// Returns the sum of the squared residuals of the best step.
fn residuals_of_step(bins: &VecDeque<Bin>) -> f64 {
    let count = bins.len() as f64;
    let total: f64 = bins.iter().map(Bin::mean).sum();
    let squares: f64 = bins.iter().map(|bin| bin.mean() * bin.mean()).sum();
    let (mut before, mut least) = (0.0, f64::INFINITY);
    for (index, bin) in bins.iter().enumerate() {
        if (MIN_STEP_BINS..=bins.len() - MIN_STEP_BINS).contains(&index) {
            let (left, right) = (index as f64, count - index as f64);
            let after = total - before;
            least = least.min(squares - before * before / left - after * after / right);
        }
        before += bin.mean();
    }
    // Rounding may make it negative.
    least.max(0.0)
}

#[cfg(test)]
mod tests;
