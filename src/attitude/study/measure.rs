// SPDX-License-Identifier: MPL-2.0

//! What is measured of a person over a span of time.

use std::ops::{Index, IndexMut};

use crate::timeline::{Span, TimedObservation};
use crate::{Attitude, Label};

/// A measure of a person over a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// Mean [valence](crate::Scores::valence), −1 to 1, over the time with scores.
    Valence,
    /// Share of the time seen with a positive attitude, 0 to 1.
    PositiveShare,
    /// Share of the time seen with a negative attitude, 0 to 1.
    NegativeShare,
    /// Mean valence minus the person's [baseline](crate::timeline::baseline), −2 to 2.
    ValenceChange,
}

impl Measure {
    /// All measures.
    pub const ALL: [Self; 4] = [
        Self::Valence,
        Self::PositiveShare,
        Self::NegativeShare,
        Self::ValenceChange,
    ];

    /// Returns the name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Valence => "valence",
            Self::PositiveShare => "positive_share",
            Self::NegativeShare => "negative_share",
            Self::ValenceChange => "valence_change",
        }
    }

    /// Returns the smallest and the largest value, or difference of values if `is_corrected`.
    pub const fn range(self, is_corrected: bool) -> (f64, f64) {
        match (self, is_corrected) {
            (Self::Valence, false) => (-1.0, 1.0),
            (Self::Valence, true) | (Self::ValenceChange, _) => (-2.0, 2.0),
            (Self::PositiveShare | Self::NegativeShare, false) => (0.0, 1.0),
            (Self::PositiveShare | Self::NegativeShare, true) => (-1.0, 1.0),
        }
    }
}

/// A table with one value per [`Measure`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ByMeasure<T>([T; Measure::ALL.len()]);

impl<T> ByMeasure<T> {
    /// Creates a table by calling `value` for each measure.
    pub fn from_fn(value: impl FnMut(Measure) -> T) -> Self {
        Self(Measure::ALL.map(value))
    }
}

impl<T> Index<Measure> for ByMeasure<T> {
    type Output = T;

    fn index(&self, measure: Measure) -> &T {
        &self.0[measure as usize]
    }
}

impl<T> IndexMut<Measure> for ByMeasure<T> {
    fn index_mut(&mut self, measure: Measure) -> &mut T {
        &mut self.0[measure as usize]
    }
}

/// Sums over a span of time, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Totals {
    /// Time seen.
    pub seen_ns: f64,
    /// Time with scores.
    scored_ns: f64,
    /// Integral of the valence over that time.
    valence_ns: f64,
    /// Time with a positive and with a negative attitude.
    positive_ns: f64,
    negative_ns: f64,
}

impl Totals {
    /// Adds `duration_ns` of an observation.
    pub(super) fn observe(&mut self, timed: &TimedObservation, duration_ns: u64) {
        let duration_ns = duration_ns as f64;
        self.seen_ns += duration_ns;
        if let Some(scores) = timed.observation.scores {
            self.scored_ns += duration_ns;
            self.valence_ns += duration_ns * f64::from(scores.valence());
        }
        match timed.observation.label {
            Label::Known(Attitude::Positive) => self.positive_ns += duration_ns,
            Label::Known(Attitude::Negative) => self.negative_ns += duration_ns,
            Label::Known(Attitude::Neutral) | Label::Unknown => {}
        }
    }

    /// Adds the sums of another span.
    pub(super) fn add(&mut self, other: &Self) {
        self.seen_ns += other.seen_ns;
        self.scored_ns += other.scored_ns;
        self.valence_ns += other.valence_ns;
        self.positive_ns += other.positive_ns;
        self.negative_ns += other.negative_ns;
    }

    /// Returns the value of `measure` of a person with this baseline; `None` if there is no time with
    /// it, or no baseline that it needs.
    pub fn value(&self, measure: Measure, baseline: Option<f64>) -> Option<f64> {
        let (sum, time_ns) = match measure {
            Measure::ValenceChange => {
                return Some(self.value(Measure::Valence, None)? - baseline?);
            }
            Measure::Valence => (self.valence_ns, self.scored_ns),
            Measure::PositiveShare => (self.positive_ns, self.seen_ns),
            Measure::NegativeShare => (self.negative_ns, self.seen_ns),
        };
        (time_ns > 0.0).then(|| sum / time_ns)
    }
}

/// Calls `visit` with the parts of `span` outside of `excluded`, which are sorted.
pub(super) fn outside(span: Span, excluded: &[Span], mut visit: impl FnMut(Span)) {
    let Span {
        mut start_ns,
        end_ns,
    } = span;
    let first = excluded.partition_point(|other| other.end_ns <= start_ns);
    for other in &excluded[first..] {
        if other.start_ns >= end_ns {
            break;
        }
        if other.start_ns > start_ns {
            visit(Span {
                start_ns,
                end_ns: other.start_ns,
            });
        }
        start_ns = start_ns.max(other.end_ns);
    }
    if start_ns < end_ns {
        visit(Span { start_ns, end_ns });
    }
}
