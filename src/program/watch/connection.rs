// SPDX-License-Identifier: MPL-2.0

//! One connection to a source: a pipeline that reads and analyzes it.

use std::sync::Arc;

use gst::prelude::*;

use crate::streams::{Analysis, AnalysisArguments, Location, Stream, bus};

/// Size that is requested of cameras, in pixels.
const CAMERA_SIZE: (u32, u32) = (1280, 720);
/// Video is decoded, in any memory.
const RAW: &str = "video/x-raw(ANY)";

/// A pipeline that plays until it is dropped.
pub(crate) struct Connection(gst::Pipeline);

impl Connection {
    /// Connects. `end` is called when the connection ends, possibly more than once, with what is
    /// wrong or, if the video has ended, with `None`.
    pub(crate) fn open(
        location: &Location,
        arguments: &AnalysisArguments,
        stream: &Arc<Stream>,
        end: impl Fn(Option<String>) + Clone + Send + Sync + 'static,
    ) -> Result<Self, glib::BoolError> {
        let connection = Self(gst::Pipeline::new());
        let pipeline = &connection.0;
        let analysis = Analysis::new(arguments, stream)?;
        let decode = location.add_to(pipeline, RAW, CAMERA_SIZE)?;
        pipeline.add(&analysis.bin)?;
        handle_messages(pipeline, location, &analysis, end.clone());
        link_video(&decode, &analysis.bin, end);
        // If this fails, the bus has the reason.
        let _ = pipeline.set_state(gst::State::Playing);
        Ok(connection)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        bus::stop(&self.0);
    }
}

/// Links the first video pad of `decode` to the analysis.
fn link_video(
    decode: &gst::Element,
    analysis: &gst::Bin,
    end: impl Fn(Option<String>) + Clone + Send + Sync + 'static,
) {
    let failed = end.clone();
    let analysis = analysis.downgrade();
    decode.connect_pad_added(move |_, pad| {
        let input = analysis.upgrade().and_then(|bin| bin.static_pad("sink"));
        if let Some(input) = input.filter(|input| !input.is_linked())
            && let Err(error) = pad.link(&input)
        {
            failed(Some(format!("the video cannot be analyzed: {error}")));
        }
    });
    decode.connect_no_more_pads(move |decode| {
        if decode.num_src_pads() == 0 {
            end(Some("it has no video".to_owned()));
        }
    });
}

fn handle_messages(
    pipeline: &gst::Pipeline,
    location: &Location,
    analysis: &Analysis,
    end: impl Fn(Option<String>) + Send + Sync + 'static,
) {
    let location = location.clone();
    let take_sample = analysis.message_handler();
    bus::handle_messages(pipeline, move |message| match message.view() {
        gst::MessageView::Element(_) => take_sample(message),
        gst::MessageView::Error(error) => {
            let debug = error.debug();
            end(Some(location.problem(&error.error(), debug.as_deref())));
        }
        gst::MessageView::Eos(_) => end(None),
        _ => (),
    });
}
