// SPDX-License-Identifier: MPL-2.0

//! Draws, encodes and writes the annotated video, with the sound of the recording.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use gst::prelude::*;

use super::hidden_faces;

/// Name of the annotated video's file.
pub(crate) const FILE: &str = "annotated.mp4";

/// Name of the bin that encodes the sound.
pub(super) const SOUND: &str = "sound";

/// Required elements that are not in GStreamer's base plugins, with their packages in Debian.
const NEEDED: [(&str, &str); 3] = [
    ("x264enc", "gstreamer1.0-plugins-ugly"),
    ("avenc_aac", "gstreamer1.0-libav"),
    ("mp4mux", "gstreamer1.0-plugins-good"),
];

/// A required element is not installed.
#[derive(Debug, thiserror::Error)]
#[error(
    "--annotate needs GStreamer's element {name}, which is not installed; on Debian: apt install {package}"
)]
pub(crate) struct MissingElement {
    name: &'static str,
    package: &'static str,
}

/// Checks that the required elements are installed.
///
/// # Errors
/// Returns an error if an element is missing.
pub(crate) fn check_elements() -> Result<(), MissingElement> {
    let mut missing = NEEDED
        .into_iter()
        .filter(|(name, _)| gst::ElementFactory::find(name).is_none());
    match missing.next() {
        Some((name, package)) => Err(MissingElement { name, package }),
        None => Ok(()),
    }
}

/// The part of the pipeline after the analysis.
pub(super) struct Annotation {
    /// Draws and pixelates.
    overlay: glib::WeakRef<gst::Element>,
    /// Output of the frames before they are encoded, whose timestamps are running times.
    frames: glib::WeakRef<gst::Pad>,
    // Weak, because the source's signal handler holds this.
    muxer: glib::WeakRef<gst::Element>,
    sink: glib::WeakRef<gst::Element>,
}

impl Annotation {
    /// Adds it to `pipeline`, linked to `analysis`; writes to a file at `path`.
    ///
    /// # Errors
    /// Returns an error if an element cannot be created or linked.
    pub(super) fn add(
        pipeline: &gst::Pipeline,
        analysis: &gst::Element,
        path: &Path,
    ) -> Result<Self, glib::BoolError> {
        // H.264 requires an even width and height.
        let video = bin(
            "attitudeoverlay name=overlay ! queue ! videoconvert ! videoscale \
             ! video/x-raw,format=I420,width=[2,16384,2],height=[2,16384,2] \
             ! identity name=frames single-segment=true \
             ! x264enc pass=qual quantizer=21 speed-preset=veryfast tune=zerolatency ! queue",
        )?;
        let overlay = video.by_name("overlay");
        let overlay = overlay.ok_or_else(|| glib::bool_error!("there is no overlay"))?;
        let frames = video.by_name("frames");
        let frames = frames.and_then(|frames| frames.static_pad("src"));
        let frames = frames.ok_or_else(|| glib::bool_error!("identity has no source pad"))?;
        let muxer = gst::ElementFactory::make("mp4mux").build()?;
        let sink = gst::ElementFactory::make("filesink")
            .property("location", path)
            .build()?;
        pipeline.add_many([video.upcast_ref(), &muxer, &sink])?;
        gst::Element::link_many([analysis, video.upcast_ref(), &muxer, &sink])?;
        Ok(Self {
            overlay: overlay.downgrade(),
            frames: frames.downgrade(),
            muxer: muxer.downgrade(),
            sink: sink.downgrade(),
        })
    }

    /// Pixelates faces: those of the analysis, and those in the file at `path`, which are attached to
    /// the frames at `pad`.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read.
    pub(super) fn hide_faces(&self, pad: &gst::Pad, path: &Path) -> Result<(), glib::BoolError> {
        hidden_faces::attach(pad, path)?;
        if let Some(overlay) = self.overlay.upgrade() {
            overlay.set_property("blur-faces", true);
            overlay.set_property("face-type", hidden_faces::TYPE);
        }
        Ok(())
    }

    /// Adds a black frame at the start if the first frame is later and `starts_late` returns `true`:
    /// no sound precedes it either. Without it, the muxer would move everything to the start.
    pub(super) fn fill_start(&self, starts_late: impl Fn() -> bool + Send + Sync + 'static) {
        let Some(frames) = self.frames.upgrade() else {
            return;
        };
        let is_first = AtomicBool::new(true);
        frames.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
            if !is_first.swap(false, Ordering::Relaxed) {
                return gst::PadProbeReturn::Remove;
            }
            let pts = info.buffer().and_then(|buffer| buffer.pts());
            if pts.is_some_and(|pts| pts > gst::ClockTime::ZERO)
                && starts_late()
                && let Some(mut black) = pad.current_caps().and_then(|caps| black_frame(&caps))
                && let Some(buffer) = black.get_mut()
            {
                buffer.set_pts(gst::ClockTime::ZERO);
                buffer.set_duration(pts);
                // If this fails, so does the first frame.
                let _ = pad.push(black);
            }
            gst::PadProbeReturn::Ok
        });
    }

    /// Delays the frames by `lead_ns`, which is called at the first one.
    pub(super) fn delay_frames(&self, lead_ns: impl Fn() -> u64 + Send + Sync + 'static) {
        let Some(frames) = self.frames.upgrade() else {
            return;
        };
        // The pad applies an offset before the frame if it is set by a probe that blocks.
        let kind = gst::PadProbeType::BLOCK | gst::PadProbeType::BUFFER;
        frames.add_probe(kind, move |pad, _| {
            if let Ok(offset_ns @ 1..) = i64::try_from(lead_ns()) {
                pad.set_offset(offset_ns);
            }
            gst::PadProbeReturn::Remove
        });
    }

    /// Returns `true` if `message` comes from the element that writes the file.
    pub(super) fn is_writing(&self, message: &gst::Message) -> bool {
        let sink = self.sink.upgrade();
        sink.is_some_and(|sink| message.src() == Some(sink.upcast_ref()))
    }

    /// Links the sound of `pad`, unless another sound is linked; returns `true` if it was linked.
    pub(super) fn add_sound(&self, pipeline: &gst::Pipeline, pad: &gst::Pad) -> bool {
        let Some(muxer) = self.muxer.upgrade() else {
            return false;
        };
        if pipeline.by_name(SOUND).is_some() {
            return false;
        }
        let add = || -> Result<(), glib::BoolError> {
            // The sound waits for all frames that are in the encoder. One format suits all encoders
            // and players, and does not change if that of the recording does.
            let sound = bin(
                "queue max-size-buffers=0 max-size-bytes=0 max-size-time=10000000000 \
                 ! audioconvert name=convert ! audioresample ! audio/x-raw,rate=48000,channels=2 \
                 ! identity single-segment=true ! avenc_aac ! queue",
            )?;
            if let Some(convert) = sound.by_name("convert") {
                mix_unpositioned_channels(&convert);
            }
            sound.set_property("name", SOUND);
            pipeline.add(&sound)?;
            sound.link(&muxer)?;
            sound.sync_state_with_parent()?;
            let input = sound.static_pad("sink");
            let input = input.ok_or_else(|| glib::bool_error!("the sound bin has no sink pad"))?;
            pad.link(&input)
                .map_err(|error| glib::bool_error!("cannot link the sound: {error}"))?;
            Ok(())
        };
        match add() {
            Ok(()) => true,
            Err(error) => {
                gst::element_error!(pipeline, gst::CoreError::Negotiation, ["{error}"]);
                false
            }
        }
    }
}

/// Returns a black frame in the format I420 with the size in `caps`.
fn black_frame(caps: &gst::CapsRef) -> Option<gst::Buffer> {
    let structure = caps.structure(0)?;
    let side = |name| usize::try_from(structure.get::<i32>(name).ok()?).ok();
    let (width, height) = (side("width")?, side("height")?);
    // Both are even; rows are padded to four bytes.
    let luma = width.next_multiple_of(4) * height;
    let chroma = (width / 2).next_multiple_of(4) * (height / 2);
    let mut content = vec![16; luma];
    content.resize(luma + 2 * chroma, 128);
    Some(gst::Buffer::from_mut_slice(content))
}

/// Lets `convert`, an `audioconvert`, mix channels without positions, such as those of a recorder:
/// every other one is on the left.
fn mix_unpositioned_channels(convert: &gst::Element) {
    let Some(sink) = convert.static_pad("sink") else {
        return;
    };
    let convert = convert.downgrade();
    sink.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
        if let Some(gst::EventView::Caps(event)) = info.event().map(|event| event.view())
            && let Some(structure) = event.caps().structure(0)
            && let Some(convert) = convert.upgrade()
        {
            let channels = structure.get::<i32>("channels").unwrap_or(0);
            let positions = structure.get::<gst::Bitmask>("channel-mask");
            let has_no_positions = positions.is_ok_and(|positions| positions.0 == 0);
            let matrix = match has_no_positions && channels > 2 {
                true => mix_matrix(channels),
                false => gst::Array::default(),
            };
            convert.set_property("mix-matrix", matrix);
        }
        gst::PadProbeReturn::Ok
    });
}

/// Returns the factors of `channels` channels for the left and the right.
fn mix_matrix(channels: i32) -> gst::Array {
    let row = |side: i32| {
        let factor = |channel: i32| match channel % 2 == side {
            true => 2.0 / channels as f32,
            false => 0.0,
        };
        gst::Array::new((0..channels).map(factor))
    };
    gst::Array::new([row(0), row(1)])
}

fn bin(description: &str) -> Result<gst::Bin, glib::BoolError> {
    gst::parse::bin_from_description(description, true)
        .map_err(|error| glib::bool_error!("{error}"))
}
