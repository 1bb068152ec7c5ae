// SPDX-License-Identifier: MPL-2.0

//! Detection, tracking and classification of the attitude of faces in video frames, and analysis of
//! whole recordings.
//!
//! This crate operates on slices and depends neither on GStreamer nor on ONNX Runtime. Networks
//! implement the traits [`FaceDetector`](detection::FaceDetector) and
//! [`AttitudeClassifier`](classification::AttitudeClassifier).
//!
//! An [`Analyzer`](analyzer::Analyzer) takes the sampled frames of a stream, one
//! [`Sample`](analyzer::Sample) after the other, and returns the tracked faces:
//!
//! ```
//! use attitude::analyzer::{Analysis, Analyzer, Epoch, Params, Sample};
//! use attitude::classification::{AttitudeClassifier, Classification, ClassifierInput};
//! use attitude::crop::Framing;
//! use attitude::detection::{Detection, DetectorInput, FaceDetector};
//! use attitude::frame::Frame;
//! use attitude::geometry::{Point, Rect};
//! use attitude::preprocessing::{InputSize, TensorFormat};
//! use attitude::{InferenceError, Label, Scores};
//!
//! /// Detects one face, at the same position in each frame.
//! struct OneFace(DetectorInput);
//!
//! impl FaceDetector for OneFace {
//!     fn input(&self) -> &DetectorInput {
//!         &self.0
//!     }
//!
//!     fn detect(
//!         &mut self,
//!         _input: &[f32],
//!         _width: usize,
//!         _height: usize,
//!         _threshold: f32,
//!         candidates: &mut Vec<Detection>,
//!     ) -> Result<(), InferenceError> {
//!         let bbox = Rect::new(100.0, 60.0, 50.0, 50.0);
//!         *candidates = vec![Detection { bbox, score: 0.9, landmarks: None }];
//!         Ok(())
//!     }
//! }
//!
//! /// Classifies each face as positive.
//! struct AlwaysPositive(ClassifierInput);
//!
//! impl AttitudeClassifier for AlwaysPositive {
//!     fn input(&self) -> &ClassifierInput {
//!         &self.0
//!     }
//!
//!     fn model_name(&self) -> &str {
//!         "always-positive"
//!     }
//!
//!     fn emotion_labels(&self) -> &[String] {
//!         &[]
//!     }
//!
//!     fn classify(
//!         &mut self,
//!         _crops: &[f32],
//!         batch: usize,
//!         found: &mut Vec<Classification>,
//!     ) -> Result<(), InferenceError> {
//!         *found = vec![Scores::from_array([0.9, 0.1, 0.0]).into(); batch];
//!         Ok(())
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut detector = OneFace(DetectorInput {
//!     size: InputSize::MultipleOf(32),
//!     is_resizable: true,
//!     tensor_format: TensorFormat::LUMA,
//! });
//! let framing = Framing { box_height: 1.2, box_center: Point::default(), landmarks: None };
//! let mut classifier = AlwaysPositive(ClassifierInput {
//!     width: 48,
//!     height: 48,
//!     tensor_format: TensorFormat::LUMA,
//!     framing,
//! });
//! // Stripes of 5 px, as a picture without contrast has a low quality.
//! let stripe = |i: usize| if i % 320 / 5 % 2 == 0 { 88 } else { 168 };
//! let luma: Vec<u8> = (0..320 * 180).map(stripe).collect();
//! let sample = Sample {
//!     frame: Frame::from_luma(320, 180, &luma)?,
//!     time_ns: 0,
//!     epoch: Epoch::default(),
//!     upstream: None,
//!     params: &Params::default(),
//! };
//! let mut analysis = Analysis::default();
//! Analyzer::default().analyze(&sample, Some(&mut detector), &mut classifier, &mut analysis)?;
//!
//! let face = &analysis.faces[0];
//! assert_eq!((face.track, face.label), (1, Label::POSITIVE));
//! assert!(face.confidence() > 0.5);
//! # Ok(())
//! # }
//! ```
//!
//! [`analyzer`] analyzes frames, [`timeline`] recordings, and [`study`] recordings of several
//! participants; [`record`] contains the data formats, [`evaluation`] evaluates classifiers on labeled
//! faces, and [`agreement`] compares coders. The other modules are parts of these, and types that they
//! share.

pub mod agreement;
pub mod analyzer;
mod attitude;
pub mod baseline;
pub mod classification;
pub mod clock;
pub mod crop;
pub mod data_table;
pub mod detection;
pub mod evaluation;
pub mod frame;
pub mod geometry;
pub mod history;
pub mod mapping;
pub mod orientation;
pub mod pose;
pub mod preprocessing;
pub mod quality;
pub mod record;
pub mod sampling;
mod scene;
pub mod settings;
mod smoothing;
pub mod statistics;
pub mod study;
pub mod sync;
pub mod timeline;
pub mod tracking;
pub mod trend;
mod vectors;
pub mod visibility;

pub use attitude::{Attitude, ByAttitude, ByLabel, Label, Scores};

/// A network failed, or its output has an unexpected shape. The field is the message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InferenceError(pub String);
