// SPDX-License-Identifier: MPL-2.0

//! Observes demuxers, and works around faults of GStreamer because of which playback would never end, or
//! frames have wrong times.

use std::sync::{Arc, Mutex};

use attitude::sync::lock;
use gst::prelude::*;

use super::one_line;
use super::times::RecordingTimes;

/// Messages that demuxers posted, and damage that they found.
#[derive(Clone, Default)]
pub(super) struct DemuxerMessages(Arc<Mutex<Posted>>);

#[derive(Default)]
struct Posted {
    /// The first error. If a demuxer fails while decodebin changes its state, decodebin may drop the
    /// error and wait forever.
    error: Option<gst::Message>,
    damage: Option<DamagedData>,
}

/// Damage in the data that did not stop a demuxer.
#[derive(Clone)]
pub(super) struct DamagedData {
    /// Description of the first damage.
    pub(super) text: String,
    /// Times of packets before the first damage, and before or behind the last one; `None` if there were
    /// none.
    pub(super) first_ns: Option<u64>,
    pub(super) last_ns: Option<u64>,
}

impl DemuxerMessages {
    /// Records the messages of the demuxers in `source`, whose packets `times` observes.
    pub(super) fn watch(&self, source: &gst::Element, times: &RecordingTimes) {
        let (messages, times) = (self.clone(), times.clone());
        on_demuxer(source, move |demuxer, factory| {
            messages.watch_demuxer(demuxer, times.clone());
            if factory.name() == "asfdemux" {
                messages.watch_discontinuities(demuxer, times.clone());
            }
        });
    }

    /// Records damage that a demuxer posts no warning for, but marks in the packets behind it.
    fn watch_discontinuities(&self, demuxer: &gst::Element, times: RecordingTimes) {
        let messages = self.clone();
        demuxer.connect_pad_added(move |_, pad| {
            let (messages, times) = (messages.clone(), times.clone());
            // The first packet is always marked.
            let before_ns = Mutex::new(None);
            pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
                let latest_ns = times.latest_packet_ns();
                let before_ns = std::mem::replace(&mut *lock(&before_ns), latest_ns);
                if let Some(packet) = info.buffer()
                    && packet.flags().contains(gst::BufferFlags::DISCONT)
                    && before_ns.is_some()
                {
                    messages.add_damage("the demuxer left out packets", before_ns, latest_ns);
                }
                gst::PadProbeReturn::Ok
            });
        });
    }

    fn watch_demuxer(&self, demuxer: &gst::Element, times: RecordingTimes) {
        let Some(bus) = demuxer.bus() else {
            return;
        };
        let messages = self.clone();
        let recorder = gst::Bus::new();
        recorder.set_sync_handler(move |_, message| {
            messages.record(message, &times);
            // The bus of a bin handles messages at once, and does not refuse any.
            let _ = bus.post(message.clone());
            gst::BusSyncReply::Drop
        });
        demuxer.set_bus(Some(&recorder));
    }

    fn record(&self, message: &gst::Message, times: &RecordingTimes) {
        match message.view() {
            gst::MessageView::Error(_) => {
                lock(&self.0).error.get_or_insert_with(|| message.clone());
            }
            gst::MessageView::Warning(warning) => {
                let error = warning.error();
                // Others are about the network or features that are missing.
                if error.matches(gst::StreamError::Demux) {
                    let latest_ns = times.latest_packet_ns();
                    self.add_damage(&one_line(error.message()), latest_ns, latest_ns);
                }
            }
            _ => {}
        }
    }

    /// Records damage between packets with these times, which `text` describes.
    fn add_damage(&self, text: &str, first_ns: Option<u64>, last_ns: Option<u64>) {
        let mut posted = lock(&self.0);
        let damage = posted.damage.get_or_insert_with(|| DamagedData {
            text: text.to_owned(),
            first_ns,
            last_ns: None,
        });
        damage.last_ns = last_ns;
    }

    /// Returns the first error.
    pub(super) fn first_error(&self) -> Option<gst::Message> {
        lock(&self.0).error.clone()
    }

    /// Returns the damage that the demuxers have found.
    pub(super) fn damage(&self) -> Option<DamagedData> {
        lock(&self.0).damage.clone()
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
