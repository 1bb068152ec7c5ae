// SPDX-License-Identifier: MPL-2.0

//! Analysis of sampled frames: detection, tracking, cropping, classification and smoothing.

mod face;
mod face_finder;
mod mosaic;
mod params;
mod quality_meter;
mod track_state;

use std::time::{Duration, Instant};

use super::InferenceError;
use super::classification::{AttitudeClassifier, Classification, ClassifierInput};
use super::crop::{self, Cropper};
use super::detection::{Detection, FaceDetector};
use super::frame::Frame;
use super::pose::HeadPose;
use super::tracking::Tracker;
use super::trend::{Trend, TrendDetector};
use super::visibility::is_classifiable;
pub use face::Face;
use face_finder::{FaceFinder, FoundFaces};
pub use params::{DETECTABLE_FACE_PX, Params};
use quality_meter::QualityMeter;
use track_state::TrackState;

/// Maximum number of crops per call of the classifier.
const MAX_BATCH: usize = 64;

/// Identifies a continuous part of a stream. Tracks do not continue from one epoch to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Epoch {
    /// Number of the stream; in each stream, tracks are numbered from 1.
    pub stream: u32,
    /// Number of the part within the stream; a flush or a gap starts another part.
    pub part: u32,
}

/// A frame to analyze, with all inputs of the analysis except the networks.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// The pixels.
    pub frame: Frame<'a>,
    /// Running time of the frame.
    pub time_ns: u64,
    /// The epoch that the frame belongs to.
    pub epoch: Epoch,
    /// Faces that upstream elements have detected, in frame pixels; `None` if the detector is used.
    pub upstream: Option<&'a [Detection]>,
    /// The parameters of the analysis.
    pub params: &'a Params,
}

/// Durations of the parts of an analysis.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timings {
    /// Comparing the frame with previous ones, and scaling it, or the surroundings of known faces, to the
    /// detector's input.
    pub scaling: Duration,
    /// Running the detector and decoding its outputs.
    pub detection: Duration,
    /// Cropping the faces, and measuring their quality.
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
    /// Time after the last detection of a face at which its track ends.
    pub track_timeout_ns: u64,
    /// `true` if the detector searched the whole frame, `false` if only the surroundings of known faces,
    /// or upstream detected the faces.
    pub is_search: bool,
    /// `true` if there were more than [`Params::max_faces`] faces, so that some are missing.
    pub has_more_faces: bool,
    /// `true` if the detector found several faces, and most are so small in its input, less than
    /// [`DETECTABLE_FACE_PX`], that others of their size may be missing.
    pub has_small_faces: bool,
    /// Trend of the mean valence of the faces with a known attitude; `None` as for a
    /// [face](Face::trend). It continues across cuts.
    pub scene_trend: Option<Trend>,
    /// Durations of the parts of the analysis.
    pub timings: Timings,
}

/// Analyzes the sampled frames of one stream. Contains the state of the stream, and memory that is
/// reused for each sample; the networks are passed to each call.
#[derive(Debug, Default)]
pub struct Analyzer {
    finder: FaceFinder,
    detections: Vec<Detection>,
    tracker: Tracker<TrackState>,
    scene_trend: TrendDetector,
    epoch: Epoch,
    /// The faces in `crops`.
    cropped_faces: Vec<CroppedFace>,
    cropper: Cropper,
    /// The classifier's inputs, one after the other.
    crops: Vec<f32>,
    classifications: Vec<Classification>,
    quality_meter: QualityMeter,
}

/// A face that was cropped for the classifier.
#[derive(Clone, Copy, Debug)]
struct CroppedFace {
    /// Index of its track.
    track_index: usize,
    /// Quality of its picture, 0 to 1.
    quality: f32,
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
        self.set_epoch(sample.epoch);
        analysis.timings = Timings::default();
        let found = match (sample.upstream, detector) {
            (Some(upstream), _) => {
                self.detections.clear();
                let valid = upstream.iter().filter(|detection| detection.is_valid());
                let upright = valid.map(|detection| sample.frame.detection_upright(detection));
                self.detections.extend(upright);
                FoundFaces {
                    has_more_faces: face_finder::suppress(&mut self.detections, sample.params),
                    ..FoundFaces::default()
                }
            }
            (None, Some(detector)) => {
                let found = self.finder.find(
                    sample,
                    &self.tracker,
                    detector,
                    &mut self.detections,
                    &mut analysis.timings,
                )?;
                if found.is_cut {
                    self.tracker.end_all();
                }
                found
            }
            (None, None) => return Err(InferenceError("there is no face detector".to_owned())),
        };
        let (time_ns, params) = (sample.time_ns, sample.params);
        self.tracker.update(
            &self.detections,
            time_ns,
            params.track_timeout_ns,
            params.max_faces as usize,
        );
        self.classify(sample, classifier, &mut analysis.timings)?;
        analysis.scene_trend = self.end_sample(time_ns, params);
        self.copy_faces(&sample.frame, &mut analysis.faces);
        analysis.time_ns = time_ns;
        analysis.is_search = found.is_search;
        analysis.has_more_faces = found.has_more_faces;
        analysis.has_small_faces = found.has_small_faces;
        analysis.track_timeout_ns = self.tracker.timeout_ns();
        Ok(())
    }

    /// Resets the state if `epoch` is not that of the previous sample.
    fn set_epoch(&mut self, epoch: Epoch) {
        if epoch.stream != self.epoch.stream {
            *self = Self::default();
        } else if epoch.part != self.epoch.part {
            self.reset();
        }
        self.epoch = epoch;
    }

    /// Ends all tracks and discards the previous samples, as at a flush, a gap or a panic. Track ids are
    /// not reused.
    pub fn reset(&mut self) {
        self.tracker.restart();
        self.scene_trend = TrendDetector::default();
        self.finder.reset();
        // A panic may have left their weights of scaling incomplete.
        self.cropper = Cropper::default();
        self.quality_meter = QualityMeter::default();
    }

    /// Detects the faces of a single frame, without tracking and classification. Returns them in
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
        let mut timings = Timings::default();
        self.finder
            .search(frame, detector, params, &mut self.detections, &mut timings)?;
        for detection in &mut self.detections {
            *detection = frame.detection_in_frame(detection);
        }
        Ok(&self.detections)
    }

    /// Classifies the detected faces in as few batches as possible, and updates their tracks.
    fn classify(
        &mut self,
        sample: &Sample,
        classifier: &mut dyn AttitudeClassifier,
        timings: &mut Timings,
    ) -> Result<(), InferenceError> {
        let &Sample {
            ref frame,
            time_ns,
            params,
            ..
        } = sample;
        let started = Instant::now();
        let crop_len = self.crop(frame, time_ns, classifier.input());
        timings.crop = started.elapsed();

        let started = Instant::now();
        let batches = self.crops.chunks(crop_len * MAX_BATCH);
        for (crops, faces) in batches.zip(self.cropped_faces.chunks(MAX_BATCH)) {
            classifier.classify(crops, faces.len(), &mut self.classifications)?;
            for (face, &found) in faces.iter().zip(&self.classifications) {
                if found.is_valid() {
                    let state = &mut self.tracker.tracks_mut()[face.track_index].state;
                    state.classify(found, face.quality, time_ns, params);
                }
            }
        }
        timings.classification = started.elapsed();
        Ok(())
    }

    /// Replaces `crops` with the crops of the classifiable faces that were detected at `time_ns`,
    /// and measures their quality. Returns the number of elements of a crop.
    fn crop(&mut self, frame: &Frame, time_ns: u64, input: &ClassifierInput) -> usize {
        let size = (input.width, input.height);
        let crop_len = input.tensor_format.len(size.0, size.1);
        self.cropped_faces.clear();
        self.crops.clear();
        for (track_index, track) in self.tracker.tracks().iter().enumerate() {
            let displayed = track.detection.stretched(frame.upright_pixel_aspect());
            if track.observed_ns == time_ns && is_classifiable(&displayed, frame) {
                let transform =
                    crop::displayed_from_crop(&displayed, &input.framing, size.0, size.1);
                let start = self.crops.len();
                self.crops.resize(start + crop_len, 0.0);
                let crop = &mut self.crops[start..];
                self.cropper
                    .extract(frame, &transform, &input.tensor_format, size, crop);
                let quality = self.quality_meter.measure(frame, &displayed, input, crop);
                self.cropped_faces.push(CroppedFace {
                    track_index,
                    quality,
                });
            }
        }
        crop_len
    }

    /// Ends the sample at `time_ns`: discards classifications that are older than the track timeout,
    /// and updates the trends and baselines. Returns the trend of the scene.
    fn end_sample(&mut self, time_ns: u64, params: &Params) -> Option<Trend> {
        let timeout_ns = self.tracker.timeout_ns();
        let (mut sum, mut count) = (0.0, 0);
        for track in self.tracker.tracks_mut() {
            track.state.end_sample(time_ns, timeout_ns, params);
            if let Some(valence) = track.state.known_valence(time_ns) {
                sum += valence;
                count += 1;
            }
        }
        let valence = (count > 0).then(|| sum / count as f32);
        params
            .has_trend
            .then(|| self.scene_trend.push(time_ns, valence))
            .flatten()
    }

    /// Replaces `faces` with the live tracks.
    fn copy_faces(&self, frame: &Frame, faces: &mut Vec<Face>) {
        faces.clear();
        for track in self.tracker.tracks() {
            let displayed = track.detection.stretched(frame.upright_pixel_aspect());
            let in_frame = frame.detection_in_frame(&track.detection);
            faces.push(Face {
                track: track.id,
                bbox_in_frame: in_frame.bbox,
                velocity_per_s: frame.vector_in_frame(track.velocity_per_s),
                landmarks_in_frame: in_frame.landmarks,
                head_pose: displayed
                    .landmarks
                    .and_then(|landmarks| HeadPose::from_landmarks(&landmarks)),
                detection_score: track.detection.score,
                label: track.state.smoother.label(),
                scores: track.state.smoother.scores(),
                quality: track.state.smoother.quality(),
                raw_scores: track.state.raw_scores,
                emotions: track.state.smoother.emotions(),
                trend: track.state.trend,
                baseline: track.state.baseline_state,
                valence_change: track.state.valence_change,
                first_seen_ns: track.first_seen_ns,
                observed_ns: track.observed_ns,
                classified_ns: track.state.classified_ns,
            });
        }
    }
}

#[cfg(test)]
mod tests;
