// SPDX-License-Identifier: MPL-2.0

use super::*;

#[test]
fn marks_are_at_few_round_numbers() {
    let ticks = |low, high, steps: &[f64]| {
        let scale = Scale {
            low,
            high,
            from: 0.0,
            to: 1.0,
        };
        let ticks = scale.ticks_of(steps);
        ticks
            .iter()
            .map(|tick| (tick * 1e6).round() / 1e6)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        ticks(-0.2, 0.6, &NUMBERS),
        [-0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    );
    assert_eq!(
        ticks(-5.0, 20.0, &NUMBERS),
        [-5.0, 0.0, 5.0, 10.0, 15.0, 20.0]
    );
    assert_eq!(
        ticks(0.0, 3600.0, &TIMES),
        [0.0, 600.0, 1200.0, 1800.0, 2400.0, 3000.0, 3600.0]
    );
    assert_eq!(ticks(0.0, 1e6, &TIMES).len(), 8);
    assert_eq!(ticks(0.0, f64::NAN, &NUMBERS).len(), 1);
}

#[test]
fn scales_of_values_contain_0_and_end_at_possible_values() {
    let scale = |values: &[f64], measure, is_corrected| {
        let scale = Scale::of_values(values.iter().copied(), measure, is_corrected, 0.0, 1.0);
        [scale.low, scale.high].map(|end| (end * 1e6).round() / 1e6)
    };
    assert_eq!(
        scale(&[0.31, 0.97], Measure::PositiveShare, false),
        [0.0, 1.0]
    );
    assert_eq!(
        scale(&[-0.33, f64::NAN], Measure::Valence, false),
        [-0.35, 0.0]
    );
    assert_eq!(
        scale(&[1.2, 1.3], Measure::PositiveShare, false),
        [0.0, 1.0]
    );
    assert_eq!(scale(&[1.2, -1.6], Measure::Valence, true), [-2.0, 1.5]);
    assert_eq!(scale(&[], Measure::Valence, true), [-1.0, 1.0]);
    assert_eq!(scale(&[0.0], Measure::NegativeShare, false), [0.0, 1.0]);
}

fn mean_point(bin: usize, mean: f64) -> MeanPoint {
    MeanPoint {
        bin,
        participants: 5,
        mean,
        interval: Some(Interval {
            low: mean - 0.1,
            high: mean + 0.1,
        }),
    }
}

#[test]
fn lines_have_gaps() {
    let window = EpochWindow {
        before: 1,
        after: 3,
        bin_ns: 1_000_000_000,
    };
    let series = [0, 1, 3].map(|bin| mean_point(bin, 0.5));
    let points = thinned(&series, &window);
    let scale = Scale {
        low: -1.0,
        high: 3.0,
        from: 0.0,
        to: 40.0,
    };
    let level = Scale {
        low: 0.0,
        high: 1.0,
        from: 10.0,
        to: 0.0,
    };
    assert_eq!(line(&points, &scale, &level), "M5 5L15 5M35 5");
    assert_eq!(
        band(&points, &scale, &level),
        "M5 4L15 4L15 6L5 6ZM35 4L35 6Z"
    );
}

#[test]
fn many_bins_are_averaged() {
    let window = EpochWindow {
        before: 0,
        after: 2000,
        bin_ns: 1_000_000_000,
    };
    let series: Vec<MeanPoint> = (0..2000)
        .map(|bin| mean_point(bin, (bin % 3) as f64))
        .collect();
    let points = thinned(&series, &window);
    assert_eq!(points.len(), 667);
    assert!((points[1].mean - 1.0).abs() < 1e-9 && points[1].end_s == 6.0);
    assert!(points[0].is_after_gap && !points[1].is_after_gap);
}
