// SPDX-License-Identifier: MPL-2.0

//! Changes of format and size in mid-stream.

use gst::prelude::*;
use gst_video::VideoFormat;

use super::support::*;
use super::{random, rounds};

const FORMATS: [VideoFormat; 10] = [
    VideoFormat::Gray8,
    VideoFormat::I420,
    VideoFormat::Nv12,
    VideoFormat::Nv21,
    VideoFormat::Yuy2,
    VideoFormat::Y444,
    VideoFormat::Rgb,
    VideoFormat::Bgrx,
    VideoFormat::Argb,
    VideoFormat::Rgba,
];
const SIDES: [u32; 10] = [1, 2, 3, 7, 64, 192, 320, 641, 1920, 7680];
/// Largest frame, in pixels: larger ones take long and are like others.
const MAX_PIXELS: u32 = 7680 * 64;

#[test]
fn every_frame_passes_through_any_changes_of_format_and_size() {
    init();
    let mut harness = gst_check::Harness::new_parse(&format!(
        "faceattitude name=faces mode=sync sample-interval=0 overlay=true {} ! \
         attitudeoverlay blur-faces=true",
        tiny_launch()
    ));
    let element = harness.element().unwrap().downcast::<gst::Bin>().unwrap();
    let faces = element.by_name("faces").unwrap();
    let mut random = random(3);
    let mut pts = gst::ClockTime::ZERO;
    for _ in 0..rounds(300) {
        let (width, height) = loop {
            let size = (*random.choice(&SIDES), *random.choice(&SIDES));
            if size.0 * size.1 <= MAX_PIXELS {
                break size;
            }
        };
        let info = info(*random.choice(&FORMATS), width, height);
        harness.set_src_caps(info.to_caps().unwrap());
        for _ in 0..random.below(3) {
            let mut frame = frame(&info, &Patch(POSITIVE));
            let len = frame.size();
            frame.get_mut().unwrap().set_pts(pts);
            pts += FRAME;
            assert_eq!(
                harness.push_and_pull(frame).unwrap().size(),
                len,
                "{info:?}"
            );
        }
    }
    let stats: gst::Structure = faces.property("stats");
    assert_eq!(stats.get::<u64>("failures"), Ok(0), "{stats}");
}
