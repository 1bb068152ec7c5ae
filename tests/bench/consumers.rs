// SPDX-License-Identifier: MPL-2.0

//! Measures the cost of `attitudeoverlay` and `attitudeexport` per frame of 1280x720 with four
//! moving faces, at 25 frames per second of which every fifth has new scores. For comparison, it
//! measures `textoverlay` with the text of the four labels, which changes as often, and with a
//! constant word.
//!
//!     cargo bench --bench consumers

use criterion::{BenchmarkId, Criterion};
use gst::prelude::*;
use gst_check::Harness;
use gst_video::video_meta::VideoRegionOfInterestMeta;
use gst_video::{VideoFormat, VideoInfo, VideoOverlayCompositionMeta};

const WIDTH: u32 = 1280;
const HEIGHT: u32 = 720;
/// Number of frames with metadata that are created before the measurement and used in turn.
const FRAMES: u64 = 100;
/// Number of frames per sample.
const FRAMES_PER_SAMPLE: u64 = 5;
const TRACKS: std::ops::RangeInclusive<u64> = 1..=4;

/// Returns the attitude of a face in a frame, and its confidence.
fn attitude(track: u64, number: u64) -> (&'static str, f64) {
    let sample = number / FRAMES_PER_SAMPLE;
    let label = ["positive", "neutral", "negative"][(sample / 5 + track) as usize % 3];
    (label, 0.5 + (sample * 7 * track % 40) as f64 / 100.0)
}

/// Returns the text of the labels of a frame.
fn labels(number: u64) -> String {
    let label = |track| {
        let (label, share) = attitude(track, number);
        format!("#{track} {label} {:.0}%", share * 100.0)
    };
    TRACKS.map(label).collect::<Vec<_>>().join("\n")
}

/// Attaches a face of changing attitude as `faceattitude` does.
fn add_face(buffer: &mut gst::BufferRef, track: u64, number: u64) {
    let x = 40 + 300 * (track - 1) + number % 50;
    let (label, share) = attitude(track, number);
    let mut region = VideoRegionOfInterestMeta::add(buffer, "face", (x as u32, 200, 160, 200));
    region.add_param(
        gst::Structure::builder("object_id")
            .field("id", track as i32)
            .build(),
    );
    region.add_param(
        gst::Structure::builder("classification_layer_name:attitude")
            .field("label", label)
            .field("confidence", share)
            .field("positive", share)
            .field("neutral", 1.0 - share)
            .field("negative", 0.0)
            .field("age-ns", 0u64)
            .field("fresh", true)
            .build(),
    );
}

/// Returns frames with four faces each.
fn frames(info: &VideoInfo) -> Vec<gst::Buffer> {
    let pixels = gst::Memory::from_mut_slice(vec![60u8; info.size()]);
    (0..FRAMES)
        .map(|number| {
            let mut buffer = gst::Buffer::new();
            let writable = buffer.get_mut().expect("a new buffer is writable");
            writable.append_memory(pixels.clone());
            for track in TRACKS {
                add_face(writable, track, number);
            }
            buffer
        })
        .collect()
}

/// Returns a harness of the element for frames of that format; with `draws`, downstream draws
/// overlays.
fn harness(element: &str, info: &VideoInfo, draws: bool) -> Harness {
    let mut harness = Harness::new_parse(element);
    if draws {
        harness.add_propose_allocation_meta(VideoOverlayCompositionMeta::meta_api(), None);
    }
    harness.set_src_caps(info.to_caps().expect("caps"));
    harness.play();
    harness
}

fn main() {
    gst::init().expect("GStreamer");
    gstattitude::plugin_register_static().expect("the plugin");
    let mut criterion = Criterion::default().configure_from_args();
    for format in [VideoFormat::I420, VideoFormat::Bgrx] {
        let info = VideoInfo::builder(format, WIDTH, HEIGHT).fps(gst::Fraction::new(25, 1));
        let info = info.build().expect("a size");
        let templates = frames(&info);
        let mut group = criterion.benchmark_group(format!("four faces in 1280x720 {format}"));
        for (name, element, draws) in [
            ("identity", "identity", false),
            ("textoverlay, one word", "textoverlay text=attitude", false),
            ("textoverlay", "textoverlay name=labels", false),
            ("attitudeoverlay", "attitudeoverlay", false),
            ("attitudeoverlay, drawn downstream", "attitudeoverlay", true),
            (
                "attitudeoverlay, faces pixelated",
                "attitudeoverlay blur-faces=true",
                false,
            ),
            ("attitudeexport", "attitudeexport interval=frame", false),
            (
                "attitudeexport format=csv",
                "attitudeexport interval=frame format=csv",
                false,
            ),
            (
                "attitudeexport format=text",
                "attitudeexport format=text",
                false,
            ),
        ] {
            let mut harness = harness(element, &info, draws);
            let labeled = harness
                .find_element("textoverlay")
                .filter(|e| e.name() == "labels");
            let mut number = 0;
            group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
                bencher.iter_custom(|rounds| {
                    let mut spent = std::time::Duration::ZERO;
                    for _ in 0..rounds {
                        // A deep copy, so that the measurement excludes the copy of a blending
                        // element.
                        let template = &templates[(number % FRAMES) as usize];
                        let mut buffer = template.copy_deep().expect("memory");
                        let pts = gst::ClockTime::from_mseconds(40) * number;
                        let writable = buffer.get_mut().expect("a new buffer is writable");
                        writable.set_pts(pts);
                        writable.set_duration(gst::ClockTime::from_mseconds(40));
                        if let Some(element) = &labeled
                            && number % FRAMES_PER_SAMPLE == 0
                        {
                            element.set_property("text", labels(number));
                        }
                        number += 1;
                        let started = std::time::Instant::now();
                        harness
                            .push(buffer)
                            .expect("the element accepts the buffer");
                        spent += started.elapsed();
                        while harness.try_pull().is_some() {}
                    }
                    spent
                });
            });
        }
        group.finish();
    }
    criterion.final_summary();
}
