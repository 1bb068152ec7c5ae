// SPDX-License-Identifier: MPL-2.0

//! The formats that records are written in: a file for each, and [`FORMATS`], the list that all users
//! go by. To add a format, add its file, its `mod` line and its entry in the list.

pub mod csv;
pub mod jsonl;
#[cfg(feature = "parquet")]
pub mod parquet;
pub mod srt;
pub mod text;
pub mod webvtt;

use std::io::{self, ErrorKind, Write};

use super::Record;
use super::cue::Span;
use super::note::PlacedNote;

/// All formats. `attitudeexport` numbers the values of its property in this order, so a new one goes
/// to the end.
pub static FORMATS: &[&Format] = &[
    &jsonl::FORMAT,
    &csv::FORMAT,
    #[cfg(feature = "parquet")]
    &parquet::FORMAT,
    &webvtt::FORMAT,
    &text::FORMAT,
    &srt::FORMAT,
];

/// What users of a format need to know of it.
#[derive(Debug)]
pub struct Format {
    /// Value of the property `format` of `attitudeexport`.
    pub name: &'static str,
    /// A phrase for lists of formats, such as `CSV: one row per face, with a header row`.
    pub description: &'static str,
    /// Caps of the text in a pipeline; `None` if the format is not text that a pipeline can carry.
    pub caps: Option<&'static str>,
    /// The file that `gst-attitude analyze` writes for a recording.
    pub file: Option<RecordingFile>,
    /// Creates a writer. Fails if the format cannot describe its columns.
    pub writer: fn(Timing) -> io::Result<Box<dyn Writer>>,
}

/// A recording's results in one format, as a file.
#[derive(Debug)]
pub struct RecordingFile {
    /// Its name, such as `faces.csv`.
    pub name: &'static str,
    /// Its media type, such as `text/csv; charset=utf-8`.
    pub media_type: &'static str,
    /// Whether it is written unless the user asks for other files.
    pub is_default: bool,
}

impl RecordingFile {
    /// Returns the extension of the file's name.
    pub fn extension(&self) -> &'static str {
        self.name.rsplit('.').next().unwrap_or(self.name)
    }
}

/// Returns the formats that have a file for a recording, and their files.
pub fn recording_files() -> impl Iterator<Item = (&'static Format, &'static RecordingFile)> {
    let formats = FORMATS.iter().copied();
    formats.filter_map(|format| Some((format, format.file.as_ref()?)))
}

/// How long frames are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// As long as their [span](Frame::span): every frame is written, as it passes through a pipeline.
    Frames,
    /// Until the next one: only samples are written.
    Samples {
        /// Nanoseconds between samples; 0 if every frame is one.
        interval_ns: u64,
    },
    /// Until the next one, of a live session whose samples may be late or missing and whose notes
    /// come in any order: subtitles are sorted, and written when the session ends.
    Session {
        /// Nanoseconds between samples; 0 if every frame is one.
        interval_ns: u64,
    },
}

/// A frame, as writers take it.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// What it shows.
    pub record: &'a Record,
    /// Its presentation timestamp and when it ends, in nanoseconds.
    pub span: Span,
    /// Whether it brings a new sample.
    pub is_sample: bool,
    /// Whether its record is to be written. Subtitles ignore this, as each covers many frames.
    pub is_selected: bool,
}

impl<'a> Frame<'a> {
    /// Returns the frame of a sample that lasts until the next one, as in [`Timing::Samples`] and
    /// [`Timing::Session`].
    pub fn sample(record: &'a Record) -> Self {
        let time_ns = record.time_ns().unwrap_or(0);
        Self {
            record,
            span: Span {
                start_ns: time_ns,
                end_ns: time_ns,
            },
            is_sample: true,
            is_selected: true,
        }
    }
}

/// Writes frames in one format. All methods fail if `output` refuses more bytes.
pub trait Writer: Send {
    /// Writes what a file begins with, before anything else; `span` is that of the first frame.
    fn begin(&mut self, _span: Span, _output: &mut Output) -> io::Result<()> {
        Ok(())
    }

    /// Writes a frame, or what is complete now that this frame is known.
    fn write(&mut self, frame: &Frame, output: &mut Output) -> io::Result<()>;

    /// Writes a note of somebody who watched.
    fn write_note(&mut self, _note: &PlacedNote, _output: &mut Output) -> io::Result<()> {
        Ok(())
    }

    /// Writes what is incomplete: the stream, or a part of it, ends. Formats that a pipeline can carry
    /// may be continued after it.
    fn finish(&mut self, _output: &mut Output) -> io::Result<()> {
        Ok(())
    }

    /// Drops what is incomplete, for a flush.
    fn reset(&mut self) {}

    /// Returns whether nothing will be written any more about the time before the next frame.
    fn is_up_to_date(&self) -> bool {
        true
    }
}

/// Bytes in memory, in pieces that are each about a span of time.
#[derive(Debug)]
pub struct Output {
    bytes: Vec<u8>,
    pieces: Vec<(Span, usize)>,
    max_len: usize,
}

impl Default for Output {
    fn default() -> Self {
        Self::with_limit(usize::MAX)
    }
}

impl Output {
    /// Creates an empty output that refuses to become longer than `max_len` bytes, with an error of
    /// the kind [`FileTooLarge`](ErrorKind::FileTooLarge).
    pub fn with_limit(max_len: usize) -> Self {
        Self {
            bytes: Vec::new(),
            pieces: Vec::new(),
            max_len,
        }
    }

    /// Ends a piece, which is about `span`: all bytes since the last one. Without any there is none.
    pub fn end_piece(&mut self, span: Span) {
        let begin = self.pieces.last().map_or(0, |(_, end)| *end);
        if self.bytes.len() > begin {
            self.pieces.push((span, self.bytes.len()));
        }
    }

    /// Returns the pieces with their spans, in the order in which they were written.
    pub fn pieces(&self) -> impl Iterator<Item = (Span, &[u8])> {
        let mut begin = 0;
        self.pieces.iter().map(move |&(span, end)| {
            let piece = &self.bytes[begin..end];
            begin = end;
            (span, piece)
        })
    }

    /// Returns all bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns all bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Returns whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Removes everything, but keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.pieces.clear();
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.max_len.saturating_sub(self.bytes.len()) {
            return Err(ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Writes `records` as samples, 200 ms apart, in `format`.
    pub(crate) fn written(format: &Format, records: &[Record]) -> Vec<u8> {
        let mut output = Output::default();
        let interval_ns = 200_000_000;
        let mut writer = (format.writer)(Timing::Samples { interval_ns }).unwrap();
        writer.begin(Span::default(), &mut output).unwrap();
        for record in records {
            writer.write(&Frame::sample(record), &mut output).unwrap();
        }
        writer.finish(&mut output).unwrap();
        output.into_bytes()
    }

    #[test]
    fn names_files_and_extensions_are_unique() {
        let mut names: HashSet<_> = HashSet::new();
        for format in FORMATS {
            assert!(names.insert(format.name), "{}", format.name);
            if let Some(file) = &format.file {
                assert!(names.insert(file.name), "{}", file.name);
                let is_unique = file.extension() == format.name || names.insert(file.extension());
                assert!(is_unique, "{}", file.extension());
            }
        }
    }

    #[test]
    fn every_format_has_a_use_and_a_description_in_one_line() {
        for format in FORMATS {
            assert!(format.caps.is_some() || format.file.is_some());
            assert!(!format.description.contains(['\n', '\0']));
        }
    }

    #[test]
    fn an_output_with_a_limit_refuses_more() {
        let mut output = Output::with_limit(3);
        output.write_all(b"ab").unwrap();
        let error = output.write_all(b"cd").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        output.write_all(b"c").unwrap();
        assert_eq!(output.bytes(), b"abc");
    }

    #[test]
    fn pieces_keep_their_spans_and_empty_ones_are_left_out() {
        let span = |start_ns| Span {
            start_ns,
            end_ns: start_ns + 1,
        };
        let mut output = Output::default();
        for (index, text) in ["one", "", "two"].into_iter().enumerate() {
            output.write_all(text.as_bytes()).unwrap();
            output.end_piece(span(index as u64));
        }
        let pieces: Vec<_> = output.pieces().collect();
        assert_eq!(pieces, [(span(0), &b"one"[..]), (span(2), b"two")]);
        output.clear();
        assert!(output.is_empty() && output.pieces().next().is_none());
    }
}
