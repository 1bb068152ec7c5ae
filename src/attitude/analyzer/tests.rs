// SPDX-License-Identifier: MPL-2.0

//! Tests of the analysis with networks that return prepared results.

use std::sync::LazyLock;

use super::*;
use crate::baseline::{BaselineMode, BaselineParams};
use crate::clock::NS_PER_MS as MS;
use crate::crop::Framing;
use crate::detection::DetectorInput;
use crate::geometry::{Point, Rect};
use crate::orientation::Orientation;
use crate::preprocessing::{InputSize, TensorFormat};
use crate::{Label, Scores};

mod continuity;
mod following;
mod quality;
mod trend_and_baseline;

const POSITIVE: Scores = Scores::from_array([1.0, 0.0, 0.0]);
const NEUTRAL: Scores = Scores::from_array([0.0, 1.0, 0.0]);
const NEGATIVE: Scores = Scores::from_array([0.0, 0.0, 1.0]);

/// Parameters without smoothing, so that the label follows each classification.
const PARAMS: Params = Params {
    detector_size: 320,
    detection_interval_ns: 0,
    min_face_size: 24,
    max_faces: 16,
    detection_threshold: 0.5,
    overlap_threshold: 0.4,
    min_confidence: 0.4,
    smoothing_ns: 0,
    track_timeout_ns: 1_000 * MS,
    has_trend: true,
    baseline: BaselineParams {
        mode: BaselineMode::Off,
        learning_ns: 20_000 * MS,
        generation: 0,
    },
};

/// A detector that returns a prepared result.
struct ScriptedDetector {
    input: DetectorInput,
    result: Result<Vec<Detection>, InferenceError>,
}

impl FaceDetector for ScriptedDetector {
    fn input(&self) -> &DetectorInput {
        &self.input
    }

    fn detect(
        &mut self,
        input: &[f32],
        width: usize,
        height: usize,
        _threshold: f32,
        candidates: &mut Vec<Detection>,
    ) -> Result<(), InferenceError> {
        assert_eq!(input.len(), width * height);
        candidates.clone_from(&self.result.clone()?);
        Ok(())
    }
}

/// A classifier that returns prepared scores for each crop, and records the sizes of batches.
struct ScriptedClassifier {
    input: ClassifierInput,
    result: Result<Scores, InferenceError>,
    face: Option<f32>,
    batches: Vec<usize>,
}

impl AttitudeClassifier for ScriptedClassifier {
    fn input(&self) -> &ClassifierInput {
        &self.input
    }

    fn model_name(&self) -> &str {
        "scripted"
    }

    fn emotion_labels(&self) -> &[String] {
        &[]
    }

    fn classify(
        &mut self,
        crops: &[f32],
        batch: usize,
        found: &mut Vec<Classification>,
    ) -> Result<(), InferenceError> {
        let ClassifierInput { width, height, .. } = self.input;
        assert_eq!(
            crops.len(),
            batch * self.input.tensor_format.len(width, height)
        );
        self.batches.push(batch);
        let classification = Classification {
            face: self.face,
            ..self.result.clone()?.into()
        };
        *found = vec![classification; batch];
        Ok(())
    }
}

/// A stream with networks whose results the test sets.
struct Stream {
    analyzer: Analyzer,
    detector: ScriptedDetector,
    classifier: ScriptedClassifier,
    params: Params,
    epoch: Epoch,
    analysis: Analysis,
}

impl Default for Stream {
    fn default() -> Self {
        Self {
            analyzer: Analyzer::default(),
            detector: ScriptedDetector {
                input: DetectorInput {
                    size: InputSize::MultipleOf(32),
                    is_resizable: true,
                    tensor_format: TensorFormat::LUMA,
                },
                result: Ok(Vec::new()),
            },
            classifier: ScriptedClassifier {
                input: ClassifierInput {
                    width: 4,
                    height: 4,
                    tensor_format: TensorFormat::LUMA,
                    framing: Framing {
                        box_height: 1.0,
                        box_center: Point::default(),
                        landmarks: None,
                    },
                },
                face: None,
                result: Ok(NEUTRAL),
                batches: Vec::new(),
            },
            params: PARAMS,
            epoch: Epoch::default(),
            analysis: Analysis::default(),
        }
    }
}

impl Stream {
    /// Analyzes `frame` at `time_ms`.
    fn analyze(&mut self, frame: &Frame, time_ms: u64) -> Result<&[Face], InferenceError> {
        let sample = Sample {
            frame: *frame,
            time_ns: time_ms * MS,
            epoch: self.epoch,
            upstream: None,
            params: &self.params,
        };
        self.analyzer.analyze(
            &sample,
            Some(&mut self.detector),
            &mut self.classifier,
            &mut self.analysis,
        )?;
        Ok(&self.analysis.faces)
    }

    /// Analyzes [`WAVES`] at `time_ms`, in which the detector finds `found`.
    fn sample(&mut self, time_ms: u64, found: &[Detection]) -> &[Face] {
        self.detector.result = Ok(found.to_vec());
        let frame = Frame::from_luma(640, 360, &WAVES).unwrap();
        self.analyze(&frame, time_ms).unwrap()
    }
}

/// Luma of a frame of 640x360 px in which a face of 80x80 px has a high quality wherever it is.
static WAVES: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let wave = |position: usize| (position as f32 * std::f32::consts::TAU / 17.0).sin();
    let luma = |i: usize| 128.0 + 40.0 * (wave(i % 640) + wave(i / 640));
    (0..640 * 360).map(|i| luma(i) as u8).collect()
});

/// A face of 40x40 px in the detector's input, which is 80x80 px in a frame of 640x360 px.
fn face_at(x: f32, y: f32) -> Detection {
    Detection {
        bbox: Rect::new(x, y, 40.0, 40.0),
        score: 0.9,
        landmarks: None,
    }
}

/// The same face with landmarks, frontal or turned away.
fn posed(face: Detection, is_turned_away: bool) -> Detection {
    let nose_x = if is_turned_away { 34.0 } else { 20.0 };
    let (xs, ys) = (
        [10.0, 30.0, nose_x, 13.0, 27.0],
        [12.0, 12.0, 22.0, 32.0, 32.0],
    );
    let point = |i: usize| Point::new(face.bbox.x + xs[i], face.bbox.y + ys[i]);
    Detection {
        landmarks: Some(std::array::from_fn(point)),
        ..face
    }
}

/// Returns 500 faces of 24x24 px in the frame, with little overlap.
fn crowd() -> Vec<Detection> {
    let bbox = |i: usize| Rect::new((i % 25) as f32 * 12.0, (i / 25) as f32 * 9.0, 12.0, 12.0);
    let face = |i| Detection {
        bbox: bbox(i),
        ..face_at(0.0, 0.0)
    };
    (0..500).map(face).collect()
}

#[test]
fn a_face_keeps_one_track_and_its_scores_are_smoothed() {
    let mut stream = Stream::default();
    stream.params.smoothing_ns = 500 * MS;
    stream.classifier.result = Ok(POSITIVE);
    let face = stream.sample(0, &[face_at(10.0, 20.0)])[0];
    assert_eq!((face.track, face.scores), (1, Some(POSITIVE)));
    stream.classifier.result = Ok(NEGATIVE);
    let faces = stream.sample(500, &[face_at(12.0, 20.0)]);
    assert_eq!(faces.len(), 1);
    let face = faces[0];
    assert_eq!((face.track, face.raw_scores), (1, Some(NEGATIVE)));
    assert!((face.scores.unwrap().positive - (-1f32).exp()).abs() < 1e-4);
    assert_eq!(face.label, Label::NEGATIVE);
    let expected = face.scores.unwrap().negative * face.quality.unwrap();
    assert_eq!(face.confidence(), expected);
    assert!((0.55..0.632).contains(&expected), "{expected}");
    assert_eq!(face.classified_ns, Some(500 * MS));
}

#[test]
fn positions_are_in_pixels_of_the_frame() {
    let mut stream = Stream::default();
    let face = stream.sample(0, &[posed(face_at(10.0, 20.0), false)])[0];
    assert_eq!(face.bbox_in_frame, Rect::new(20.0, 40.0, 80.0, 80.0));
    assert_eq!(face.landmarks_in_frame.unwrap()[0], Point::new(40.0, 64.0));
}

#[test]
fn the_valence_is_smoothed_like_the_scores() {
    let mut stream = Stream::default();
    stream.params.smoothing_ns = 500 * MS;
    let cut_off = stream.sample(0, &[face_at(-20.0, 20.0)])[0];
    assert_eq!(cut_off.valence(), None);
    stream.classifier.result = Ok(POSITIVE);
    let face = stream.sample(200, &[face_at(-10.0, 20.0)])[0];
    assert_eq!(face.valence(), Some(1.0));
    stream.classifier.result = Ok(NEGATIVE);
    let face = stream.sample(700, &[face_at(-10.0, 20.0)])[0];
    let positive = (-1f32).exp();
    let expected = positive - (1.0 - positive);
    assert!((face.valence().unwrap() - expected).abs() < 1e-4);
}

#[test]
fn all_faces_of_a_frame_are_classified_in_one_batch() {
    let mut stream = Stream::default();
    let row: Vec<_> = (0..5).map(|i| face_at(50.0 * i as f32, 20.0)).collect();
    let faces = stream.sample(0, &row);
    assert!(faces.iter().all(|face| face.label.is_known()));
    assert_eq!(stream.classifier.batches, [5]);
}

#[test]
fn most_of_several_faces_are_small_in_the_detectors_input() {
    let mut stream = Stream::default();
    let small = |x| {
        let mut face = face_at(x, 20.0);
        face.bbox.h = 20.0;
        face
    };
    let large = face_at(200.0, 20.0);
    assert!(large.bbox.h >= DETECTABLE_FACE_PX);
    for (faces, expected) in [
        (vec![small(0.0), small(60.0), large], true),
        (vec![small(0.0), small(60.0)], true),
        (vec![small(0.0), large], false),
        (vec![small(0.0)], false),
        (vec![], false),
    ] {
        stream.sample(0, &faces);
        assert_eq!(stream.analysis.has_small_faces, expected, "{faces:?}");
    }
}

#[test]
fn of_500_faces_the_best_are_tracked_and_classified_in_limited_batches() {
    let mut stream = Stream::default();
    stream.params.max_faces = 100;
    let mut faces = crowd();
    faces[250].score = 0.99;
    let Rect { x, y, w, h } = faces[250].bbox;
    stream.sample(0, &faces);
    assert_eq!(stream.analysis.faces.len(), 100);
    assert!(stream.analysis.has_more_faces);
    assert_eq!(stream.classifier.batches, [64, 36]);
    let best = Rect::new(2.0 * x, 2.0 * y, 2.0 * w, 2.0 * h);
    let mut boxes = stream.analysis.faces.iter().map(|face| face.bbox_in_frame);
    assert!(boxes.any(|bbox| bbox == best));
}

#[test]
fn faces_below_the_minimum_size_are_ignored() {
    let mut stream = Stream::default();
    let mut small = face_at(100.0, 20.0);
    small.bbox.h = 11.9;
    assert_eq!(stream.sample(0, &[face_at(10.0, 20.0), small]).len(), 1);
    stream.params.min_face_size = 23;
    assert_eq!(stream.sample(200, &[face_at(10.0, 20.0), small]).len(), 2);
}

#[test]
fn faces_cut_off_by_the_edge_are_tracked_but_not_classified() {
    let mut stream = Stream::default();
    let face = stream.sample(0, &[face_at(-20.0, 20.0)])[0];
    assert_eq!(
        (face.track, face.label, face.scores),
        (1, Label::Unknown, None)
    );
    assert!(stream.classifier.batches.is_empty());
    let face = stream.sample(200, &[face_at(-10.0, 20.0)])[0];
    assert_eq!((face.track, face.label), (1, Label::NEUTRAL));
}

#[test]
fn invalid_scores_are_ignored() {
    let mut stream = Stream::default();
    stream.sample(0, &[face_at(10.0, 20.0)]);
    let unchanged = (Some(NEUTRAL), Some(NEUTRAL));
    for scores in [[f32::NAN; 3], [1.5, 0.0, -0.5], [f32::INFINITY, 0.0, 0.0]] {
        stream.classifier.result = Ok(Scores::from_array(scores));
        let face = stream.sample(200, &[face_at(10.0, 20.0)])[0];
        assert_eq!((face.scores, face.raw_scores), unchanged);
        assert_eq!(face.classified_ns, Some(0));
    }
}

#[test]
fn invalid_detections_are_dropped() {
    let mut stream = Stream::default();
    let good = face_at(10.0, 20.0);
    let invalid = [
        face_at(f32::NAN, 20.0),
        face_at(100.0, f32::INFINITY),
        Detection {
            score: f32::NAN,
            ..face_at(100.0, 20.0)
        },
        Detection {
            bbox: Rect::new(100.0, 20.0, f32::INFINITY, f32::INFINITY),
            ..good
        },
        Detection {
            landmarks: Some([Point::new(f32::NAN, 0.0); 5]),
            ..face_at(100.0, 20.0)
        },
    ];
    for bad in invalid {
        let faces = stream.sample(0, &[bad, good]);
        assert_eq!(faces.len(), 1, "{bad:?}");
        assert_eq!(faces[0].bbox_in_frame, Rect::new(20.0, 40.0, 80.0, 80.0));
    }
}

#[test]
fn absurdly_large_and_distant_boxes_do_not_panic() {
    let mut stream = Stream::default();
    for bbox in [
        Rect::new(-1e30, -1e30, 2e30, 2e30),
        Rect::new(1e30, 1e30, 1e3, 1e3),
        Rect::new(-1e18, 0.0, 3e18, 1e18),
        Rect::new(0.0, 0.0, 1e-30, 40.0),
        Rect::new(0.0, 0.0, f32::MAX, f32::MAX),
    ] {
        let absurd = Detection {
            bbox,
            ..face_at(0.0, 0.0)
        };
        stream.sample(0, &[absurd]);
        stream.sample(200, &[absurd, face_at(10.0, 20.0)]);
    }
}

#[test]
fn a_frame_of_one_pixel_is_analyzed() {
    let frame = Frame::from_luma(1, 1, &[200]).unwrap();
    for detector_size in [0, 1, 320, u32::MAX] {
        let mut stream = Stream::default();
        stream.params.detector_size = detector_size;
        stream.params.min_face_size = 0;
        stream.detector.result = Ok(vec![face_at(0.0, 0.0)]);
        assert_eq!(stream.analyze(&frame, 0).unwrap().len(), 1);
        assert!(stream.classifier.batches.is_empty());
    }
}

#[test]
fn the_same_frames_give_the_same_faces() {
    let run = || {
        let mut stream = Stream::default();
        stream.params.smoothing_ns = 500 * MS;
        let mut seen = Vec::new();
        for sample in 0..20 {
            let x = sample as f32;
            let scores = [0.1 + 0.04 * x, 0.5, 0.4 - 0.02 * x];
            stream.classifier.result = Ok(Scores::from_array(scores));
            let found = [
                face_at(3.0 * x, 20.0),
                face_at(200.0 - 3.0 * x, 30.0),
                face_at(7.0, x),
            ];
            seen.extend_from_slice(stream.sample(sample * 200, &found));
        }
        seen
    };
    assert_eq!(run(), run());
}

#[test]
fn boxes_and_landmarks_of_a_turned_frame_are_those_in_the_frame() {
    let found = posed(face_at(40.0, 20.0), false);
    for orientation in Orientation::ALL {
        let mut upright = Stream::default();
        let mut turned = Stream::default();
        let (width, height) = orientation.swapped((640, 360));
        let stored: Vec<u8> = (0..640 * 360)
            .map(|i| {
                let (x, y) = (i % width, i / width);
                let upright = orientation.point_upright(
                    Point::new(x as f32 + 0.5, y as f32 + 0.5),
                    (width as f32, height as f32),
                );
                WAVES[upright.y as usize * 640 + upright.x as usize]
            })
            .collect();
        let stored = Frame::from_luma(width, height, &stored).unwrap();
        let stored = stored.with_orientation(orientation);
        for (time_ms, x) in [(0, 40.0), (200, 44.0)] {
            let moved = posed(face_at(x, 20.0), false);
            let expected = upright.sample(time_ms, &[moved])[0];
            turned.detector.result = Ok(vec![moved]);
            let face = turned.analyze(&stored, time_ms).unwrap()[0];
            let expected = Face {
                bbox_in_frame: orientation
                    .rect_in_frame(expected.bbox_in_frame, (width as f32, height as f32)),
                landmarks_in_frame: expected.landmarks_in_frame.map(|landmarks| {
                    landmarks.map(|p| orientation.point_in_frame(p, (width as f32, height as f32)))
                }),
                velocity_per_s: orientation.vector_in_frame(expected.velocity_per_s),
                ..expected
            };
            assert_eq!(face, expected, "{orientation:?}");
        }
        // The same faces from upstream, in the frame.
        let mut given = Stream::default();
        let in_frame = stored.detection_in_frame(&Detection {
            bbox: Rect::new(
                2.0 * found.bbox.x,
                2.0 * found.bbox.y,
                2.0 * found.bbox.w,
                2.0 * found.bbox.h,
            ),
            landmarks: found
                .landmarks
                .map(|landmarks| landmarks.map(|p| Point::new(2.0 * p.x, 2.0 * p.y))),
            ..found
        });
        let sample = Sample {
            frame: stored,
            time_ns: 0,
            epoch: given.epoch,
            upstream: Some(&[in_frame]),
            params: &given.params,
        };
        given
            .analyzer
            .analyze(&sample, None, &mut given.classifier, &mut given.analysis)
            .unwrap();
        let face = given.analysis.faces[0];
        assert_eq!(face.bbox_in_frame, in_frame.bbox, "{orientation:?}");
        assert_eq!(face.landmarks_in_frame, in_frame.landmarks);
        assert!(face.head_pose.unwrap().roll.abs() < 0.1);
    }
}
