// SPDX-License-Identifier: MPL-2.0

//! Pipelines that run to their end, and clips that they write.

use std::path::Path;

use attitude::record::Record;
use gst::prelude::*;
use gst_video::{VideoFormat, VideoInfo};
use gstattitude::message::{self, AttitudeMessage};

use super::{FRAME, HEIGHT, Picture, WIDTH, frame, info, init, problem};

/// Longer than any pipeline or inference of a test takes: a test that waits for it fails instead of
/// hanging.
pub const TIMEOUT: gst::ClockTime = gst::ClockTime::from_seconds(300);

/// Writes a clip that shows each of `pictures` for a second. `encoding` is the description of the
/// encoder and muxer.
pub fn write_clip<P: Picture>(path: &Path, pictures: &[P], encoding: &str) {
    let info = info(VideoFormat::I420, WIDTH, HEIGHT);
    let frames = pictures.iter().flat_map(|picture| {
        let drawn = frame(&info, picture);
        std::iter::repeat_n(drawn, 25)
    });
    write_frames(path, &info, frames, encoding);
}

/// Writes a clip of `frames`. `encoding` is the description of the encoder and muxer.
pub fn write_frames(
    path: &Path,
    info: &VideoInfo,
    frames: impl Iterator<Item = gst::Buffer>,
    encoding: &str,
) {
    let times = (0..).map(|number| FRAME * number);
    write_timed_frames(path, info, times.zip(frames), encoding);
}

/// Writes a clip of `frames`, each with its timestamp. `encoding` is the description of the encoder
/// and muxer.
pub fn write_timed_frames(
    path: &Path,
    info: &VideoInfo,
    frames: impl Iterator<Item = (gst::ClockTime, gst::Buffer)>,
    encoding: &str,
) {
    init();
    let source = gst_app::AppSrc::builder()
        .caps(&info.to_caps().unwrap())
        .format(gst::Format::Time)
        .block(true)
        .build();
    let description = format!("{encoding} ! filesink name=file");
    let sink = gst::parse::bin_from_description(&description, true).unwrap();
    let file = sink.by_name("file").unwrap();
    file.set_property("location", path);
    let pipeline = gst::Pipeline::new();
    pipeline
        .add_many([source.upcast_ref(), sink.upcast_ref::<gst::Element>()])
        .unwrap();
    source.link(&sink).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    for (time, mut buffer) in frames {
        let header = buffer.make_mut();
        header.set_pts(time);
        header.set_duration(FRAME);
        source.push_buffer(buffer).unwrap();
    }
    source.end_of_stream().unwrap();
    play_to_end(&pipeline);
}

/// Changes the matrix of an MP4 file, as a phone does that is held upright: players turn the frames
/// by 90 degrees.
pub fn turn_mp4(path: &Path) {
    let mut file = std::fs::read(path).unwrap();
    let header = file.windows(4).position(|name| name == b"tkhd").unwrap();
    let matrix = header + 4 + 40;
    let rows: [i32; 6] = [0, 1 << 16, 0, -(1 << 16), 0, 0];
    for (index, number) in rows.into_iter().enumerate() {
        file[matrix + 4 * index..][..4].copy_from_slice(&number.to_be_bytes());
    }
    std::fs::write(path, file).unwrap();
}

/// Waits for the end of a playing pipeline, and stops it.
///
/// # Panics
/// Panics if the pipeline posts an error, or does not end within [`TIMEOUT`].
pub fn play_to_end(pipeline: &impl IsA<gst::Element>) {
    let bus = pipeline.as_ref().bus().unwrap();
    let end = [gst::MessageType::Eos, gst::MessageType::Error];
    let message = bus.timed_pop_filtered(TIMEOUT, &end);
    // A pipeline that goes on would keep the process from ending.
    pipeline.as_ref().set_state(gst::State::Null).unwrap();
    let message = message.expect("the pipeline hangs");
    if message.type_() != gst::MessageType::Eos {
        panic!("{}", problem(&message));
    }
}

/// Runs the pipeline of this description to its end.
pub fn run_pipeline(description: &str) {
    init();
    let pipeline = gst::parse::launch(description).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    play_to_end(&pipeline);
}

/// Runs `pipeline` to its end, and returns the records in the messages of `faceattitude`.
pub fn run_for_records(pipeline: &impl IsA<gst::Element>) -> Vec<Record> {
    let pipeline = pipeline.as_ref();
    pipeline.set_state(gst::State::Playing).unwrap();
    let mut records = Vec::new();
    for message in pipeline.bus().unwrap().iter_timed(gst::ClockTime::NONE) {
        match message.view() {
            gst::MessageView::Element(element) => {
                let structure = element.structure().unwrap();
                if structure.name() == message::NAME {
                    records.push(AttitudeMessage::try_from(structure).unwrap().0);
                }
            }
            gst::MessageView::Error(_) => panic!("{}", problem(&message)),
            gst::MessageView::Eos(_) => break,
            _ => {}
        }
    }
    pipeline.set_state(gst::State::Null).unwrap();
    records
}

/// A playing pipeline; iterates over the buffers of its `appsink name=sink` up to the end.
pub struct Played {
    pipeline: gst::Element,
    sink: gst_app::AppSink,
}

impl Played {
    /// Starts the pipeline of this description.
    pub fn launch(description: &str) -> Self {
        init();
        let pipeline = gst::parse::launch(description).unwrap();
        let sink = pipeline.downcast_ref::<gst::Bin>().unwrap().by_name("sink");
        let sink = sink.unwrap().downcast::<gst_app::AppSink>().unwrap();
        sink.set_property("sync", false);
        pipeline.set_state(gst::State::Playing).unwrap();
        Self { pipeline, sink }
    }
}

impl Iterator for Played {
    type Item = gst::Buffer;

    fn next(&mut self) -> Option<gst::Buffer> {
        let sample = self.sink.try_pull_sample(TIMEOUT);
        assert!(sample.is_some() || self.sink.is_eos(), "the pipeline hangs");
        sample.map(|sample| sample.buffer_owned().unwrap())
    }
}

impl Drop for Played {
    fn drop(&mut self) {
        self.pipeline.set_state(gst::State::Null).unwrap();
    }
}
