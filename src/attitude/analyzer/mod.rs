// SPDX-License-Identifier: MPL-2.0

//! Analysis of a sampled frame: detection, tracking, crop, classification, smoothing.

use std::time::{Duration, Instant};

use super::InferenceError;
use super::classification::Emotions;
use super::classification::{AttitudeClassifier, Classification};
use super::crop;
use super::cut_detection::CutDetector;
use super::detection::{Detection, FaceDetector, suppress_overlaps};
use super::frame::Frame;
use super::geometry::{Landmarks, Point, Rect};
use super::preprocessing::{Letterbox, Resampler};
use super::settings;
use super::smoothing::Smoother;
use super::tracking::{Tracker, extrapolate};
use crate::{Label, Scores};

/// Settings of the analysis of a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Params {
    /// See [`settings::DETECTOR_SIZE`].
    pub detector_size: u32,
    /// See [`settings::MIN_FACE_SIZE`].
    pub min_face_size: u32,
    /// See [`settings::MAX_FACES`].
    pub max_faces: u32,
    /// See [`settings::DETECTION_THRESHOLD`].
    pub detection_threshold: f32,
    /// See [`settings::OVERLAP_THRESHOLD`].
    pub overlap_threshold: f32,
    /// See [`settings::MIN_CONFIDENCE`].
    pub min_confidence: f32,
    /// See [`settings::SMOOTHING_NS`].
    pub smoothing_ns: u64,
    /// See [`settings::TRACK_TIMEOUT_NS`].
    pub track_timeout_ns: u64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            detector_size: settings::DETECTOR_SIZE.default,
            min_face_size: settings::MIN_FACE_SIZE.default,
            max_faces: settings::MAX_FACES.default,
            detection_threshold: settings::DETECTION_THRESHOLD.default,
            overlap_threshold: settings::OVERLAP_THRESHOLD.default,
            min_confidence: settings::MIN_CONFIDENCE.default,
            smoothing_ns: settings::SMOOTHING_NS.default,
            track_timeout_ns: settings::TRACK_TIMEOUT_NS.default,
        }
    }
}

/// Minimum height of a detectable face in the detector's input. The default detector finds 80% of
/// the faces of 24 to 32 px, and half of those of 16 to 24 px.
const DETECTABLE_FACE_PX: f32 = 24.0;

/// Maximum number of crops per call of the classifier.
const MAX_BATCH: usize = 64;

impl Params {
    fn detector_long_side(&self, frame: &Frame) -> usize {
        let long_side = if self.detector_size > 0 {
            self.detector_size as usize
        } else {
            let shown_width = frame.width() as f32 * frame.pixel_aspect();
            let frame_side = shown_width.max(frame.height() as f32);
            let scale = DETECTABLE_FACE_PX / self.min_face_size.max(1) as f32;
            (frame_side * scale.min(1.0)).ceil() as usize
        };
        long_side.clamp(32, settings::DETECTOR_SIZE.max as usize)
    }
}

/// A tracked face, as of the analysed sample. Coordinates are in frame pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Face {
    /// Track id, from 1.
    pub track: u32,
    /// Bounding box of the last detection.
    pub bbox_in_frame: Rect,
    /// Velocity of the box's centre, in frame pixels per second.
    pub velocity_per_s: Point,
    /// Landmarks of the last detection; `None` if the detector has none.
    pub landmarks_in_frame: Option<Landmarks>,
    /// Score of the last detection, 0 to 1.
    pub detection_score: f32,
    /// The attitude, after smoothing.
    pub label: Label,
    /// Smoothed scores; `None` before the first classification.
    pub scores: Option<Scores>,
    /// Scores of the last classification, without smoothing.
    pub raw_scores: Option<Scores>,
    /// Smoothed probabilities of the classifier's emotions; empty before the first classification.
    pub emotions: Emotions,
    /// Running time of the first detection.
    pub first_seen_ns: u64,
    /// Running time of the last detection.
    pub observed_ns: u64,
    /// Running time of the last classification.
    pub classified_ns: Option<u64>,
}

impl Face {
    /// Returns the running time of the last classification or, before the first one, of the last
    /// detection.
    pub fn updated_ns(&self) -> u64 {
        self.classified_ns.unwrap_or(self.observed_ns)
    }

    /// Returns `true` if the face was classified in the sample at `time_ns`.
    pub fn is_classified_at(&self, time_ns: u64) -> bool {
        self.classified_ns == Some(time_ns)
    }

    /// Returns the smoothed score of the label, 0 to 1; 0 if the label is unknown.
    pub fn confidence(&self) -> f32 {
        match (self.label, self.scores) {
            (Label::Known(attitude), Some(scores)) => scores[attitude],
            _ => 0.0,
        }
    }

    /// Returns the box extrapolated to `time_ns` at constant velocity.
    pub fn bbox_at(&self, time_ns: u64) -> Rect {
        let age_ns = time_ns.saturating_sub(self.observed_ns);
        extrapolate(self.bbox_in_frame, self.velocity_per_s, age_ns)
    }

    /// Returns the landmarks extrapolated to `time_ns` with the box.
    pub(crate) fn landmarks_at(&self, time_ns: u64) -> Option<Landmarks> {
        let moved = self.bbox_at(time_ns);
        let (dx, dy) = (
            moved.x - self.bbox_in_frame.x,
            moved.y - self.bbox_in_frame.y,
        );
        let landmarks = self.landmarks_in_frame?;
        Some(landmarks.map(|p| Point::new(p.x + dx, p.y + dy)))
    }
}

/// The part of a stream that a frame belongs to. A frame has no relation to frames of another
/// epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Epoch {
    /// Number of the stream; in each stream, tracks are numbered from 1.
    pub stream: u32,
    /// Number of the part within the stream; a flush or a gap begins another part.
    pub part: u32,
}

/// A frame to analyze, with everything that its analysis depends on besides the networks.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// The pixels.
    pub frame: Frame<'a>,
    /// Running time of the frame.
    pub time_ns: u64,
    /// The epoch that the frame belongs to.
    pub epoch: Epoch,
    /// Faces that upstream has found, in frame pixels; `None` if the detector is to find them.
    pub upstream: Option<&'a [Detection]>,
    /// The parameters of the analysis.
    pub params: &'a Params,
}

/// Durations of the parts of an analysis.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timings {
    /// Scaling the frame into the detector's input.
    pub scaling: Duration,
    /// Running the detector and decoding its outputs.
    pub detection: Duration,
    /// Cropping the faces.
    pub crop: Duration,
    /// Running the classifier.
    pub classification: Duration,
}

/// The result of the analysis of a sample.
#[derive(Clone, Debug, Default)]
pub struct Analysis {
    /// Running time of the sampled frame.
    pub time_ns: u64,
    /// The tracked faces, sorted by track id.
    pub faces: Vec<Face>,
    /// Time after its last detection at which a face is no longer valid.
    pub track_timeout_ns: u64,
    /// Durations of the parts of the analysis.
    pub timings: Timings,
}

/// The state of a track.
#[derive(Clone, Debug, Default)]
struct TrackState {
    smoother: Smoother,
    raw_scores: Option<Scores>,
    classified_ns: Option<u64>,
}

/// Analyzes the sampled frames of one stream. Contains the state of the stream and memory that is
/// reused for each sample; the networks are passed to each call.
#[derive(Debug, Default)]
pub struct Analyzer {
    resampler: Resampler,
    picture: Vec<f32>,
    detections: Vec<Detection>,
    cuts: CutDetector,
    tracker: Tracker<TrackState>,
    epoch: Epoch,
    /// Indices of the tracks whose faces are in `crops`.
    cropped_tracks: Vec<usize>,
    crops: Vec<f32>,
    classifications: Vec<Classification>,
}

impl Analyzer {
    /// Analyzes `sample` and replaces the contents of `analysis`. A sample of another part of the
    /// stream ends all tracks; one of another stream discards all state. `detector` is not used if
    /// the sample has upstream detections, in which case cuts are not detected either.
    ///
    /// # Errors
    /// Returns an error if a network fails, or if there are neither a detector nor upstream
    /// detections. The state of the stream, and `analysis` except for its timings, are then those
    /// before the sample or before the classification.
    pub fn analyze(
        &mut self,
        sample: &Sample,
        detector: Option<&mut dyn FaceDetector>,
        classifier: &mut dyn AttitudeClassifier,
        analysis: &mut Analysis,
    ) -> Result<(), InferenceError> {
        self.enter(sample.epoch);
        analysis.timings = Timings::default();
        match (sample.upstream, detector) {
            (Some(upstream), _) => {
                self.detections.clear();
                let valid = upstream.iter().filter(|detection| detection.is_valid());
                self.detections.extend(valid);
                self.suppress(sample.params);
            }
            (None, Some(detector)) => {
                self.detect(
                    &sample.frame,
                    detector,
                    sample.params,
                    &mut analysis.timings,
                )?;
            }
            (None, None) => return Err(InferenceError("there is no face detector".to_owned())),
        }
        let (time_ns, params) = (sample.time_ns, sample.params);
        self.tracker.update(
            &self.detections,
            time_ns,
            params.track_timeout_ns,
            params.max_faces as usize,
        );
        self.classify(sample, classifier, &mut analysis.timings)?;
        self.report(time_ns, &mut analysis.faces);
        analysis.time_ns = time_ns;
        analysis.track_timeout_ns = self.tracker.timeout_ns();
        Ok(())
    }

    fn enter(&mut self, epoch: Epoch) {
        if epoch.stream != self.epoch.stream {
            *self = Self::default();
        } else if epoch.part != self.epoch.part {
            self.reset();
        }
        self.epoch = epoch;
    }

    /// Ends all tracks and discards the previous picture, as at a flush or a gap, and the tables
    /// that a panic may have left incomplete. Track ids are not reused.
    pub fn reset(&mut self) {
        self.tracker.restart();
        self.cuts.reset();
        self.resampler = Resampler::default();
    }

    /// Detects the faces of a single picture, without tracking or classification. Returns them in
    /// frame pixels, sorted by decreasing score.
    ///
    /// # Errors
    /// Returns an error if the detector fails.
    pub fn detect_faces(
        &mut self,
        frame: &Frame,
        detector: &mut dyn FaceDetector,
        params: &Params,
    ) -> Result<&[Detection], InferenceError> {
        self.detect(frame, detector, params, &mut Timings::default())?;
        Ok(&self.detections)
    }

    fn detect(
        &mut self,
        frame: &Frame,
        detector: &mut dyn FaceDetector,
        params: &Params,
        timings: &mut Timings,
    ) -> Result<(), InferenceError> {
        let started = Instant::now();
        let input = detector.input();
        let format = input.pixel_format;
        let letterbox = Letterbox::new(
            (frame.width(), frame.height()),
            frame.pixel_aspect(),
            input.size,
            params.detector_long_side(frame),
        );
        let (width, height) = (letterbox.input_width, letterbox.input_height);
        self.picture.resize(format.len(width, height), 0.0);
        self.resampler
            .scale(frame, &letterbox, &format, &mut self.picture);
        timings.scaling = started.elapsed();

        let started = Instant::now();
        detector.detect(
            &self.picture,
            width,
            height,
            params.detection_threshold,
            &mut self.detections,
        )?;
        if self.cuts.is_cut(&self.picture, &letterbox, &format) {
            self.tracker.end_all();
        }
        for detection in &mut self.detections {
            detection.bbox = letterbox.rect_in_frame(detection.bbox);
            let in_frame = |points: Landmarks| points.map(|p| letterbox.point_in_frame(p));
            detection.landmarks = detection.landmarks.map(in_frame);
        }
        self.suppress(params);
        timings.detection = started.elapsed();
        Ok(())
    }

    /// Removes faces that are too small and overlapping detections; sorts by decreasing score.
    fn suppress(&mut self, params: &Params) {
        self.detections
            .retain(|detection| detection.bbox.h >= params.min_face_size as f32);
        suppress_overlaps(
            &mut self.detections,
            params.overlap_threshold,
            params.max_faces as usize,
        );
    }

    fn classify(
        &mut self,
        sample: &Sample,
        classifier: &mut dyn AttitudeClassifier,
        timings: &mut Timings,
    ) -> Result<(), InferenceError> {
        let Sample {
            frame,
            time_ns,
            params,
            ..
        } = sample;
        let time_ns = *time_ns;
        let started = Instant::now();
        let input = classifier.input();
        let size = (input.width, input.height);
        let crop_len = input.pixel_format.len(size.0, size.1);
        self.cropped_tracks.clear();
        self.crops.clear();
        for (index, track) in self.tracker.tracks().iter().enumerate() {
            let displayed = track.detection.stretched(frame.pixel_aspect());
            if track.observed_ns == time_ns && crop::is_classifiable(&displayed, frame) {
                let transform =
                    crop::displayed_from_crop(&displayed, &input.framing, size.0, size.1);
                let start = self.crops.len();
                self.crops.resize(start + crop_len, 0.0);
                let crop = &mut self.crops[start..];
                crop::extract(frame, &transform, &input.pixel_format, size, crop);
                self.cropped_tracks.push(index);
            }
        }
        timings.crop = started.elapsed();

        let started = Instant::now();
        let batches = self.crops.chunks(crop_len * MAX_BATCH);
        for (crops, indices) in batches.zip(self.cropped_tracks.chunks(MAX_BATCH)) {
            classifier.classify(crops, indices.len(), &mut self.classifications)?;
            for (&index, &found) in indices.iter().zip(&self.classifications) {
                if found.is_valid() {
                    let state = &mut self.tracker.tracks_mut()[index].state;
                    state.smoother.update(
                        found,
                        time_ns,
                        params.smoothing_ns,
                        params.min_confidence,
                    );
                    state.raw_scores = Some(found.scores);
                    state.classified_ns = Some(time_ns);
                }
            }
        }
        timings.classification = started.elapsed();
        Ok(())
    }

    /// Copies all live tracks to `faces`. Classifications older than the track timeout are
    /// discarded.
    fn report(&mut self, time_ns: u64, faces: &mut Vec<Face>) {
        faces.clear();
        let timeout_ns = self.tracker.timeout_ns();
        for track in self.tracker.tracks_mut() {
            let is_stale = |classified_ns| time_ns.saturating_sub(classified_ns) >= timeout_ns;
            if track.state.classified_ns.is_some_and(is_stale) {
                track.state = TrackState::default();
            }
            faces.push(Face {
                track: track.id,
                bbox_in_frame: track.detection.bbox,
                velocity_per_s: track.velocity_per_s,
                landmarks_in_frame: track.detection.landmarks,
                detection_score: track.detection.score,
                label: track.state.smoother.label(),
                scores: track.state.smoother.scores(),
                raw_scores: track.state.raw_scores,
                emotions: track.state.smoother.emotions(),
                first_seen_ns: track.first_seen_ns,
                observed_ns: track.observed_ns,
                classified_ns: track.state.classified_ns,
            });
        }
    }
}

#[cfg(test)]
mod tests;
