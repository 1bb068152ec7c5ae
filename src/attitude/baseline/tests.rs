// SPDX-License-Identifier: MPL-2.0

//! Tests of baselines with made valences.

use super::*;
use crate::clock::{NS_PER_MS as MS, NS_PER_S as S};
use crate::statistics::SplitMix64;

const LEARN: BaselineParams = BaselineParams {
    mode: BaselineMode::Learn,
    learning_ns: 10 * S,
    generation: 0,
};

const AUTO: BaselineParams = BaselineParams {
    mode: BaselineMode::Auto,
    ..LEARN
};

/// Adds a valence five times per second from `from_s` to `to_s`.
fn add(baseline: &mut Baseline, from_s: u64, to_s: u64, valence: f32, params: &BaselineParams) {
    for sample in 5 * from_s..5 * to_s {
        baseline.push(sample * 200 * MS, Some(valence), params);
    }
}

fn assert_near(found: Option<f32>, expected: f32) {
    assert!(
        found.is_some_and(|found| (found - expected).abs() <= 1.0 / 64.0),
        "{found:?} instead of {expected}"
    );
}

#[test]
fn a_median_is_that_of_all_values_to_a_64th() {
    let mut random = SplitMix64(7);
    let mut median = ValenceMedian::default();
    assert_eq!(median.value(), None);
    let mut values = Vec::new();
    for _ in 0..10_001 {
        // Skewed, with values beyond the range.
        let value = 2.2 * random.unit_fraction().powi(3) as f32 - 1.1;
        median.push(value);
        values.push(value);
    }
    values.sort_by(f32::total_cmp);
    assert_near(median.value(), values[5_000]);
    for extreme in [-1.0, 1.0] {
        let mut median = ValenceMedian::default();
        median.push(extreme);
        assert_near(median.value(), extreme);
    }
}

#[test]
fn a_baseline_that_is_learned_stays() {
    let mut baseline = Baseline::default();
    add(&mut baseline, 0, 9, -0.5, &LEARN);
    assert_eq!(baseline.state(&LEARN), Some(BaselineState::Learning));
    assert_eq!(baseline.value(&LEARN), None);
    add(&mut baseline, 9, 11, -0.5, &LEARN);
    assert_eq!(baseline.state(&LEARN), Some(BaselineState::Known));
    add(&mut baseline, 11, 60, 0.8, &LEARN);
    assert_near(baseline.value(&LEARN), -0.5);
}

#[test]
fn an_automatic_baseline_follows_the_median_so_far() {
    let mut baseline = Baseline::default();
    add(&mut baseline, 0, 20, -0.5, &AUTO);
    add(&mut baseline, 20, 35, 0.8, &AUTO);
    assert_near(baseline.value(&AUTO), -0.5);
    add(&mut baseline, 35, 60, 0.8, &AUTO);
    assert_near(baseline.value(&AUTO), 0.8);
}

#[test]
fn another_generation_is_learned_from_the_next_sample_on() {
    let mut baseline = Baseline::default();
    add(&mut baseline, 0, 20, -0.5, &LEARN);
    let again = BaselineParams {
        generation: 1,
        ..LEARN
    };
    add(&mut baseline, 20, 25, 0.3, &again);
    assert_eq!(baseline.state(&again), Some(BaselineState::Learning));
    add(&mut baseline, 25, 31, 0.3, &again);
    assert_near(baseline.value(&again), 0.3);
}

#[test]
fn time_without_a_known_valence_does_not_count() {
    let mut baseline = Baseline::default();
    add(&mut baseline, 0, 5, 0.0, &LEARN);
    for sample in 25..500 {
        baseline.push(sample * 200 * MS, None, &LEARN);
    }
    add(&mut baseline, 100, 103, 0.0, &LEARN);
    assert_eq!(baseline.state(&LEARN), Some(BaselineState::Learning));
    assert!(baseline.learned_ns < 9 * S);
}

#[test]
fn there_is_no_baseline_while_it_is_off() {
    let mut baseline = Baseline::default();
    let off = BaselineParams {
        mode: BaselineMode::Off,
        ..LEARN
    };
    add(&mut baseline, 0, 20, -0.5, &off);
    assert_eq!(baseline.state(&off), None);
    assert_eq!(baseline.state(&LEARN), Some(BaselineState::Learning));
}

#[test]
fn the_attitude_of_a_change_is_unknown_if_that_of_the_face_is() {
    for (change, attitude) in [
        (MIN_CHANGE, Label::POSITIVE),
        (-MIN_CHANGE, Label::NEGATIVE),
        (MIN_CHANGE - 0.01, Label::NEUTRAL),
        (0.0, Label::NEUTRAL),
    ] {
        assert_eq!(attitude_of_change(Label::NEGATIVE, change), attitude);
        assert_eq!(attitude_of_change(Label::Unknown, change), Label::Unknown);
    }
}

#[test]
fn names_of_states_round_trip() {
    for state in BaselineState::ALL {
        assert_eq!(BaselineState::from_name(state.name()), Some(state));
        assert_eq!(serde_json::to_value(state).unwrap(), state.name());
    }
}
