// SPDX-License-Identifier: MPL-2.0

//! An element driven through its pads.

use attitude::record::Record;
use gst::prelude::*;
use gst_video::{VideoFormat, VideoInfo};

use super::{
    FRAME, HEIGHT, NEUTRAL, Patch, Picture, WIDTH, frame, info, records, set_properties,
    tiny_element, tracks,
};

/// A playing element with a harness on its pads and a bus.
pub struct Rig {
    pub harness: gst_check::Harness,
    pub element: gst::Element,
    pub bus: gst::Bus,
    pub info: VideoInfo,
    /// Timestamp of the next frame.
    pub next_pts: gst::ClockTime,
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.element.set_state(gst::State::Null).unwrap();
        // Messages that stay on the bus refer to the element that holds the bus.
        self.bus.set_flushing(true);
    }
}

impl Rig {
    /// Creates a `faceattitude` with the tiny models in mode `sync`, and with these properties.
    pub fn tiny(properties: &[(&str, &str)]) -> Self {
        let element = tiny_element(&[("mode", "sync")]);
        set_properties(&element, properties);
        Self::new(element, info(VideoFormat::I420, WIDTH, HEIGHT))
    }

    /// Starts `element` and sends caps.
    pub fn new(element: gst::Element, info: VideoInfo) -> Self {
        let bus = gst::Bus::new();
        element.set_bus(Some(&bus));
        let harness = gst_check::Harness::with_element(&element, Some("sink"), Some("src"));
        let mut rig = Self {
            harness,
            element,
            bus,
            info: info.clone(),
            next_pts: gst::ClockTime::ZERO,
        };
        rig.set_video(info);
        rig
    }

    /// Changes the caps.
    pub fn set_video(&mut self, info: VideoInfo) {
        self.harness.set_src_caps(info.to_caps().unwrap());
        self.info = info;
    }

    /// Returns the next frame.
    pub fn frame(&mut self, picture: &dyn Picture) -> gst::Buffer {
        let mut buffer = frame(&self.info, picture);
        let buffer_ref = buffer.get_mut().unwrap();
        buffer_ref.set_pts(self.next_pts);
        buffer_ref.set_duration(FRAME);
        self.next_pts += FRAME;
        buffer
    }

    /// Passes the next frame, with a neutral face, through the element and returns it.
    pub fn pass(&mut self) -> gst::Buffer {
        self.pass_face(NEUTRAL)
    }

    /// Passes the next frame, with a face of this luma, through the element and returns it.
    pub fn pass_face(&mut self, luma: u8) -> gst::Buffer {
        let buffer = self.frame(&Patch(luma));
        self.push(buffer)
    }

    /// Passes `buffer` through the element and returns it.
    pub fn push(&mut self, buffer: gst::Buffer) -> gst::Buffer {
        self.harness.push_and_pull(buffer).unwrap()
    }

    /// Passes the next frame, and returns the track number of the only face that it carries.
    pub fn track(&mut self) -> i32 {
        let tracks = tracks(&self.pass());
        assert_eq!(tracks.len(), 1, "{tracks:?}");
        tracks[0]
    }

    /// Removes the messages from the bus and returns their records.
    pub fn records(&self) -> Vec<Record> {
        records(&self.bus)
    }

    /// Returns a number in the property `stats`.
    pub fn stat(&self, name: &str) -> u64 {
        let stats: gst::Structure = self.element.property("stats");
        let value = stats.value(name).unwrap();
        value
            .get::<u64>()
            .or_else(|_| value.get::<u32>().map(u64::from))
            .unwrap()
    }

    /// Flushes as a seek does.
    pub fn flush(&mut self) {
        assert!(self.harness.push_event(gst::event::FlushStart::new()));
        assert!(self.harness.push_event(gst::event::FlushStop::new(true)));
        self.push_segment();
    }

    /// Begins another stream with the same caps.
    pub fn begin_stream(&mut self, id: &str) {
        assert!(self.harness.push_event(gst::event::StreamStart::new(id)));
        self.push_segment();
    }

    fn push_segment(&mut self) {
        let segment = gst::FormattedSegment::<gst::ClockTime>::new();
        assert!(self.harness.push_event(gst::event::Segment::new(&segment)));
    }
}
