// SPDX-License-Identifier: MPL-2.0

//! Calls the parsers of the program with data from memory, for the fuzz targets in
//! `tests/hardening`.

use std::error::Error;
use std::io::{self, Cursor};
use std::path::Path;

use attitude::Scores;
use attitude::geometry::{Landmarks, Rect};
use attitude::mapping::Mapping;

use crate::analyze::repair::Repair;
use crate::analyze::{playlists, truncation};
use crate::console;
use crate::evaluate::data::Data;
use crate::evaluate::predictions;
use crate::exit::Interrupt;
use crate::labels::Labels;
use crate::playback::movie;

#[cfg(feature = "serve")]
pub use serve::{WhipOffer, configuration, export, routes, sanitize_sdp_answer, whip_offer};

/// The format of a file with labels.
#[derive(Clone, Copy, Debug)]
pub enum LabelFormat {
    /// Faces or segments in CSV.
    Csv,
    /// Faces in JSON lines.
    JsonLines,
}

/// The labels in a file.
#[derive(Debug)]
pub struct LabelFile {
    /// Boxes and landmarks of the faces.
    pub faces: Vec<(Option<Rect>, Option<Landmarks>)>,
    /// Start and end of the segments in seconds.
    pub segments_s: Vec<(f64, f64)>,
}

/// Parses labels for `evaluate`.
///
/// # Errors
/// Returns what the program prints about the first mistake in `text`.
pub fn labels(
    format: LabelFormat,
    text: &str,
    mapping: Option<&Mapping>,
) -> Result<LabelFile, String> {
    let (mut data, labels) = (Data::default(), Labels(mapping));
    let added = match format {
        LabelFormat::Csv => data.add_csv(Path::new("labels.csv"), text, labels),
        LabelFormat::JsonLines => data.add_lines(Path::new("labels.jsonl"), text, labels),
    };
    added.map_err(described)?;
    let faces = data.faces.iter().map(|face| (face.bbox, face.landmarks));
    let segments_s = data.segments.iter().map(|s| (s.start_s, s.end_s));
    Ok(LabelFile {
        faces: faces.collect(),
        segments_s: segments_s.collect(),
    })
}

/// Parses predictions for `evaluate`. Returns the scores that they have.
///
/// # Errors
/// Returns what the program prints about the first mistake in `text`.
pub fn predictions(text: &str, mapping: Option<&Mapping>) -> Result<Vec<Scores>, String> {
    let path = Path::new("predictions.csv");
    let parsed = predictions::parse("other", path, text, Labels(mapping)).map_err(described)?;
    let predictions = parsed.by_file.into_values().flatten();
    Ok(predictions.filter_map(|one| one.scores).collect())
}

/// Describes what is missing at the end of a recording; `None` if nothing is known to be missing.
pub fn missing_part(recording: &[u8]) -> Option<String> {
    let missing = truncation::missing_part(&mut Cursor::new(recording), recording.len() as u64);
    // The recording ends in the middle of a header.
    missing.unwrap_or_default()
}

/// Returns the changes with which a demuxer skips the damage in the recording at `path`: offsets and
/// bytes. There is none if no damage was found.
///
/// # Errors
/// Returns an error if the file cannot be read.
pub fn repair(path: &Path) -> io::Result<Vec<(u64, Vec<u8>)>> {
    let repair = Repair::of(path, &Interrupt::default())?.unwrap_or_default();
    // Damage is described, too.
    let _ = repair.describe(0, None);
    let patches = repair.patches().into_iter();
    Ok(patches.map(|patch| (patch.offset, patch.bytes)).collect())
}

/// Returns offset and length in bytes of the duration of a movie that hides its video from
/// `qtdemux`.
pub fn hiding_duration(movie: &[u8]) -> Option<(u64, u64)> {
    let field = movie::hiding_duration(&mut Cursor::new(movie), movie.len() as u64);
    // The movie ends in the middle of a header.
    field
        .unwrap_or_default()
        .map(|field| (field.offset, field.len))
}

/// Returns patterns of the files that a playlist lists, by the extension of the playlist.
pub fn playlist_pieces(extension: &str, text: &str) -> Vec<String> {
    playlists::parser(extension).map_or_else(Vec::new, |pieces_of| pieces_of(text))
}

fn described(error: impl Error) -> String {
    console::chain(&error)
}

#[cfg(feature = "serve")]
mod serve {
    use std::sync::Arc;

    use axum::Router;
    use clap::Parser;

    use super::described;
    use crate::serve::export::Export;
    use crate::serve::http;
    use crate::serve::whip::Offer;
    use crate::watch::config;
    use crate::webrtc::sdp_answer;
    use crate::{Command, Program};

    /// Time between the samples of an exported session in nanoseconds.
    const INTERVAL_NS: u64 = 200_000_000;

    /// Returns an answer to `offer` with the parts of `answer` that a connection needs.
    ///
    /// # Errors
    /// Returns what the page shows if the answer cannot be used.
    pub fn sanitize_sdp_answer(offer: &str, answer: &str) -> Result<String, String> {
        sdp_answer::sanitize(offer, answer).map_err(described)
    }

    /// An offer of a WHIP client.
    #[derive(Debug)]
    pub struct WhipOffer(Offer);

    impl WhipOffer {
        /// Returns the offer of the video alone, sanitized.
        pub fn video(&self) -> &str {
            &self.0.sdp
        }

        /// Adds the other media to an answer to the video.
        pub fn complete(&self, answer: &str) -> String {
            self.0.complete(answer)
        }
    }

    /// Parses an offer of a WHIP client.
    ///
    /// # Errors
    /// Returns what the client receives if the offer cannot be accepted.
    pub fn whip_offer(text: &str) -> Result<WhipOffer, String> {
        Offer::parse(text).map(WhipOffer).map_err(described)
    }

    /// Parses a configuration file of `watch`. Returns the options in it as arguments.
    ///
    /// # Errors
    /// Returns the line and what is wrong there.
    pub fn configuration(text: &str) -> Result<Vec<String>, (usize, String)> {
        config::parse(text).map(|file| file.options)
    }

    /// Exports a session in all formats. Returns the extension of each, and the export, or what
    /// the page shows if there is none.
    pub fn export(session: &[u8]) -> Vec<(&'static str, Result<Vec<u8>, String>)> {
        let files = Export::all().map(|export| {
            let file = export.file(session, INTERVAL_NS);
            (export.extension(), file.map_err(described))
        });
        files.collect()
    }

    /// Returns the routes of a server without a source; `None` if it cannot be started with these
    /// options.
    pub fn routes(options: &[&str]) -> Option<Router> {
        let words = ["gst-attitude", "serve"].iter().chain(options);
        let Command::Serve(arguments) = Program::try_parse_from(words).ok()?.command else {
            return None;
        };
        let server = http::Server::new(Arc::new(arguments), String::new(), None, None);
        server.ok().map(http::routes)
    }
}
