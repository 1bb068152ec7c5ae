// SPDX-License-Identifier: MPL-2.0

//! The measures of a person around an event, or from the onset of a stimulus on.

use super::measure::{ByMeasure, Measure, Totals, outside};
use crate::timeline::{Span, TimedObservation};

/// Consecutive bins of equal duration. Those before the start of the recording are empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bins {
    /// Start of the first bin in the recording; negative if it is before the recording.
    pub start_ns: i64,
    /// Duration of a bin, greater than 0.
    pub bin_ns: u64,
    /// Number of bins.
    pub count: usize,
}

impl Bins {
    /// Returns the sums of `observations` in each bin, without the `excluded` spans, which are
    /// sorted and do not overlap.
    pub(crate) fn totals(
        &self,
        observations: &[TimedObservation],
        excluded: &[Span],
    ) -> Vec<Totals> {
        let mut totals = vec![Totals::default(); self.count];
        for timed in observations {
            outside(timed.span, excluded, |span| {
                self.observe(timed, span, &mut totals)
            });
        }
        totals
    }

    /// Adds the part of an observation in `span` to the bins that it overlaps.
    fn observe(&self, timed: &TimedObservation, span: Span, totals: &mut [Totals]) {
        let offset = |ns: u64| i128::from(ns) - i128::from(self.start_ns);
        let (start, end) = (offset(span.start_ns).max(0), offset(span.end_ns));
        let bin_ns = i128::from(self.bin_ns.max(1));
        let first = usize::try_from(start / bin_ns).unwrap_or(usize::MAX);
        for (index, total) in totals.iter_mut().enumerate().skip(first) {
            let bin_start = index as i128 * bin_ns;
            if bin_start >= end {
                break;
            }
            let duration = end.min(bin_start + bin_ns) - start.max(bin_start);
            total.observe(timed, u64::try_from(duration).unwrap_or(0));
        }
    }
}

/// The part of a recording that an epoch covers, relative to its onset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochWindow {
    /// Number of bins before the onset, the baseline.
    pub before: usize,
    /// Number of bins from the onset on.
    pub after: usize,
    /// Duration of a bin in nanoseconds.
    pub bin_ns: u64,
}

impl EpochWindow {
    /// Returns the bins of an epoch with this onset.
    pub fn bins(&self, onset_ns: u64) -> Bins {
        let before_ns = self.bin_ns.saturating_mul(self.before as u64);
        let start_ns = i128::from(onset_ns) - i128::from(before_ns);
        Bins {
            start_ns: start_ns.clamp(i64::MIN.into(), i64::MAX.into()) as i64,
            bin_ns: self.bin_ns,
            count: self.before + self.after,
        }
    }

    /// Returns the time of the start of the bin at `index` after the onset, in seconds.
    pub fn time_s(&self, index: usize) -> f64 {
        (index as f64 - self.before as f64) * self.bin_ns as f64 / 1e9
    }
}

/// The fractions of an epoch during which the person was seen, 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Coverage {
    /// Of the time before the onset; 1 if the epoch has none.
    pub before: f64,
    /// Of the time from the onset on; 0 if the epoch has none.
    pub after: f64,
}

/// An epoch of a participant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Epoch {
    /// Number of the participant.
    pub participant: usize,
    /// Number of the recording.
    pub recording: usize,
    /// Means before the onset; `None` without data.
    pub before: ByMeasure<Option<f64>>,
    /// Means from the onset on; `None` without data.
    pub after: ByMeasure<Option<f64>>,
    /// Time seen.
    pub coverage: Coverage,
    /// Measures of each bin; NaN without data.
    series: Vec<ByMeasure<f32>>,
}

impl Epoch {
    /// Creates the epoch from the sums of its bins; `baseline` is the person's baseline of the
    /// valence, −1 to 1.
    pub fn new(
        participant: usize,
        recording: usize,
        window: &EpochWindow,
        totals: &[Totals],
        baseline: Option<f64>,
    ) -> Self {
        let (before, after) = totals.split_at(window.before.min(totals.len()));
        let seen = |bins: &[Totals], empty: f64| match bins.len() {
            0 => empty,
            count => sum(bins).seen_ns / (window.bin_ns as f64 * count as f64),
        };
        let values = |bins: &[Totals]| {
            let sum = sum(bins);
            ByMeasure::from_fn(|measure| sum.value(measure, baseline))
        };
        let number = |total: &Totals, measure| {
            let value = total.value(measure, baseline);
            value.map_or(f32::NAN, |value| value as f32)
        };
        Self {
            participant,
            recording,
            before: values(before),
            after: values(after),
            coverage: Coverage {
                before: seen(before, 1.0),
                after: seen(after, 0.0),
            },
            series: totals
                .iter()
                .map(|total| ByMeasure::from_fn(|measure| number(total, measure)))
                .collect(),
        }
    }

    /// Returns the value of `measure`: the mean from the onset on or, if `is_corrected`, its
    /// difference from the mean before the onset.
    pub fn value(&self, measure: Measure, is_corrected: bool) -> Option<f64> {
        let after = self.after[measure]?;
        match is_corrected {
            true => Some(after - self.before[measure]?),
            false => Some(after),
        }
    }

    /// Returns the number of bins.
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// Returns `true` if there are no bins.
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// Returns the value of `measure` in the bin at `index`, like [`value`](Self::value); NaN without
    /// data.
    pub(super) fn bin(&self, index: usize, measure: Measure, is_corrected: bool) -> f64 {
        let value = self
            .series
            .get(index)
            .map_or(f64::NAN, |bin| bin[measure].into());
        match is_corrected {
            true => value - self.before[measure].unwrap_or(f64::NAN),
            false => value,
        }
    }
}

fn sum(bins: &[Totals]) -> Totals {
    let mut sum = Totals::default();
    for bin in bins {
        sum.add(bin);
    }
    sum
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::clock::NS_PER_S as S;
    use crate::timeline::Observation;
    use crate::{Label, Scores};

    /// Returns an observation from `start_s` to `end_s`.
    fn observation(start_s: u64, end_s: u64, label: Label) -> TimedObservation {
        let scores = match label {
            Label::POSITIVE => Some(Scores::from_array([1.0, 0.0, 0.0])),
            Label::NEGATIVE => Some(Scores::from_array([0.0, 0.5, 0.5])),
            _ => None,
        };
        TimedObservation {
            observation: Observation {
                time_ns: start_s * S,
                scores,
                label,
                ..Observation::default()
            },
            span: Span {
                start_ns: start_s * S,
                end_ns: end_s * S,
            },
        }
    }

    const WINDOW: EpochWindow = EpochWindow {
        before: 2,
        after: 3,
        bin_ns: 2 * S,
    };

    #[test]
    fn bins_are_aligned_with_the_onset() {
        let observations = [
            observation(0, 3, Label::NEGATIVE),
            observation(3, 6, Label::POSITIVE),
            observation(7, 8, Label::Unknown),
        ];
        // From −1 s to 9 s; the onset is at 3 s.
        let totals = WINDOW.bins(3 * S).totals(&observations, &[]);
        let seen_s: Vec<f64> = totals.iter().map(|total| total.seen_ns / 1e9).collect();
        assert_eq!(seen_s, [1.0, 2.0, 2.0, 1.0, 1.0]);
        let epoch = Epoch::new(1, 2, &WINDOW, &totals, Some(0.25));
        assert_eq!((epoch.participant, epoch.recording, epoch.len()), (1, 2, 5));
        assert_eq!(epoch.before[Measure::Valence], Some(-0.5));
        assert_eq!(epoch.after[Measure::Valence], Some(1.0));
        // Unknown counts as seen.
        assert_eq!(epoch.after[Measure::PositiveShare], Some(0.75));
        assert_eq!(epoch.value(Measure::Valence, true), Some(1.5));
        assert_eq!(epoch.value(Measure::ValenceChange, false), Some(0.75));
        assert_eq!(epoch.value(Measure::ValenceChange, true), Some(1.5));
        assert_eq!(epoch.bin(3, Measure::ValenceChange, false), 0.75);
        assert_eq!(
            epoch.coverage,
            Coverage {
                before: 0.75,
                after: 4.0 / 6.0
            }
        );
        assert_eq!(epoch.bin(3, Measure::PositiveShare, false), 1.0);
        assert_eq!(epoch.bin(2, Measure::Valence, true), 1.5);
        assert!(epoch.bin(4, Measure::Valence, false).is_nan());
        assert!(epoch.bin(5, Measure::Valence, false).is_nan());
        assert_eq!((WINDOW.time_s(0), WINDOW.time_s(3)), (-4.0, 2.0));
    }

    #[test]
    fn excluded_spans_are_left_out() {
        let observations = [observation(0, 10, Label::POSITIVE)];
        let span = |start_s: u64, end_s: u64| Span {
            start_ns: start_s * S,
            end_ns: end_s * S,
        };
        let seen = |excluded: &[Span]| {
            let bins = Bins {
                start_ns: 0,
                bin_ns: 5 * S,
                count: 2,
            };
            let totals = bins.totals(&observations, excluded);
            [0, 1].map(|index| totals[index].seen_ns / 1e9)
        };
        assert_eq!(seen(&[span(0, 1), span(2, 3), span(4, 7)]), [2.0, 3.0]);
        assert_eq!(seen(&[span(0, 10)]), [0.0, 0.0]);
        assert_eq!(seen(&[span(11, 12)]), [5.0, 5.0]);
    }

    #[test]
    fn an_epoch_without_data_has_no_values() {
        let totals = WINDOW
            .bins(u64::MAX)
            .totals(&[observation(0, 9, Label::POSITIVE)], &[]);
        let epoch = Epoch::new(0, 0, &WINDOW, &totals, None);
        assert_eq!(epoch.value(Measure::Valence, false), None);
        assert_eq!(epoch.value(Measure::ValenceChange, false), None);
        assert_eq!(epoch.coverage, Coverage::default());
        let whole = EpochWindow {
            before: 0,
            ..WINDOW
        };
        let epoch = Epoch::new(0, 0, &whole, &[], None);
        assert_eq!((epoch.coverage.before, epoch.is_empty()), (1.0, true));
    }

    /// Returns an epoch whose measures are all `before` and `after`.
    pub(in crate::study) fn epoch(
        participant: usize,
        recording: usize,
        before: f64,
        after: f64,
    ) -> Epoch {
        Epoch {
            participant,
            recording,
            before: ByMeasure::from_fn(|_| Some(before)),
            after: ByMeasure::from_fn(|_| Some(after)),
            coverage: Coverage {
                before: 1.0,
                after: 1.0,
            },
            series: [before, after]
                .map(|value| ByMeasure::from_fn(|_| value as f32))
                .to_vec(),
        }
    }
}
