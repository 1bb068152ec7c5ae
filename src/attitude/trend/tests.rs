// SPDX-License-Identifier: MPL-2.0

//! Tests of trends with made valences.

use super::*;
use crate::clock::NS_PER_S;
use crate::statistics::SplitMix64;

/// Samples per second.
const RATE: u64 = 5;

/// Returns noise with a standard deviation of 1 that is correlated over `correlation_s`.
fn noise(seed: u64, correlation_s: f64) -> impl FnMut() -> f64 {
    let mut random = SplitMix64(seed);
    let kept = (-1.0 / (RATE as f64 * correlation_s)).exp();
    let mut value = 0.0;
    move || {
        let angle = std::f64::consts::TAU * random.unit_fraction();
        let normal = (-2.0 * random.unit_fraction().ln()).sqrt() * angle.cos();
        value = kept * value + (1.0 - kept * kept).sqrt() * normal;
        value
    }
}

/// Returns the changes of the direction, with their times in seconds, of a valence that is a
/// function of the time in seconds.
fn turns(seconds: u64, mut valence: impl FnMut(f64) -> Option<f64>) -> Vec<(Direction, u64)> {
    let mut detector = TrendDetector::default();
    let mut last = Direction::Steady;
    let mut turns = Vec::new();
    for sample in 0..seconds * RATE {
        let time_ns = sample * NS_PER_S / RATE;
        let valence = valence(sample as f64 / RATE as f64);
        let valence = valence.map(|valence| valence.clamp(-1.0, 1.0) as f32);
        let trend = detector.push(time_ns, valence).unwrap_or_default();
        if trend.direction != last {
            last = trend.direction;
            turns.push((last, trend.since_ns / NS_PER_S));
        }
    }
    turns
}

#[test]
fn a_slow_change_is_a_trend_until_it_ends() {
    let mut noise = noise(1, 3.0);
    let found = turns(600, |s| {
        Some(0.5 - ((s - 200.0) / 120.0).clamp(0.0, 1.0) + 0.1 * noise())
    });
    let [(Direction::Falling, from), (Direction::Steady, to)] = found[..] else {
        panic!("{found:?}");
    };
    assert!((210..270).contains(&from), "{from}");
    assert!((330..380).contains(&to), "{to}");
}

#[test]
fn a_sudden_change_is_a_trend_until_it_leaves_the_window() {
    let mut noise = noise(2, 3.0);
    let found = turns(400, |s| {
        Some(if s < 150.0 { -0.3 } else { 0.4 } + 0.1 * noise())
    });
    let [(Direction::Rising, from), (Direction::Steady, to)] = found[..] else {
        panic!("{found:?}");
    };
    assert!((152..185).contains(&from), "{from}");
    assert!((190..215).contains(&to), "{to}");
}

/// Returns the number of trends in hours of a steady valence with this standard deviation and
/// correlation time.
fn false_alarms(hours: u64, deviation: f64, correlation_s: f64) -> usize {
    let mut noise = noise(3, correlation_s);
    let found = turns(3600 * hours, |_| Some(deviation * noise()));
    let is_alarm = |turn: &&(Direction, u64)| turn.0 != Direction::Steady;
    found.iter().filter(is_alarm).count()
}

/// Duration of a change within a bin.
const SUDDEN_S: f64 = 0.1;

/// Returns the delays in seconds, sorted, after which a change of the mean valence by `size` within
/// `duration_s` is found, in 200 recordings; infinite if it is not found within three minutes.
fn delays_s(size: f64, duration_s: f64, deviation: f64, correlation_s: f64) -> Vec<f64> {
    const START_S: f64 = 120.0;
    let delay = |seed| {
        let mut noise = noise(seed, correlation_s);
        let found = turns(300, |s| {
            let progress = ((s - START_S) / duration_s).clamp(0.0, 1.0);
            Some(size * (progress - 0.5) + deviation * noise())
        });
        let after = found
            .iter()
            .find(|(direction, s)| *direction == Direction::Rising && *s as f64 > START_S);
        after.map_or(f64::INFINITY, |(_, s)| *s as f64 - START_S)
    };
    let mut delays: Vec<f64> = (0..200).map(delay).collect();
    delays.sort_by(f64::total_cmp);
    delays
}

#[test]
fn a_sudden_change_is_found_soon_and_the_larger_the_sooner() {
    let mut last_s = f64::INFINITY;
    for (size, most_s) in [(0.7, 20.0_f64), (1.0, 14.0), (1.5, 10.0)] {
        let delays = delays_s(size, SUDDEN_S, 0.1, 3.0);
        let most_delays = delays[delays.len() * 9 / 10];
        assert!(most_delays <= most_s.min(last_s), "{size}: {most_delays} s");
        last_s = most_delays;
    }
}

#[test]
fn false_alarms_are_rare() {
    for (deviation, correlation_s, most) in [(0.1, 3.0, 3), (0.2, 3.0, 3), (0.3, 1.0, 0)] {
        let alarms = false_alarms(20, deviation, correlation_s);
        assert!(alarms <= most, "{deviation}, {correlation_s} s: {alarms}");
    }
}

#[test]
#[ignore = "takes a minute, and prints the figures of src/plugin/README.md"]
fn rates_of_false_alarms_and_delays() {
    for (deviation, correlation_s) in [
        (0.05, 3.0),
        (0.1, 3.0),
        (0.2, 3.0),
        (0.2, 5.0),
        (0.2, 10.0),
        (0.3, 1.0),
        (0.3, 3.0),
        (0.3, 5.0),
        (0.3, 10.0),
    ] {
        let hours = 200;
        let rate = false_alarms(hours, deviation, correlation_s) as f64 / hours as f64;
        println!("deviation {deviation}, correlation {correlation_s} s: {rate} per hour");
    }
    for (size, duration_s) in [
        (0.7, SUDDEN_S),
        (1.0, SUDDEN_S),
        (0.4, 20.0),
        (0.6, 20.0),
        (1.0, 20.0),
        (0.6, 60.0),
        (1.0, 120.0),
    ] {
        for (deviation, correlation_s) in [(0.1, 3.0), (0.2, 3.0), (0.2, 5.0)] {
            let delays = delays_s(size, duration_s, deviation, correlation_s);
            let found = delays.iter().filter(|delay| delay.is_finite()).count();
            println!(
                "{size} in {duration_s} s, deviation {deviation}, {correlation_s} s: {found} of {}, median {} s, \
                 90% {} s",
                delays.len(),
                delays[delays.len() / 2],
                delays[delays.len() * 9 / 10]
            );
        }
    }
}

#[test]
fn a_change_back_and_forth_is_no_trend() {
    assert_eq!(turns(600, |s| Some(0.5 * (s / 2.0).sin())), []);
}

#[test]
fn without_enough_values_there_is_no_trend() {
    let mut detector = TrendDetector::default();
    for index in 0..28 {
        let valence = Some(index as f32 / 28.0);
        assert_eq!(detector.push(index * NS_PER_S, valence), None);
    }
    // One value per 5 s: 12 of 30 bins.
    let mut detector = TrendDetector::default();
    for index in 0..100 {
        let valence = Some(index as f32 / 100.0);
        assert_eq!(detector.push(index * 5 * NS_PER_S, valence), None);
    }
}

#[test]
fn a_trend_ends_without_values() {
    let falling = |s: f64| (s < 100.0).then_some(-s / 100.0);
    let mut detector = TrendDetector::default();
    let mut trends =
        (0..200).map(|s| detector.push(s * NS_PER_S, falling(s as f64).map(|v| v as f32)));
    let falling = trends.by_ref().take(100).last().flatten().unwrap();
    assert_eq!(falling.direction, Direction::Falling);
    assert!((falling.change + 0.6).abs() < 0.01, "{falling:?}");
    assert_eq!(trends.last().flatten(), None);
    assert_eq!(detector.bins.len(), 0);
}

#[test]
fn names_of_directions_round_trip() {
    for direction in Direction::ALL {
        assert_eq!(Direction::from_name(direction.name()), Some(direction));
        let json = serde_json::to_value(direction).unwrap();
        assert_eq!(json, direction.name());
    }
    assert_eq!(Direction::from_name("up"), None);
}
