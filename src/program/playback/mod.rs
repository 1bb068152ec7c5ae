// SPDX-License-Identifier: MPL-2.0

//! Plays recordings: the pipeline, what it posts on the bus, its progress, and errors.

use std::io;
use std::path::Path;

use attitude::record::Record;
use gst::message::{Element, Error};
use gst::prelude::*;
use gstattitude::message::{self, AttitudeMessage, MessageError};

pub(crate) mod annotation;
mod demuxers;
mod element_error;
mod error;
mod pipeline;
mod play;
mod progress;
mod watchdog;

pub(crate) use element_error::ElementError;
pub(crate) use error::{BeyondEndError, PlaybackError, PlaybackErrorKind};
pub(crate) use play::{Played, play};
pub(crate) use progress::Progress;
pub(crate) use watchdog::Watchdog;

/// Caps names of decoded streams, in any memory.
pub(crate) const VIDEO: &str = "video/x-raw";
pub(crate) const AUDIO: &str = "audio/x-raw";

/// GStreamer or the plugin cannot be initialized.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InitError {
    #[error("cannot initialize GStreamer")]
    GStreamer(#[source] glib::Error),
    #[error("cannot register the elements")]
    Plugin(#[source] glib::BoolError),
}

/// Initializes GStreamer and registers the elements of this project.
pub(crate) fn init() -> Result<(), InitError> {
    gst::init().map_err(InitError::GStreamer)?;
    gstattitude::plugin_register_static().map_err(InitError::Plugin)
}

/// A path cannot be written as a URI.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UriError {
    #[error("cannot find the current folder")]
    Folder(#[source] io::Error),
    #[error("cannot convert the path to a URI")]
    Convert(#[source] glib::Error),
}

/// Returns the `file:` URI of a path.
pub(crate) fn file_uri(path: &Path) -> Result<String, UriError> {
    let absolute = std::path::absolute(path).map_err(UriError::Folder)?;
    let uri = glib::filename_to_uri(absolute, None).map_err(UriError::Convert)?;
    Ok(uri.into())
}

/// Creates an element that decodes the streams of `kinds`, such as [`VIDEO`], at `uri` and ignores
/// all others. It adds its pads while it runs.
pub(crate) fn decoder(uri: &str, kinds: &[&str]) -> Result<gst::Element, glib::BoolError> {
    let mut caps = gst::Caps::new_empty();
    for kind in kinds {
        caps.merge(gst::Caps::builder(*kind).any_features().build());
    }
    gst::ElementFactory::make("uridecodebin")
        .property("uri", uri)
        .property("caps", caps)
        .property("expose-all-streams", false)
        .build()
}

/// Returns the sample in `message`; `None` if it is a message of another kind.
///
/// # Errors
/// Returns an error if it is a sample in the format of another version.
pub(crate) fn sample(message: &Element) -> Result<Option<Record>, MessageError> {
    match message.structure() {
        Some(structure) if structure.name() == message::NAME => {
            AttitudeMessage::try_from(structure).map(|AttitudeMessage(record)| Some(record))
        }
        _ => Ok(None),
    }
}

/// Returns `true` if `message` comes from `element` or from an element in it.
pub(crate) fn is_from(message: &gst::Message, element: &gst::Element) -> bool {
    let element = element.upcast_ref::<gst::Object>();
    message
        .src()
        .is_some_and(|src| src == element || src.has_as_ancestor(element))
}

/// Returns the duration of what `pipeline` plays in nanoseconds; `None` if it is unknown.
pub(crate) fn duration_ns(pipeline: &gst::Pipeline) -> Option<u64> {
    let duration = pipeline.query_duration::<gst::ClockTime>();
    duration.map(gst::ClockTime::nseconds)
}

/// Nothing of a recording can be played.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnplayableError {
    #[error("it has no video")]
    NoVideo,
    #[error(
        "it is not a recording that GStreamer can read: it is empty, damaged or another kind of file; check it \
         with another player"
    )]
    NotRecognized,
    #[error(transparent)]
    MissingPlugin(MissingPlugin),
    #[error("GStreamer cannot read it: {0}")]
    Element(ElementError),
}

/// Returns the number `name` of the property `stats` of a `faceattitude`; 0 if there is none.
pub(crate) fn stat(element: &gst::Element, name: &str) -> u64 {
    let stats: Option<gst::Structure> = element.property("stats");
    stats.and_then(|stats| stats.get(name).ok()).unwrap_or(0)
}

impl UnplayableError {
    /// Returns the reason for `error`, which an element that reads or decodes the recording posted
    /// before there was video. `missing` has the plugins that were reported to be missing.
    pub(crate) fn of(error: &Error, missing: Vec<MissingPlugin>) -> Self {
        // The video can be analyzed without the sound.
        let missing = missing.into_iter().find(|missing| !missing.is_sound);
        let posted = error.error();
        match missing {
            Some(missing) => Self::MissingPlugin(missing),
            // A plugin for a stream that was not requested is not reported as missing.
            None if posted.matches(gst::CoreError::MissingPlugin) => Self::NoVideo,
            None if posted.matches(gst::StreamError::TypeNotFound) => Self::NotRecognized,
            None => Self::Element(error.into()),
        }
    }
}

/// Replaces line breaks and runs of spaces with one space.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A plugin that is needed to play a recording and is not installed.
#[derive(Debug, thiserror::Error)]
#[error("GStreamer has no {name}; on Debian it is in {packages}")]
pub(crate) struct MissingPlugin {
    name: String,
    packages: &'static str,
    /// Set if it is needed for sound only.
    is_sound: bool,
}

impl MissingPlugin {
    /// Returns the plugin that `message` reports to be missing; `None` if it is a message of
    /// another kind.
    pub(crate) fn of(message: &Element) -> Option<Self> {
        let structure = message.structure()?;
        if structure.name() != "missing-plugin" {
            return None;
        }
        let kind: String = structure.get("type").ok()?;
        let detail: Option<gst::Caps> = structure.get("detail").ok();
        let media_type = detail.and_then(|caps| Some(caps.structure(0)?.name().to_string()));
        Some(Self {
            name: structure.get("name").ok()?,
            packages: match kind.as_str() {
                "decoder" => "gstreamer1.0-libav, gstreamer1.0-plugins-good, -bad or -ugly",
                "urisource" => "gstreamer1.0-plugins-good",
                _ => "gstreamer1.0-plugins-base, -good, -bad or -ugly",
            },
            is_sound: media_type.is_some_and(|media_type| media_type.starts_with("audio/")),
        })
    }
}
