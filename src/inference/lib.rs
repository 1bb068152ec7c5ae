// SPDX-License-Identifier: MPL-2.0

//! Running the networks. The only place that knows ONNX Runtime.

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
