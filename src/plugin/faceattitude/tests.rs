// SPDX-License-Identifier: MPL-2.0

//! Tests of failures that only fake networks can cause.

use std::sync::Arc;

use gst::subclass::prelude::*;
use gst_check::Harness;

use super::stream::StreamState;
use super::*;
use attitude::InferenceError;
use attitude::detection::{Detection, DetectorInput, FaceDetector};
use attitude::preprocessing::{InputSize, TensorFormat};
use attitude::sync::lock;
use attitude_inference::engine::{Engine, Limits};
use attitude_inference::networks::{Config, Networks};
use attitude_inference::provider::Provider;

struct PanickingDetector(DetectorInput);

impl FaceDetector for PanickingDetector {
    fn input(&self) -> &DetectorInput {
        &self.0
    }

    fn detect(
        &mut self,
        _picture: &[f32],
        _width: usize,
        _height: usize,
        _threshold: f32,
        _candidates: &mut Vec<Detection>,
    ) -> Result<(), InferenceError> {
        panic!("the fake detector panics")
    }
}

fn panicking_engine() -> Arc<Engine> {
    let config = Config {
        detector: None,
        provider: Provider::Cpu.into(),
        ..Config::default()
    };
    let input = DetectorInput {
        size: InputSize::MultipleOf(32),
        is_resizable: true,
        tensor_format: TensorFormat::LUMA,
    };
    let networks = Networks {
        detector: Some(Box::new(PanickingDetector(input))),
        ..Networks::load(&config).unwrap()
    };
    let limits = Limits {
        workers: 1,
        networks: 1,
    };
    Arc::new(Engine::new(
        networks,
        move || Networks::load(&config),
        limits,
        Default::default(),
    ))
}

#[test]
fn a_panic_posts_an_error_and_the_element_works_again_after_a_restart() {
    gst::init().unwrap();
    let element: FaceAttitude = glib::Object::builder().property("mode", Mode::Sync).build();
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    let mut harness = Harness::with_element(&element, Some("sink"), Some("src"));
    harness.set_src_caps_str("video/x-raw,format=GRAY8,width=64,height=64,framerate=25/1");
    *lock(&element.imp().stream) = StreamState::Loaded(panicking_engine());
    for _ in 0..2 {
        let frame = gst::Buffer::from_slice([128u8; 64 * 64]);
        assert_eq!(harness.push(frame), Err(gst::FlowError::Error));
    }
    let message = bus.pop_filtered(&[gst::MessageType::Error]).unwrap();
    let gst::MessageView::Error(error) = message.view() else {
        panic!("{message:?}");
    };
    assert!(
        error
            .error()
            .to_string()
            .contains("the fake detector panics")
    );
    // The harness asserts that its element goes to NULL.
    drop(harness);
    assert_eq!(element.current_state(), gst::State::Null);
    bus.set_flushing(true);
    bus.set_flushing(false);
    let mut harness = Harness::with_element(&element, Some("sink"), Some("src"));
    harness.set_src_caps_str("video/x-raw,format=GRAY8,width=64,height=64,framerate=25/1");
    let frame = gst::Buffer::from_slice([128u8; 64 * 64]);
    assert!(harness.push_and_pull(frame).is_ok());
    assert!(bus.pop_filtered(&[gst::MessageType::Error]).is_none());
}
