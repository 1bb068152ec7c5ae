// SPDX-License-Identifier: MPL-2.0

//! Streams that come and go in a running pipeline, as in a conference.

use std::sync::mpsc;

use gst::prelude::*;

use super::resources::Resources;
use super::support::*;
use super::{random, rounds};

/// Maximum number of streams at the same time.
const MAX_STREAMS: usize = 6;

/// A branch of the pipeline that analyzes the video.
struct Stream {
    bin: gst::Element,
    tee_pad: gst::Pad,
}

impl Stream {
    fn add(pipeline: &gst::Bin, tee: &gst::Element, properties: &str) -> Self {
        let bin = gst::parse::bin_from_description(
            &format!(
                "queue ! faceattitude {properties} {} ! attitudeexport ! fakesink sync=false async=false",
                tiny_launch()
            ),
            true,
        )
        .unwrap();
        let bin = bin.upcast::<gst::Element>();
        pipeline.add(&bin).unwrap();
        bin.sync_state_with_parent().unwrap();
        let tee_pad = tee.request_pad_simple("src_%u").unwrap();
        tee_pad.link(&bin.static_pad("sink").unwrap()).unwrap();
        Self { bin, tee_pad }
    }

    /// Removes the branch between two frames.
    fn remove(self, pipeline: &gst::Bin, tee: &gst::Element) {
        let (sender, unlinked) = mpsc::channel();
        let bin = self.bin.clone();
        self.tee_pad
            .add_probe(gst::PadProbeType::IDLE, move |pad, _| {
                let _ = pad.unlink(&bin.static_pad("sink").unwrap());
                sender.send(()).unwrap();
                gst::PadProbeReturn::Remove
            });
        let timeout = std::time::Duration::from_nanos(TIMEOUT.nseconds());
        unlinked
            .recv_timeout(timeout)
            .expect("the pad is never idle");
        tee.release_request_pad(&self.tee_pad);
        self.bin.set_state(gst::State::Null).unwrap();
        pipeline.remove(&self.bin).unwrap();
    }
}

#[test]
fn streams_are_added_and_removed_while_others_go_on() {
    in_own_process(|| {
        init();
        let launch = || {
            let pipeline = gst::parse::launch(&format!(
                "videotestsrc is-live=true ! {LAUNCH_CAPS} ! tee name=t allow-not-linked=true \
                 t. ! queue ! fakesink sync=false async=false"
            ));
            let pipeline = pipeline.unwrap().downcast::<gst::Bin>().unwrap();
            let tee = pipeline.by_name("t").unwrap();
            pipeline.set_state(gst::State::Playing).unwrap();
            (pipeline, tee)
        };
        // The first stream loads ONNX Runtime, which keeps files open.
        let (pipeline, tee) = launch();
        Stream::add(&pipeline, &tee, "").remove(&pipeline, &tee);
        let before = Resources::now();
        let mut random = random(4);
        let mut streams = Vec::new();
        for _ in 0..rounds(200) {
            if streams.len() < MAX_STREAMS && random.below(2) == 0 {
                let properties = *random.choice(&["mode=live", "mode=sync", "overlay=true"]);
                streams.push(Stream::add(&pipeline, &tee, properties));
            } else if !streams.is_empty() {
                let stream = streams.swap_remove(random.below(streams.len()));
                stream.remove(&pipeline, &tee);
            }
        }
        for stream in streams {
            stream.remove(&pipeline, &tee);
        }
        before.wait_until_released();
        let bus = pipeline.bus().unwrap();
        while let Some(message) = bus.pop() {
            if message.type_() == gst::MessageType::Error {
                panic!("{}", problem(&message));
            }
        }
        pipeline.set_state(gst::State::Null).unwrap();
    });
}
