// SPDX-License-Identifier: MPL-2.0

//! Elements of the plugin with the models of the fixtures.

use gst::prelude::*;

use super::{fixture, init};

/// Returns the path of one of the tiny models.
pub fn model(name: &str) -> String {
    let path = fixture("models").join(format!("{name}.onnx"));
    path.into_os_string().into_string().unwrap()
}

/// Creates a `faceattitude` with these properties.
pub fn element(properties: &[(&str, &str)]) -> gst::Element {
    make_element("faceattitude", properties)
}

/// Creates an element of the plugin with these properties.
pub fn make_element(factory: &str, properties: &[(&str, &str)]) -> gst::Element {
    init();
    let element = gst::ElementFactory::make(factory).build().unwrap();
    set_properties(&element, properties);
    element
}

/// Sets these properties of `element`.
pub fn set_properties(element: &gst::Element, properties: &[(&str, &str)]) {
    for (name, value) in properties {
        element.set_property_from_str(name, value);
    }
}

/// Creates a `faceattitude` with the tiny models, which find a face at [`face_rect`] and classify
/// its brightness, and with these properties.
pub fn tiny_element(properties: &[(&str, &str)]) -> gst::Element {
    let element = element(&[
        ("detector-model", &model("one-face")),
        ("attitude-model", &model("brightness")),
    ]);
    set_properties(&element, properties);
    element
}

/// Returns the properties of [`tiny_element`] for the description of a pipeline. Every face has an
/// attitude, even in pictures of one color, whose quality is low.
pub fn tiny_launch() -> String {
    format!(
        "detector-model={} attitude-model={} min-confidence=0",
        model("one-face"),
        model("brightness")
    )
}

/// Caps of the frames, for the description of a pipeline.
pub const LAUNCH_CAPS: &str = "video/x-raw,format=I420,width=320,height=192,framerate=25/1";

/// Returns the box that `one-face.onnx` detects: left, top, width, height.
pub fn face_rect() -> (u32, u32, u32, u32) {
    (64, 32, 48, 48)
}
