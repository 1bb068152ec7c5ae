// SPDX-License-Identifier: MPL-2.0

//! Metadata that other elements attached, with any values.

use gst_video::VideoFormat;
use gst_video::video_meta::VideoRegionOfInterestMeta;

use super::support::*;
use super::{random, rounds};

/// Regions on one frame, at most.
const MAX_REGIONS: usize = 10_000;

#[test]
fn regions_with_any_values_pass_through_all_elements() {
    init();
    let mut random = random(5);
    let mut harness = gst_check::Harness::new_parse(&format!(
        "attitudeoverlay blur-faces=true ! faceattitude mode=sync detect-faces=false overlay=true {} ! \
         attitudeoverlay",
        tiny_launch().replace(&format!("detector-model={}", model("one-face")), "")
    ));
    let info = info(VideoFormat::Bgrx, WIDTH, HEIGHT);
    harness.set_src_caps(info.to_caps().unwrap());
    let values = [f64::NAN, f64::INFINITY, -1e300, -1.0, 0.0, 0.5, 1e300];
    let sides = [0, 1, 48, 320, u32::MAX / 2, u32::MAX];
    for number in 0..rounds(60) {
        let mut frame = frame(&info, &Patch(POSITIVE));
        let header = frame.get_mut().unwrap();
        header.set_pts(FRAME * number as u64);
        let count = if number % 20 == 0 {
            MAX_REGIONS
        } else {
            random.below(20)
        };
        for _ in 0..count {
            let mut side = || *random.choice(&sides);
            let rect = (side(), side(), side(), side());
            let kind = *random.choice(&["face", "person", ""]);
            let mut region = VideoRegionOfInterestMeta::add(header, kind, rect);
            for name in [
                "detection",
                "object_id",
                "classification_layer_name:attitude",
                "geometry",
            ] {
                if random.below(2) == 0 {
                    let value = *random.choice(&values);
                    let param = gst::Structure::builder(name)
                        .field("confidence", value)
                        .field("id", random.number() as i32)
                        .field(
                            "label",
                            *random.choice(&["positive", "cheerful", "", "\u{fffd}"]),
                        )
                        .field("x", value)
                        .field("box", gst::Array::new([value; 3]))
                        .field("landmarks", gst::Array::new([value; 7]))
                        .field("age-ns", random.number());
                    region.add_param(param.build());
                }
            }
        }
        let passed = harness.push_and_pull(frame).unwrap();
        assert_eq!(passed.size(), info.size());
    }
}
