// SPDX-License-Identifier: MPL-2.0

//! Tracking of faces from sample to sample.

use super::clock::{NS_PER_MS, NS_PER_S};
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

/// Maximum time between the last detection of a face and its return as another track.
pub const RETURN_NS: u64 = 10 * NS_PER_S;

/// Maximum distance of the centers of the boxes of a face that returns, in mean heights of both:
/// half of the distance of two heads side by side.
pub const RETURN_DISTANCE: f32 = 0.5;

/// Maximum ratio of the heights of the boxes of a face that returns.
pub const RETURN_HEIGHT_RATIO: f32 = 1.5;

/// Maximum number of ended tracks whose faces may return.
const MAX_LOST: usize = 64;

/// Returns the distance of two boxes in mean heights of both; `None` if it is more than
/// `max_distance`, or the ratio of the heights is more than `max_height_ratio`.
pub(crate) fn return_distance(
    from: &Rect,
    to: &Rect,
    max_distance: f32,
    max_height_ratio: f32,
) -> Option<f32> {
    let (dx, dy) = (
        to.center().x - from.center().x,
        to.center().y - from.center().y,
    );
    let distance = dx.hypot(dy) / ((from.h + to.h) / 2.0);
    let ratio = (from.h / to.h).max(to.h / from.h);
    // For boxes without a height, distance and ratio are NaN or infinite.
    let is_near = distance <= max_distance && ratio <= max_height_ratio;
    is_near.then_some(distance)
}

/// The state of a track that belongs to the caller.
pub(crate) trait TrackState: Default {
    /// Returns the state of the track of a face that returns; `self` is that of its ended track.
    fn returned(self) -> Self;
}

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

/// Removes the track from `lost` whose face returns as `detection` at `time_ns`, and returns its
/// state; `None` if there is none. `interval_ns` is the time between samples: a track that ended at a
/// cut does not continue in the next sample.
fn take_returned<S: TrackState>(
    lost: &mut Vec<Track<S>>,
    detection: &Detection,
    time_ns: u64,
    interval_ns: u64,
) -> Option<S> {
    let near = lost.iter().enumerate().filter_map(|(index, track)| {
        let pause_ns = time_ns.saturating_sub(track.observed_ns);
        let is_next_sample = pause_ns <= interval_ns.saturating_add(interval_ns / 2);
        let distance = return_distance(
            &track.detection.bbox,
            &detection.bbox,
            RETURN_DISTANCE,
            RETURN_HEIGHT_RATIO,
        )?;
        (!is_next_sample && pause_ns <= RETURN_NS).then_some((distance, index))
    });
    // Of equal distances, the track that ended last.
    let (_, index) = near.min_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))?;
    Some(lost.remove(index).state.returned())
}

/// All tracks of a stream.
#[derive(Debug)]
pub(crate) struct Tracker<S> {
    tracks: Vec<Track<S>>,
    /// Ended tracks whose faces may return, oldest first.
    lost: Vec<Track<S>>,
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
            lost: Vec::new(),
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

impl<S: TrackState> Tracker<S> {
    /// Updates the tracks with the detections of the sample at `time_ns`. Detections are assigned
    /// greedily in the order of decreasing IoU with the predicted boxes; the remaining detections
    /// become new tracks. A new track near the position of one that ended less than [`RETURN_NS`]
    /// ago has the [state](TrackState::returned) of that one.
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
        self.lose(|track| time_ns.saturating_sub(track.observed_ns) >= timeout_ns);
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
                let interval_ns = self.interval_ns.unwrap_or(0);
                let state = take_returned(&mut self.lost, detection, time_ns, interval_ns);
                self.tracks.push(Track {
                    id: self.last_id,
                    detection: *detection,
                    observed_ns: time_ns,
                    first_seen_ns: time_ns,
                    observations: 1,
                    velocity_per_s: Point::default(),
                    state: state.unwrap_or_default(),
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

    /// Ends the tracks for which `is_lost` returns `true`. Their faces may return.
    fn lose(&mut self, mut is_lost: impl FnMut(&Track<S>) -> bool) {
        let lost = self.tracks.extract_if(.., |track| is_lost(track));
        // A track with few observations is a false detection.
        self.lost
            .extend(lost.filter(|track| track.observations >= MIN_OBSERVATIONS));
        let excess = self.lost.len().saturating_sub(MAX_LOST);
        self.lost.drain(..excess);
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

    /// Returns `true` if the last sample contained the faces of all tracks.
    pub(crate) fn has_observed_all(&self) -> bool {
        let mut tracks = self.tracks.iter();
        tracks.all(|track| Some(track.observed_ns) == self.sampled_ns)
    }

    /// Returns the track timeout of the last sample.
    pub(crate) fn timeout_ns(&self) -> u64 {
        self.timeout_ns
    }

    /// Ends all tracks, as at a cut. Their ids are not reused.
    pub(crate) fn end_all(&mut self) {
        self.lose(|_| true);
    }

    /// Ends all tracks, whose faces do not return, and discards the times of samples, so that running
    /// time may go back.
    pub(crate) fn restart(&mut self) {
        self.tracks.clear();
        self.lost.clear();
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
mod tests;
