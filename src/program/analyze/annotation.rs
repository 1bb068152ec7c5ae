// SPDX-License-Identifier: MPL-2.0

//! The annotated video: what is drawn, encoded and written, with the sound.

use std::path::Path;

use gst::prelude::*;

/// The name of its file.
pub const FILE: &str = "annotated.mp4";

/// The elements that take more than what GStreamer's base has, with Debian's packages of them.
const NEEDED: [(&str, &str); 3] = [
    ("x264enc", "gstreamer1.0-plugins-ugly"),
    ("avenc_aac", "gstreamer1.0-libav"),
    ("mp4mux", "gstreamer1.0-plugins-good"),
];

/// What is not installed, with the command that does.
pub fn missing() -> Option<String> {
    let mut missing = NEEDED
        .iter()
        .filter(|(name, _)| gst::ElementFactory::find(name).is_none());
    let (name, package) = missing.next()?;
    Some(format!(
        "--annotate needs GStreamer's element {name}, which is not installed; on Debian: apt install \
         {package}"
    ))
}

/// The part of the pipeline behind the analysis.
pub struct Annotation {
    muxer: glib::WeakRef<gst::Element>,
}

impl Annotation {
    /// Adds it to `pipeline`, behind `analysis`, with a file at `path`.
    pub fn add(
        pipeline: &gst::Pipeline,
        analysis: &gst::Element,
        path: &Path,
        blurs: bool,
    ) -> Result<Self, glib::BoolError> {
        // H.264 wants even sizes.
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
        })
    }

    /// Takes the sound of `pad`, if it is the first; whether it does.
    pub fn add_sound(&self, pipeline: &gst::Pipeline, pad: &gst::Pad) -> bool {
        const NAME: &str = "sound";
        let Some(muxer) = self.muxer.upgrade() else {
            return false;
        };
        if pipeline.by_name(NAME).is_some() {
            return false;
        }
        let add = || -> Result<(), glib::BoolError> {
            // It may have to wait for all of the video that is being encoded.
            let sound = bin(
                "queue max-size-buffers=0 max-size-bytes=0 max-size-time=10000000000 \
                 ! audioconvert ! audioresample ! avenc_aac ! queue",
            )?;
            sound.set_property("name", NAME);
            pipeline.add(&sound)?;
            sound.link(&muxer)?;
            sound.sync_state_with_parent()?;
            let input = sound.static_pad("sink");
            let input = input.ok_or_else(|| glib::bool_error!("the sound has no way in"))?;
            pad.link(&input)
                .map_err(|error| glib::bool_error!("the sound does not link: {error}"))?;
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
