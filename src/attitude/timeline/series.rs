// SPDX-License-Identifier: MPL-2.0

//! Scores over time, in bins.

use super::TimedObservation;
use super::segments::Span;
use crate::{Attitude, ByAttitude, Scores};

/// Mean scores in bins of equal duration, for drawing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Start of the first bin.
    pub start_ns: u64,
    /// Duration of a bin.
    pub bin_ns: u64,
    /// Mean scores of each bin, weighted by the time spans of the samples; `None` if a bin has
    /// none.
    pub bins: Vec<Option<Scores>>,
}

impl Series {
    /// Computes the series of `observations` during `span` with at most `max_bins` bins. No bin is
    /// shorter than `spacing_ns`, the usual sample interval.
    pub(crate) fn new(
        observations: &[TimedObservation],
        span: Span,
        spacing_ns: u64,
        max_bins: usize,
    ) -> Self {
        let bin_ns = span.len_ns().div_ceil(max_bins.max(1) as u64);
        let bin_ns = bin_ns.max(spacing_ns).max(1);
        let count = span.len_ns().div_ceil(bin_ns);
        let mut bins = ScoreBins::new(bin_ns, usize::try_from(count).unwrap_or(max_bins));
        for timed in observations {
            if let Some(scores) = timed.observation.scores {
                let start_ns = timed.span.start_ns.saturating_sub(span.start_ns);
                let end_ns = timed.span.end_ns.saturating_sub(span.start_ns);
                bins.add(start_ns, end_ns, &scores);
            }
        }
        let scores = |means: ByAttitude<f64>| means.map(|mean| mean as f32);
        Self {
            start_ns: span.start_ns,
            bin_ns,
            bins: bins
                .into_inner()
                .iter()
                .map(|bin| bin.means().map(scores))
                .collect(),
        }
    }

    /// Returns the series with the mean of each bin and its `neighbors` bins before and after it. Bins
    /// without scores stay so.
    #[must_use]
    pub fn smoothed(self, neighbors: usize) -> Self {
        let smoothed = |(index, bin): (usize, &Option<Scores>)| {
            let near = index.saturating_sub(neighbors)..self.bins.len().min(index + neighbors + 1);
            bin.and_then(|_| Scores::mean(self.bins[near].iter().flatten().copied()))
        };
        Self {
            bins: self.bins.iter().enumerate().map(smoothed).collect(),
            ..self
        }
    }

    /// Returns the start of the bin at `index`.
    pub fn time_ns(&self, index: usize) -> u64 {
        let after_ns = self.bin_ns.saturating_mul(index as u64);
        self.start_ns.saturating_add(after_ns)
    }
}

/// Sums over the time of one bin.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ScoreBin {
    /// Total duration of the scores, in nanoseconds.
    pub duration_ns: f64,
    /// Sum of the scores, each multiplied by its duration in nanoseconds.
    pub weighted_scores: ByAttitude<f64>,
}

impl ScoreBin {
    /// Returns the mean scores, or `None` if there are no scores.
    pub(crate) fn means(&self) -> Option<ByAttitude<f64>> {
        (self.duration_ns > 0.0).then(|| self.weighted_scores.map(|sum| sum / self.duration_ns))
    }
}

/// Consecutive bins of equal duration from time 0 on.
#[derive(Clone, Debug)]
pub(crate) struct ScoreBins {
    /// Duration of a bin, at least 1.
    bin_ns: u64,
    /// The bins, sorted by time.
    bins: Vec<ScoreBin>,
}

impl ScoreBins {
    /// Creates `count` empty bins of `bin_ns` nanoseconds.
    pub(crate) fn new(bin_ns: u64, count: usize) -> Self {
        Self {
            bin_ns: bin_ns.max(1),
            bins: vec![ScoreBin::default(); count],
        }
    }

    /// Returns the bins, sorted by time.
    pub(crate) fn into_inner(self) -> Vec<ScoreBin> {
        self.bins
    }

    /// Adds `scores` from `start_ns` to `end_ns`; times after the last bin are ignored.
    pub(crate) fn add(&mut self, start_ns: u64, end_ns: u64, scores: &Scores) {
        let scores = scores.map(f64::from);
        let mut from_ns = start_ns;
        let first = usize::try_from(start_ns / self.bin_ns).unwrap_or(usize::MAX);
        for (index, bin) in self.bins.iter_mut().enumerate().skip(first) {
            if from_ns >= end_ns {
                break;
            }
            let bin_end_ns = (index as u64 + 1).saturating_mul(self.bin_ns);
            let until_ns = end_ns.min(bin_end_ns);
            let duration_ns = (until_ns - from_ns) as f64;
            bin.duration_ns += duration_ns;
            for attitude in Attitude::ALL {
                bin.weighted_scores[attitude] += duration_ns * scores[attitude];
            }
            from_ns = until_ns;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::NS_PER_S as S;
    use crate::timeline::{Observation, TimelineParams, with_spans};

    fn series(max_bins: usize) -> Series {
        let positive = [0.9, 0.1, 0.0];
        let negative = [0.1, 0.1, 0.8];
        let sample = |time_ns, scores| Observation {
            time_ns,
            scores: Some(Scores::from_array(scores)),
            ..Observation::default()
        };
        let first = (0..20).map(|i| sample(10 * S + i * S / 5, positive));
        let second = (0..20).map(|i| sample(18 * S + i * S / 5, negative));
        let samples: Vec<Observation> = first.chain(second).collect();
        let span = Span {
            start_ns: 8 * S,
            end_ns: 23 * S,
        };
        Series::new(
            &with_spans(&samples, S / 5, &TimelineParams::default()),
            span,
            S / 5,
            max_bins,
        )
    }

    #[test]
    fn bins_contain_means_and_gaps_are_empty() {
        let series = series(5);
        assert_eq!((series.start_ns, series.bin_ns), (8 * S, 3 * S));
        assert_eq!(series.time_ns(2), 14 * S);
        let positive: Vec<_> = series
            .bins
            .iter()
            .map(|bin| bin.map(|s| s.positive))
            .collect();
        assert_eq!(positive, [Some(0.9), Some(0.9), None, Some(0.1), Some(0.1)]);
    }

    #[test]
    fn smoothed_bins_are_means_of_their_neighbors_and_gaps_stay() {
        let series = series(5).smoothed(1);
        let positive: Vec<_> = series
            .bins
            .iter()
            .map(|bin| bin.map(|s| s.positive))
            .collect();
        assert_eq!(positive, [Some(0.9), Some(0.9), None, Some(0.1), Some(0.1)]);
        let scores = |positive| Some(Scores::from_array([positive, 1.0 - positive, 0.0]));
        let rising = Series {
            bins: vec![scores(0.0), scores(0.5), scores(1.0)],
            ..series
        };
        assert_eq!(rising.clone().smoothed(0), rising);
        let expected = vec![scores(0.25), scores(0.5), scores(0.75)];
        assert_eq!(rising.smoothed(1).bins, expected);
    }

    #[test]
    fn no_bin_is_shorter_than_the_sample_interval() {
        let fine = series(100_000);
        assert_eq!((fine.bin_ns, fine.bins.len()), (S / 5, 75));
        let seen = fine.bins.iter().filter(|bin| bin.is_some()).count();
        assert_eq!(seen, 40);
        let empty = Series::new(&[], Span::default(), 0, 0);
        assert_eq!(empty.bins, []);
    }
}
