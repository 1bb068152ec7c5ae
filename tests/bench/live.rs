// SPDX-License-Identifier: MPL-2.0

//! Measures the time that a frame spends in the element in mode `live`, at 30 frames per second in
//! real time, if an inference takes half a second.
//!
//!     cargo bench --bench live

use std::time::{Duration, Instant};

use gst_check::Harness;
use gst_video::{VideoFormat, VideoInfo};

/// Number of frames per run, 10 s.
const FRAMES: u64 = 300;

const CASES: [(VideoFormat, u32, u32, bool); 6] = [
    (VideoFormat::I420, 640, 360, false),
    (VideoFormat::I420, 640, 360, true),
    (VideoFormat::I420, 1280, 720, false),
    (VideoFormat::I420, 1280, 720, true),
    (VideoFormat::Rgb, 1280, 720, false),
    (VideoFormat::I420, 1920, 1080, false),
];

fn harness(info: &VideoInfo, has_overlay: bool) -> Harness {
    let models = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/models");
    let mut harness = Harness::new_parse(&format!(
        "faceattitude mode=live overlay={has_overlay} detector-model={models}/one-face.onnx \
         attitude-model={models}/slow.onnx"
    ));
    harness.set_src_caps(info.to_caps().expect("caps"));
    harness
}

/// Returns the sorted times that frames spent in the element, and the number of frames that left
/// it.
fn run(info: &VideoInfo, has_overlay: bool) -> (Vec<Duration>, usize) {
    let mut harness = harness(info, has_overlay);
    let picture = gst::Buffer::from_slice(vec![128u8; info.size()]);
    let started = Instant::now();
    let mut passed = 0;
    let mut times: Vec<Duration> = (0..FRAMES)
        .map(|number| {
            let pts = gst::ClockTime::SECOND * number / 30;
            // Each buffer has its own memory, as from a decoder.
            let mut buffer = picture.copy_deep().expect("memory");
            buffer.get_mut().expect("it is new").set_pts(pts);
            let due = started + Duration::from(pts);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let before = Instant::now();
            harness.push(buffer).expect("it passes");
            let elapsed = before.elapsed();
            passed += usize::from(harness.try_pull().is_some());
            elapsed
        })
        .collect();
    times.sort();
    (times, passed)
}

fn main() {
    gst::init().expect("GStreamer");
    gstattitude::plugin_register_static().expect("the plugin");
    println!("milliseconds in the element, {FRAMES} frames per row");
    println!("frame                      median    p99    max  lost");
    for (format, width, height, has_overlay) in CASES {
        let info = VideoInfo::builder(format, width, height)
            .fps(gst::Fraction::new(30, 1))
            .build()
            .expect("a size");
        let (times, passed) = run(&info, has_overlay);
        let ms = |index: usize| times[index.min(times.len() - 1)].as_secs_f64() * 1e3;
        let (median, p99, max) = (
            ms(times.len() / 2),
            ms(times.len() * 99 / 100),
            ms(times.len()),
        );
        let overlay = if has_overlay { "overlay" } else { "" };
        println!(
            "{:<26} {median:>6.3} {p99:>6.3} {max:>6.3} {:>5}",
            format!("{width}x{height} {format} {overlay}"),
            times.len() - passed
        );
    }
}
