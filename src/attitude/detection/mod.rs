// SPDX-License-Identifier: MPL-2.0

//! Face detections and the trait of detectors.

mod decoding;
mod suppression;

use super::InferenceError;
use super::geometry::{Landmarks, Point, Rect};
use super::preprocessing::{InputSize, TensorFormat};
pub use decoding::{
    CENTER_MAP_CHANNELS, CellGrid, YunetLevel, decode_center_map, decode_ultraface,
    decode_yunet_level,
};
pub(crate) use suppression::suppress_overlaps;

/// A detected face. The coordinates of detectors are in pixels of their input, those of
/// upstream elements in frame pixels, those of the analysis and tracking in frame pixels of the
/// upright picture, and those of cropping in the displayed frame, which has square pixels, too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    /// Bounding box of the face.
    pub bbox: Rect,
    /// Score of the detector, 0 to 1.
    pub score: f32,
    /// Landmarks; `None` if the detector does not detect them.
    pub landmarks: Option<Landmarks>,
}

impl Detection {
    /// Converts the detection from upright frame pixels to the displayed frame, by multiplying
    /// horizontal coordinates by the pixel aspect ratio `pixel_aspect`.
    pub fn stretched(&self, pixel_aspect: f32) -> Self {
        let Rect { x, y, w, h } = self.bbox;
        let stretched = |p: Point| Point::new(p.x * pixel_aspect, p.y);
        Self {
            bbox: Rect::new(x * pixel_aspect, y, w * pixel_aspect, h),
            score: self.score,
            landmarks: self.landmarks.map(|landmarks| landmarks.map(stretched)),
        }
    }

    /// Returns `true` if all coordinates are valid, the score is from 0 to 1 and the box has an
    /// area.
    pub fn is_valid(&self) -> bool {
        (0.0..=1.0).contains(&self.score)
            && self.bbox.is_valid()
            && self.landmarks.iter().flatten().all(Point::is_valid)
    }
}

/// The input that a detector expects.
#[derive(Clone, Debug, PartialEq)]
pub struct DetectorInput {
    /// Accepted sizes.
    pub size: InputSize,
    /// `true` if an input of another size than before takes no longer, `false` if the execution provider
    /// compiles the network for each size.
    pub is_resizable: bool,
    /// Channels, their order in memory and their values.
    pub tensor_format: TensorFormat,
}

/// A network that detects faces.
pub trait FaceDetector: Send {
    /// Returns the input that [`detect`](Self::detect) expects.
    fn input(&self) -> &DetectorInput;

    /// Detects faces in `input`, a frame of `width` by `height` pixels that has been converted to
    /// the detector's tensor format. Replaces the contents of `candidates` with the faces with a
    /// score of at least `threshold`, in pixels of the input, without suppression of overlapping
    /// ones.
    ///
    /// # Errors
    /// Returns an error if the network fails or its output has an unexpected shape.
    fn detect(
        &mut self,
        input: &[f32],
        width: usize,
        height: usize,
        threshold: f32,
        candidates: &mut Vec<Detection>,
    ) -> Result<(), InferenceError>;
}
