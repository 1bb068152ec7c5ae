// SPDX-License-Identifier: MPL-2.0

//! Tests of tracking.

use super::*;
use crate::clock::NS_PER_MS as MS;

const TIMEOUT_NS: u64 = 1_000 * MS;

/// The number of times that the face has returned.
#[derive(Debug, Default)]
struct State(u32);

impl TrackState for State {
    fn returned(self) -> Self {
        Self(self.0 + 1)
    }
}

fn face(x: f32) -> Detection {
    Detection {
        bbox: Rect::new(x, 100.0, 40.0, 50.0),
        score: 0.9,
        landmarks: None,
    }
}

fn ids(tracker: &Tracker<State>) -> Vec<u32> {
    tracker.tracks().iter().map(|track| track.id).collect()
}

#[test]
fn a_moving_face_keeps_its_id_beyond_its_own_width() {
    let mut tracker = Tracker::<State>::default();
    // 30 px per sample, less than the width of 40 px; one sample is missing.
    for sample in [0, 1, 2, 3, 4, 6] {
        let detections = [face(sample as f32 * 30.0)];
        tracker.update(&detections, sample * 200 * MS, TIMEOUT_NS, 16);
        assert_eq!(ids(&tracker), [1], "sample {sample}");
    }
    let expected = tracker.tracks()[0].bbox_at(1_300 * MS);
    assert!((expected.x - 195.0).abs() < 3.0, "{expected:?}");
}

#[test]
fn crossing_faces_are_distinguished_by_their_velocities() {
    let mut tracker = Tracker::<State>::default();
    for sample in 0..12u64 {
        let x = sample as f32 * 20.0;
        let mut other = face(220.0 - x);
        other.bbox.y += 15.0;
        tracker.update(&[face(x), other], sample * 200 * MS, TIMEOUT_NS, 16);
    }
    assert_eq!(ids(&tracker), [1, 2]);
    assert_eq!(tracker.tracks()[0].detection, face(220.0));
}

#[test]
fn a_lost_face_ends_after_the_timeout_and_its_id_is_not_reused() {
    let mut tracker = Tracker::<State>::default();
    for sample in 0..3 {
        tracker.update(&[face(0.0)], sample * 100 * MS, TIMEOUT_NS, 16);
    }
    for sample in 3..12 {
        tracker.update(&[], sample * 100 * MS, TIMEOUT_NS, 16);
        assert_eq!(ids(&tracker), [1]);
    }
    tracker.update(&[face(0.0)], 1_200 * MS, TIMEOUT_NS, 16);
    assert_eq!(ids(&tracker), [2]);
    tracker.end_all();
    tracker.update(&[face(0.0)], 1_300 * MS, TIMEOUT_NS, 16);
    assert_eq!(ids(&tracker), [3]);
}

#[test]
fn a_face_in_every_sample_is_one_track_at_any_interval() {
    let mut tracker = Tracker::<State>::default();
    for sample in 0..5 {
        tracker.update(&[face(0.0)], sample * 3_000 * MS, TIMEOUT_NS, 16);
        assert_eq!(ids(&tracker), [1], "sample {sample}");
    }
}

#[test]
fn a_face_in_every_sample_is_one_track_if_every_other_sample_is_skipped() {
    let mut tracker = Tracker::<State>::default();
    for time_ms in [0, 200, 600, 800, 1_200, 1_400, 1_800] {
        tracker.update(&[face(0.0)], time_ms * MS, 300 * MS, 16);
        assert_eq!(ids(&tracker), [1], "at {time_ms} ms");
    }
}

#[test]
fn a_pause_that_is_longer_than_the_timeout_ends_a_track() {
    let mut tracker = Tracker::<State>::default();
    for time_ms in [0, 200, 400, 1_500] {
        tracker.update(&[face(0.0)], time_ms * MS, TIMEOUT_NS, 16);
    }
    assert_eq!(ids(&tracker), [2]);
}

#[test]
fn a_track_with_one_observation_ends_at_the_next_sample_without_it() {
    let mut tracker = Tracker::<State>::default();
    tracker.update(&[face(0.0)], 0, TIMEOUT_NS, 16);
    tracker.update(&[], 100 * MS, TIMEOUT_NS, 16);
    assert!(ids(&tracker).is_empty());
}

#[test]
fn the_number_of_tracks_is_limited_and_the_oldest_observations_end_first() {
    let mut tracker = Tracker::<State>::default();
    for sample in 0..3 {
        let detections = [face(0.0), face(100.0)];
        tracker.update(&detections, sample * 100 * MS, TIMEOUT_NS, 2);
    }
    let detections = [face(100.0), face(200.0)];
    tracker.update(&detections, 300 * MS, TIMEOUT_NS, 2);
    assert_eq!(ids(&tracker), [2, 3]);
}

/// Returns the number of times that the only face has returned.
fn returns(tracker: &Tracker<State>) -> u32 {
    assert_eq!(tracker.tracks().len(), 1);
    tracker.tracks()[0].state.0
}

#[test]
fn a_face_that_returns_to_its_position_in_time_has_the_state_of_its_ended_track() {
    for (x, pause_ms, returned) in [
        (0.0, 2_000, 1),
        (15.0, 9_000, 1),
        (40.0, 2_000, 0),
        (0.0, 11_000, 0),
    ] {
        let mut tracker = Tracker::<State>::default();
        for sample in 0..5 {
            tracker.update(&[face(0.0)], sample * 200 * MS, TIMEOUT_NS, 16);
        }
        for sample in 5..5 + pause_ms / 200 {
            tracker.update(&[], sample * 200 * MS, TIMEOUT_NS, 16);
        }
        let time_ns = (1_000 + pause_ms) * MS;
        tracker.update(&[face(x)], time_ns, TIMEOUT_NS, 16);
        assert_eq!(ids(&tracker), [2]);
        assert_eq!(returns(&tracker), returned, "{x} px, {pause_ms} ms");
        assert_eq!(tracker.lost.len(), 1 - returned as usize);
    }
}

#[test]
fn a_face_after_a_cut_is_another_face_until_the_cut_back() {
    let mut tracker = Tracker::<State>::default();
    for sample in 0..5 {
        tracker.update(&[face(0.0)], sample * 200 * MS, TIMEOUT_NS, 16);
    }
    tracker.end_all();
    for sample in 5..10 {
        tracker.update(&[face(0.0)], sample * 200 * MS, TIMEOUT_NS, 16);
        assert_eq!(returns(&tracker), 0);
    }
    tracker.end_all();
    tracker.update(&[face(0.0)], 2_000 * MS, TIMEOUT_NS, 16);
    assert_eq!(returns(&tracker), 1);
    tracker.restart();
    assert!(tracker.lost.is_empty());
}

#[test]
fn the_number_of_ended_tracks_is_limited() {
    let mut tracker = Tracker::<State>::default();
    for sample in 0..3 * MAX_LOST as u64 {
        for part in 0..3 {
            let time_ns = (10 * sample + part) * MS;
            tracker.update(&[face(200.0 * sample as f32)], time_ns, TIMEOUT_NS, 16);
        }
        tracker.end_all();
    }
    assert_eq!(tracker.lost.len(), MAX_LOST);
}
