// SPDX-License-Identifier: MPL-2.0

//! The origin of the source's video: a location that the server reads, or a WHIP client.

use super::super::arguments::Arguments;
use super::ingest;
use super::playability::Playability;
use crate::streams::Location;

/// Where the source's video comes from.
#[derive(Debug)]
pub(crate) enum Origin {
    /// A file, stream or camera, which the server reads while there are viewers.
    Location(Location),
    /// A WHIP client, which sends it.
    Whip,
}

impl Origin {
    /// Returns the name for people.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Location(location) => location.name(),
            Self::Whip => "WHIP",
        }
    }

    /// Returns true if this is a file of this machine.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self, Self::Location(location) if location.is_file())
    }

    /// Adds the elements that read the source to `pipeline`. Returns the element that adds a pad for
    /// the video, raw or encoded as browsers play it.
    pub(crate) fn add_to(
        &self,
        pipeline: &gst::Pipeline,
        playability: &Playability,
        arguments: &Arguments,
    ) -> Result<gst::Element, glib::BoolError> {
        match self {
            Self::Location(location) => {
                location.add_to(pipeline, playability.caps(location), arguments.max_size)
            }
            Self::Whip => ingest::add_to(pipeline, arguments),
        }
    }

    /// Returns a sentence for visitors about an error that the pipeline posted.
    pub(crate) fn problem(&self, error: &glib::Error, debug: Option<&str>) -> String {
        match self {
            Self::Location(location) => location.problem(error, debug),
            Self::Whip => format!("{}: {}", self.name(), error.message().trim_end_matches('.')),
        }
    }
}
