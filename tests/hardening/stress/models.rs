// SPDX-License-Identifier: MPL-2.0

//! Models that were damaged.

use gst::prelude::*;
use gst_video::VideoFormat;

use super::support::*;
use super::{random, rounds};

/// Bytes that mean something in ONNX files: lengths, types and tags.
const USUAL: &[u8] = b"\0\x01\x02\x08\x0a\x10\x12\x1a\x7f\x80\xff";

#[test]
fn a_damaged_model_is_refused_or_runs() {
    in_own_process(|| {
        init();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.onnx");
        let mut random = random(6);
        let mut refused = 0;
        let count = rounds(1000);
        for number in 0..count {
            let (property, name) = match number % 2 {
                0 => (
                    "attitude-model",
                    *random.choice(&["brightness", "emotions8", "two-heads"]),
                ),
                _ => (
                    "detector-model",
                    *random.choice(&["one-face", "many-faces"]),
                ),
            };
            let mut bytes = std::fs::read(model(name)).unwrap();
            random.change(&mut bytes, USUAL);
            std::fs::write(&path, &bytes).unwrap();
            let element = tiny_element(&[("mode", "sync"), (property, path.to_str().unwrap())]);
            let bus = gst::Bus::new();
            element.set_bus(Some(&bus));
            if element.set_state(gst::State::Paused).is_err() {
                refused += 1;
                let error = bus
                    .pop_filtered(&[gst::MessageType::Error])
                    .expect("an error");
                assert!(
                    problem(&error).contains("model.onnx"),
                    "{}",
                    problem(&error)
                );
                element.set_state(gst::State::Null).unwrap();
                bus.set_flushing(true);
                continue;
            }
            let mut rig = Rig::new(element, info(VideoFormat::I420, WIDTH, HEIGHT));
            rig.pass();
        }
        assert!(refused > 0 && refused < count, "{refused}");
    });
}
