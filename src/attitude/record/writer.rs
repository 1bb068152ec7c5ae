// SPDX-License-Identifier: MPL-2.0

//! The interface between frames and formats: [`Writer`] takes a [`TimedRecord`] and appends bytes to an
//! [`Output`].

use std::io::{self, ErrorKind, Write};

use super::Record;
use super::note::TimedNote;
use crate::timeline::Span;

/// How long a frame is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// As long as their [span](TimedRecord::span): every frame is written, as it passes through a pipeline.
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

/// A frame to write.
#[derive(Clone, Copy, Debug)]
pub struct TimedRecord<'a> {
    /// Its faces.
    pub record: &'a Record,
    /// Its presentation timestamp and when it ends, in nanoseconds.
    pub span: Span,
    /// True if it brings a new sample.
    pub is_sample: bool,
    /// True if its record is to be written. Subtitles ignore this, as each covers many frames.
    pub is_selected: bool,
}

impl<'a> TimedRecord<'a> {
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
    /// Writes the header of a file, before anything else; `span` is that of the first frame.
    fn begin(&mut self, _span: Span, _output: &mut Output) -> io::Result<()> {
        Ok(())
    }

    /// Writes a frame, or what this frame completes.
    fn write(&mut self, frame: &TimedRecord, output: &mut Output) -> io::Result<()>;

    /// Writes a note of the person who watched.
    fn write_note(&mut self, _note: &TimedNote, _output: &mut Output) -> io::Result<()> {
        Ok(())
    }

    /// Writes what is incomplete, at the end of the stream or of a part of it. Formats that a pipeline
    /// can carry may be continued after it.
    fn finish(&mut self, _output: &mut Output) -> io::Result<()> {
        Ok(())
    }

    /// Drops what is incomplete, for a flush.
    fn reset(&mut self) {}

    /// Returns true if nothing more will be written about the time before the next frame.
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

    /// Ends a piece about `span`: all bytes since the last piece. An empty piece is left out.
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

    /// Returns true if it is empty.
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
mod tests {
    use super::*;

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
