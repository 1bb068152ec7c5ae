// SPDX-License-Identifier: MPL-2.0

//! Tests of `detect-faces=false`: the faces are the ones that upstream has attached.

use gst_video::VideoFormat;
use gst_video::video_meta::VideoRegionOfInterestMeta;

use attitude::Label;

use crate::support::*;

fn rig(properties: &[(&str, &str)]) -> Rig {
    let mut all = vec![("detect-faces", "false"), ("smoothing", "0")];
    all.extend(properties);
    Rig::tiny(&all)
}

/// Passes the next frame, with regions of these types at the face, through the element.
fn pass(rig: &mut Rig, types: &[&str]) -> gst::Buffer {
    let mut buffer = rig.frame(&Patch(POSITIVE));
    for region_type in types {
        VideoRegionOfInterestMeta::add(buffer.get_mut().unwrap(), region_type, face_rect());
    }
    rig.push(buffer)
}

/// Returns type and attitude of all regions of a buffer.
fn classified(buffer: &gst::BufferRef) -> Vec<(String, Option<String>)> {
    buffer
        .iter_meta::<VideoRegionOfInterestMeta>()
        .map(|roi| {
            let attitude = roi.param("classification_layer_name:attitude");
            let label = attitude.map(|attitude| attitude.get("label").unwrap());
            (roi.roi_type().to_owned(), label)
        })
        .collect()
}

#[test]
fn the_attitude_is_added_to_the_region_that_upstream_attached() {
    let mut rig = rig(&[]);
    for _ in 0..6 {
        let passed = pass(&mut rig, &["car", "face"]);
        let positive = Some("positive".to_owned());
        let expected = [("car".to_owned(), None), ("face".to_owned(), positive)];
        assert_eq!(classified(&passed), expected);
    }
}

#[test]
fn without_a_region_no_face_is_detected() {
    let mut rig = rig(&[("messages", "sample")]);
    assert!(classified(&pass(&mut rig, &[])).is_empty());
    assert!(rig.records()[0].faces.is_empty());
}

#[test]
fn the_region_type_of_a_face_can_be_changed() {
    let mut rig = rig(&[("face-type", "head")]);
    let labels = classified(&pass(&mut rig, &["face", "head"]));
    assert_eq!(labels[0].1, None);
    assert_eq!(labels[1].1.as_deref(), Some("positive"));
}

#[test]
fn between_regions_the_face_is_carried_on() {
    let mut rig = rig(&[]);
    pass(&mut rig, &["face"]);
    let carried = pass(&mut rig, &[]);
    assert_eq!(tracks(&carried), [1]);
    assert_eq!(regions(&carried)[0].age, FRAME);
}

#[test]
fn live_streams_use_upstream_regions_too() {
    let mut rig = rig(&[("mode", "live"), ("messages", "sample")]);
    pass(&mut rig, &["face"]);
    assert!(rig.harness.push_event(gst::event::Eos::new()));
    assert_eq!(rig.records()[0].faces[0].attitude, Label::POSITIVE);
}

#[test]
fn gstreamers_own_face_detector_can_be_the_upstream() {
    init();
    let cascade = "/usr/share/opencv4/haarcascades/haarcascade_frontalface_default.xml";
    // It fails where one of those that it looks for by default, which Debian has not, is missing.
    let eyes = "/usr/share/opencv4/haarcascades/haarcascade_eye.xml";
    if gst::ElementFactory::find("facedetect").is_none() || !std::path::Path::new(cascade).exists()
    {
        eprintln!(
            "skipped: needs gstreamer1.0-opencv and opencv-data (pipelines/setup.sh --tests)"
        );
        return;
    }
    for attitude in ["positive", "neutral"] {
        let frames = Played::launch(&format!(
            "filesrc location={} ! pngdec ! imagefreeze num-buffers=5 ! videoconvert ! videoscale ! \
             video/x-raw,format=RGB,width=320,height=320,framerate=25/1 ! \
             facedetect display=false profile={cascade} nose-profile={eyes} mouth-profile={eyes} eyes-profile={eyes} ! \
             faceattitude detect-faces=false ! appsink name=sink",
            fixture(&format!("{attitude}.png")).display()
        ));
        let mut count = 0;
        for frame in frames {
            let labels = classified(&frame);
            let found: Vec<_> = labels
                .iter()
                .filter_map(|(_, label)| label.as_deref())
                .collect();
            assert_eq!(found, [attitude], "{labels:?}");
            count += 1;
        }
        assert_eq!(count, 5);
    }
}

#[test]
fn regions_beyond_the_frame_do_no_harm() {
    let element = tiny_element(&[("detect-faces", "false")]);
    let mut rig = Rig::new(element, info(VideoFormat::I420, WIDTH, HEIGHT));
    for rect in [
        (0, 0, 0, 0),
        (310, 180, 4000, 4000),
        (u32::MAX, u32::MAX, u32::MAX, u32::MAX),
    ] {
        let mut buffer = rig.frame(&Patch(POSITIVE));
        VideoRegionOfInterestMeta::add(buffer.get_mut().unwrap(), "face", rect);
        rig.next_pts += gst::ClockTime::SECOND;
        rig.push(buffer);
    }
}
