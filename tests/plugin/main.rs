// SPDX-License-Identifier: MPL-2.0

//! Tests of the plugin: its elements, driven through pads and in pipelines.

#[path = "../support/mod.rs"]
mod support;

#[cfg(feature = "analytics")]
mod analytics;
mod attitudeoverlay;
mod clips;
mod consume_meta;
mod determinism;
mod device_loss;
mod engine;
mod export;
mod failures;
mod formats;
mod gpu_memory;
mod live;
mod metadata;
mod one_pass;
mod orientation;
mod overlay;
mod pipelines;
#[cfg(feature = "publish")]
mod publish;
mod streaming;
mod stripped_metadata;
mod tracers;
mod trend;
mod upstream_faces;
mod without_runtime;
