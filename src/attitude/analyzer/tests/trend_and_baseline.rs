// SPDX-License-Identifier: MPL-2.0

//! Tests of the trends and baselines of faces and the scene.

use super::*;
use crate::baseline::BaselineState;
use crate::trend::Direction;

/// Samples once per second from `from_s` to `to_s`; the scores become less positive and more
/// negative by 0.01 per sample.
fn fall(stream: &mut Stream, from_s: u64, to_s: u64, found: &[Detection]) {
    for second in from_s..to_s {
        let change = 0.01 * second as f32;
        stream.classifier.result = Ok(Scores::from_array([0.9 - change, 0.1, change]));
        stream.sample(1_000 * second, found);
    }
}

fn direction(trend: Option<Trend>) -> Option<Direction> {
    trend.map(|trend| trend.direction)
}

#[test]
fn a_valence_that_falls_is_a_trend_of_the_face_and_of_the_scene() {
    let mut stream = Stream::default();
    let found = [face_at(40.0, 20.0)];
    fall(&mut stream, 0, 29, &found);
    assert_eq!(stream.analysis.faces[0].trend, None);
    assert_eq!(stream.analysis.scene_trend, None);
    fall(&mut stream, 29, 40, &found);
    let trend = stream.analysis.faces[0].trend;
    assert_eq!(direction(trend), Some(Direction::Falling));
    assert_eq!(stream.analysis.scene_trend, trend);
    // From 1 at the start to −0.2 after a minute.
    let change = trend.unwrap().change;
    assert!((change + 1.2).abs() < 0.05, "{change}");
}

#[test]
fn the_trend_continues_if_the_face_returns_to_its_position_as_another_track() {
    let mut stream = Stream::default();
    fall(&mut stream, 0, 35, &[face_at(40.0, 20.0)]);
    fall(&mut stream, 35, 40, &[]);
    fall(&mut stream, 40, 43, &[face_at(45.0, 20.0)]);
    let face = &stream.analysis.faces[0];
    assert_eq!(face.track, 2);
    assert_eq!(direction(face.trend), Some(Direction::Falling));
}

#[test]
fn the_trend_of_the_scene_continues_if_a_face_appears_elsewhere() {
    let mut stream = Stream::default();
    fall(&mut stream, 0, 35, &[face_at(40.0, 20.0)]);
    fall(&mut stream, 35, 38, &[]);
    fall(&mut stream, 38, 45, &[face_at(200.0, 20.0)]);
    let face = &stream.analysis.faces[0];
    assert_eq!((face.track, face.trend), (2, None));
    let scene = stream.analysis.scene_trend;
    assert_eq!(direction(scene), Some(Direction::Falling));
}

#[test]
fn after_a_gap_and_without_trends_there_is_no_trend() {
    let found = [face_at(40.0, 20.0)];
    let mut stream = Stream::default();
    fall(&mut stream, 0, 40, &found);
    stream.epoch.part += 1;
    fall(&mut stream, 0, 20, &found);
    assert_eq!(stream.analysis.scene_trend, None);
    let mut without = Stream::default();
    without.params.has_trend = false;
    fall(&mut without, 0, 40, &found);
    assert_eq!(without.analysis.scene_trend, None);
    assert_eq!(without.analysis.faces[0].trend, None);
}

#[test]
fn the_valence_of_an_unknown_attitude_does_not_count() {
    let mut stream = Stream::default();
    stream.classifier.face = Some(0.1);
    fall(&mut stream, 0, 40, &[face_at(40.0, 20.0)]);
    assert_eq!(stream.analysis.faces[0].label, Label::Unknown);
    assert_eq!(stream.analysis.faces[0].trend, None);
    assert_eq!(stream.analysis.scene_trend, None);
}

#[test]
fn a_face_that_looks_negative_throughout_is_neutral_against_its_baseline() {
    let mut stream = Stream::default();
    stream.params.baseline.mode = BaselineMode::Learn;
    stream.params.baseline.learning_ns = 10_000 * MS;
    let mut face = |time_s: u64, scores, generation| {
        stream.params.baseline.generation = generation;
        stream.classifier.result = Ok(scores);
        stream.sample(1_000 * time_s, &[face_at(40.0, 20.0)])[0]
    };
    for second in 0..10 {
        let face = face(second, NEGATIVE, 0);
        assert_eq!(face.baseline, Some(BaselineState::Learning));
        assert_eq!((face.valence_change, face.attitude_change()), (None, None));
    }
    let known = face(10, NEGATIVE, 0);
    assert_eq!(known.baseline, Some(BaselineState::Known));
    assert_eq!(known.label, Label::NEGATIVE);
    assert_eq!(known.attitude_change(), Some(Label::NEUTRAL));
    let smile = face(11, NEUTRAL, 0);
    assert_eq!(smile.label, Label::NEUTRAL);
    assert_eq!(smile.attitude_change(), Some(Label::POSITIVE));
    assert!(
        smile
            .valence_change
            .is_some_and(|change| (change - 1.0).abs() < 0.05)
    );
    assert_eq!(face(12, NEUTRAL, 1).baseline, Some(BaselineState::Learning));
}
