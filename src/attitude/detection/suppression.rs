// SPDX-License-Identifier: MPL-2.0

//! Suppression of overlapping detections.

use super::Detection;
use crate::geometry::{Landmarks, Point, Rect};

/// Maximum number of candidates, which bounds the work if a network returns too many.
const MAX_CANDIDATES: usize = 2000;

/// Minimum sum of the scores of detections that are averaged. Products with smaller ones are rounded
/// to 0.
const MIN_WEIGHT_SUM: f32 = 1e-6;

/// Replaces groups of overlapping `candidates` with one face each; keeps the `max_faces` faces with
/// the highest scores, sorted by decreasing score, and drops invalid candidates. Returns `true` if
/// there are more faces.
///
/// This is blending non-maximum suppression (Bazarevsky et al., "BlazeFace: Sub-millisecond Neural
/// Face Detection on Mobile GPUs", 2019): the candidate with the highest score and all others that
/// overlap it by an IoU of more than `overlap_threshold` form a group. The face has the highest
/// score, and the means of the boxes and landmarks, weighted by their scores. The same is repeated
/// with the other candidates. Often, neighboring cells of a detector have similar scores, and
/// another one is the best in each frame; the mean box moves less than the best box.
pub(crate) fn suppress_overlaps(
    candidates: &mut Vec<Detection>,
    overlap_threshold: f32,
    max_faces: usize,
) -> bool {
    candidates.retain(Detection::is_valid);
    // A stable sort keeps the detector's order of equal scores, so that the result is reproducible.
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    candidates.truncate(MAX_CANDIDATES);
    // The vector starts with `face_count` faces; the remaining candidates follow up to `end`.
    let (mut face_count, mut end) = (0, candidates.len());
    while face_count < end && face_count < max_faces {
        let best = candidates[face_count];
        let mut group = Group::default();
        let mut kept_end = face_count + 1;
        for index in face_count..end {
            let candidate = candidates[index];
            let is_best = index == face_count;
            if is_best || candidate.bbox.iou(&best.bbox) > overlap_threshold {
                group.add(&candidate);
            } else {
                candidates[kept_end] = candidate;
                kept_end += 1;
            }
        }
        end = kept_end;
        candidates[face_count] = group.mean(&best);
        face_count += 1;
    }
    candidates.truncate(face_count);
    face_count < end
}

/// Sums over the detections of one face, weighted by their scores.
#[derive(Default)]
struct Group {
    count: usize,
    weight_sum: f32,
    /// Weighted sums of the coordinates of the boxes.
    bbox_sum: Rect,
    /// Sum of the scores of detections with landmarks.
    landmarks_weight_sum: f32,
    /// Weighted sums of the coordinates of the landmarks.
    landmarks_sum: Landmarks,
}

impl Group {
    fn add(&mut self, detection: &Detection) {
        let (weight, bbox) = (detection.score, &detection.bbox);
        self.count += 1;
        self.weight_sum += weight;
        self.bbox_sum.x += weight * bbox.x;
        self.bbox_sum.y += weight * bbox.y;
        self.bbox_sum.w += weight * bbox.w;
        self.bbox_sum.h += weight * bbox.h;
        if let Some(landmarks) = &detection.landmarks {
            self.landmarks_weight_sum += weight;
            for (sum, point) in self.landmarks_sum.iter_mut().zip(landmarks) {
                sum.x += weight * point.x;
                sum.y += weight * point.y;
            }
        }
    }

    /// Returns the mean with the score of `best`, or `best` if there is no other detection or the
    /// scores are too small.
    fn mean(&self, best: &Detection) -> Detection {
        if self.count == 1 || self.weight_sum < MIN_WEIGHT_SUM {
            return *best;
        }
        let factor = 1.0 / self.weight_sum;
        let Rect { x, y, w, h } = self.bbox_sum;
        let landmarks = self.landmarks_sum;
        Detection {
            bbox: Rect::new(x * factor, y * factor, w * factor, h * factor),
            score: best.score,
            landmarks: (self.landmarks_weight_sum >= MIN_WEIGHT_SUM).then(|| {
                let factor = 1.0 / self.landmarks_weight_sum;
                landmarks.map(|p| Point::new(p.x * factor, p.y * factor))
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detection(x: f32, score: f32) -> Detection {
        Detection {
            bbox: Rect::new(x, 0.0, 10.0, 10.0),
            score,
            landmarks: None,
        }
    }

    #[test]
    fn overlapping_candidates_become_one_face_with_the_mean_box() {
        let mut found = vec![
            detection(0.0, 0.7),
            detection(2.0, 0.9), // overlaps the first by 8/12
            detection(50.0, 0.6),
            detection(90.0, f32::NAN),
        ];
        assert!(!suppress_overlaps(&mut found, 0.4, 16));
        // (0.9 * 2 + 0.7 * 0) / 1.6
        let blended = detection(1.125, 0.9);
        assert_eq!(found.len(), 2);
        assert!((found[0].bbox.x - blended.bbox.x).abs() < 1e-5);
        assert_eq!((found[0].score, found[0].landmarks), (0.9, None));
        assert_eq!(found[1].bbox.x, 50.0);
        assert!(suppress_overlaps(&mut found, 0.4, 1));
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn the_mean_of_any_detections_is_valid() {
        let (tiny, huge) = (f32::from_bits(1), 3e38);
        for (x, score) in [
            (0.0, tiny),
            (0.0, 0.0),
            (huge, 1.0),
            (-huge, 1.0),
            (1e7, 1.0),
        ] {
            let mut found = vec![detection(x, score); 3];
            for detection in &mut found {
                detection.landmarks = Some([Point::new(x, huge / 2.0); 5]);
            }
            found.extend([detection(x, score); 3]);
            let _ = suppress_overlaps(&mut found, 0.4, 16);
            assert!(
                found.iter().all(Detection::is_valid),
                "{x} {score}: {found:?}"
            );
            assert_eq!(found.len(), usize::from(x.abs() < huge));
        }
    }
}
