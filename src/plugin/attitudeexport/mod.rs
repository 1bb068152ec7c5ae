// SPDX-License-Identifier: MPL-2.0

//! The element `attitudeexport`.

use gst::prelude::*;

mod exporter;
mod imp;

glib::wrapper! {
    /// Writes what a frame's metadata tell of faces and their attitude as text: JSON lines, CSV,
    /// WebVTT, or subtitles for a muxer. Takes video of any kind and never looks at a pixel.
    ///
    /// ```text
    /// gst-launch-1.0 filesrc location=interview.mp4 ! decodebin ! videoconvert ! faceattitude ! attitudeexport ! filesink location=interview.jsonl
    /// gst-launch-1.0 v4l2src ! videoconvert ! faceattitude ! attitudeexport format=csv interval=change ! tcpserversink port=5000
    /// ```
    ///
    /// Each buffer that comes out is a line of JSON, the rows of a frame, or one cue, with the
    /// timestamp and the duration of what it tells of.
    pub struct AttitudeExport(ObjectSubclass<imp::AttitudeExport>)
        @extends gst::Element, gst::Object;
}

/// What the metadata are written as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstAttitudeExportFormat")]
pub enum Format {
    /// A record a line.
    #[default]
    #[enum_value(name = "JSON lines: a record a line", nick = "jsonl")]
    JsonLines,
    /// A face a row.
    #[enum_value(
        name = "CSV: a face a row, the names of the columns first",
        nick = "csv"
    )]
    Csv,
    /// A file of subtitles.
    #[enum_value(name = "WebVTT: a file of subtitles", nick = "webvtt")]
    WebVtt,
    /// Subtitles for a muxer.
    #[enum_value(name = "Plain text: subtitles for a muxer", nick = "text")]
    Text,
}

/// Which frames are written about, in the formats `jsonl` and `csv`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstAttitudeExportInterval")]
pub enum Interval {
    /// Those that bring a new sample.
    #[default]
    #[enum_value(name = "Frames that bring a new sample", nick = "sample")]
    Sample,
    /// Those where a face comes, goes or changes its attitude.
    #[enum_value(name = "When a face comes, goes or changes attitude", nick = "change")]
    Change,
    /// All.
    #[enum_value(name = "Every frame", nick = "frame")]
    Frame,
}

pub(super) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    #[cfg(feature = "doc")]
    for enumeration in [Format::static_type(), Interval::static_type()] {
        enumeration.mark_as_plugin_api(gst::PluginAPIFlags::empty());
    }
    gst::Element::register(
        Some(plugin),
        "attitudeexport",
        gst::Rank::NONE,
        AttitudeExport::static_type(),
    )
}
