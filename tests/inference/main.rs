// SPDX-License-Identifier: MPL-2.0

//! Tests of loading ONNX Runtime and models.

#[path = "../support/files.rs"]
mod files;

mod support;

mod models;
mod refusals;
mod runtime;
