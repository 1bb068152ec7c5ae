// SPDX-License-Identifier: MPL-2.0

//! Runs the face detector and the attitude classifier of gst-attitude on ONNX Runtime.
//!
//! [`runtime`] finds and loads the library, [`model`] reads models, [`identification`] finds their
//! descriptions, [`networks`] loads a detector and a classifier and checks both, and [`engine`]
//! shares them between all streams of a process. The other crates in `src` do not use ONNX Runtime.
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

pub mod model;
mod optimized;
mod session;
mod watchdog;

mod description;
pub mod identification;

mod classifier;
mod detector;

pub mod networks;

pub mod devices;

pub mod engine;

pub use description::{DescriptionError, Task, check_description};
