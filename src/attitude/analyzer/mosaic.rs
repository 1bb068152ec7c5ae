// SPDX-License-Identifier: MPL-2.0

//! A detector's input made of the surroundings of known faces, one below the other.

use crate::InferenceError;
use crate::crop::Cropper;
use crate::detection::{Detection, DetectorInput, FaceDetector};
use crate::frame::Frame;
use crate::geometry::{Point, Rect, Similarity};
use crate::preprocessing::{InputSize, TensorFormat};

/// Side of a tile in pixels of the detector's input, a multiple of the strides of all detectors.
pub(super) const TILE_PX: usize = 96;

/// Side of a tile in longer sides of the box of its face: a face that moves by a quarter of its size
/// between two samples is still within its tile.
const TILE_PER_FACE: f32 = 1.6;

/// Minimum IoU of the box that is found in a tile and the expected box.
const MIN_IOU: f32 = 0.3;

/// Maximum share of the pixels of the input for the whole frame that a mosaic may have. A larger one
/// saves little, and misses new faces.
const MAX_SHARE_OF_INPUT: f32 = 0.75;

/// Finds known faces again in their surroundings only. Reuses its memory.
#[derive(Debug, Default)]
pub(super) struct Mosaic {
    tiles: Vec<Tile>,
    /// The tiles in the detector's tensor format, from top to bottom.
    input: Vec<f32>,
    /// One tile.
    pixels: Vec<f32>,
    candidates: Vec<Detection>,
    cropper: Cropper,
}

/// The surroundings of one face.
#[derive(Clone, Copy, Debug)]
struct Tile {
    /// Transform from pixels of the tile to the displayed frame.
    displayed_from_tile: Similarity,
    /// Expected box of the face, in the displayed frame.
    expected: Rect,
}

impl Mosaic {
    /// Returns `true` if `detector_input` accepts a mosaic of the surroundings of `faces` faces, and it is
    /// considerably smaller than the input for a whole frame, which has `whole_px` pixels.
    pub(super) fn pays_off(detector_input: &DetectorInput, faces: usize, whole_px: usize) -> bool {
        let accepts_tiles = match detector_input.size {
            InputSize::MultipleOf(multiple) => TILE_PX.is_multiple_of(multiple.max(1)),
            InputSize::Fixed { .. } => false,
        };
        let mosaic_px = (faces * TILE_PX * TILE_PX) as f32;
        accepts_tiles
            && detector_input.is_resizable
            && mosaic_px <= MAX_SHARE_OF_INPUT * whole_px as f32
    }

    /// Prepares the detector's input for the faces that are expected in the boxes `expected`, in frame
    /// pixels of the upright picture.
    pub(super) fn fill(
        &mut self,
        frame: &Frame,
        expected: impl Iterator<Item = Rect>,
        format: &TensorFormat,
    ) {
        let aspect = frame.upright_pixel_aspect();
        self.tiles.clear();
        self.tiles.extend(
            expected.map(|bbox| {
                Tile::around(Rect::new(bbox.x * aspect, bbox.y, bbox.w * aspect, bbox.h))
            }),
        );
        let tile_size = (TILE_PX, TILE_PX);
        let tile_count = self.tiles.len();
        self.input
            .resize(format.len(TILE_PX, tile_count * TILE_PX), 0.0);
        self.pixels.resize(format.len(TILE_PX, TILE_PX), 0.0);
        let plane_len = self.pixels.len() / format.plane_count();
        for (index, tile) in self.tiles.iter().enumerate() {
            let transform = &tile.displayed_from_tile;
            self.cropper
                .extract(frame, transform, format, tile_size, &mut self.pixels);
            for (plane, pixels) in self.pixels.chunks(plane_len).enumerate() {
                let start = (plane * tile_count + index) * plane_len;
                self.input[start..][..plane_len].copy_from_slice(pixels);
            }
        }
    }

    /// Replaces `found` with the faces that `detector` finds in the prepared input with a score of at
    /// least `threshold`, at most one per tile, in frame pixels of the upright picture of `frame`.
    ///
    /// # Errors
    /// Returns an error if the detector fails.
    pub(super) fn detect(
        &mut self,
        frame: &Frame,
        detector: &mut dyn FaceDetector,
        threshold: f32,
        found: &mut Vec<Detection>,
    ) -> Result<(), InferenceError> {
        detector.detect(
            &self.input,
            TILE_PX,
            self.tiles.len() * TILE_PX,
            threshold,
            &mut self.candidates,
        )?;
        found.clear();
        for (index, tile) in self.tiles.iter().enumerate() {
            let top = (index * TILE_PX) as f32;
            let rows = top..top + TILE_PX as f32;
            let in_tile = self
                .candidates
                .iter()
                .filter(|candidate| rows.contains(&candidate.bbox.center().y));
            let in_displayed = in_tile.map(|candidate| tile.displayed(candidate, top));
            let matching = in_displayed.filter(|face| face.bbox.iou(&tile.expected) >= MIN_IOU);
            let face = matching.max_by(|a, b| a.score.total_cmp(&b.score));
            found.extend(face.map(|face| face.stretched(1.0 / frame.upright_pixel_aspect())));
        }
        Ok(())
    }
}

impl Tile {
    /// Returns the surroundings of a face that is expected in `expected`, in the displayed frame.
    fn around(expected: Rect) -> Self {
        let side = TILE_PER_FACE * expected.w.max(expected.h);
        let center = expected.center();
        let corner = Point::new(center.x - side / 2.0, center.y - side / 2.0);
        Self {
            displayed_from_tile: Similarity::from_scale_and_origin(side / TILE_PX as f32, corner),
            expected,
        }
    }

    /// Converts a detection from pixels of the mosaic, in which this tile begins at the row `top`, to the
    /// displayed frame.
    fn displayed(&self, in_mosaic: &Detection, top: f32) -> Detection {
        let point = |p: Point| self.displayed_from_tile.apply(Point::new(p.x, p.y - top));
        let Rect { x, y, w, h } = in_mosaic.bbox;
        let scale = self.displayed_from_tile.scale();
        let corner = point(Point::new(x, y));
        Detection {
            bbox: Rect::new(corner.x, corner.y, w * scale, h * scale),
            score: in_mosaic.score,
            landmarks: in_mosaic.landmarks.map(|landmarks| landmarks.map(point)),
        }
    }
}
