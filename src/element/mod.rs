// SPDX-License-Identifier: MPL-2.0

//! The glue to GStreamer.

use std::sync::{Mutex, MutexGuard, PoisonError};

pub mod attitudeexport;
pub mod attitudeoverlay;
mod composition;
pub mod drawing;
pub mod faceattitude;
pub mod message;
pub mod meta;
mod overlay;
mod stamp;
mod video;
mod warnings;

/// Registers what the plugin offers.
pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    meta::register();
    faceattitude::register(plugin)?;
    attitudeoverlay::register(plugin)?;
    attitudeexport::register(plugin)
}

/// Locks against a panic elsewhere: the state behind is plain values, whole at any time.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
