// SPDX-License-Identifier: MPL-2.0

//! Changes of states, from any thread.

use std::time::Duration;

use gst::prelude::*;

use super::resources::Resources;
use super::support::*;
use super::{random, rounds};

const STATES: [gst::State; 4] = [
    gst::State::Null,
    gst::State::Ready,
    gst::State::Paused,
    gst::State::Playing,
];

/// Returns a pipeline with all elements of the plugin.
fn pipeline(is_live: bool) -> gst::Element {
    init();
    gst::parse::launch(&format!(
        "videotestsrc is-live={is_live} ! {LAUNCH_CAPS} ! tee name=t \
         t. ! queue ! faceattitude overlay=true {tiny} ! attitudeoverlay ! fakesink sync=false \
         t. ! queue ! faceattitude mode=live {tiny} ! attitudeexport interval=frame ! \
         fakesink sync=false async=false",
        tiny = tiny_launch()
    ))
    .unwrap()
}

#[test]
fn a_thousand_changes_from_two_threads_end_in_null() {
    in_own_process(|| {
        // The first start loads ONNX Runtime, which keeps files open.
        let warm = pipeline(false);
        warm.set_state(gst::State::Playing).unwrap();
        warm.state(TIMEOUT).0.unwrap();
        warm.set_state(gst::State::Null).unwrap();
        drop(warm);
        let before = Resources::now();
        let mut random = random(1);
        for is_live in [false, true] {
            let pipeline = pipeline(is_live);
            for _ in 0..rounds(250) {
                let (first, second) = (*random.choice(&STATES), *random.choice(&STATES));
                let pause = Duration::from_micros(random.below(3000) as u64);
                std::thread::scope(|scope| {
                    scope.spawn(|| pipeline.set_state(first));
                    std::thread::sleep(pause);
                    let _ = pipeline.set_state(second);
                });
            }
            pipeline.set_state(gst::State::Null).unwrap();
            let bus = pipeline.bus().unwrap();
            while let Some(message) = bus.pop() {
                if message.type_() == gst::MessageType::Error {
                    panic!("{}", problem(&message));
                }
            }
        }
        before.wait_until_released();
    });
}
