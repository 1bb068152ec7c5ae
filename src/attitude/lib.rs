// SPDX-License-Identifier: MPL-2.0

//! The computation: from a frame's pixels to followed and classified faces, and to what a whole
//! recording shows.
//!
//! Pure Rust on slices. It knows neither GStreamer nor ONNX Runtime; the two networks stand behind
//! the traits [`detection::FaceDetector`] and [`classification::AttitudeClassifier`]. The modules are in
//! the order in which a frame passes through them.

pub mod sync;

pub mod geometry;

pub mod frame;
pub mod sampling;

pub mod preprocessing;

mod cut_detection;
pub mod detection;

pub mod tracking;

pub mod crop;

mod attitude;
pub mod classification;
pub mod mapping;
pub mod smoothing;

pub mod history;

pub mod analyzer;

pub mod statistics;
pub mod timeline;

pub mod clock;
pub mod record;

pub mod evaluation;

pub use attitude::{Attitude, ByAttitude, ByLabel, Label, Scores};

/// A network could not be run, or answered in a way that it must not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InferenceError(pub String);
