// SPDX-License-Identifier: MPL-2.0

//! Tracking of faces from sample to sample.

use super::clock::NS_PER_MS;
use super::detection::Detection;
use super::geometry::{Point, Rect};

/// Minimum IoU of a detection and the predicted box of a track for an assignment.
const MIN_IOU: f32 = 0.1;

/// Maximum extrapolation time of a box. A constant velocity does not predict the position of a face
/// for a longer time.
const MAX_EXTRAPOLATION_NS: u64 = 400 * NS_PER_MS;

/// Minimum number of observations with which a track continues after a sample without one. Most
/// false detections appear only once or twice.
const MIN_OBSERVATIONS: u32 = 3;

/// Weight of the latest displacement in the velocity of a track.
const VELOCITY_GAIN: f32 = 0.5;

/// A face over time. `S` is the state of the caller.
#[derive(Clone, Debug)]
pub(crate) struct Track<S> {
    /// Track id; from 1, at most `i32::MAX`, unique within a stream.
    pub id: u32,
    /// The last detection, in frame pixels.
    pub detection: Detection,
    /// Running time of the last detection.
    pub observed_ns: u64,
    /// Running time of the first detection.
    pub first_seen_ns: u64,
    /// Number of detections.
    pub observations: u32,
    /// Velocity of the box's center, in frame pixels per second.
    pub velocity_per_s: Point,
    /// The caller's state.
    pub state: S,
}

impl<S> Track<S> {
    /// Returns the predicted box at `time_ns`, in frame pixels.
    pub(crate) fn bbox_at(&self, time_ns: u64) -> Rect {
        extrapolate(
            self.detection.bbox,
            self.velocity_per_s,
            time_ns.saturating_sub(self.observed_ns),
        )
    }

    fn observe(&mut self, detection: Detection, time_ns: u64) {
        let elapsed_s = time_ns.saturating_sub(self.observed_ns) as f32 / 1e9;
        if elapsed_s > 0.0 {
            let (old, new) = (self.detection.bbox.center(), detection.bbox.center());
            let blend = |velocity: f32, distance: f32| {
                velocity + VELOCITY_GAIN * (distance / elapsed_s - velocity)
            };
            self.velocity_per_s = Point::new(
                blend(self.velocity_per_s.x, new.x - old.x),
                blend(self.velocity_per_s.y, new.y - old.y),
            );
        }
        self.detection = detection;
        self.observed_ns = time_ns;
        self.observations = self.observations.saturating_add(1);
    }
}

/// Returns `bbox` moved by `velocity_per_s` for `age_ns`, at most for [`MAX_EXTRAPOLATION_NS`].
pub(crate) fn extrapolate(bbox: Rect, velocity_per_s: Point, age_ns: u64) -> Rect {
    let ahead_s = age_ns.min(MAX_EXTRAPOLATION_NS) as f32 / 1e9;
    bbox.translated(velocity_per_s.x * ahead_s, velocity_per_s.y * ahead_s)
}

/// Minimum track timeout, in sample intervals, so that tracks continue if samples are skipped
/// because the analysis is slow.
pub const MIN_TIMEOUT_IN_INTERVALS: u64 = 3;

/// All tracks of a stream.
#[derive(Debug)]
pub(crate) struct Tracker<S> {
    tracks: Vec<Track<S>>,
    last_id: u32,
    /// Running time of the last sample.
    sampled_ns: Option<u64>,
    /// Time between the last sample and the previous one.
    interval_ns: Option<u64>,
    /// Track timeout of the last sample.
    timeout_ns: u64,
    assignment: Assignment,
}

impl<S> Default for Tracker<S> {
    fn default() -> Self {
        Self {
            tracks: Vec::new(),
            last_id: 0,
            sampled_ns: None,
            interval_ns: None,
            timeout_ns: 0,
            assignment: Assignment::default(),
        }
    }
}

/// Assigns detections to tracks. Its memory is reused for the next sample.
#[derive(Debug, Default)]
struct Assignment {
    /// IoU, index of the track, index of the detection.
    pairs: Vec<(f32, usize, usize)>,
    is_track_assigned: Vec<bool>,
    is_detection_assigned: Vec<bool>,
}

impl Assignment {
    /// Assigns greedily in the order of decreasing IoU, and calls `assign` for each pair.
    fn assign<S>(
        &mut self,
        tracks: &mut [Track<S>],
        detections: &[Detection],
        time_ns: u64,
        mut assign: impl FnMut(&mut Track<S>, &Detection),
    ) {
        self.pairs.clear();
        for (t, track) in tracks.iter().enumerate() {
            let predicted = track.bbox_at(time_ns);
            for (d, detection) in detections.iter().enumerate() {
                let iou = predicted.iou(&detection.bbox);
                if iou >= MIN_IOU {
                    self.pairs.push((iou, t, d));
                }
            }
        }
        // Ties are broken by index, so that the order is reproducible.
        self.pairs
            .sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        for (is_assigned, len) in [
            (&mut self.is_track_assigned, tracks.len()),
            (&mut self.is_detection_assigned, detections.len()),
        ] {
            is_assigned.clear();
            is_assigned.resize(len, false);
        }
        for &(_, t, d) in &self.pairs {
            if !self.is_track_assigned[t] && !self.is_detection_assigned[d] {
                (self.is_track_assigned[t], self.is_detection_assigned[d]) = (true, true);
                assign(&mut tracks[t], &detections[d]);
            }
        }
    }
}

impl<S: Default> Tracker<S> {
    /// Updates the tracks with the detections of the sample at `time_ns`. Detections are assigned
    /// greedily in the order of decreasing IoU with the predicted boxes; the remaining detections
    /// become new tracks.
    ///
    /// A track ends `timeout_ns` or [`MIN_TIMEOUT_IN_INTERVALS`] sample intervals, whichever is
    /// longer, after its last observation; a track with fewer than three observations ends at the
    /// first sample without one. If there are more than `max_tracks` tracks, those with the oldest
    /// observations end.
    pub(crate) fn update(
        &mut self,
        detections: &[Detection],
        time_ns: u64,
        timeout_ns: u64,
        max_tracks: usize,
    ) {
        let timeout_ns = self.begin_sample(time_ns, timeout_ns);
        self.tracks
            .retain(|track| time_ns.saturating_sub(track.observed_ns) < timeout_ns);
        let observe = |track: &mut Track<S>, detection: &Detection| {
            track.observe(*detection, time_ns);
        };
        self.assignment
            .assign(&mut self.tracks, detections, time_ns, observe);
        self.tracks
            .retain(|track| track.observed_ns == time_ns || track.observations >= MIN_OBSERVATIONS);
        for (detection, is_assigned) in detections
            .iter()
            .zip(&self.assignment.is_detection_assigned)
        {
            if !is_assigned && self.last_id < i32::MAX as u32 {
                self.last_id += 1;
                self.tracks.push(Track {
                    id: self.last_id,
                    detection: *detection,
                    observed_ns: time_ns,
                    first_seen_ns: time_ns,
                    observations: 1,
                    velocity_per_s: Point::default(),
                    state: S::default(),
                });
            }
        }
        if self.tracks.len() > max_tracks {
            self.tracks
                .sort_by_key(|track| (std::cmp::Reverse(track.observed_ns), track.id));
            self.tracks.truncate(max_tracks);
            self.tracks.sort_by_key(|track| track.id);
        }
    }

    /// Updates the times of samples, and returns the track timeout of this sample. The timeout
    /// depends on the interval before the last sample, so that a pause does not extend it.
    fn begin_sample(&mut self, time_ns: u64, timeout_ns: u64) -> u64 {
        let since_last_ns = self
            .sampled_ns
            .map(|last_ns| time_ns.saturating_sub(last_ns));
        let interval_ns = self.interval_ns.or(since_last_ns).unwrap_or(0);
        self.interval_ns = since_last_ns;
        self.sampled_ns = Some(time_ns);
        self.timeout_ns = timeout_ns
            .max(interval_ns.saturating_mul(MIN_TIMEOUT_IN_INTERVALS))
            .max(1);
        self.timeout_ns
    }

    /// Returns the track timeout of the last sample.
    pub(crate) fn timeout_ns(&self) -> u64 {
        self.timeout_ns
    }

    /// Ends all tracks. Their ids are not reused.
    pub(crate) fn end_all(&mut self) {
        self.tracks.clear();
    }

    /// Ends all tracks, and discards the times of samples, so that running time may go back.
    pub(crate) fn restart(&mut self) {
        self.end_all();
        self.sampled_ns = None;
        self.interval_ns = None;
    }

    /// Returns the live tracks, sorted by id.
    pub(crate) fn tracks(&self) -> &[Track<S>] {
        &self.tracks
    }

    /// Returns the live tracks, sorted by id, as mutable.
    pub(crate) fn tracks_mut(&mut self) -> &mut [Track<S>] {
        &mut self.tracks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::NS_PER_MS as MS;

    const TIMEOUT_NS: u64 = 1_000 * MS;

    fn face(x: f32) -> Detection {
        Detection {
            bbox: Rect::new(x, 100.0, 40.0, 50.0),
            score: 0.9,
            landmarks: None,
        }
    }

    fn ids(tracker: &Tracker<()>) -> Vec<u32> {
        tracker.tracks().iter().map(|track| track.id).collect()
    }

    #[test]
    fn a_moving_face_keeps_its_id_beyond_its_own_width() {
        let mut tracker = Tracker::<()>::default();
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
        let mut tracker = Tracker::<()>::default();
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
        let mut tracker = Tracker::<()>::default();
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
        let mut tracker = Tracker::<()>::default();
        for sample in 0..5 {
            tracker.update(&[face(0.0)], sample * 3_000 * MS, TIMEOUT_NS, 16);
            assert_eq!(ids(&tracker), [1], "sample {sample}");
        }
    }

    #[test]
    fn a_face_in_every_sample_is_one_track_if_every_other_sample_is_skipped() {
        let mut tracker = Tracker::<()>::default();
        for time_ms in [0, 200, 600, 800, 1_200, 1_400, 1_800] {
            tracker.update(&[face(0.0)], time_ms * MS, 300 * MS, 16);
            assert_eq!(ids(&tracker), [1], "at {time_ms} ms");
        }
    }

    #[test]
    fn a_pause_that_is_longer_than_the_timeout_ends_a_track() {
        let mut tracker = Tracker::<()>::default();
        for time_ms in [0, 200, 400, 1_500] {
            tracker.update(&[face(0.0)], time_ms * MS, TIMEOUT_NS, 16);
        }
        assert_eq!(ids(&tracker), [2]);
    }

    #[test]
    fn a_track_with_one_observation_ends_at_the_next_sample_without_it() {
        let mut tracker = Tracker::<()>::default();
        tracker.update(&[face(0.0)], 0, TIMEOUT_NS, 16);
        tracker.update(&[], 100 * MS, TIMEOUT_NS, 16);
        assert!(ids(&tracker).is_empty());
    }

    #[test]
    fn the_number_of_tracks_is_limited_and_the_oldest_observations_end_first() {
        let mut tracker = Tracker::<()>::default();
        for sample in 0..3 {
            let detections = [face(0.0), face(100.0)];
            tracker.update(&detections, sample * 100 * MS, TIMEOUT_NS, 2);
        }
        let detections = [face(100.0), face(200.0)];
        tracker.update(&detections, 300 * MS, TIMEOUT_NS, 2);
        assert_eq!(ids(&tracker), [2, 3]);
    }
}
