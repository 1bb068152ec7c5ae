// SPDX-License-Identifier: MPL-2.0

//! How much of the time goes to each attitude.

use super::{Held, rounded};
use crate::ByLabel;

/// The share of the time seen of each label, each from 0 to 1; they add up to 1.
pub type Shares = ByLabel<f64>;

/// Returns the shares of the time that `held` stands for, or `None` if that is no time at all.
pub fn shares(held: &[Held]) -> Option<Shares> {
    let mut times_ns = ByLabel::<u64>::default();
    for held in held {
        times_ns[held.sample.label] += held.span.len_ns();
    }
    let total_ns = times_ns.iter().map(|(_, time_ns)| time_ns).sum::<u64>();
    if total_ns == 0 {
        return None;
    }
    // Sums are rounded instead of shares, so that the shares add up to 1.
    let mut sum_ns = 0;
    Some(times_ns.map(|time_ns| {
        let before = rounded(sum_ns as f64 / total_ns as f64);
        sum_ns += time_ns;
        rounded(rounded(sum_ns as f64 / total_ns as f64) - before)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Label;
    use crate::timeline::rules::Rules;
    use crate::timeline::{Sample, hold};

    #[test]
    fn each_sample_counts_as_long_as_it_stands() {
        let samples = [
            (0, Label::POSITIVE),
            (200, Label::NEUTRAL),
            (500, Label::Unknown),
            // Before a gap and at the end, as long as samples are usually apart.
            (700, Label::POSITIVE),
            (9_000, Label::NEGATIVE),
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
        assert_eq!(shares(&held), Some(expected));
        assert_eq!(shares(&[]), None);
        assert_eq!(shares(&hold(&samples[..1], 0, &Rules::default())), None);
    }
}
