// SPDX-License-Identifier: MPL-2.0

use super::*;
use crate::study::ByMeasure;
use crate::study::epoch::tests::epoch;

fn group(first_number: usize, values: &[f64]) -> Vec<Participant> {
    let participant = |(index, value): (usize, &f64)| Participant {
        number: first_number + index,
        recordings: 1,
        epochs: 1,
        values: ByMeasure::from_fn(|_| Some(*value)),
    };
    values.iter().enumerate().map(participant).collect()
}

const HIGH: [f64; 6] = [0.4, 0.5, 0.6, 0.45, 0.55, 0.5];
const LOW: [f64; 6] = [0.1, 0.0, -0.1, 0.05, 0.2, -0.2];

fn compared(first: &[Participant], second: &[Participant]) -> Option<Comparison> {
    compare(first, second, Measure::Valence, &StudyParams::default())
}

#[test]
fn different_participants_are_compared_between() {
    let found = compared(&group(0, &HIGH), &group(10, &LOW)).unwrap();
    assert_eq!(found.design, ComparisonDesign::Between);
    assert_eq!((found.participants, found.left_out), ([6, 6], 0));
    assert!((found.difference - 0.491_666_666).abs() < 1e-6);
    let interval = found.interval.unwrap();
    assert!(interval.low > 0.2 && interval.high < 0.8, "{interval:?}");
    assert!(found.hedges_g.unwrap() > 3.0);
    assert_eq!(found.cliffs_delta, Some(1.0));
    assert_eq!((found.test.permutations, found.test.is_exact), (924, true));
    assert!((found.test.p - 2.0 / 924.0).abs() < 1e-12);
}

#[test]
fn the_same_participants_are_compared_within() {
    let found = compared(&group(0, &HIGH), &group(1, &LOW)).unwrap();
    assert_eq!(found.design, ComparisonDesign::Within);
    assert_eq!((found.participants, found.left_out), ([5, 5], 2));
    assert_eq!(found.hedges_g, None);
    assert_eq!(found.cliffs_delta, Some(1.0));
    assert_eq!(found.test.p, 2.0 / 32.0);
}

#[test]
fn few_participants_in_both_conditions_are_left_out() {
    let found = compared(&group(0, &HIGH), &group(5, &LOW)).unwrap();
    assert_eq!(found.design, ComparisonDesign::Between);
    assert_eq!((found.participants, found.left_out), ([5, 5], 1));
}

#[test]
fn without_participants_there_is_no_comparison() {
    assert_eq!(compared(&group(0, &HIGH), &[]), None);
    assert_eq!(compared(&[], &[]), None);
    let one = compared(&group(0, &[0.5]), &group(1, &[0.25])).unwrap();
    assert_eq!(
        (one.interval, one.effect_size, one.test.p),
        (None, None, 1.0)
    );
}

#[test]
fn means_of_conditions_are_over_participants() {
    let mean = condition_mean(
        &group(0, &HIGH),
        Measure::Valence,
        false,
        &StudyParams::default(),
    );
    let mean = mean.unwrap();
    assert_eq!((mean.participants, mean.mean), (6, 0.5));
    assert!((mean.deviation.unwrap() - 0.070_710_678).abs() < 1e-6);
    let interval = mean.interval.unwrap();
    assert!(interval.low < 0.45 && interval.high > 0.55, "{interval:?}");
    assert_eq!(mean.test.p, 2.0 / 64.0);
    assert_eq!(
        condition_mean(&[], Measure::Valence, false, &StudyParams::default()),
        None
    );
}

#[test]
fn intervals_contain_possible_values_only() {
    let shares = group(0, &[0.0, 0.0, 0.0, 1.0, 0.0]);
    let interval = |is_corrected| {
        let params = StudyParams::default();
        let mean = condition_mean(&shares, Measure::PositiveShare, is_corrected, &params);
        mean.unwrap().interval.unwrap()
    };
    assert_eq!(interval(false).low, 0.0);
    assert!(interval(true).low < 0.0);
}

#[test]
fn courses_over_time_are_over_participants() {
    let epochs: Vec<Epoch> = (0..6).map(|i| epoch(i, i, 0.25, HIGH[i])).collect();
    let epochs: Vec<&Epoch> = epochs.iter().collect();
    let params = StudyParams::default();
    let points = mean_series(&epochs, Measure::Valence, true, &params);
    let facts = |point: &MeanPoint| (point.bin, point.participants);
    assert_eq!(
        points.iter().map(facts).collect::<Vec<_>>(),
        [(0, 6), (1, 6)]
    );
    assert_eq!(points[0].mean, 0.0);
    assert!((points[1].mean - 0.25).abs() < 1e-6);
    assert!(points[1].interval.unwrap().low > 0.15);
    assert_eq!(mean_series(&[], Measure::Valence, true, &params), []);
}
