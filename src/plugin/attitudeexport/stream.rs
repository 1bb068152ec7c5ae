// SPDX-License-Identifier: MPL-2.0

//! State of one stream, and the writing of its frames.

use std::io;

use crate::meta::stripped::StrippedWarning;
use crate::records::{FrameRecorder, FrameSelection};
use attitude::record::formats::{Output, Writer};
use attitude::timeline::Span;

/// State of one stream, from READY->PAUSED to PAUSED->READY.
#[derive(Default)]
pub(super) struct Stream {
    writer: Option<Box<dyn Writer>>,
    /// Whether the writer has written the header.
    has_header: bool,
    /// Text that has been written but not pushed.
    pub output: Output,
    pub frames: FrameRecorder,
    /// Whether caps and segment have been pushed.
    pub is_begun: bool,
    pub stripped: StrippedWarning,
}

impl Stream {
    /// Creates the state of a stream whose frames `writer` writes.
    pub fn new(writer: Box<dyn Writer>, frames: FrameRecorder) -> Self {
        Self {
            writer: Some(writer),
            frames,
            ..Self::default()
        }
    }

    /// Writes the faces of a frame to `output`. Returns the span of a gap that tells sinks and
    /// muxers not to wait for text about the frame.
    ///
    /// # Errors
    /// Returns an error if the writer fails.
    pub fn write(
        &mut self,
        buffer: &gst::BufferRef,
        selection: FrameSelection,
    ) -> io::Result<Option<Span>> {
        let frame = self.frames.read(buffer, selection);
        let Some(writer) = &mut self.writer else {
            return Ok(None);
        };
        let is_first = !std::mem::replace(&mut self.has_header, true);
        if is_first {
            writer.begin(frame.span, &mut self.output)?;
        }
        writer.write(&frame, &mut self.output)?;
        if !self.output.is_empty() {
            Ok(None)
        } else if writer.is_up_to_date() {
            Ok(Some(frame.span))
        } else {
            // A sink prerolls with a gap. Without one, a format without a header would block the
            // other branches of a tee until its first cue ends.
            let Span { start_ns, .. } = frame.span;
            let end_ns = start_ns;
            Ok(is_first.then_some(Span { start_ns, end_ns }))
        }
    }

    /// Writes open cues and the end of the format to `output`.
    ///
    /// # Errors
    /// Returns an error if the writer fails.
    pub fn finish(&mut self) -> io::Result<()> {
        match &mut self.writer {
            Some(writer) => writer.finish(&mut self.output),
            None => Ok(()),
        }
    }

    /// Returns `true` if the text covers all frames so far.
    pub fn is_up_to_date(&self) -> bool {
        self.writer
            .as_ref()
            .is_none_or(|writer| writer.is_up_to_date())
    }

    /// Discards open cues, as after a flush.
    pub fn flush(&mut self) {
        self.frames.flush();
        if let Some(writer) = &mut self.writer {
            writer.reset();
        }
    }
}
