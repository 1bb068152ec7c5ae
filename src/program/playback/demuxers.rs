// SPDX-License-Identifier: MPL-2.0

//! Works around faults of GStreamer because of which playback would never end, or frames have wrong
//! times.

use std::sync::{Arc, Mutex};

use attitude::sync::lock;
use gst::prelude::*;

/// Errors that demuxers posted. If a demuxer fails while decodebin changes its state, decodebin may
/// drop the error and wait forever.
#[derive(Clone, Default)]
pub(super) struct DemuxerErrors(Arc<Mutex<Option<gst::Message>>>);

impl DemuxerErrors {
    /// Records the errors of the demuxers in `source`.
    pub(super) fn watch(&self, source: &gst::Element) {
        let errors = self.clone();
        on_demuxer(source, move |demuxer, _| errors.watch_demuxer(demuxer));
    }

    fn watch_demuxer(&self, demuxer: &gst::Element) {
        let Some(bus) = demuxer.bus() else {
            return;
        };
        let errors = self.clone();
        let recorder = gst::Bus::new();
        recorder.set_sync_handler(move |_, message| {
            if message.type_() == gst::MessageType::Error {
                lock(&errors.0).get_or_insert_with(|| message.clone());
            }
            // The bus of a bin handles messages at once, and does not refuse any.
            let _ = bus.post(message.clone());
            gst::BusSyncReply::Drop
        });
        demuxer.set_bus(Some(&recorder));
    }

    /// Returns the first error.
    pub(super) fn first(&self) -> Option<gst::Message> {
        lock(&self.0).clone()
    }
}

/// Returns errors to FFmpeg's demuxers if they read behind the end of a file. GStreamer gives them 0
/// bytes there, for which some ask again forever, such as those of GIF and NUT; after an error they
/// end.
pub(super) fn end_reading_of_ffmpeg(source: &gst::Element) {
    on_element(source, |element, factory| {
        if factory.name() != "typefind" {
            return;
        }
        let (Some(sink), Some(src)) = (element.static_pad("sink"), element.static_pad("src"))
        else {
            return;
        };
        // SAFETY: The element was just added, so its pads are not active, and nothing reads from
        // them.
        unsafe {
            // The element's own function also passes on what its sink pad reads.
            src.set_getrange_function(move |src, _, offset, buffer, len| {
                let read = match buffer {
                    Some(buffer) => sink
                        .pull_range_fill(offset, buffer, len)
                        .map(|()| gst::PadGetRangeSuccess::FilledBuffer),
                    None => sink
                        .pull_range(offset, len)
                        .map(gst::PadGetRangeSuccess::NewBuffer),
                };
                read.map_err(|error| match error {
                    gst::FlowError::Eos if is_read_by_ffmpeg(src) => gst::FlowError::Error,
                    error => error,
                })
            });
        }
    });
}

/// Removes the timestamps of FFmpeg's decoder for GIF, which gives all frames the same one.
pub(super) fn remove_times_of_gif(source: &gst::Element) {
    on_element(source, |element, factory| {
        if factory.name() != "avdec_gif" {
            return;
        }
        let Some(pad) = element.static_pad("src") else {
            return;
        };
        pad.add_probe(gst::PadProbeType::BUFFER, |_, info| {
            if let Some(buffer) = info.buffer_mut() {
                let buffer = buffer.make_mut();
                buffer.set_pts(None);
                buffer.set_dts(None);
            }
            gst::PadProbeReturn::Ok
        });
    });
}

/// Returns `true` if a demuxer of FFmpeg reads from `pad`.
fn is_read_by_ffmpeg(pad: &gst::Pad) -> bool {
    let demuxer = pad.peer().and_then(|peer| peer.parent_element());
    let factory = demuxer.and_then(|demuxer| demuxer.factory());
    factory.is_some_and(|factory| factory.name().starts_with("avdemux_"))
}

/// Calls `handle` with each demuxer that is added to `source`, and its factory.
pub(super) fn on_demuxer(
    source: &gst::Element,
    handle: impl Fn(&gst::Element, &gst::ElementFactory) + Send + Sync + 'static,
) {
    on_element(source, move |element, factory| {
        if factory.has_type(gst::ElementFactoryType::DEMUXER) {
            handle(element, factory);
        }
    });
}

/// Returns `true` if demuxers of `factory` read playlists, such as those of HLS. Their streams are pieces
/// with demuxers of their own.
pub(super) fn reads_playlists(factory: &gst::ElementFactory) -> bool {
    factory
        .metadata("klass")
        .is_some_and(|klass| klass.contains("Adaptive"))
}

/// Calls `handle` with each element that is added to `source`, and its factory.
pub(super) fn on_element(
    source: &gst::Element,
    handle: impl Fn(&gst::Element, &gst::ElementFactory) + Send + Sync + 'static,
) {
    let Some(bin) = source.downcast_ref::<gst::Bin>() else {
        return;
    };
    bin.connect_deep_element_added(move |_, _, element| {
        if let Some(factory) = element.factory() {
            handle(element, &factory);
        }
    });
}
