// SPDX-License-Identifier: MPL-2.0

//! Draws, encodes and writes the annotated video, with the sound of the recording.

use std::path::Path;

use gst::prelude::*;

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
    // Weak, because the source's signal handler holds this.
    muxer: glib::WeakRef<gst::Element>,
    sink: glib::WeakRef<gst::Element>,
}

impl Annotation {
    /// Adds it to `pipeline`, linked to `analysis`; writes to a file at `path`, with faces
    /// pixelated if `blurs`.
    ///
    /// # Errors
    /// Returns an error if an element cannot be created or linked.
    pub(super) fn add(
        pipeline: &gst::Pipeline,
        analysis: &gst::Element,
        path: &Path,
        blurs: bool,
    ) -> Result<Self, glib::BoolError> {
        // H.264 requires an even width and height.
        let video = bin(
            "attitudeoverlay name=overlay ! queue ! videoconvert ! videoscale \
             ! video/x-raw,format=I420,width=[2,16384,2],height=[2,16384,2] \
             ! x264enc pass=qual quantizer=21 speed-preset=veryfast tune=zerolatency ! queue",
        )?;
        if let Some(overlay) = video.by_name("overlay") {
            overlay.set_property("blur-faces", blurs);
        }
        let muxer = gst::ElementFactory::make("mp4mux").build()?;
        let sink = gst::ElementFactory::make("filesink")
            .property("location", path)
            .build()?;
        pipeline.add_many([video.upcast_ref(), &muxer, &sink])?;
        gst::Element::link_many([analysis, video.upcast_ref(), &muxer, &sink])?;
        Ok(Self {
            muxer: muxer.downgrade(),
            sink: sink.downgrade(),
        })
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
            // The sound waits for all frames that are in the encoder.
            let sound = bin(
                "queue max-size-buffers=0 max-size-bytes=0 max-size-time=10000000000 \
                 ! audioconvert ! audioresample ! avenc_aac ! queue",
            )?;
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

fn bin(description: &str) -> Result<gst::Bin, glib::BoolError> {
    gst::parse::bin_from_description(description, true)
        .map_err(|error| glib::bool_error!("{error}"))
}
