// SPDX-License-Identifier: MPL-2.0

//! Tests of loading ONNX Runtime and models.

#[path = "../support/files.rs"]
mod files;

#[path = "../support/own_process.rs"]
mod own_process;

#[path = "../support/test_providers.rs"]
mod test_providers;

mod support;

mod accelerators;
mod models;
mod oldest_runtime;
mod refusals;
mod runtime;
