// SPDX-License-Identifier: MPL-2.0

//! Parameters of the analysis.

use crate::baseline::BaselineParams;
use crate::frame::Frame;
use crate::settings;

/// Parameters of the analysis of a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Params {
    /// Long side of the detector's input, in pixels; 0 for as large as `min_face_size` requires.
    /// See [`settings::DETECTOR_SIZE`].
    pub detector_size: u32,
    /// Maximum time between two searches of the whole frame while all known faces are found in their
    /// surroundings; 0 to search the whole frame in each sample. See
    /// [`settings::DETECTION_INTERVAL_NS`].
    pub detection_interval_ns: u64,
    /// Minimum height of a face, in frame pixels. See [`settings::MIN_FACE_SIZE`].
    pub min_face_size: u32,
    /// Maximum number of tracked faces. See [`settings::MAX_FACES`].
    pub max_faces: u32,
    /// Minimum score of a detection, 0 to 1. See [`settings::DETECTION_THRESHOLD`].
    pub detection_threshold: f32,
    /// Maximum overlap of different faces, 0 to 1. See [`settings::OVERLAP_THRESHOLD`].
    pub overlap_threshold: f32,
    /// Minimum [confidence](super::Face::confidence) of a known attitude, 0 to 1. See
    /// [`settings::MIN_CONFIDENCE`].
    pub min_confidence: f32,
    /// Time constant of the smoothed scores; 0 for raw scores. See [`settings::SMOOTHING_NS`].
    pub smoothing_ns: u64,
    /// Time for which a track is kept without a detection. See [`settings::TRACK_TIMEOUT_NS`].
    pub track_timeout_ns: u64,
    /// Whether trends are computed. See [`settings::TREND`].
    pub has_trend: bool,
    /// The baselines of faces.
    pub baseline: BaselineParams,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            detector_size: settings::DETECTOR_SIZE.default,
            detection_interval_ns: settings::DETECTION_INTERVAL_NS.default,
            min_face_size: settings::MIN_FACE_SIZE.default,
            max_faces: settings::MAX_FACES.default,
            detection_threshold: settings::DETECTION_THRESHOLD.default,
            overlap_threshold: settings::OVERLAP_THRESHOLD.default,
            min_confidence: settings::MIN_CONFIDENCE.default,
            smoothing_ns: settings::SMOOTHING_NS.default,
            track_timeout_ns: settings::TRACK_TIMEOUT_NS.default,
            has_trend: true,
            baseline: BaselineParams::default(),
        }
    }
}

/// Minimum height of a face in the detector's input at which most faces are detected. The default
/// detector finds 80% of the faces of 24 to 32 px, and half of those of 16 to 24 px.
pub const DETECTABLE_FACE_PX: f32 = 24.0;

/// Minimum long side of the detector's input, in pixels.
const MIN_LONG_SIDE_PX: usize = 32;

impl Params {
    /// Returns the maximum long side of the detector's input for `frame`, in pixels.
    pub(super) fn detector_long_side(&self, frame: &Frame) -> usize {
        let long_side = if self.detector_size > 0 {
            self.detector_size as usize
        } else {
            let (displayed_width, displayed_height) = frame.displayed_size();
            let frame_long_side = displayed_width.max(displayed_height);
            let scale = DETECTABLE_FACE_PX / self.min_face_size.max(1) as f32;
            (frame_long_side * scale.min(1.0)).ceil() as usize
        };
        long_side.clamp(MIN_LONG_SIDE_PX, settings::DETECTOR_SIZE.max as usize)
    }
}
