// SPDX-License-Identifier: MPL-2.0

//! Joining of tracks into persons, by position and time.
//!
//! Faces are not recognized. A track continues another track if it begins soon after that track
//! ended, at a similar position and size. A person who returns at another position counts as
//! another person, and one who takes the position of another person may count as that person.

use super::TimelineParams;
use crate::geometry::Rect;
use crate::record::Record;
use crate::tracking::return_distance;

/// Times and positions of the first and the last sample of a track.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TrackEnds {
    /// Time of the first sample.
    pub first_ns: u64,
    /// Time of the last sample.
    pub last_ns: u64,
    /// Time until which the last sample is shown.
    pub end_ns: u64,
    /// Position in the first sample.
    pub first: FacePosition,
    /// Position in the last sample.
    pub last: FacePosition,
}

/// Width and height of a frame in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FrameSize {
    width: u32,
    height: u32,
}

impl FrameSize {
    /// Returns the size of the frame of `record`.
    pub(crate) fn of(record: &Record) -> Self {
        Self {
            width: record.width,
            height: record.height,
        }
    }
}

/// Position of a face in a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FacePosition {
    /// The box in frame heights, so that it does not depend on the size of the frame.
    bbox: Rect,
    size: FrameSize,
}

impl FacePosition {
    /// Creates the position of the box `[x, y, w, h]`, in pixels of a frame of `size`.
    pub(crate) fn new(bbox: [f32; 4], size: FrameSize) -> Self {
        let [x, y, w, h] = bbox.map(|length| length / size.height.max(1) as f32);
        Self {
            bbox: Rect::new(x, y, w, h),
            size,
        }
    }

    /// Returns the center of the box as fractions of the width and the height of the frame.
    pub(crate) fn relative_center(&self) -> [f32; 2] {
        let center = self.bbox.center();
        let FrameSize { width, height } = self.size;
        [center.x * height as f32 / width.max(1) as f32, center.y]
    }
}

/// Maximum number of earlier tracks that are examined per track, those that ended last; it bounds
/// the work with hostile records. In a real recording, fewer tracks end within the maximum time.
const MAX_EARLIER: usize = 1000;

/// Maximum number of pairs per track, those with the smallest distances; it bounds the memory.
const MAX_NEAR: usize = 16;

/// Joins tracks of the same person. Returns one list of indices into `tracks` per person, sorted by
/// time; persons are sorted by the time of their first sample. `spacing_ns` is the usual sample
/// interval.
///
/// A track that begins one sample after the end of another does not continue it. This happens at a
/// cut, at which the tracker ends all tracks; a lost track ends later. If the samples are further
/// apart than the track timeout, or the size of the frames changes, the tracker ends tracks without
/// a cut.
pub(crate) fn join(
    tracks: &[TrackEnds],
    spacing_ns: u64,
    params: &TimelineParams,
) -> Vec<Vec<usize>> {
    let mut by_start: Vec<usize> = (0..tracks.len()).collect();
    by_start.sort_by_key(|&index| (tracks[index].first_ns, index));
    let mut pairs = possible_pairs(tracks, &by_start, spacing_ns, params);
    // Ties are broken by time and index, so that the order is reproducible.
    pairs.sort_unstable_by(|a, b| {
        let pause_ns = |pair: &Pair| tracks[pair.later].first_ns - tracks[pair.earlier].last_ns;
        let tie_breakers = |pair: &Pair| (pause_ns(pair), pair.earlier, pair.later);
        let distances = a.distance.total_cmp(&b.distance);
        distances.then_with(|| tie_breakers(a).cmp(&tie_breakers(b)))
    });
    let mut next = vec![None; tracks.len()];
    let mut is_continuation = vec![false; tracks.len()];
    for Pair { earlier, later, .. } in pairs {
        if next[earlier].is_none() && !is_continuation[later] {
            next[earlier] = Some(later);
            is_continuation[later] = true;
        }
    }
    let firsts = by_start
        .into_iter()
        .filter(|&index| !is_continuation[index]);
    firsts
        .map(|first| std::iter::successors(Some(first), |&index| next[index]).collect())
        .collect()
}

/// A track that may continue an earlier track, by their indices.
#[derive(Clone, Copy)]
struct Pair {
    /// Distance of their boxes; see [`distance_if_continued`].
    distance: f32,
    earlier: usize,
    later: usize,
}

/// Returns pairs for each track in `by_start`, the indices of `tracks` sorted by the start of the
/// tracks.
fn possible_pairs(
    tracks: &[TrackEnds],
    by_start: &[usize],
    spacing_ns: u64,
    params: &TimelineParams,
) -> Vec<Pair> {
    let mut by_end = by_start.to_vec();
    by_end.sort_by_key(|&index| (tracks[index].last_ns, index));
    let mut pairs = Vec::new();
    let mut near = Vec::new();
    for &later in by_start {
        let first_ns = tracks[later].first_ns;
        let ended_count = by_end.partition_point(|&index| tracks[index].last_ns <= first_ns);
        let last_ended = by_end[..ended_count].iter().rev().take(MAX_EARLIER);
        let recent = last_ended
            .take_while(|&&index| pause_ns(&tracks[index], first_ns) <= params.join_gap_ns);
        near.clear();
        near.extend(recent.filter_map(|&earlier| {
            Some(Pair {
                distance: distance_if_continued(
                    &tracks[earlier],
                    &tracks[later],
                    spacing_ns,
                    params,
                )?,
                earlier,
                later,
            })
        }));
        if near.len() > MAX_NEAR {
            near.select_nth_unstable_by(MAX_NEAR, |a: &Pair, b| a.distance.total_cmp(&b.distance));
            near.truncate(MAX_NEAR);
        }
        pairs.extend_from_slice(&near);
    }
    pairs
}

/// Returns the time during which the face of `earlier` was not shown before `first_ns`.
fn pause_ns(earlier: &TrackEnds, first_ns: u64) -> u64 {
    first_ns.saturating_sub(earlier.end_ns.max(earlier.last_ns))
}

/// Returns the distance from the last box of `earlier` to the first box of `later`, in mean heights
/// of both boxes, or `None` if `later` does not continue `earlier`.
fn distance_if_continued(
    earlier: &TrackEnds,
    later: &TrackEnds,
    spacing_ns: u64,
    params: &TimelineParams,
) -> Option<f32> {
    let interval_ns = later.first_ns.checked_sub(earlier.last_ns)?;
    // Sample times vary by up to half an interval, since they are times of frames.
    let is_next_sample = interval_ns <= spacing_ns.saturating_add(spacing_ns / 2);
    let is_cut = is_next_sample
        && interval_ns <= params.gap_ns
        && (interval_ns == 0 || earlier.last.size == later.first.size);
    if is_cut || params.join_gap_ns == 0 || pause_ns(earlier, later.first_ns) > params.join_gap_ns {
        return None;
    }
    return_distance(
        &earlier.last.bbox,
        &later.first.bbox,
        params.join_distance,
        params.join_height_ratio,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::NS_PER_S as S;

    const SPACING_NS: u64 = S / 5;
    const SIZE: FrameSize = FrameSize {
        width: 640,
        height: 360,
    };

    /// Returns a track from `first_ds` to `last_ds`, in tenths of seconds, that moves from
    /// `first_x` to `last_x`.
    fn track(first_ds: u64, last_ds: u64, first_x: f32, last_x: f32) -> TrackEnds {
        let position = |x| FacePosition::new([x, 50.0, 80.0, 100.0], SIZE);
        TrackEnds {
            first_ns: first_ds * S / 10,
            last_ns: last_ds * S / 10,
            end_ns: last_ds * S / 10,
            first: position(first_x),
            last: position(last_x),
        }
    }

    fn joined(tracks: &[TrackEnds]) -> Vec<Vec<usize>> {
        join(tracks, SPACING_NS, &TimelineParams::default())
    }

    #[test]
    fn a_face_that_returns_to_the_same_position_soon_is_the_same_person() {
        let left = track(0, 100, 10.0, 30.0);
        assert_eq!(joined(&[left, track(150, 300, 60.0, 0.0)]), [[0, 1]]);
        // Too far away, too late, at the same time.
        for other in [
            track(150, 300, 90.0, 0.0),
            track(202, 300, 30.0, 0.0),
            track(50, 300, 30.0, 0.0),
            track(100, 300, 30.0, 0.0),
        ] {
            assert_eq!(joined(&[left, other]), [[0], [1]]);
        }
        let never = TimelineParams {
            join_gap_ns: 0,
            ..TimelineParams::default()
        };
        let tracks = [left, track(150, 300, 30.0, 0.0)];
        assert_eq!(join(&tracks, SPACING_NS, &never), [[0], [1]]);
        assert_eq!(join(&tracks, 0, &never), [[0], [1]]);
    }

    #[test]
    fn a_face_in_frames_of_another_size_is_the_same_person() {
        let before = track(0, 100, 30.0, 30.0);
        let after = |bbox| TrackEnds {
            first: FacePosition::new(
                bbox,
                FrameSize {
                    width: 320,
                    height: 180,
                },
            ),
            ..track(102, 200, 0.0, 0.0)
        };
        assert_eq!(joined(&[before, after([15.0, 25.0, 40.0, 50.0])]), [[0, 1]]);
        // At the same pixels, it is at another position.
        let other = after([30.0, 50.0, 80.0, 100.0]);
        assert_eq!(joined(&[before, other]), [[0], [1]]);
    }

    #[test]
    fn a_face_on_a_frame_that_stands_is_the_same_person() {
        let before = track(0, 100, 30.0, 30.0);
        let after = track(400, 500, 30.0, 30.0);
        assert_eq!(joined(&[before, after]), [[0], [1]]);
        let standing = TrackEnds {
            end_ns: after.first_ns,
            ..before
        };
        assert_eq!(joined(&[standing, after]), [[0, 1]]);
    }

    #[test]
    fn samples_that_are_seconds_apart_are_no_cuts() {
        let tracks = [0, 20, 40].map(|ds| TrackEnds {
            end_ns: (ds + 20) * S / 10,
            ..track(ds, ds, 30.0, 30.0)
        });
        let joined = join(&tracks, 2 * S, &TimelineParams::default());
        assert_eq!(joined, [[0, 1, 2]]);
    }

    #[test]
    fn a_face_of_another_size_is_another_person() {
        let mut near = track(150, 300, 30.0, 30.0);
        let bbox = &mut near.first.bbox;
        *bbox = Rect::from_center(bbox.center(), 1.5 * bbox.w, 1.6 * bbox.h);
        assert_eq!(joined(&[track(0, 100, 30.0, 30.0), near]), [[0], [1]]);
        near.first.bbox.h = 0.0;
        assert_eq!(joined(&[track(0, 100, 30.0, 30.0), near]), [[0], [1]]);
        near.first.bbox.x = f32::NAN;
        assert_eq!(joined(&[track(0, 100, 30.0, 30.0), near]), [[0], [1]]);
    }

    #[test]
    fn the_nearest_tracks_are_joined_first_and_each_once() {
        // Two leave side by side and return in the opposite order.
        let tracks = [
            track(0, 100, 0.0, 0.0),
            track(0, 100, 45.0, 45.0),
            track(140, 200, 40.0, 40.0),
            track(150, 200, 20.0, 20.0),
        ];
        assert_eq!(joined(&tracks), [[0, 3], [1, 2]]);
        // Only one returns.
        assert_eq!(joined(&tracks[..3]), [vec![0], vec![1, 2]]);
    }

    #[test]
    fn tracks_that_cross_are_not_swapped() {
        let tracks = [track(0, 100, 0.0, 200.0), track(0, 100, 200.0, 0.0)];
        let back = [track(130, 200, 200.0, 0.0), track(130, 200, 0.0, 200.0)];
        assert_eq!(
            joined(&[tracks[0], tracks[1], back[0], back[1]]),
            [[0, 2], [1, 3]]
        );
    }

    #[test]
    fn a_cut_to_another_face_and_back_joins_the_tracks_before_and_after() {
        let shots = [
            track(0, 50, 30.0, 30.0),
            track(52, 80, 30.0, 30.0),
            track(82, 120, 30.0, 30.0),
            track(122, 150, 30.0, 30.0),
        ];
        assert_eq!(joined(&shots), [[0, 2], [1, 3]]);
    }

    #[test]
    fn persons_are_sorted_by_their_first_sample() {
        let tracks = [
            track(50, 60, 500.0, 500.0),
            track(0, 100, 30.0, 30.0),
            track(150, 200, 30.0, 30.0),
            track(250, 300, 30.0, 30.0),
        ];
        assert_eq!(joined(&tracks), [vec![1, 2, 3], vec![0]]);
        assert_eq!(joined(&[]), Vec::<Vec<usize>>::new());
    }

    #[test]
    fn a_crowd_at_one_position_has_a_bounded_number_of_pairs() {
        let first = |_| track(0, 10, 30.0, 30.0);
        let second = |_| track(50, 60, 30.0, 30.0);
        let tracks: Vec<TrackEnds> = (0..50_000)
            .map(first)
            .chain((0..50_000).map(second))
            .collect();
        let by_start: Vec<usize> = (0..tracks.len()).collect();
        let pairs = possible_pairs(&tracks, &by_start, SPACING_NS, &TimelineParams::default());
        assert!(pairs.len() <= 50_000 * MAX_NEAR);
        let persons = joined(&tracks);
        assert!(persons.len() < 100_000);
        assert_eq!(persons.iter().map(Vec::len).sum::<usize>(), 100_000);
    }
}
