// SPDX-License-Identifier: MPL-2.0

//! Who is who: tracks joined into persons by place and time.
//!
//! Nobody is recognised. A track continues another one where it begins soon after that one ended, at
//! much the same place and size. So a person who comes back elsewhere is taken for another one, and
//! one who takes another's place at once may be taken for that one.

use super::Rules;
use crate::geometry::Rect;

/// What is known of a track.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Track {
    /// When it was first seen.
    pub first_ns: u64,
    /// When it was last seen.
    pub last_ns: u64,
    /// Where it was first seen.
    pub first_bbox: Rect,
    /// Where it was last seen.
    pub last_bbox: Rect,
}

/// Most tracks that one may continue: those that ended last. More than as many faces as are followed
/// at once end within the time that matters.
const MAX_EARLIER: usize = 1000;

/// Of those, most that are weighed against each other: the nearest ones.
const MAX_NEAR: usize = 16;

/// Which tracks are the same person's: a list of indices into `tracks` for each person, by time;
/// the persons by when they were first seen. Samples are usually `spacing_ns` apart.
///
/// A track that begins with the sample after the other's last one does not continue it: that is a
/// cut, where the tracker ends all tracks, as it keeps a lost one for longer.
pub fn join(tracks: &[Track], spacing_ns: u64, rules: &Rules) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..tracks.len()).collect();
    order.sort_by_key(|&index| (tracks[index].first_ns, index));
    let mut ended = order.clone();
    ended.sort_by_key(|&index| (tracks[index].last_ns, index));
    let mut pairs = Vec::new();
    let mut near = Vec::new();
    for &later in &order {
        let first_ns = tracks[later].first_ns;
        let before = ended.partition_point(|&index| tracks[index].last_ns <= first_ns);
        let recent = ended[..before].iter().rev().take(MAX_EARLIER);
        let recent =
            recent.take_while(|&&index| first_ns - tracks[index].last_ns <= rules.join_gap_ns);
        near.clear();
        near.extend(recent.filter_map(|&earlier| {
            let distance = continued(&tracks[earlier], &tracks[later], spacing_ns, rules)?;
            Some((distance, earlier, later))
        }));
        if near.len() > MAX_NEAR {
            near.select_nth_unstable_by(MAX_NEAR, |a, b| a.0.total_cmp(&b.0));
            near.truncate(MAX_NEAR);
        }
        pairs.extend_from_slice(&near);
    }
    // Times and indices after the distance: the order is the same each time.
    pairs.sort_unstable_by(|a, b| {
        let wait_ns = |pair: &(f32, usize, usize)| tracks[pair.2].first_ns - tracks[pair.1].last_ns;
        let places = (wait_ns(a), a.1, a.2).cmp(&(wait_ns(b), b.1, b.2));
        a.0.total_cmp(&b.0).then(places)
    });
    let mut next = vec![None; tracks.len()];
    let mut is_continuation = vec![false; tracks.len()];
    for (_, earlier, later) in pairs {
        if next[earlier].is_none() && !is_continuation[later] {
            next[earlier] = Some(later);
            is_continuation[later] = true;
        }
    }
    let firsts = order.into_iter().filter(|&index| !is_continuation[index]);
    firsts
        .map(|first| std::iter::successors(Some(first), |&index| next[index]).collect())
        .collect()
}

/// How far apart, in heights of a box, `earlier` ended and `later` began; `None` where that is not
/// the same person by the rules.
fn continued(earlier: &Track, later: &Track, spacing_ns: u64, rules: &Rules) -> Option<f32> {
    let wait_ns = later.first_ns.checked_sub(earlier.last_ns)?;
    // Half a distance: times are rounded to those of frames.
    let is_cut = wait_ns <= spacing_ns.saturating_add(spacing_ns / 2);
    if is_cut || wait_ns > rules.join_gap_ns {
        return None;
    }
    let (before, after) = (earlier.last_bbox, later.first_bbox);
    let (from, to) = (before.center(), after.center());
    let distance = (to.x - from.x).hypot(to.y - from.y) / ((before.h + after.h) / 2.0);
    let ratio = (before.h / after.h).max(after.h / before.h);
    // Boxes without a height have no distance and no ratio.
    let is_near = distance <= rules.join_distance && ratio <= rules.join_height_ratio;
    is_near.then_some(distance)
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;
    const SPACING_NS: u64 = S / 5;

    /// Seen from `first` to `last` in tenths of seconds, moving from `first_x` to `last_x`.
    fn track(first: u64, last: u64, first_x: f32, last_x: f32) -> Track {
        Track {
            first_ns: first * S / 10,
            last_ns: last * S / 10,
            first_bbox: Rect::new(first_x, 50.0, 80.0, 100.0),
            last_bbox: Rect::new(last_x, 50.0, 80.0, 100.0),
        }
    }

    fn joined(tracks: &[Track]) -> Vec<Vec<usize>> {
        join(tracks, SPACING_NS, &Rules::default())
    }

    #[test]
    fn who_comes_back_to_the_same_place_soon_is_the_same() {
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
        let never = Rules {
            join_gap_ns: 0,
            ..Rules::default()
        };
        let tracks = [left, track(150, 300, 30.0, 0.0)];
        assert_eq!(join(&tracks, SPACING_NS, &never), [[0], [1]]);
        assert_eq!(join(&tracks, 0, &never), [[0], [1]]);
    }

    #[test]
    fn a_face_of_another_size_is_another_one() {
        let mut near = track(150, 300, 30.0, 30.0);
        near.first_bbox = Rect::from_center(near.first_bbox.center(), 150.0, 160.0);
        assert_eq!(joined(&[track(0, 100, 30.0, 30.0), near]), [[0], [1]]);
        near.first_bbox.h = 0.0;
        assert_eq!(joined(&[track(0, 100, 30.0, 30.0), near]), [[0], [1]]);
        near.first_bbox.x = f32::NAN;
        assert_eq!(joined(&[track(0, 100, 30.0, 30.0), near]), [[0], [1]]);
    }

    #[test]
    fn the_nearest_is_joined_first_and_each_only_once() {
        // Two leave side by side; both come back, in the other order.
        let tracks = [
            track(0, 100, 0.0, 0.0),
            track(0, 100, 45.0, 45.0),
            track(140, 200, 40.0, 40.0),
            track(150, 200, 20.0, 20.0),
        ];
        assert_eq!(joined(&tracks), [[0, 3], [1, 2]]);
        // Only one comes back.
        assert_eq!(joined(&tracks[..3]), [vec![0], vec![1, 2]]);
    }

    #[test]
    fn tracks_that_cross_keep_apart() {
        let tracks = [track(0, 100, 0.0, 200.0), track(0, 100, 200.0, 0.0)];
        let back = [track(130, 200, 200.0, 0.0), track(130, 200, 0.0, 200.0)];
        assert_eq!(
            joined(&[tracks[0], tracks[1], back[0], back[1]]),
            [[0, 2], [1, 3]]
        );
    }

    #[test]
    fn a_cut_to_another_face_and_back_joins_those_before_and_after() {
        let shots = [
            track(0, 50, 30.0, 30.0),
            track(52, 80, 30.0, 30.0),
            track(82, 120, 30.0, 30.0),
            track(122, 150, 30.0, 30.0),
        ];
        assert_eq!(joined(&shots), [[0, 2], [1, 3]]);
    }

    #[test]
    fn persons_are_in_the_order_in_which_they_come() {
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
    fn a_crowd_at_one_place_is_joined_in_little_time() {
        let first = |_| track(0, 10, 30.0, 30.0);
        let second = |_| track(50, 60, 30.0, 30.0);
        let tracks: Vec<Track> = (0..50_000)
            .map(first)
            .chain((0..50_000).map(second))
            .collect();
        let persons = joined(&tracks);
        assert!(persons.len() < 100_000);
        assert_eq!(persons.iter().map(Vec::len).sum::<usize>(), 100_000);
    }
}
