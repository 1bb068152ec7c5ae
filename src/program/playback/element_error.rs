// SPDX-License-Identifier: MPL-2.0

//! Errors of elements, in words that say what happened.

use glib::error::ErrorDomain;
use glib::translate::{IntoGlib, from_glib_full};
use gst::message::Error;
use gst::prelude::*;
use gst::{CoreError, LibraryError, ResourceError, StreamError};

use super::one_line;

/// First words of the details if a streaming thread stops at an error of another element. They are
/// not translated.
const FLOW: &str = "streaming stopped, reason ";

/// An error that an element posted, in one line.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ElementError(String);

impl From<&Error> for ElementError {
    fn from(error: &Error) -> Self {
        let (posted, debug) = (error.error(), error.debug());
        // The first line is the position in GStreamer's source code, the rest says what happened.
        let details = debug
            .as_deref()
            .and_then(|debug| Some(one_line(debug.split_once('\n')?.1)))
            .filter(|details| !details.is_empty());
        let is_flow = details
            .as_deref()
            .is_some_and(|text| text.starts_with(FLOW));
        let element = error
            .src()
            .and_then(|source| source.downcast_ref::<gst::Element>());
        let text = match is_flow || is_stock(&posted) {
            true => meaning(&posted, element).to_owned(),
            false => one_line(posted.message()),
        };
        let factory = element
            .filter(|_| is_flow)
            .and_then(|element| element.factory());
        // The number behind the reason of a flow is for developers.
        let details = details.map(|text| match text.rsplit_once(" (-") {
            Some((reason, _)) if is_flow => reason.to_owned(),
            _ => text,
        });
        Self(match (details, factory) {
            (Some(details), Some(factory)) => format!("{text} ({}: {details})", factory.name()),
            (Some(details), None) => format!("{text} ({details})"),
            (None, _) => text,
        })
    }
}

/// Returns what an error without a text of its own means.
fn meaning(error: &glib::Error, element: Option<&gst::Element>) -> &'static str {
    let is_source =
        element.is_some_and(|element| element.element_flags().contains(gst::ElementFlags::SOURCE));
    if let Some(kind) = error.kind::<CoreError>() {
        return match kind {
            CoreError::Negotiation | CoreError::Caps => "the elements do not agree on a format",
            CoreError::StateChange => "an element does not start or stop",
            CoreError::Seek => "the position cannot be changed",
            CoreError::Clock => "there is no usable clock",
            CoreError::Thread => "a thread cannot be started",
            _ => "an element does not work as it should",
        };
    }
    match () {
        () if is_source => "the data cannot be read; check that it exists and can be reached",
        () if error.kind::<StreamError>().is_some() => "the data cannot be processed",
        () if error.kind::<ResourceError>().is_some() => "a file, device or address cannot be used",
        () => "a library that an element requires does not work",
    }
}

/// Returns true if the text of `error` is GStreamer's own for errors of this kind, such as
/// "GStreamer encountered a general stream error.", in the language of the process.
fn is_stock(error: &glib::Error) -> bool {
    let has_text_of =
        |stock: Option<glib::GString>| stock.is_some_and(|text| text == error.message());
    let core = error.kind::<CoreError>();
    // Other texts of these kinds say what happened.
    let core = core.filter(|kind| !matches!(kind, CoreError::MissingPlugin | CoreError::Disabled));
    let library = error
        .kind::<LibraryError>()
        .filter(|&kind| kind == LibraryError::Failed);
    let resource = error
        .kind::<ResourceError>()
        .filter(|&kind| kind == ResourceError::Failed);
    let stream = error
        .kind::<StreamError>()
        .filter(|&kind| kind == StreamError::Failed);
    has_text_of(core.map(stock_text))
        || has_text_of(library.map(stock_text))
        || has_text_of(resource.map(stock_text))
        || has_text_of(stream.map(stock_text))
}

/// Returns GStreamer's own text for errors of a kind.
fn stock_text<E: ErrorDomain>(kind: E) -> glib::GString {
    // SAFETY: It accepts any domain and code, and returns a new string.
    unsafe {
        from_glib_full(gst::ffi::gst_error_get_message(
            E::domain().into_glib(),
            kind.code(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the text for an error that an element of `factory` posts.
    fn describe(factory: &str, kind: impl MessageErrorDomain, text: &str, debug: &str) -> String {
        gst::init().unwrap();
        let element = gst::ElementFactory::make(factory).build().unwrap();
        let debug = format!("file.c(1): function (): /{factory}:\n{debug}");
        let message = Error::builder(kind, text)
            .src(&element)
            .debug(&debug)
            .build();
        match message.view() {
            gst::MessageView::Error(error) => ElementError::from(error).to_string(),
            _ => unreachable!(),
        }
    }

    #[test]
    fn texts_that_say_nothing_are_replaced_with_what_happened() {
        gst::init().unwrap();
        let stock = stock_text(StreamError::Failed);
        assert_eq!(
            describe("identity", StreamError::Failed, &stock, ""),
            "the data cannot be processed"
        );
        let stock = stock_text(CoreError::Negotiation);
        assert_eq!(
            describe(
                "identity",
                CoreError::Negotiation,
                &stock,
                "no common\nformat"
            ),
            "the elements do not agree on a format (no common format)"
        );
        let stock = stock_text(ResourceError::Failed);
        assert_eq!(
            describe("fakesink", ResourceError::Failed, &stock, ""),
            "a file, device or address cannot be used"
        );
        assert!(
            describe(
                "identity",
                LibraryError::Failed,
                &stock_text(LibraryError::Failed),
                ""
            )
            .starts_with("a library")
        );
    }

    #[test]
    fn a_source_whose_data_stops_is_named() {
        assert_eq!(
            describe(
                "filesrc",
                StreamError::Failed,
                "Internal data stream error.",
                "streaming stopped, reason error (-5)"
            ),
            "the data cannot be read; check that it exists and can be reached \
             (filesrc: streaming stopped, reason error)"
        );
    }

    #[test]
    fn other_texts_are_kept() {
        assert_eq!(
            describe(
                "filesrc",
                ResourceError::NotFound,
                "Resource not found.",
                "No such file"
            ),
            "Resource not found. (No such file)"
        );
        assert_eq!(
            describe("identity", StreamError::Failed, "This file is corrupt.", ""),
            "This file is corrupt."
        );
    }
}
