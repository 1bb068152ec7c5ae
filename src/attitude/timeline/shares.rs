// SPDX-License-Identifier: MPL-2.0

//! How much of the time goes to each attitude.

use serde::{Deserialize, Serialize};

use super::{Held, rounded};

/// Shares of the time seen by label, 0 to 1, adding up to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Shares {
    pub positive: f64,
    pub neutral: f64,
    pub negative: f64,
    pub unknown: f64,
}

impl Shares {
    /// Shares of the time that `held` stands for; `None` where that is none.
    pub fn new(held: &[Held]) -> Option<Self> {
        let mut times_ns = [0; 4];
        for held in held {
            let index = held.sample.label.map_or(3, |label| label as usize);
            times_ns[index] += held.span.len_ns();
        }
        let total_ns = times_ns.iter().sum::<u64>();
        if total_ns == 0 {
            return None;
        }
        // Sums are rounded and not shares, so that these add up to 1.
        let mut sum_ns = 0;
        let [positive, neutral, negative, unknown] = times_ns.map(|time_ns| {
            let before = rounded(sum_ns as f64 / total_ns as f64);
            sum_ns += time_ns;
            rounded(rounded(sum_ns as f64 / total_ns as f64) - before)
        });
        Some(Self {
            positive,
            neutral,
            negative,
            unknown,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classification::Attitude::{Negative, Neutral, Positive};
    use crate::timeline::rules::Rules;
    use crate::timeline::{Sample, hold};

    #[test]
    fn each_sample_counts_as_long_as_it_stands() {
        let samples = [
            (0, Some(Positive)),
            (200, Some(Neutral)),
            (500, None),
            // Before a gap and at the end, as long as samples are usually apart.
            (700, Some(Positive)),
            (9_000, Some(Negative)),
        ];
        let samples = samples.map(|(time_ms, label)| Sample {
            time_ns: time_ms * 1_000_000,
            label,
            ..Sample::default()
        });
        let held = hold(&samples, 100_000_000, &Rules::default());
        let expected = Shares {
            positive: 0.3333,
            neutral: 0.3334,
            negative: 0.1111,
            unknown: 0.2222,
        };
        assert_eq!(Shares::new(&held), Some(expected));
        assert_eq!(Shares::new(&[]), None);
        assert_eq!(
            Shares::new(&hold(&samples[..1], 0, &Rules::default())),
            None
        );
    }
}
