// SPDX-License-Identifier: MPL-2.0

//! Face detections: the trait of detectors, decoders for the outputs of known detector heads, and
//! suppression of overlapping candidates.

use super::InferenceError;
use super::geometry::{Landmarks, Point, Rect};
use super::preprocessing::{InputSize, PixelFormat};

/// A detected face. The coordinate space is documented where a detection is used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    /// Bounding box of the face.
    pub bbox: Rect,
    /// Score of the detector, 0 to 1.
    pub score: f32,
    /// Landmarks; `None` if the detector has none.
    pub landmarks: Option<Landmarks>,
}

impl Detection {
    /// Returns the detection in the frame as it is displayed, with pixels that are `pixel_aspect`
    /// times as wide as high.
    pub fn stretched(&self, pixel_aspect: f32) -> Self {
        let Rect { x, y, w, h } = self.bbox;
        let stretched = |p: Point| Point::new(p.x * pixel_aspect, p.y);
        Self {
            bbox: Rect::new(x * pixel_aspect, y, w * pixel_aspect, h),
            score: self.score,
            landmarks: self.landmarks.map(|landmarks| landmarks.map(stretched)),
        }
    }

    /// Returns `true` if all coordinates are finite, the score is from 0 to 1 and the box has an
    /// area.
    pub fn is_valid(&self) -> bool {
        let points = self.landmarks.iter().flatten();
        (0.0..=1.0).contains(&self.score)
            && self.bbox.is_valid()
            && points
                .into_iter()
                .all(|p| p.x.is_finite() && p.y.is_finite())
    }
}

/// The input that a detector expects.
#[derive(Clone, Debug, PartialEq)]
pub struct DetectorInput {
    /// Accepted sizes.
    pub size: InputSize,
    /// Channels, their order in memory and their values.
    pub pixel_format: PixelFormat,
}

/// A network that detects faces.
pub trait FaceDetector: Send {
    /// Returns the input that [`detect`](Self::detect) expects.
    fn input(&self) -> &DetectorInput;

    /// Detects faces in a picture of `width` by `height` pixels. Replaces the contents of
    /// `candidates` by the faces with a score of at least `threshold`, in pixels of the picture,
    /// without suppression of overlapping ones.
    ///
    /// # Errors
    /// Returns an error if the network fails or its output has an unexpected shape.
    fn detect(
        &mut self,
        picture: &[f32],
        width: usize,
        height: usize,
        threshold: f32,
        candidates: &mut Vec<Detection>,
    ) -> Result<(), InferenceError>;
}

/// The grid of one level of a dense detector: `columns` by `rows` cells of `stride` pixels.
#[derive(Clone, Copy, Debug)]
pub struct Grid {
    /// Number of cells in a row.
    pub columns: usize,
    /// Number of rows.
    pub rows: usize,
    /// Side length of a cell in pixels of the input.
    pub stride: f32,
}

/// Number of channels of a center map: score, centre x and y, log width and height, five landmarks.
pub const CENTER_MAP_CHANNELS: usize = 15;

/// Decodes one level of a `center-maps` head and appends its faces to `candidates`. `map` has the
/// shape (`CENTER_MAP_CHANNELS`, rows, columns): score, 0 to 1; centre and landmarks as offsets
/// from the corner of the cell, in cells; logarithms of width and height in cells.
pub fn read_center_map(map: &[f32], grid: Grid, threshold: f32, candidates: &mut Vec<Detection>) {
    let cells = grid.columns * grid.rows;
    for (cell, &score) in map[..cells].iter().enumerate() {
        if score < threshold || score.is_nan() {
            continue;
        }
        let value = |channel: usize| map[channel * cells + cell];
        let (column, row) = ((cell % grid.columns) as f32, (cell / grid.columns) as f32);
        let point = |channel: usize| {
            Point::new(
                (column + value(channel)) * grid.stride,
                (row + value(channel + 1)) * grid.stride,
            )
        };
        candidates.push(Detection {
            bbox: Rect::from_center(
                point(1),
                value(3).exp() * grid.stride,
                value(4).exp() * grid.stride,
            ),
            score,
            landmarks: Some(std::array::from_fn(|i| point(5 + 2 * i))),
        });
    }
}

/// The four outputs of one level of YuNet's head, with one row of numbers per cell.
#[derive(Clone, Copy, Debug)]
pub struct YunetLevel<'a> {
    /// Probability of a face; shape (cells, 1).
    pub cls: &'a [f32],
    /// Probability of an object; shape (cells, 1).
    pub obj: &'a [f32],
    /// Offset of the centre and logarithms of width and height, in cells; shape (cells, 4).
    pub bbox: &'a [f32],
    /// Offsets of five landmarks, in cells; shape (cells, 10).
    pub kps: &'a [f32],
}

/// Decodes one level of YuNet's head and appends its faces to `candidates`. The score of a face is
/// the geometric mean of both probabilities (Wu, Peng and Yu, "YuNet: A Tiny Millisecond-level Face
/// Detector", 2023).
pub fn read_yunet(level: &YunetLevel, grid: Grid, threshold: f32, candidates: &mut Vec<Detection>) {
    for (cell, (&cls, &obj)) in level.cls.iter().zip(level.obj).enumerate() {
        let score = (cls.clamp(0.0, 1.0) * obj.clamp(0.0, 1.0)).sqrt();
        if score < threshold || score.is_nan() {
            continue;
        }
        let (column, row) = ((cell % grid.columns) as f32, (cell / grid.columns) as f32);
        let point =
            |x: f32, y: f32| Point::new((column + x) * grid.stride, (row + y) * grid.stride);
        let bbox = &level.bbox[cell * 4..][..4];
        let kps = &level.kps[cell * 10..][..10];
        candidates.push(Detection {
            bbox: Rect::from_center(
                point(bbox[0], bbox[1]),
                bbox[2].exp() * grid.stride,
                bbox[3].exp() * grid.stride,
            ),
            score,
            landmarks: Some(std::array::from_fn(|i| point(kps[2 * i], kps[2 * i + 1]))),
        });
    }
}

/// Decodes UltraFace's outputs and appends its faces, which have no landmarks, to `candidates`.
/// `scores` has the shape (anchors, 2): background and face; `boxes` has the shape (anchors, 4):
/// left, top, right and bottom as fractions of the input of `width` by `height` pixels.
pub fn read_ultraface(
    scores: &[f32],
    boxes: &[f32],
    (width, height): (usize, usize),
    threshold: f32,
    candidates: &mut Vec<Detection>,
) {
    let (width, height) = (width as f32, height as f32);
    for (scores, edges) in scores.chunks_exact(2).zip(boxes.chunks_exact(4)) {
        if scores[1] >= threshold {
            candidates.push(Detection {
                bbox: Rect::new(
                    edges[0] * width,
                    edges[1] * height,
                    (edges[2] - edges[0]) * width,
                    (edges[3] - edges[1]) * height,
                ),
                score: scores[1],
                landmarks: None,
            });
        }
    }
}

/// Maximum number of candidates, which bounds the work if a network returns too many.
const MAX_CANDIDATES: usize = 2000;

/// Blending non-maximum suppression. Replaces each candidate with the highest score, and those that
/// overlap it by an IoU of more than `overlap_threshold`, by one face with the mean of their boxes
/// and landmarks, weighted by their scores. Keeps the `max_faces` faces with the highest scores,
/// sorted by score, and drops invalid candidates.
///
/// Neighbouring cells of a detector often have similar scores, and the best cell changes between
/// frames; unlike its box, the mean does not jump (Bazarevsky et al., "BlazeFace: Sub-millisecond
/// Neural Face Detection on Mobile GPUs", 2019).
pub(crate) fn suppress_overlaps(
    candidates: &mut Vec<Detection>,
    overlap_threshold: f32,
    max_faces: usize,
) {
    candidates.retain(Detection::is_valid);
    // A stable sort keeps the detector's order of equal scores, so that the result is reproducible.
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    candidates.truncate(MAX_CANDIDATES);
    // Kept faces replace candidates that have been processed.
    let (mut kept, mut left) = (0, candidates.len());
    while kept < left && kept < max_faces {
        let best = candidates[kept];
        let mut blend = Blend::default();
        let mut next = kept;
        for index in kept..left {
            let candidate = candidates[index];
            let is_best = index == kept;
            if is_best || candidate.bbox.iou(&best.bbox) > overlap_threshold {
                blend.add(&candidate);
            } else {
                next += 1;
                candidates[next] = candidate;
            }
        }
        left = next + 1;
        candidates[kept] = blend.mean(&best);
        kept += 1;
    }
    candidates.truncate(kept);
}

/// Weighted sums of the detections of one face.
#[derive(Default)]
struct Blend {
    count: usize,
    weight: f32,
    bbox: Rect,
    landmarks_weight: f32,
    landmarks: Landmarks,
}

impl Blend {
    fn add(&mut self, detection: &Detection) {
        let (weight, bbox) = (detection.score, &detection.bbox);
        self.count += 1;
        self.weight += weight;
        self.bbox.x += weight * bbox.x;
        self.bbox.y += weight * bbox.y;
        self.bbox.w += weight * bbox.w;
        self.bbox.h += weight * bbox.h;
        if let Some(landmarks) = &detection.landmarks {
            self.landmarks_weight += weight;
            for (sum, point) in self.landmarks.iter_mut().zip(landmarks) {
                sum.x += weight * point.x;
                sum.y += weight * point.y;
            }
        }
    }

    /// Returns the mean with the score of `best`, or `best` if there is no other detection or all
    /// weights are 0.
    fn mean(&self, best: &Detection) -> Detection {
        if self.count == 1 || self.weight <= 0.0 {
            return *best;
        }
        let share = 1.0 / self.weight;
        let sum = &self.bbox;
        let landmarks = self.landmarks;
        Detection {
            bbox: Rect::new(sum.x * share, sum.y * share, sum.w * share, sum.h * share),
            score: best.score,
            landmarks: (self.landmarks_weight > 0.0).then(|| {
                let share = 1.0 / self.landmarks_weight;
                landmarks.map(|p| Point::new(p.x * share, p.y * share))
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
    fn a_center_map_is_decoded_in_pixels() {
        let grid = Grid {
            columns: 2,
            rows: 2,
            stride: 16.0,
        };
        let mut map = vec![0.0; CENTER_MAP_CHANNELS * 4];
        let cell = 3; // column 1, row 1
        map[cell] = 0.9;
        map[4 + cell] = 0.5; // centre x = (1 + 0.5) * 16
        map[8 + cell] = 0.25; // centre y = (1 + 0.25) * 16
        map[12 + cell] = 2f32.ln(); // width = 32
        map[5 * 4 + cell] = -0.5; // the first eye's x = 8
        let mut found = Vec::new();
        read_center_map(&map, grid, 0.5, &mut found);
        assert_eq!(found.len(), 1);
        let face = found[0];
        assert_eq!(face.bbox.center(), Point::new(24.0, 20.0));
        assert!((face.bbox.w - 32.0).abs() < 1e-4 && (face.bbox.h - 16.0).abs() < 1e-4);
        assert_eq!(face.landmarks.unwrap()[0], Point::new(8.0, 16.0));
    }

    #[test]
    fn yunets_score_is_the_geometric_mean() {
        let grid = Grid {
            columns: 1,
            rows: 1,
            stride: 8.0,
        };
        let level = YunetLevel {
            cls: &[0.81],
            obj: &[0.49],
            bbox: &[0.5, 0.5, 0.0, 0.0],
            kps: &[1.0; 10],
        };
        let mut found = Vec::new();
        read_yunet(&level, grid, 0.6, &mut found);
        assert!((found[0].score - 0.63).abs() < 1e-6);
        assert_eq!(found[0].bbox, Rect::new(0.0, 0.0, 8.0, 8.0));
        assert_eq!(found[0].landmarks.unwrap()[4], Point::new(8.0, 8.0));
        found.clear();
        read_yunet(&level, grid, 0.7, &mut found);
        assert!(found.is_empty());
    }

    #[test]
    fn ultraface_boxes_are_fractions() {
        let mut found = Vec::new();
        let boxes = [0.25, 0.5, 0.75, 1.0, 0.0, 0.0, 1.0, 1.0];
        read_ultraface(&[0.1, 0.9, 0.8, 0.2], &boxes, (320, 240), 0.5, &mut found);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].bbox, Rect::new(80.0, 120.0, 160.0, 120.0));
    }

    #[test]
    fn overlapping_candidates_become_one_face_with_the_mean_box() {
        let mut found = vec![
            detection(0.0, 0.7),
            detection(2.0, 0.9), // overlaps the first by 8/12
            detection(50.0, 0.6),
            detection(90.0, f32::NAN),
        ];
        suppress_overlaps(&mut found, 0.4, 16);
        // (0.9 * 2 + 0.7 * 0) / 1.6
        let blended = detection(1.125, 0.9);
        assert_eq!(found.len(), 2);
        assert!((found[0].bbox.x - blended.bbox.x).abs() < 1e-5);
        assert_eq!((found[0].score, found[0].landmarks), (0.9, None));
        assert_eq!(found[1].bbox.x, 50.0);
        suppress_overlaps(&mut found, 0.4, 1);
        assert_eq!(found.len(), 1);
    }
}
