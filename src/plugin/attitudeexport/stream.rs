// SPDX-License-Identifier: MPL-2.0

//! State of one stream, and the writing of its frames.

use std::io;

use super::FrameSelection;
use crate::clock_time::clock_time;
use crate::meta::stripped::StrippedWarning;
use crate::{meta, video};
use attitude::record::Record;
use attitude::record::change::FaceChangeDetector;
use attitude::record::formats::{Output, TimedRecord, Writer};
use attitude::timeline::Span;

/// State of one stream, from READY->PAUSED to PAUSED->READY.
#[derive(Default)]
pub(super) struct Stream {
    writer: Option<Box<dyn Writer>>,
    /// Whether the writer has written the header.
    has_header: bool,
    /// Text that has been written but not pushed.
    pub output: Output,
    changes: FaceChangeDetector,
    /// Record of the current frame. Its stream is the id in the stream-start event.
    record: Record,
    pub segment: gst::Segment,
    /// Whether caps and segment have been pushed.
    pub is_begun: bool,
    /// Width and height in the caps; 0 if they have none.
    pub size: (u32, u32),
    /// Duration of a frame according to the caps.
    pub frame_ns: u64,
    /// Number of frames.
    frames: u64,
    /// End of the last frame, as a timestamp.
    end_ns: u64,
    pub stripped: StrippedWarning,
}

impl Stream {
    /// Creates the state of a stream whose frames `writer` writes.
    pub fn new(writer: Box<dyn Writer>) -> Self {
        Self {
            writer: Some(writer),
            ..Self::default()
        }
    }

    /// Begins another stream, whose frames are counted from 0.
    pub fn begin(&mut self, id: String) {
        self.record.stream = id;
        self.frames = 0;
        self.changes = FaceChangeDetector::default();
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
        let pts = buffer.pts().or_else(|| clock_time(self.end_ns));
        let mut stamp = video::stamp(buffer, pts, &self.segment, self.size);
        stamp.frame = self.frames;
        self.frames += 1;
        let start_ns = stamp.pts_ns.unwrap_or(self.end_ns);
        let duration = buffer.duration().map(gst::ClockTime::nseconds);
        let end_ns = start_ns.saturating_add(duration.unwrap_or(self.frame_ns));
        self.end_ns = end_ns;
        let span = Span { start_ns, end_ns };

        self.record.set_stamp(&stamp);
        let faces = &mut self.record.faces;
        meta::read_records(buffer, faces);
        let is_sample = meta::is_sample(buffer) || faces.iter().any(|face| face.fresh);
        let frame = TimedRecord {
            span,
            is_sample,
            is_selected: match selection {
                FrameSelection::Frame => true,
                FrameSelection::Sample => is_sample,
                FrameSelection::Change => self
                    .changes
                    .update(faces.iter().map(|face| (face.track, face.attitude))),
            },
            record: &self.record,
        };
        let Some(writer) = &mut self.writer else {
            return Ok(None);
        };
        let is_first = !std::mem::replace(&mut self.has_header, true);
        if is_first {
            writer.begin(span, &mut self.output)?;
        }
        writer.write(&frame, &mut self.output)?;
        if !self.output.is_empty() {
            Ok(None)
        } else if writer.is_up_to_date() {
            Ok(Some(span))
        } else {
            // A sink prerolls with a gap. Without one, a format without a header would block the
            // other branches of a tee until its first cue ends.
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
        self.end_ns = 0;
        if let Some(writer) = &mut self.writer {
            writer.reset();
        }
    }
}
