// SPDX-License-Identifier: MPL-2.0

//! Plain text: subtitles for a muxer. Their times are those of the buffers.

use std::io::{self, Write};

use super::{Format, Output, TimedRecord};
use crate::record::cue::CuePieces;

/// The format; see the [module](self).
pub static FORMAT: Format = Format {
    name: "text",
    description: "Plain text: subtitles for a muxer",
    caps: Some("text/x-raw, format=(string)utf8"),
    file: None,
    writer: |_| Ok(Box::new(Writer(CuePieces::default()))),
};

struct Writer(CuePieces);

impl super::Writer for Writer {
    fn write(&mut self, frame: &TimedRecord, output: &mut Output) -> io::Result<()> {
        let faces = &frame.record.faces;
        if let Some((span, text)) = self.0.push(frame.span, frame.is_sample, faces) {
            output.write_all(text.as_bytes())?;
            output.end_piece(span);
        }
        Ok(())
    }

    fn finish(&mut self, _output: &mut Output) -> io::Result<()> {
        self.reset();
        Ok(())
    }

    fn reset(&mut self) {
        self.0.reset();
    }

    /// Returns `false`, so that the element sends no gap events: pieces follow each other without
    /// gaps.
    fn is_up_to_date(&self) -> bool {
        false
    }
}
