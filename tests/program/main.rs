// SPDX-License-Identifier: MPL-2.0

//! Tests of the program: each subcommand, run as a user runs it.

#[path = "../support/mod.rs"]
mod support;

mod agreement;
mod analyze;
mod batch_ray;
mod documentation;
mod evaluate;
mod list_models;
mod manuals;
mod pages;
mod report;
#[cfg(feature = "serve")]
mod review;
#[cfg(feature = "serve")]
mod room;
#[cfg(feature = "serve")]
mod serve;
mod study;
#[cfg(feature = "serve")]
mod watch;
