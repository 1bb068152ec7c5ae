// SPDX-License-Identifier: MPL-2.0

//! Runs the face detector and the attitude classifier of gst-attitude on ONNX Runtime.
//!
//! [`runtime`] finds and loads the library, [`model`] and [`description`] read and check models,
//! [`networks`] loads a detector and a classifier, and [`engine`] shares them between all streams of a
//! process. Nothing outside this crate uses ONNX Runtime.
//!
//! ```no_run
//! use attitude_inference::networks::{Config, Networks};
//!
//! let networks = Networks::load(&Config::default())?;
//! println!("running on {}", networks.provider.name());
//! # Ok::<(), attitude_inference::networks::LoadError>(())
//! ```

pub mod runtime;

pub mod provider;
pub mod settings;

pub mod digest;
pub mod model;
mod session;

pub mod description;
pub mod known;

pub mod identification;

pub mod classifier;
pub mod detector;

pub mod networks;

pub mod engine;

pub mod inspection;
