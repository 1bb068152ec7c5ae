// SPDX-License-Identifier: MPL-2.0

//! Decoders for the outputs of known detector heads.

use super::Detection;
use crate::geometry::{Point, Rect};

/// The grid of cells of one level of a dense detector.
#[derive(Clone, Copy, Debug)]
pub struct CellGrid {
    /// Number of cells in a row.
    pub columns: usize,
    /// Number of rows.
    pub rows: usize,
    /// Side length of a cell in pixels of the detector's input.
    pub stride: f32,
}

/// Number of coordinates of a face per cell: offsets of the center (x, y), logarithms of width and
/// height, offsets (x, y) of five landmarks.
const COORDINATES: usize = BOX_COORDINATES + LANDMARK_COORDINATES;
const BOX_COORDINATES: usize = 4;
const LANDMARK_COORDINATES: usize = 10;

impl CellGrid {
    /// Returns the face of the cell with index `cell`, counted along the rows, in pixels of the
    /// detector's input. `coordinate` returns the coordinate with an index below [`COORDINATES`];
    /// offsets are relative to the top left corner of the cell, and lengths are in cells.
    fn face(&self, cell: usize, score: f32, coordinate: impl Fn(usize) -> f32) -> Detection {
        let (column, row) = ((cell % self.columns) as f32, (cell / self.columns) as f32);
        let point = |index: usize| {
            Point::new(
                (column + coordinate(index)) * self.stride,
                (row + coordinate(index + 1)) * self.stride,
            )
        };
        let length = |index: usize| coordinate(index).exp() * self.stride;
        Detection {
            bbox: Rect::from_center(point(0), length(2), length(3)),
            score,
            landmarks: Some(std::array::from_fn(|i| point(BOX_COORDINATES + 2 * i))),
        }
    }
}

/// Number of channels of a center map: the score and the coordinates of a face.
pub const CENTER_MAP_CHANNELS: usize = 1 + COORDINATES;

/// Decodes one level of a `center-maps` head and appends the faces with a score of at least
/// `threshold` to `candidates`, in pixels of the detector's input. `map` has the shape
/// ([`CENTER_MAP_CHANNELS`], rows, columns); its channels are the score, 0 to 1, the offsets of the
/// center (x, y), the logarithms of width and height, and the offsets (x, y) of five landmarks.
/// Offsets are relative to the top left corner of the cell; offsets and lengths are in cells.
///
/// # Panics
/// Panics if `map` is shorter.
pub fn decode_center_map(
    map: &[f32],
    grid: CellGrid,
    threshold: f32,
    candidates: &mut Vec<Detection>,
) {
    let cells = grid.columns * grid.rows;
    for (cell, &score) in map[..cells].iter().enumerate() {
        if score >= threshold {
            let coordinate = |index: usize| map[(1 + index) * cells + cell];
            candidates.push(grid.face(cell, score, coordinate));
        }
    }
}

/// The four outputs of one level of YuNet's head, with one row of numbers per cell.
#[derive(Clone, Copy, Debug)]
pub struct YunetLevel<'a> {
    /// Probability of a face; shape (cells, 1).
    pub cls: &'a [f32],
    /// Probability of an object; shape (cells, 1).
    pub obj: &'a [f32],
    /// Offsets of the center (x, y), and logarithms of width and height, in cells; shape (cells,
    /// 4).
    pub bbox: &'a [f32],
    /// Offsets (x, y) of five landmarks, in cells; shape (cells, 10).
    pub kps: &'a [f32],
}

/// Decodes one level of YuNet's head and appends the faces with a score of at least `threshold` to
/// `candidates`, in pixels of the detector's input. The score of a face, 0 to 1, is the geometric
/// mean of both probabilities (Wu, Peng and Yu, "YuNet: A Tiny Millisecond-level Face Detector",
/// 2023).
///
/// # Panics
/// Panics if `bbox` or `kps` have fewer rows than `cls` and `obj`.
pub fn decode_yunet_level(
    level: &YunetLevel,
    grid: CellGrid,
    threshold: f32,
    candidates: &mut Vec<Detection>,
) {
    for (cell, (&cls, &obj)) in level.cls.iter().zip(level.obj).enumerate() {
        let score = (cls.clamp(0.0, 1.0) * obj.clamp(0.0, 1.0)).sqrt();
        if score >= threshold {
            let bbox = &level.bbox[cell * BOX_COORDINATES..][..BOX_COORDINATES];
            let kps = &level.kps[cell * LANDMARK_COORDINATES..][..LANDMARK_COORDINATES];
            let coordinate = |index: usize| match index.checked_sub(BOX_COORDINATES) {
                None => bbox[index],
                Some(index) => kps[index],
            };
            candidates.push(grid.face(cell, score, coordinate));
        }
    }
}

/// Decodes UltraFace's outputs and appends the faces with a score of at least `threshold` to
/// `candidates`, in pixels of the detector's input of `width` by `height` pixels. The faces have no
/// landmarks. `scores` has the shape (anchors, 2): probabilities of background and face; `boxes`
/// has the shape (anchors, 4): left, top, right and bottom edge as fractions of the input's sides.
pub fn decode_ultraface(
    scores: &[f32],
    boxes: &[f32],
    (width, height): (usize, usize),
    threshold: f32,
    candidates: &mut Vec<Detection>,
) {
    let (width, height) = (width as f32, height as f32);
    let (scores, _) = scores.as_chunks();
    let (boxes, _) = boxes.as_chunks();
    for (&[_background, score], &[left, top, right, bottom]) in scores.iter().zip(boxes) {
        if score >= threshold {
            candidates.push(Detection {
                bbox: Rect::new(
                    left * width,
                    top * height,
                    (right - left) * width,
                    (bottom - top) * height,
                ),
                score,
                landmarks: None,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_center_map_is_decoded_in_pixels() {
        let grid = CellGrid {
            columns: 2,
            rows: 2,
            stride: 16.0,
        };
        let mut map = vec![0.0; CENTER_MAP_CHANNELS * 4];
        let cell = 3; // column 1, row 1
        let mut set = |channel: usize, value: f32| map[channel * 4 + cell] = value;
        set(0, 0.9); // score
        set(1, 0.5); // center x = (1 + 0.5) * 16
        set(2, 0.25); // center y = (1 + 0.25) * 16
        set(3, 2f32.ln()); // width = 32
        set(5, -0.5); // left eye x = (1 - 0.5) * 16
        let mut found = Vec::new();
        decode_center_map(&map, grid, 0.5, &mut found);
        assert_eq!(found.len(), 1);
        let face = found[0];
        assert_eq!(face.bbox.center(), Point::new(24.0, 20.0));
        assert!((face.bbox.w - 32.0).abs() < 1e-4 && (face.bbox.h - 16.0).abs() < 1e-4);
        assert_eq!(face.landmarks.unwrap()[0], Point::new(8.0, 16.0));
    }

    #[test]
    fn yunets_score_is_the_geometric_mean() {
        let grid = CellGrid {
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
        decode_yunet_level(&level, grid, 0.6, &mut found);
        assert!((found[0].score - 0.63).abs() < 1e-6);
        assert_eq!(found[0].bbox, Rect::new(0.0, 0.0, 8.0, 8.0));
        assert_eq!(found[0].landmarks.unwrap()[4], Point::new(8.0, 8.0));
        found.clear();
        decode_yunet_level(&level, grid, 0.7, &mut found);
        assert!(found.is_empty());
    }

    #[test]
    fn ultraface_boxes_are_fractions() {
        let mut found = Vec::new();
        let boxes = [0.25, 0.5, 0.75, 1.0, 0.0, 0.0, 1.0, 1.0];
        decode_ultraface(&[0.1, 0.9, 0.8, 0.2], &boxes, (320, 240), 0.5, &mut found);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].bbox, Rect::new(80.0, 120.0, 160.0, 120.0));
    }
}
