// SPDX-License-Identifier: MPL-2.0

//! Test of metadata that an element between `faceattitude` and a reader strips.

use gst::prelude::*;

use crate::support::*;

#[test]
fn stripped_metadata_cause_one_warning_with_a_remedy() {
    init();
    for reader in ["attitudeexport", "attitudeoverlay"] {
        let pipeline = gst::parse::launch(&format!(
            "videotestsrc num-buffers=20 pattern=white ! {LAUNCH_CAPS} ! \
             faceattitude analytics-meta=false {} ! videoconvert ! video/x-raw,format=RGB ! {reader} name=reader ! \
             fakesink",
            tiny_launch()
        ))
        .unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        let bus = pipeline.bus().unwrap();
        let kinds = [
            gst::MessageType::Warning,
            gst::MessageType::Error,
            gst::MessageType::Eos,
        ];
        let messages = std::iter::from_fn(|| bus.timed_pop_filtered(TIMEOUT, &kinds));
        let warnings: Vec<_> = messages
            .map_while(|message| match message.view() {
                gst::MessageView::Warning(warning) => Some(warning.error().to_string()),
                _ => None,
            })
            .collect();
        // The message itself, as applications show it, not the debug text.
        let [warning] = &warnings[..] else {
            panic!("{reader}: {warnings:?}");
        };
        assert!(warning.contains("without their attitudes"), "{warning}");
        assert!(
            warning.contains("link reader directly after faceattitude"),
            "{warning}"
        );
        pipeline.set_state(gst::State::Null).unwrap();
        bus.set_flushing(true);
    }
}
