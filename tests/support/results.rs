// SPDX-License-Identifier: MPL-2.0

//! Metadata, records and errors that elements produce.

use attitude::record::Record;
use gst::prelude::*;
use gst_video::video_meta::VideoRegionOfInterestMeta;
use gstattitude::message::{self, AttitudeMessage};

/// A region of interest of a face.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    pub track: i32,
    pub bbox: (u32, u32, u32, u32),
    pub label: String,
    pub confidence: f64,
    /// Smoothed scores: positive, neutral, negative.
    pub scores: [f64; 3],
    /// Smoothed quality; `None` if the face has not been classified.
    pub quality: Option<f64>,
    pub is_fresh: bool,
    pub age: gst::ClockTime,
}

/// Returns the faces that a buffer carries.
pub fn regions(buffer: &gst::BufferRef) -> Vec<Region> {
    buffer
        .iter_meta::<VideoRegionOfInterestMeta>()
        .filter(|roi| roi.roi_type() == "face")
        .map(|roi| {
            let param = |name: &str| roi.params().find(|p| p.name() == name).unwrap();
            let attitude = param("classification_layer_name:attitude");
            Region {
                track: param("object_id").get("id").unwrap(),
                bbox: roi.rect(),
                label: attitude.get("label").unwrap(),
                confidence: attitude.get("confidence").unwrap(),
                scores: ["positive", "neutral", "negative"].map(|n| attitude.get(n).unwrap()),
                quality: attitude.get_optional("quality").unwrap(),
                is_fresh: attitude.get("fresh").unwrap(),
                age: gst::ClockTime::from_nseconds(attitude.get("age-ns").unwrap()),
            }
        })
        .collect()
}

/// Returns the track numbers of the faces that a buffer carries.
pub fn tracks(buffer: &gst::BufferRef) -> Vec<i32> {
    regions(buffer).iter().map(|region| region.track).collect()
}

/// Removes the element messages from `bus` and returns the records in those of `faceattitude`.
pub fn records(bus: &gst::Bus) -> Vec<Record> {
    let is_element = &[gst::MessageType::Element];
    std::iter::from_fn(|| bus.pop_filtered(is_element))
        .filter(|message| message.structure().unwrap().name() == message::NAME)
        .map(|message| {
            AttitudeMessage::try_from(message.structure().unwrap())
                .unwrap()
                .0
        })
        .collect()
}

/// Returns the text of an error or warning, followed by its debug text.
pub fn problem(message: &gst::Message) -> String {
    match message.view() {
        gst::MessageView::Error(e) => format!("{} {}", e.error(), e.debug().unwrap_or_default()),
        gst::MessageView::Warning(w) => format!("{} {}", w.error(), w.debug().unwrap_or_default()),
        other => panic!("neither error nor warning: {other:?}"),
    }
}

/// Starts `element`, which must fail, and returns the error.
pub fn refusal(element: &gst::Element) -> String {
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    assert!(element.set_state(gst::State::Paused).is_err());
    assert_eq!(element.current_state(), gst::State::Ready);
    let message = bus.pop_filtered(&[gst::MessageType::Error]).unwrap();
    assert!(bus.pop_filtered(&[gst::MessageType::Error]).is_none());
    element.set_state(gst::State::Null).unwrap();
    // Messages that stay on the bus refer to the element that holds the bus.
    bus.set_flushing(true);
    problem(&message)
}
