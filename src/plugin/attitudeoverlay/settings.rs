// SPDX-License-Identifier: MPL-2.0

//! Properties of `attitudeoverlay`: their defaults, blurbs and access.

use gst::prelude::*;

use crate::drawing::Style;
use crate::meta::FACE;

/// Values of all properties.
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

/// Returns the properties with their defaults.
pub(super) fn properties() -> Vec<glib::ParamSpec> {
    let defaults = Settings::default();
    let style = &defaults.style;
    let flag = |name: &str, nick: &str, blurb: &str, default: bool| {
        glib::ParamSpecBoolean::builder(name)
            .nick(nick)
            .blurb(blurb)
            .default_value(default)
            .mutable_playing()
            .build()
    };
    let color = |name: &str, nick: &str, default: u32| {
        glib::ParamSpecUInt::builder(name)
            .nick(nick)
            .blurb(&format!(
                "Colour of {} faces, as 0xAARRGGBB",
                name.trim_end_matches("-color")
            ))
            .default_value(default)
            .mutable_playing()
            .build()
    };
    vec![
        flag("boxes", "Boxes", "Draw a box around each face", style.boxes),
        flag(
            "labels",
            "Labels",
            "Write the track number, attitude and confidence of each face",
            style.labels,
        ),
        flag(
            "scores",
            "Scores",
            "Write the scores of all three attitudes of each face, in per cent",
            style.scores,
        ),
        flag(
            "history",
            "History",
            "Draw the attitude of each face over the last 10 seconds",
            style.history,
        ),
        flag(
            "scene-history",
            "Scene history",
            "Draw the attitude of the whole scene over the last minute, along the bottom of the frame",
            style.scene_history,
        ),
        glib::ParamSpecString::builder("font-desc")
            .nick("Font description")
            .blurb("Pango font description, for example 'Sans Bold 14' (null = Sans, in a size that fits the frame)")
            .mutable_playing()
            .build(),
        color("positive-color", "Positive colour", style.colors.positive),
        color("neutral-color", "Neutral colour", style.colors.neutral),
        color("negative-color", "Negative colour", style.colors.negative),
        color("unknown-color", "Unknown colour", style.colors.unknown),
        flag(
            "blur-faces",
            "Blur faces",
            "Pixelate every face in the metadata before drawing; faces that were not detected \
             stay visible",
            defaults.blur_faces,
        ),
        glib::ParamSpecString::builder("face-type")
            .nick("Face type")
            .blurb("Type of the regions of interest and detections that blur-faces pixelates, in addition to the \
                 faces with an attitude")
            .default_value(defaults.face_type.as_str())
            .mutable_playing()
            .build(),
    ]
}

impl Settings {
    /// Sets one of [`properties`].
    ///
    /// # Panics
    /// Panics if `name` is not a property or `value` has another type; GObject checks both first.
    pub fn set(&mut self, name: &str, value: &glib::Value) {
        fn to<'a, T: glib::value::FromValue<'a>>(value: &'a glib::Value) -> T {
            value.get().expect("GObject checked the type")
        }
        // Applications pass the text of an empty input field.
        let text = |value| to::<Option<String>>(value).filter(|text| !text.is_empty());
        let style = &mut self.style;
        match name {
            "boxes" => style.boxes = to(value),
            "labels" => style.labels = to(value),
            "scores" => style.scores = to(value),
            "history" => style.history = to(value),
            "scene-history" => style.scene_history = to(value),
            "font-desc" => style.font = text(value),
            "positive-color" => style.colors.positive = to(value),
            "neutral-color" => style.colors.neutral = to(value),
            "negative-color" => style.colors.negative = to(value),
            "unknown-color" => style.colors.unknown = to(value),
            "blur-faces" => self.blur_faces = to(value),
            "face-type" => self.face_type = text(value).unwrap_or_else(|| FACE.to_owned()),
            _ => unreachable!("no such property: {name}"),
        }
    }

    /// Returns the value of one of [`properties`].
    ///
    /// # Panics
    /// Panics if `name` is not a property; GObject checks it first.
    pub fn get(&self, name: &str) -> glib::Value {
        let style = &self.style;
        match name {
            "boxes" => style.boxes.to_value(),
            "labels" => style.labels.to_value(),
            "scores" => style.scores.to_value(),
            "history" => style.history.to_value(),
            "scene-history" => style.scene_history.to_value(),
            "font-desc" => style.font.to_value(),
            "positive-color" => style.colors.positive.to_value(),
            "neutral-color" => style.colors.neutral.to_value(),
            "negative-color" => style.colors.negative.to_value(),
            "unknown-color" => style.colors.unknown.to_value(),
            "blur-faces" => self.blur_faces.to_value(),
            "face-type" => self.face_type.to_value(),
            _ => unreachable!("no such property: {name}"),
        }
    }
}
