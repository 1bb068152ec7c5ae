// SPDX-License-Identifier: MPL-2.0

//! Tests of loading ONNX Runtime and models.

#[path = "../support/files.rs"]
mod files;

#[path = "../support/own_process.rs"]
mod own_process;

mod support;

mod accelerators;
mod models;
mod refusals;
mod runtime;
