// SPDX-License-Identifier: MPL-2.0

//! Scores added up over stretches of time of equal length.

use crate::{Attitude, ByAttitude, Scores};

/// What fell into a stretch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bin {
    /// For how long there were scores.
    pub time_ns: f64,
    /// The sums of scores multiplied by their durations in nanoseconds.
    pub sums: ByAttitude<f64>,
}

impl Bin {
    /// The mean scores; `None` where there were none.
    pub fn means(&self) -> Option<ByAttitude<f64>> {
        (self.time_ns > 0.0).then(|| self.sums.map(|sum| sum / self.time_ns))
    }
}

/// Bins that follow each other, from 0 on.
#[derive(Clone, Debug)]
pub struct Bins {
    /// How long each is, at least 1.
    pub bin_ns: u64,
    /// By time.
    pub bins: Vec<Bin>,
}

impl Bins {
    /// `count` empty ones of `bin_ns` each.
    pub fn new(bin_ns: u64, count: usize) -> Self {
        Self {
            bin_ns: bin_ns.max(1),
            bins: vec![Bin::default(); count],
        }
    }

    /// Adds `scores` that stand from `start_ns` until `end_ns`; what is beyond the last bin is left
    /// out.
    pub fn add(&mut self, start_ns: u64, end_ns: u64, scores: &Scores) {
        let scores = scores.map(f64::from);
        let mut from_ns = start_ns;
        let first = usize::try_from(start_ns / self.bin_ns).unwrap_or(usize::MAX);
        for (index, bin) in self.bins.iter_mut().enumerate().skip(first) {
            if from_ns >= end_ns {
                break;
            }
            let bin_end_ns = (index as u64 + 1).saturating_mul(self.bin_ns);
            let until_ns = end_ns.min(bin_end_ns);
            let time_ns = (until_ns - from_ns) as f64;
            bin.time_ns += time_ns;
            for attitude in Attitude::ALL {
                bin.sums[attitude] += time_ns * scores[attitude];
            }
            from_ns = until_ns;
        }
    }
}
