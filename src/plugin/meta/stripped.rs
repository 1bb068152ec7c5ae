// SPDX-License-Identifier: MPL-2.0

//! Warning about metadata that an element between `faceattitude` and a reader has stripped.

use gst::prelude::*;

use super::{is_classified, is_sample, region};

/// Posts the warning once.
#[derive(Debug, Default)]
pub(crate) struct StrippedWarning {
    is_posted: bool,
}

impl StrippedWarning {
    /// Posts the warning from `element` if `buffer` is the first whose metadata are stripped.
    pub fn check(&mut self, buffer: &gst::BufferRef, element: &impl IsA<gst::Element>) {
        if self.is_posted || !is_stripped(buffer) {
            return;
        }
        self.is_posted = true;
        gst::element_warning!(
            element,
            gst::StreamError::Failed,
            (
                "the faces arrive without their attitudes: an element after faceattitude, such as \
                 videoconvert or videoscale, has removed them from the metadata; link {} directly after \
                 faceattitude",
                element.as_ref().name()
            )
        );
    }
}

/// Returns `true` if `buffer` carries the result of a sample whose regions of interest have lost
/// their params.
fn is_stripped(buffer: &gst::BufferRef) -> bool {
    is_sample(buffer) && region::has_bare_face(buffer) && !is_classified(buffer)
}
