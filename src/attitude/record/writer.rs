// SPDX-License-Identifier: MPL-2.0

//! The interface of formats: a [`Writer`] takes [`TimedRecord`]s and appends bytes to an
//! [`Output`].

use std::io::{self, ErrorKind, Write};

use super::Record;
use super::note::TimedNote;
use crate::timeline::{RecordingEnd, Span};

/// The records that are passed to a writer, and the time for which each is shown in subtitles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// All frames of a pipeline, each of which is shown during its [span](TimedRecord::span).
    Frames,
    /// The samples of a recording, each of which is shown until the next one.
    Samples {
        /// Nanoseconds between samples; 0 if every frame is a sample.
        interval_ns: u64,
    },
    /// The samples of a live session, each of which is shown until the next one. Samples may be
    /// late or missing, and notes may be in any order; thus subtitles are sorted, and written at
    /// the end.
    Session {
        /// Nanoseconds between samples; 0 if every frame is a sample.
        interval_ns: u64,
    },
}

/// A record to write, and when it is shown.
#[derive(Clone, Copy, Debug)]
pub struct TimedRecord<'a> {
    /// The record of a frame.
    pub record: &'a Record,
    /// Presentation timestamp of the frame, and its end.
    pub span: Span,
    /// `true` if the record contains the result of a new sample.
    pub is_sample: bool,
    /// `true` if the record is written. Subtitles, each of which is shown during many frames,
    /// ignore this.
    pub is_selected: bool,
}

impl<'a> TimedRecord<'a> {
    /// Creates the record of a sample, for [`Timing::Samples`] and [`Timing::Session`].
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

/// Writes records in a format.
///
/// # Errors
/// All methods with a result return an error if `output` has reached its limit.
pub trait Writer: Send {
    /// Writes the header of a file, before everything else; `span` is that of the first record.
    fn begin(&mut self, _span: Span, _output: &mut Output) -> io::Result<()> {
        Ok(())
    }

    /// Writes a record. Subtitles are written when they end, with the first record that differs.
    fn write(&mut self, frame: &TimedRecord, output: &mut Output) -> io::Result<()>;

    /// Writes a note. The default implementation ignores it.
    fn write_note(&mut self, _note: &TimedNote, _output: &mut Output) -> io::Result<()> {
        Ok(())
    }

    /// Sets the end of the recording, before [`finish`](Self::finish): the last of the
    /// [samples](Timing::Samples) is shown until then.
    fn set_end(&mut self, _end: RecordingEnd) {}

    /// Writes all incomplete data, at the end of a stream or of a part of it. In text formats, more
    /// records may be written afterwards.
    fn finish(&mut self, _output: &mut Output) -> io::Result<()> {
        Ok(())
    }

    /// Discards incomplete data, at a flush.
    fn reset(&mut self) {}

    /// Returns `true` if all data about the records up to now have been written.
    fn is_up_to_date(&self) -> bool {
        true
    }
}

/// Bytes in memory, divided into pieces that each belong to a time span.
#[derive(Debug)]
pub struct Output {
    bytes: Vec<u8>,
    /// Time span and end of each piece.
    pieces: Vec<(Span, usize)>,
    max_len: usize,
}

impl Default for Output {
    fn default() -> Self {
        Self::with_limit(usize::MAX)
    }
}

impl Output {
    /// Creates an empty output of at most `max_len` bytes. Writing more returns an error of the
    /// kind [`FileTooLarge`](ErrorKind::FileTooLarge).
    pub fn with_limit(max_len: usize) -> Self {
        Self {
            bytes: Vec::new(),
            pieces: Vec::new(),
            max_len,
        }
    }

    /// Ends the piece that belongs to `span`: all bytes after the previous piece. Ignores an empty
    /// piece.
    pub fn end_piece(&mut self, span: Span) {
        let start = self.pieces.last().map_or(0, |(_, end)| *end);
        if self.bytes.len() > start {
            self.pieces.push((span, self.bytes.len()));
        }
    }

    /// Returns the pieces with their time spans, in the order in which they were written.
    pub fn pieces(&self) -> impl Iterator<Item = (Span, &[u8])> {
        let mut start = 0;
        self.pieces.iter().map(move |&(span, end)| {
            let piece = &self.bytes[start..end];
            start = end;
            (span, piece)
        })
    }

    /// Returns all bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Converts the output to its bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Returns `true` if there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Removes all bytes; keeps the memory.
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
mod tests {
    use super::*;

    #[test]
    fn an_output_with_a_limit_rejects_more_bytes() {
        let mut output = Output::with_limit(3);
        output.write_all(b"ab").unwrap();
        let error = output.write_all(b"cd").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        output.write_all(b"c").unwrap();
        assert_eq!(output.bytes(), b"abc");
    }

    #[test]
    fn pieces_have_their_spans_and_empty_pieces_are_ignored() {
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
