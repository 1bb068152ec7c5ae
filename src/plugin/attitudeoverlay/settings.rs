// SPDX-License-Identifier: MPL-2.0

//! Settings and properties of `attitudeoverlay`.

use std::sync::LazyLock;

use crate::drawing::Style;
use crate::meta::FACE;
use crate::properties::{Mutable, Property, field, text};

/// Values of all [`PROPERTIES`].
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settings {
    pub style: Style,
    pub blur_faces: bool,
    pub face_type: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            style: Style::default(),
            blur_faces: false,
            face_type: FACE.to_owned(),
        }
    }
}

/// The properties, in the order of their ids.
pub(super) static PROPERTIES: LazyLock<Vec<Property<Settings>>> = LazyLock::new(|| {
    let mutable = Mutable::Playing;
    vec![
        Property::flag(
            &text("boxes", "Boxes", "Draw a box around each face"),
            mutable,
            field!(style.boxes),
        ),
        Property::flag(
            &text(
                "labels",
                "Labels",
                "Write the track number, attitude and confidence of each face",
            ),
            mutable,
            field!(style.labels),
        ),
        Property::flag(
            &text(
                "scores",
                "Scores",
                "Write the scores of all three attitudes of each face, in per cent",
            ),
            mutable,
            field!(style.scores),
        ),
        Property::flag(
            &text(
                "history",
                "History",
                "Draw the attitude of each face over the last 10 seconds",
            ),
            mutable,
            field!(style.history),
        ),
        Property::flag(
            &text(
                "scene-history",
                "Scene history",
                "Draw the attitude of the whole scene over the last minute, along the bottom of the frame",
            ),
            mutable,
            field!(style.scene_history),
        ),
        Property::text(
            &text(
                "font-desc",
                "Font description",
                "Pango font description, for example 'Sans Bold 14' (null = Sans, in a size that fits the frame)",
            ),
            mutable,
            field!(style.font),
        ),
        Property::color(
            &text(
                "positive-color",
                "Positive color",
                "Color of positive faces, as 0xAARRGGBB",
            ),
            mutable,
            field!(style.colors.positive),
        ),
        Property::color(
            &text(
                "neutral-color",
                "Neutral color",
                "Color of neutral faces, as 0xAARRGGBB",
            ),
            mutable,
            field!(style.colors.neutral),
        ),
        Property::color(
            &text(
                "negative-color",
                "Negative color",
                "Color of negative faces, as 0xAARRGGBB",
            ),
            mutable,
            field!(style.colors.negative),
        ),
        Property::color(
            &text(
                "unknown-color",
                "Unknown color",
                "Color of faces with an unknown attitude, as 0xAARRGGBB",
            ),
            mutable,
            field!(style.colors.unknown),
        ),
        Property::flag(
            &text(
                "blur-faces",
                "Blur faces",
                "Pixelate every face in the metadata before drawing; faces that were not detected stay visible",
            ),
            mutable,
            field!(blur_faces),
        ),
        Property::text_with_default(
            &text(
                "face-type",
                "Face type",
                "Type of the regions of interest and detections that blur-faces pixelates, in addition to the \
                 faces with an attitude",
            ),
            mutable,
            field!(face_type),
        ),
    ]
});
