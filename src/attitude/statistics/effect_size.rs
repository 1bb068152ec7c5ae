// SPDX-License-Identifier: MPL-2.0

//! Effect sizes of differences between two groups, or of changes within one.

/// Returns Cohen's d, the difference of the means of `first` and `second` divided by their pooled
/// standard deviation (Cohen, "Statistical Power Analysis for the Behavioral Sciences", 1988).
/// Returns `None` if there are fewer than three values in total, a group is empty, or no value
/// differs from the mean of its group.
pub fn cohens_d(first: &[f64], second: &[f64]) -> Option<f64> {
    let freedom = (first.len() + second.len()).checked_sub(2)?;
    let difference = mean(first)? - mean(second)?;
    let pooled = ((squares(first)? + squares(second)?) / freedom as f64).sqrt();
    ratio(difference, pooled)
}

/// Returns Hedges' g: [Cohen's d](cohens_d), corrected for its bias in small groups by the factor
/// 1 − 3/(4·ν − 1), with ν degrees of freedom (Hedges, "Distribution Theory for Glass's Estimator
/// of Effect Size and Related Estimators", 1981).
pub fn hedges_g(first: &[f64], second: &[f64]) -> Option<f64> {
    let freedom = (first.len() + second.len()) as f64 - 2.0;
    cohens_d(first, second).map(|d| d * (1.0 - 3.0 / (4.0 * freedom - 1.0)))
}

/// Returns d_z, the mean of `differences` divided by their standard deviation; `None` if there are
/// fewer than two, or they are equal.
pub fn d_z(differences: &[f64]) -> Option<f64> {
    ratio(mean(differences)?, standard_deviation(differences)?)
}

/// Returns Cliff's delta, the probability that a value of `first` is larger than one of `second`
/// minus the probability that it is smaller, −1 to 1 (Cliff, "Dominance Statistics", 1993); `None`
/// if a group is empty. All values must be numbers.
pub fn cliffs_delta(first: &[f64], second: &[f64]) -> Option<f64> {
    let mut sorted = second.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let dominance = |value: &f64| {
        let smaller = sorted.partition_point(|other| other < value);
        let larger = sorted.len() - sorted.partition_point(|other| other <= value);
        smaller as f64 - larger as f64
    };
    let pairs = (first.len() * second.len()) as f64;
    (pairs > 0.0).then(|| first.iter().map(dominance).sum::<f64>() / pairs)
}

/// Returns Cliff's delta of pairs: the share of positive `differences` minus that of negative ones,
/// −1 to 1; `None` if there are none.
pub fn paired_delta(differences: &[f64]) -> Option<f64> {
    let sign = |difference: &f64| match difference {
        difference if *difference > 0.0 => 1.0,
        difference if *difference < 0.0 => -1.0,
        _ => 0.0,
    };
    let signs = differences.iter().map(sign).sum::<f64>();
    (!differences.is_empty()).then(|| signs / differences.len() as f64)
}

/// Returns the mean; `None` if there are no values.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Returns the standard deviation of a sample, with n − 1 in the denominator; `None` if there are
/// fewer than two values.
pub fn standard_deviation(values: &[f64]) -> Option<f64> {
    let freedom = values.len().checked_sub(1).filter(|freedom| *freedom > 0)?;
    Some((squares(values)? / freedom as f64).sqrt())
}

/// Returns the sum of the squared distances from the mean.
fn squares(values: &[f64]) -> Option<f64> {
    let mean = mean(values)?;
    Some(values.iter().map(|value| (value - mean).powi(2)).sum())
}

/// Minimum standard deviation. Values that are computed from scores, which are float32, differ by
/// less only by rounding.
const MIN_DEVIATION: f64 = 1e-6;

/// Divides by a standard deviation, unless it is too small.
fn ratio(difference: f64, deviation: f64) -> Option<f64> {
    (deviation > MIN_DEVIATION).then(|| difference / deviation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::tests::reference;

    #[test]
    fn effect_sizes_are_those_of_the_reference() {
        for set in reference().groups {
            let (first, second) = (&set.first, &set.second);
            let near = |name: &str, found: Option<f64>, expected: f64| {
                let error = (found.unwrap() - expected).abs();
                assert!(
                    error < 1e-9,
                    "{}: {name} {found:?}, not {expected}",
                    set.name
                );
            };
            near("d", cohens_d(first, second), set.cohens_d);
            near("g", hedges_g(first, second), set.hedges_g);
            near("delta", cliffs_delta(first, second), set.cliffs_delta);
        }
        for set in reference().pairs {
            let d_z = d_z(&set.differences).unwrap();
            assert!((d_z - set.d_z).abs() < 1e-9, "{}: {d_z}", set.name);
        }
    }

    #[test]
    fn values_that_do_not_vary_have_no_effect_size() {
        assert_eq!(cohens_d(&[0.1; 3], &[0.3; 3]), None);
        assert_eq!(cohens_d(&[0.1], &[0.3]), None);
        assert_eq!(cohens_d(&[], &[0.3, 0.4]), None);
        assert_eq!(d_z(&[0.2; 5]), None);
        assert_eq!(d_z(&[0.2]), None);
        assert_eq!(cliffs_delta(&[0.1; 3], &[0.3; 3]), Some(-1.0));
        assert_eq!(cliffs_delta(&[], &[0.3]), None);
    }

    #[test]
    fn the_delta_of_pairs_counts_signs() {
        assert_eq!(paired_delta(&[0.5, 0.1, -2.0, 0.0]), Some(0.25));
        assert_eq!(paired_delta(&[]), None);
    }
}
