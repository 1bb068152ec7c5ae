// SPDX-License-Identifier: MPL-2.0

//! Routes the video that is read to the viewers and to the analysis.
//!
//! ```text
//! passed:    pad -> parser -> tee -> pacer -> packets
//!                               `-> decoder -> pacer -> analysis
//! encoded:   pad -> [decoder] -> pacer -> rotation, scaling -> tee -> encoder -> packets
//!                                                                `-> analysis
//! ```

use gst::prelude::*;
use gst_video::VideoInfo;

use super::super::arguments::Arguments;
use super::codec::Codec;
use super::frame_counts::FrameCounts;
use crate::streams::is_live;

/// Minimum time between keyframes that viewers request.
const MIN_KEYFRAME_INTERVAL: gst::ClockTime = gst::ClockTime::from_mseconds(300);

/// The ends of the routes, in one pipeline.
pub(crate) struct Outlets<'a> {
    pub(crate) pipeline: &'a gst::Pipeline,
    /// Accepts encoded video, for viewers.
    pub(crate) packets: &'a gst::Element,
    /// Accepts raw video.
    pub(crate) analysis: &'a gst::Element,
    /// Counts the frames that are sent.
    pub(crate) frames: &'a FrameCounts,
}

/// Connects the outlets to `pad`, which is about to output its first frame. Returns the codec for
/// viewers.
pub(crate) fn connect(
    pad: &gst::Pad,
    outlets: &Outlets,
    arguments: &Arguments,
) -> Result<Codec, glib::BoolError> {
    let caps = pad.current_caps();
    let codec = caps.as_deref().and_then(Codec::from_caps);
    match codec {
        Some(codec) if is_upright(pad) => {
            pass(pad, codec, outlets)?;
            Ok(codec)
        }
        _ => {
            encode(pad, codec.is_some(), outlets, arguments)?;
            Ok(Codec::Vp8)
        }
    }
}

/// Passes the video without transcoding. `clocksync` stands behind the decoder, which needs a frame
/// before the pipeline plays.
fn pass(pad: &gst::Pad, codec: Codec, outlets: &Outlets) -> Result<(), glib::BoolError> {
    let is_live = is_live(pad);
    let tee = gst::ElementFactory::make("tee").build()?;
    // Unlimited: a full queue would block the tee, and with it the decoder.
    let queue = gst::ElementFactory::make("queue")
        .property("max-size-buffers", 0u32)
        .property("max-size-bytes", 0u32)
        .property("max-size-time", 0u64)
        .build()?;
    let packets_pacer = pacer(is_live)?;
    outlets.frames.watch(&packets_pacer);
    let mut chain = vec![];
    if let Some((parser, caps)) = codec.parser() {
        let filter = gst::ElementFactory::make("capsfilter")
            .property("caps", caps.parse::<gst::Caps>()?)
            .build()?;
        chain.extend([gst::ElementFactory::make(parser).build()?, filter]);
    }
    chain.extend([tee.clone(), queue, packets_pacer.clone()]);
    add(outlets.pipeline, &chain)?;
    packets_pacer.link(outlets.packets)?;

    let decoder_queue = gst::ElementFactory::make("queue").build()?;
    let decode = gst::ElementFactory::make("decodebin").build()?;
    add(outlets.pipeline, &[decoder_queue.clone(), decode.clone()])?;
    let convert = gst::ElementFactory::make("videoconvert").build()?;
    let raw = [pacer(is_live)?, convert.clone()];
    add(outlets.pipeline, &raw)?;
    convert.link(outlets.analysis)?;
    link_when_decoded(&decode, &raw[0]);
    tee.link(&decoder_queue)?;
    start(&chain)?;
    start(&raw)?;
    start(&[decoder_queue, decode])?;
    link(pad, &chain[0])
}

/// Transcodes the video; decodes it first if it `is_encoded`.
fn encode(
    pad: &gst::Pad,
    is_encoded: bool,
    outlets: &Outlets,
    arguments: &Arguments,
) -> Result<(), glib::BoolError> {
    let max_size = arguments.max_size;
    let convert = gst::ElementFactory::make("videoconvert").build()?;
    let flip = gst::ElementFactory::make("videoflip")
        .property_from_str("video-direction", "auto")
        .build()?;
    let scale = gst::ElementFactory::make("videoscale").build()?;
    let filter = gst::ElementFactory::make("capsfilter").build()?;
    fit_to(max_size, &scale, &filter)?;
    let tee = gst::ElementFactory::make("tee").build()?;
    let queue = leaky_queue()?;
    let encoder = encoder(arguments.max_bitrate)?;
    let pacer = pacer(is_live(pad))?;
    outlets.frames.watch(&pacer);
    let chain = [
        pacer,
        leaky_queue()?,
        convert,
        flip,
        scale,
        filter,
        tee.clone(),
        queue,
        encoder.clone(),
    ];
    add(outlets.pipeline, &chain)?;
    encoder.link(outlets.packets)?;
    let analysis_queue = leaky_queue()?;
    add(outlets.pipeline, std::slice::from_ref(&analysis_queue))?;
    gst::Element::link_many([&tee, &analysis_queue, outlets.analysis])?;
    start(&chain)?;
    start(&[analysis_queue])?;
    if !is_encoded {
        return link(pad, &chain[0]);
    }
    let decode = gst::ElementFactory::make("decodebin").build()?;
    add(outlets.pipeline, std::slice::from_ref(&decode))?;
    link_when_decoded(&decode, &chain[0]);
    decode.sync_state_with_parent()?;
    link(pad, &decode)
}

/// Creates a real-time VP8 encoder that sends keyframes on request.
fn encoder(max_bitrate_kbits: u32) -> Result<gst::Element, glib::BoolError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = u32::try_from(cores / 2).unwrap_or(1).clamp(1, 4);
    let encoder = gst::ElementFactory::make("vp8enc")
        .property("deadline", 1i64)
        .property("cpu-used", 8i32)
        .property("threads", i32::try_from(threads).unwrap_or(1))
        .property(
            "target-bitrate",
            i32::try_from(max_bitrate_kbits * 1000).unwrap_or(i32::MAX),
        )
        .property("keyframe-max-dist", 300i32)
        .property("min-quantizer", 4i32)
        .property("max-quantizer", 56i32)
        .property("buffer-initial-size", 500i32)
        .property("buffer-optimal-size", 600i32)
        .property("buffer-size", 1000i32)
        .property(
            "min-force-key-unit-interval",
            MIN_KEYFRAME_INTERVAL.nseconds(),
        )
        .build()?;
    encoder.set_property_from_str("end-usage", "cbr");
    encoder.set_property_from_str("error-resilient", "default");
    Ok(encoder)
}

/// Creates a queue that drops old frames if it is full.
fn leaky_queue() -> Result<gst::Element, glib::BoolError> {
    gst::ElementFactory::make("queue")
        .property_from_str("leaky", "downstream")
        .property("max-size-buffers", 2u32)
        .property("max-size-bytes", 0u32)
        .property("max-size-time", 0u64)
        .build()
}

/// Creates the element that delays a recording to real time, and passes the frames of a live stream.
fn pacer(is_live: bool) -> Result<gst::Element, glib::BoolError> {
    gst::ElementFactory::make("clocksync")
        .property("sync", !is_live)
        .build()
}

/// Returns true if the video needs no rotation.
fn is_upright(pad: &gst::Pad) -> bool {
    let mut is_upright = true;
    pad.sticky_events_foreach(|event| {
        if let gst::EventView::Tag(tags) = event.view()
            && let Some(orientation) = tags.tag().get::<gst::tags::ImageOrientation>()
        {
            is_upright = orientation.get() == "rotate-0";
        }
        std::ops::ControlFlow::Continue(gst::EventForeachAction::Keep)
    });
    is_upright
}

/// Makes `scale`, before `filter`, output square pixels within `max_size`.
fn fit_to(
    max_size: (u32, u32),
    scale: &gst::Element,
    filter: &gst::Element,
) -> Result<(), glib::BoolError> {
    let input = pad(scale, "sink")?;
    let filter = filter.downgrade();
    input.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
        if let Some(gst::EventView::Caps(caps)) = info.event().map(|event| event.view())
            && let Ok(info) = VideoInfo::from_caps(caps.caps())
            && let Some(filter) = filter.upgrade()
        {
            let par = info.par();
            let pixel_aspect = f64::from(par.numer()) / f64::from(par.denom());
            let (width, height) = fit((info.width(), info.height()), pixel_aspect, max_size);
            let caps = gst::Caps::builder("video/x-raw")
                .field("format", "I420")
                .field("width", width)
                .field("height", height)
                .field("pixel-aspect-ratio", gst::Fraction::new(1, 1))
                .build();
            filter.set_property("caps", caps);
        }
        gst::PadProbeReturn::Ok
    });
    Ok(())
}

/// Returns the largest size in square pixels for a frame of `size` that fits into `max_size`, in
/// either orientation, with even sides.
fn fit(size: (u32, u32), pixel_aspect: f64, max_size: (u32, u32)) -> (i32, i32) {
    let (width, height) = (f64::from(size.0) * pixel_aspect, f64::from(size.1));
    let (max_width, max_height) = match (width < height) == (max_size.0 < max_size.1) {
        true => max_size,
        false => (max_size.1, max_size.0),
    };
    let factor = (f64::from(max_width) / width)
        .min(f64::from(max_height) / height)
        .min(1.0);
    let even = |side: f64| ((side * factor / 2.0).round() as i32).max(1) * 2;
    (even(width), even(height))
}

/// Links `next` to `decode` when it adds a pad.
fn link_when_decoded(decode: &gst::Element, next: &gst::Element) {
    let next = next.downgrade();
    decode.connect_pad_added(move |_, pad| {
        if let Some(next) = next.upgrade() {
            // If this fails, the decoder posts an error: its pad is not linked.
            let _ = link(pad, &next);
        }
    });
}

/// Adds and links elements.
fn add(pipeline: &gst::Pipeline, chain: &[gst::Element]) -> Result<(), glib::BoolError> {
    pipeline.add_many(chain)?;
    gst::Element::link_many(chain)
}

/// Starts elements, the last one first.
fn start(chain: &[gst::Element]) -> Result<(), glib::BoolError> {
    chain
        .iter()
        .rev()
        .try_for_each(ElementExt::sync_state_with_parent)
}

fn link(from: &gst::Pad, to: &gst::Element) -> Result<(), glib::BoolError> {
    let linked = from.link(&pad(to, "sink")?);
    linked
        .map(drop)
        .map_err(|error| glib::bool_error!("{} cannot be linked: {error}", to.name()))
}

fn pad(element: &gst::Element, name: &str) -> Result<gst::Pad, glib::BoolError> {
    let pad = element.static_pad(name);
    pad.ok_or_else(|| glib::bool_error!("{} has no pad {name}", element.name()))
}

#[cfg(test)]
mod tests {
    use super::fit;

    #[test]
    fn frames_keep_their_aspect_ratio_within_the_limits() {
        let max = (1280, 720);
        for (size, pixel_aspect, fitted) in [
            ((640, 360), 1.0, (640, 360)),
            ((1920, 1080), 1.0, (1280, 720)),
            ((1080, 1920), 1.0, (720, 1280)),
            ((1600, 1200), 1.0, (960, 720)),
            ((720, 576), 16.0 / 15.0, (768, 576)),
            ((333, 333), 1.0, (334, 334)),
            ((8000, 2), 1.0, (1280, 2)),
        ] {
            assert_eq!(fit(size, pixel_aspect, max), fitted, "{size:?}");
        }
    }
}
