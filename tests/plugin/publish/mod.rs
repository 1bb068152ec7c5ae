// SPDX-License-Identifier: MPL-2.0

//! Tests of `attitudepublish` with real brokers on the loopback interface. A test is skipped, with a
//! message, if its broker is not installed.

use std::time::{Duration, Instant};

use attitude::record::Record;
use gst::prelude::*;
use gst_video::VideoFormat;

use crate::support::*;

mod delivery;
mod protocols;
mod settings;
mod tls;

/// An `attitudepublish` whose frames have no faces, unless a test passes those of a `faceattitude`.
struct Publishing(Rig);

impl Publishing {
    /// Creates an element that publishes every frame, with these properties.
    fn new(location: &str, properties: &[(&str, &str)]) -> Self {
        let element = make_element("attitudepublish", &[("interval", "frame")]);
        element.set_property("location", location);
        set_properties(&element, properties);
        Self(Rig::new(element, info(VideoFormat::Gray8, 64, 64)))
    }

    /// Passes frames, and returns the longest time that one of them took.
    fn pass(&mut self, frames: usize) -> Duration {
        let pass = |_| {
            let begin = Instant::now();
            self.0.pass();
            begin.elapsed()
        };
        (0..frames).map(pass).max().unwrap_or_default()
    }

    fn end(&mut self) {
        assert!(self.0.harness.push_event(gst::event::Eos::new()));
    }

    fn stat(&self, name: &str) -> u64 {
        self.0.stat(name)
    }

    fn is_connected(&self) -> bool {
        let stats: gst::Structure = self.0.element.property("stats");
        stats.get("connected").unwrap()
    }

    /// Returns the warnings since the last call.
    fn warnings(&self) -> Vec<String> {
        let messages = std::iter::from_fn(|| self.0.bus.pop_filtered(&[gst::MessageType::Warning]));
        let text = |message: gst::Message| match message.view() {
            gst::MessageView::Warning(warning) => warning.error().message().to_owned(),
            _ => unreachable!("only warnings are popped"),
        };
        messages.map(text).collect()
    }

    /// Waits for a warning that contains `text`.
    #[track_caller]
    fn wait_for_warning(&self, text: &str) -> String {
        let found = std::cell::RefCell::new(None);
        wait_until(&format!("a warning contains '{text}'"), || {
            let mut warnings = self.warnings().into_iter();
            *found.borrow_mut() = warnings.find(|warning| warning.contains(text));
            found.borrow().is_some()
        });
        found.take().unwrap()
    }
}

/// Returns the error of an element with these properties at READY->PAUSED.
fn start_error(properties: &[(&str, &str)]) -> String {
    let element = make_element("attitudepublish", properties);
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    assert!(element.set_state(gst::State::Paused).is_err());
    let message = bus.pop_filtered(&[gst::MessageType::Error]).unwrap();
    element.set_state(gst::State::Null).unwrap();
    // The element holds the bus, whose messages hold the element.
    element.set_bus(None);
    match message.view() {
        gst::MessageView::Error(error) => error.error().message().to_owned(),
        _ => unreachable!("only errors are popped"),
    }
}

fn frame_number(payload: &str) -> u64 {
    serde_json::from_str::<Record>(payload).unwrap().frame
}

fn frame_numbers(payloads: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<u64> {
    let payloads = payloads.into_iter();
    payloads
        .map(|payload| frame_number(payload.as_ref()))
        .collect()
}

/// Removes the numbers of messages that were delivered again.
fn retain_first(frames: &mut Vec<u64>) {
    let mut next = 0;
    frames.retain(|&frame| {
        let is_first = frame >= next;
        next = next.max(frame + 1);
        is_first
    });
}

/// Returns the records in the body of a request.
fn body(request: &serde_json::Value) -> Vec<Record> {
    serde_json::from_str(request["body"].as_str().unwrap()).unwrap()
}
