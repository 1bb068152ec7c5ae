// SPDX-License-Identifier: MPL-2.0

//! Permutation tests of a difference of means (Good, "Permutation, Parametric and Bootstrap Tests
//! of Hypotheses", 2005).
//!
//! If there are at most as many permutations as requested, all are computed, and the p-value is the
//! fraction of those whose difference is at least as large as the observed one. Otherwise
//! permutations are drawn, and the observed one counts as one of them (Phipson and Smyth,
//! "Permutation P-values Should Never Be Zero", 2010). All tests are two-sided.

use super::SplitMix64;

/// Default number of permutations.
pub const DEFAULT_PERMUTATIONS: usize = 10_000;

/// Number and random numbers of permutations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permutations {
    /// Maximum number of permutations.
    pub count: usize,
    /// Seed of the random numbers.
    pub seed: u64,
}

/// Result of a permutation test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PermutationTest {
    /// The p-value, greater than 0 and at most 1.
    pub p: f64,
    /// Number of permutations that were computed.
    pub permutations: usize,
    /// `true` if these are all permutations.
    pub is_exact: bool,
}

impl Permutations {
    /// Tests if the means of two groups differ, by assigning their values to the groups in other
    /// ways. Returns `None` if a group is empty.
    pub fn compare_groups(&self, first: &[f64], second: &[f64]) -> Option<PermutationTest> {
        let values: Vec<f64> = [first, second].concat();
        let total: f64 = values.iter().sum();
        let (n, m) = (first.len() as f64, second.len() as f64);
        if first.is_empty() || second.is_empty() {
            return None;
        }
        let difference = |sum: f64| (sum / n - (total - sum) / m).abs();
        let observed = difference(first.iter().sum());
        let combinations = combinations(values.len(), first.len(), self.count);
        Some(match combinations {
            Some(count) => {
                let mut tally = Tally::new(observed);
                for_each_sum(&values, first.len(), 0.0, &mut |sum| {
                    tally.add(difference(sum))
                });
                tally.exact(count)
            }
            None => {
                let mut random = SplitMix64(self.seed);
                let mut shuffled = values;
                let mut tally = Tally::new(observed);
                for _ in 0..self.count {
                    let mut sum = 0.0;
                    for index in 0..first.len() {
                        let other = index + random.below(shuffled.len() - index);
                        shuffled.swap(index, other);
                        sum += shuffled[index];
                    }
                    tally.add(difference(sum));
                }
                tally.drawn(self.count)
            }
        })
    }

    /// Tests if the mean of `differences` is not 0, by changing their signs. Returns `None` if
    /// there are none.
    pub fn test_differences(&self, differences: &[f64]) -> Option<PermutationTest> {
        let n = differences.len();
        if n == 0 {
            return None;
        }
        let mut tally = Tally::new(differences.iter().sum::<f64>().abs());
        let signed = |value: &f64, is_negative: bool| if is_negative { -value } else { *value };
        let all = u32::try_from(n).ok().and_then(|n| 1_usize.checked_shl(n));
        Some(match all.filter(|all| *all <= self.count) {
            Some(all) => {
                for signs in 0..all {
                    let terms = differences.iter().enumerate();
                    let sum: f64 = terms
                        .map(|(i, value)| signed(value, signs >> i & 1 == 1))
                        .sum();
                    tally.add(sum.abs());
                }
                tally.exact(all)
            }
            None => {
                let mut random = SplitMix64(self.seed);
                for _ in 0..self.count {
                    let terms = differences.iter();
                    let sum: f64 = terms.map(|value| signed(value, random.below(2) == 1)).sum();
                    tally.add(sum.abs());
                }
                tally.drawn(self.count)
            }
        })
    }
}

/// Counts permutations that are at least as extreme as the observed one.
struct Tally {
    /// Least size that counts; smaller than the observed one by rounding errors.
    min: f64,
    count: usize,
}

impl Tally {
    fn new(observed: f64) -> Self {
        Self {
            min: observed - 1e-12 - 1e-9 * observed,
            count: 0,
        }
    }

    fn add(&mut self, size: f64) {
        self.count += usize::from(size >= self.min);
    }

    fn exact(&self, permutations: usize) -> PermutationTest {
        PermutationTest {
            p: self.count as f64 / permutations as f64,
            permutations,
            is_exact: true,
        }
    }

    fn drawn(&self, permutations: usize) -> PermutationTest {
        PermutationTest {
            p: (self.count + 1) as f64 / (permutations + 1) as f64,
            permutations,
            is_exact: false,
        }
    }
}

/// Returns the number of ways to choose `k` of `n`; `None` if there are more than `max`.
fn combinations(n: usize, k: usize, max: usize) -> Option<usize> {
    let mut count = 1_u128;
    for index in 0..k.min(n - k) {
        count = count * (n - index) as u128 / (index + 1) as u128;
        if count > max as u128 {
            return None;
        }
    }
    Some(count as usize)
}

/// Calls `visit` with the sum of each choice of `k` of `values`, plus `sum`.
fn for_each_sum(values: &[f64], k: usize, sum: f64, visit: &mut impl FnMut(f64)) {
    match values.split_first() {
        _ if k == 0 => visit(sum),
        Some((first, rest)) => {
            for_each_sum(rest, k - 1, sum + first, visit);
            if rest.len() >= k {
                for_each_sum(rest, k, sum, visit);
            }
        }
        None => {}
    }
}

/// Returns `p_values` corrected for multiple tests by Holm's method ("A Simple Sequentially
/// Rejective Multiple Test Procedure", 1979), in the same order.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut corrected = vec![1.0; p_values.len()];
    let mut largest = 0.0f64;
    for (rank, index) in order.into_iter().enumerate() {
        let tests = (p_values.len() - rank) as f64;
        largest = largest.max(p_values[index] * tests).min(1.0);
        corrected[index] = largest;
    }
    corrected
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::tests::reference;

    const ALL: Permutations = Permutations {
        count: 100_000,
        seed: 0,
    };

    #[test]
    fn exact_p_values_are_those_of_the_reference() {
        for set in reference().groups.iter().filter(|set| set.p.is_some()) {
            let test = ALL.compare_groups(&set.first, &set.second).unwrap();
            assert!(test.is_exact);
            assert!(
                (test.p - set.p.unwrap()).abs() < 1e-12,
                "{}: {test:?}",
                set.name
            );
        }
        for set in reference().pairs.iter().filter(|set| set.p.is_some()) {
            let test = ALL.test_differences(&set.differences).unwrap();
            assert!(test.is_exact);
            assert!(
                (test.p - set.p.unwrap()).abs() < 1e-12,
                "{}: {test:?}",
                set.name
            );
        }
    }

    #[test]
    fn drawn_permutations_approximate_all() {
        let drawn = Permutations {
            count: 20_000,
            ..ALL
        };
        for set in reference().groups.iter().filter(|set| set.p.is_some()) {
            // One less than all, so that permutations are drawn.
            let all = ALL.compare_groups(&set.first, &set.second).unwrap();
            let drawn = Permutations {
                count: drawn.count.min(all.permutations - 1),
                ..drawn
            };
            let test = drawn.compare_groups(&set.first, &set.second).unwrap();
            assert!(!test.is_exact);
            let error = 4.0 * (0.25 / test.permutations as f64).sqrt();
            assert!(
                (test.p - all.p).abs() < error,
                "{}: {test:?} {all:?}",
                set.name
            );
        }
        let differences: Vec<f64> = (0..40).map(|i| f64::from(i % 7) - 2.0).collect();
        let test = drawn.test_differences(&differences).unwrap();
        assert!(!test.is_exact && test.p < 0.05, "{test:?}");
    }

    #[test]
    fn a_difference_without_variation_is_not_significant_by_rounding() {
        assert_eq!(ALL.compare_groups(&[0.1; 3], &[0.1; 4]).unwrap().p, 1.0);
        assert_eq!(ALL.test_differences(&[0.0; 4]).unwrap().p, 1.0);
        assert_eq!(ALL.compare_groups(&[], &[0.1]), None);
        assert_eq!(ALL.test_differences(&[]), None);
    }

    #[test]
    fn p_values_hold_their_level_without_an_effect() {
        let mut random = SplitMix64(5);
        let few = Permutations {
            count: 200,
            seed: 1,
        };
        let mut rejected = 0;
        for _ in 0..400 {
            let mut values = || {
                (0..12)
                    .map(|_| random.unit_fraction())
                    .collect::<Vec<f64>>()
            };
            let (first, second) = (values(), values());
            rejected += usize::from(few.compare_groups(&first, &second).unwrap().p <= 0.05);
        }
        // 20 are expected; 3 standard deviations are 13.
        assert!((7..=33).contains(&rejected), "{rejected}");
    }

    #[test]
    fn holm_corrects_the_smallest_most() {
        for set in reference().holm {
            for (found, expected) in holm(&set.p).iter().zip(&set.corrected) {
                assert!((found - expected).abs() < 1e-12, "{found} {expected}");
            }
        }
        assert_eq!(holm(&[]), [0.0; 0]);
    }

    #[test]
    fn combinations_are_counted_up_to_a_maximum() {
        assert_eq!(combinations(12, 6, 10_000), Some(924));
        assert_eq!(combinations(12, 6, 923), None);
        assert_eq!(combinations(1000, 500, 10_000), None);
        assert_eq!(combinations(5, 5, 1), Some(1));
    }
}
