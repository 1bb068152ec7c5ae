// SPDX-License-Identifier: MPL-2.0

//! Plays recordings: the pipeline, what it posts on the bus, its progress, and errors.

use std::io;
use std::path::Path;

use attitude::record::Record;
use gst::message::{Element, Error};
use gst::prelude::*;
use gstattitude::message::{self, AttitudeMessage, MessageError};

pub(crate) mod annotation;
mod assumed_times;
mod decoder;
mod demuxers;
mod element_error;
mod error;
mod frame_durations;
mod frame_size;
mod hidden_faces;
mod linking;
mod lost_frames;
pub(crate) mod movie;
mod notes;
mod pipeline;
mod play;
mod progress;
mod scheduling;
mod stall_detector;
mod times;
mod transport_stream;

pub(crate) use decoder::{AUDIO, VIDEO, decoder};
pub(crate) use element_error::ElementError;
pub(crate) use error::{BeyondEndError, PlaybackError, PlaybackErrorKind};
pub(crate) use play::{Played, play};
pub(crate) use progress::Progress;
pub(crate) use stall_detector::StallDetector;

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
        let posted = error.error();
        let is_document = missing
            .iter()
            .any(|missing| missing.needed_for == NeededFor::Document);
        match missing.into_iter().find(MissingPlugin::is_for_video) {
            Some(missing) => Self::MissingPlugin(missing),
            None if is_document
                || posted.matches(gst::StreamError::TypeNotFound)
                || posted.matches(gst::StreamError::WrongType) =>
            {
                Self::NotRecognized
            }
            // Only plugins for other streams are missing.
            None if posted.matches(gst::CoreError::MissingPlugin) => Self::NoVideo,
            None => Self::Element(error.into()),
        }
    }
}

/// Replaces line breaks and runs of spaces with one space.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a missing plugin is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NeededFor {
    /// The video, or all streams.
    Video,
    /// Sound, subtitles and other streams.
    OtherStreams,
    /// A file that is no recording, such as a web page with the name of a video.
    Document,
}

impl NeededFor {
    /// Returns what a plugin for data of this media type is needed for.
    fn of(media_type: &str) -> Self {
        const DOCUMENTS: [&str; 5] = ["zip", "pdf", "compress", "xml", "json"];
        match media_type.split_once('/') {
            Some(("audio" | "subpicture" | "closedcaption" | "meta", _)) => Self::OtherStreams,
            // Streams of text are not decoded, so this is the file.
            Some(("text", _)) => Self::Document,
            Some(("application", kind)) if DOCUMENTS.iter().any(|part| kind.contains(part)) => {
                Self::Document
            }
            _ => Self::Video,
        }
    }
}

/// A plugin that is needed to play a recording and is not installed.
#[derive(Debug, thiserror::Error)]
#[error("GStreamer has no {name}; on Debian it is in {packages}")]
pub(crate) struct MissingPlugin {
    name: String,
    packages: &'static str,
    needed_for: NeededFor,
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
            needed_for: media_type
                .map_or(NeededFor::Video, |media_type| NeededFor::of(&media_type)),
        })
    }

    /// Returns `true` if it is needed for the video, which can be analyzed without other streams.
    pub(crate) fn is_for_video(&self) -> bool {
        self.needed_for == NeededFor::Video
    }
}
