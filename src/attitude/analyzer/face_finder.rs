// SPDX-License-Identifier: MPL-2.0

//! Finds the faces of a sample: the detector searches the whole frame from time to time, and between
//! these searches only the surroundings of known faces.

use std::time::Instant;

use super::mosaic::Mosaic;
use super::params::{DETECTABLE_FACE_PX, Params};
use super::track_state::TrackState;
use super::{Sample, Timings};
use crate::InferenceError;
use crate::detection::{Detection, FaceDetector, suppress_overlaps};
use crate::frame::Frame;
use crate::geometry::{Landmarks, Rect};
use crate::preprocessing::{FrameScaler, Letterbox};
use crate::scene::Signature;
use crate::tracking::Tracker;

/// Width and height of the surroundings of a face in which motion is that of the person, in sides of
/// its box.
const SURROUNDINGS: f32 = 3.0;

/// Finds the faces of the samples of one stream. Contains the state of the stream, and memory that is
/// reused for each sample.
#[derive(Debug, Default)]
pub(super) struct FaceFinder {
    scaler: FrameScaler,
    /// The detector's input for a whole frame.
    input: Vec<f32>,
    mosaic: Mosaic,
    /// The last sample.
    previous: Option<Signature>,
    /// The last sample that was searched as a whole.
    searched: Option<Search>,
}

/// A search of a whole frame.
#[derive(Clone, Copy, Debug)]
struct Search {
    /// Running time of the sample.
    time_ns: u64,
    signature: Signature,
    found: FoundFaces,
}

/// What is known about the faces of a sample.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FoundFaces {
    /// `true` if there is a cut between the previous sample and this one.
    pub is_cut: bool,
    /// `true` if the whole frame was searched.
    pub is_search: bool,
    /// `true` if there were more faces than [`Params::max_faces`] at the last search.
    pub has_more_faces: bool,
    /// `true` if there were several faces at the last search, and most were small in the detector's
    /// input.
    pub has_small_faces: bool,
}

impl FaceFinder {
    /// Discards the previous samples, as at a flush or a gap, and the weights of scaling, which a
    /// panic may have left incomplete.
    pub(super) fn reset(&mut self) {
        self.previous = None;
        self.searched = None;
        self.scaler = FrameScaler::default();
        self.mosaic = Mosaic::default();
    }

    /// Replaces `faces` with those of `sample`, in frame pixels of the upright picture. `tracker` has
    /// the known faces; if there is a cut, these are not searched for.
    ///
    /// # Errors
    /// Returns an error if the detector fails; the state is then that before the sample.
    pub(super) fn find(
        &mut self,
        sample: &Sample,
        tracker: &Tracker<TrackState>,
        detector: &mut dyn FaceDetector,
        faces: &mut Vec<Detection>,
        timings: &mut Timings,
    ) -> Result<FoundFaces, InferenceError> {
        let (frame, params) = (&sample.frame, sample.params);
        let started = Instant::now();
        let signature = Signature::new(frame);
        let is_cut = self
            .previous
            .is_some_and(|previous| signature.is_cut(&previous));
        timings.scaling = started.elapsed();

        let followed = match self.last_search_if_valid(sample, &signature, tracker) {
            Some(search) if !is_cut && self.can_follow(frame, params, tracker, detector) => self
                .follow(sample, tracker, detector, faces, timings)?
                .then_some(search.found),
            _ => None,
        };
        let found = match followed {
            Some(found) => FoundFaces {
                is_search: false,
                ..found
            },
            None => {
                let found = self.search(frame, detector, params, faces, timings)?;
                self.searched = Some(Search {
                    time_ns: sample.time_ns,
                    signature,
                    found,
                });
                found
            }
        };
        self.previous = Some(signature);
        Ok(FoundFaces { is_cut, ..found })
    }

    /// Returns the last search if its faces are still those of `sample`: all have been found since, the
    /// detection interval has not passed, and nothing moved elsewhere.
    fn last_search_if_valid(
        &self,
        sample: &Sample,
        signature: &Signature,
        tracker: &Tracker<TrackState>,
    ) -> Option<Search> {
        let search = self.searched?;
        let age_ns = sample.time_ns.saturating_sub(search.time_ns);
        let frame = &sample.frame;
        let surroundings = tracker.tracks().iter().map(|track| {
            let Rect { w, h, .. } = track.detection.bbox;
            let center = track.bbox_at(sample.time_ns).center();
            frame.rect_in_frame(Rect::from_center(
                center,
                SURROUNDINGS * w,
                SURROUNDINGS * h,
            ))
        });
        let size = (frame.width(), frame.height());
        let is_valid = age_ns < sample.params.detection_interval_ns
            && tracker.has_observed_all()
            && !signature.has_motion_outside(&search.signature, surroundings, size);
        is_valid.then_some(search)
    }

    /// Returns `true` if there are known faces, and searching their surroundings saves time.
    fn can_follow(
        &self,
        frame: &Frame,
        params: &Params,
        tracker: &Tracker<TrackState>,
        detector: &dyn FaceDetector,
    ) -> bool {
        let letterbox = letterbox(frame, detector, params);
        let whole_px = letterbox.input_width * letterbox.input_height;
        let known = tracker.tracks().len();
        known > 0 && Mosaic::pays_off(detector.input(), known, whole_px)
    }

    /// Searches the surroundings of known faces. Returns `true` if all were found.
    fn follow(
        &mut self,
        sample: &Sample,
        tracker: &Tracker<TrackState>,
        detector: &mut dyn FaceDetector,
        faces: &mut Vec<Detection>,
        timings: &mut Timings,
    ) -> Result<bool, InferenceError> {
        let (frame, params) = (&sample.frame, sample.params);
        let started = Instant::now();
        let known = tracker.tracks();
        let expected = known.iter().map(|track| track.bbox_at(sample.time_ns));
        let format = detector.input().tensor_format;
        self.mosaic.fill(frame, expected, &format);
        timings.scaling += started.elapsed();

        let started = Instant::now();
        self.mosaic
            .detect(frame, detector, params.detection_threshold, faces)?;
        suppress(faces, params);
        timings.detection = started.elapsed();
        Ok(faces.len() == known.len())
    }

    /// Searches the whole frame: replaces `faces`, in frame pixels of the upright picture, sorted by
    /// decreasing score.
    ///
    /// # Errors
    /// Returns an error if the detector fails.
    pub(super) fn search(
        &mut self,
        frame: &Frame,
        detector: &mut dyn FaceDetector,
        params: &Params,
        faces: &mut Vec<Detection>,
        timings: &mut Timings,
    ) -> Result<FoundFaces, InferenceError> {
        let started = Instant::now();
        let format = detector.input().tensor_format;
        let letterbox = letterbox(frame, detector, params);
        let (width, height) = (letterbox.input_width, letterbox.input_height);
        self.input.resize(format.len(width, height), 0.0);
        self.scaler
            .scale(frame, &letterbox, &format, &mut self.input);
        timings.scaling += started.elapsed();

        let started = Instant::now();
        detector.detect(
            &self.input,
            width,
            height,
            params.detection_threshold,
            faces,
        )?;
        for face in faces.iter_mut() {
            face.bbox = letterbox.rect_upright(face.bbox);
            let upright = |points: Landmarks| points.map(|p| letterbox.point_upright(p));
            face.landmarks = face.landmarks.map(upright);
        }
        let found = FoundFaces {
            is_cut: false,
            is_search: true,
            has_more_faces: suppress(faces, params),
            has_small_faces: has_small_faces(faces, &letterbox, frame),
        };
        timings.detection += started.elapsed();
        Ok(found)
    }
}

/// Returns the position of a whole frame in the detector's input.
fn letterbox(frame: &Frame, detector: &dyn FaceDetector, params: &Params) -> Letterbox {
    Letterbox::new(
        frame.upright_size(),
        frame.upright_pixel_aspect(),
        detector.input().size,
        params.detector_long_side(frame),
    )
}

/// Returns `true` if there are several faces, and most are small in the detector's input.
fn has_small_faces(faces: &[Detection], letterbox: &Letterbox, frame: &Frame) -> bool {
    let scale = letterbox.content_height as f32 / frame.upright_size().1 as f32;
    let is_small = |face: &&Detection| face.bbox.h * scale < DETECTABLE_FACE_PX;
    let small = faces.iter().filter(is_small).count();
    small > 1 && 2 * small > faces.len()
}

/// Removes small faces and overlapping ones, and sorts the others by decreasing score. Returns `true` if
/// there are more than [`Params::max_faces`], so that some were removed.
pub(super) fn suppress(faces: &mut Vec<Detection>, params: &Params) -> bool {
    faces.retain(|face| face.bbox.h >= params.min_face_size as f32);
    suppress_overlaps(faces, params.overlap_threshold, params.max_faces as usize)
}
