// SPDX-License-Identifier: MPL-2.0

//! Records of the frames that pass an element, from their metadata.

use attitude::record::Record;
use attitude::record::change::FaceChangeDetector;
use attitude::record::formats::TimedRecord;
use attitude::record::tags::Tags;
use attitude::timeline::Span;

use crate::clock_time::clock_time;
use crate::{meta, video};

/// Selects the frames whose records are written or published; the property `interval`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstAttitudeInterval")]
pub enum FrameSelection {
    /// Frames that carry a new sample, including samples without faces.
    #[default]
    #[enum_value(name = "Frames that carry a new sample", nick = "sample")]
    Sample,
    /// Frames on which a face appears, disappears or changes its attitude.
    #[enum_value(
        name = "Frames on which a face appears, disappears or changes its attitude",
        nick = "change"
    )]
    Change,
    /// All frames.
    #[enum_value(name = "All frames", nick = "frame")]
    Frame,
}

/// Makes records of the frames of a stream.
#[derive(Default)]
pub(crate) struct FrameRecorder {
    changes: FaceChangeDetector,
    /// Record of the current frame. Its stream is the id in the stream-start event.
    record: Record,
    pub segment: gst::Segment,
    /// Width and height in the caps; 0 if they have none.
    size: (u32, u32),
    /// Duration of a frame according to the caps.
    frame_ns: u64,
    /// Number of frames.
    frames: u64,
    /// End of the last frame, as a timestamp.
    end_ns: u64,
}

impl FrameRecorder {
    /// Creates the recorder of a stream whose records contain `source` and `tags`.
    pub fn new(source: Option<String>, tags: Tags) -> Self {
        Self {
            record: Record {
                source,
                tags,
                ..Record::default()
            },
            ..Self::default()
        }
    }

    /// Begins another stream, whose frames are counted from 0.
    pub fn begin_stream(&mut self, id: &str) {
        id.clone_into(&mut self.record.stream);
        self.frames = 0;
        self.changes = FaceChangeDetector::default();
    }

    pub fn set_caps(&mut self, caps: &gst::CapsRef) {
        let structure = caps.structure(0);
        let side = |name| {
            let side = structure.and_then(|s| s.get::<i32>(name).ok());
            side.and_then(|side| u32::try_from(side).ok()).unwrap_or(0)
        };
        self.size = (side("width"), side("height"));
        let info = gst_video::VideoInfo::from_caps(caps);
        self.frame_ns = info.map_or(0, |info| video::frame_duration_ns(&info));
    }

    /// Forgets the time of the last frame, as after a flush.
    pub fn flush(&mut self) {
        self.end_ns = 0;
    }

    /// Returns the record of the next frame.
    pub fn read(&mut self, buffer: &gst::BufferRef, selection: FrameSelection) -> TimedRecord<'_> {
        let pts = buffer.pts().or_else(|| clock_time(self.end_ns));
        let mut stamp = video::stamp(buffer, pts, &self.segment, self.size);
        stamp.frame = self.frames;
        self.frames += 1;
        let start_ns = stamp.pts_ns.unwrap_or(self.end_ns);
        let duration = buffer.duration().map(gst::ClockTime::nseconds);
        let end_ns = start_ns.saturating_add(duration.unwrap_or(self.frame_ns));
        self.end_ns = end_ns;

        self.record.set_stamp(&stamp);
        let faces = &mut self.record.faces;
        meta::read_records(buffer, faces);
        self.record.trend = meta::scene_trend(buffer);
        let is_sample = meta::is_sample(buffer) || faces.iter().any(|face| face.fresh);
        TimedRecord {
            span: Span { start_ns, end_ns },
            is_sample,
            is_selected: match selection {
                FrameSelection::Frame => true,
                FrameSelection::Sample => is_sample,
                FrameSelection::Change => self
                    .changes
                    .update(faces.iter().map(|face| (face.track, face.attitude))),
            },
            record: &self.record,
        }
    }
}
