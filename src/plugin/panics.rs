// SPDX-License-Identifier: MPL-2.0

//! Panics of an element, which end its stream but not its use.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use gst::prelude::*;

/// Returns the result of `action`. If it panics, posts an error of `element` and returns
/// `fallback`.
///
/// The bindings of GStreamer catch panics as well, but let every later call of the element fail,
/// even after it has been set to NULL and started again.
pub(crate) fn catch_panic<T>(
    element: &impl IsA<gst::Element>,
    fallback: T,
    action: impl FnOnce() -> T,
) -> T {
    catch_unwind(AssertUnwindSafe(action)).unwrap_or_else(|panic| {
        gst::element_error!(
            element,
            gst::LibraryError::Failed,
            (
                "a bug in the plugin ended the stream: {}; please report it, and restart the element",
                panic_message(&*panic)
            )
        );
        fallback
    })
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message")
}
