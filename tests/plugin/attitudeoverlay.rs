// SPDX-License-Identifier: MPL-2.0

//! Tests of `attitudeoverlay` on frames that carry metadata.

use gst::prelude::*;
use gst_check::Harness;
use gst_video::VideoFormat;
use gst_video::video_meta::VideoRegionOfInterestMeta;

use crate::support::*;

fn overlay(properties: &[(&str, &str)]) -> gst::Element {
    make_element("attitudeoverlay", properties)
}

/// Analyzes a frame with `faceattitude`, and returns it as `attitudeoverlay` draws on it.
fn drawn(format: VideoFormat, properties: &[(&str, &str)]) -> gst::Buffer {
    let element = tiny_element(&[("mode", "sync")]);
    let analyzed = Rig::new(element, info(format, WIDTH, HEIGHT)).pass();
    let mut harness = Harness::with_element(&overlay(properties), Some("sink"), Some("src"));
    harness.set_src_caps(info(format, WIDTH, HEIGHT).to_caps().unwrap());
    harness.push_and_pull(analyzed).unwrap()
}

const NOTHING: [(&str, &str); 4] = [
    ("boxes", "false"),
    ("labels", "false"),
    ("history", "false"),
    ("scene-history", "false"),
];

#[test]
fn it_draws_the_same_pixels_as_faceattitude() {
    for format in [VideoFormat::I420, VideoFormat::Bgrx, VideoFormat::Yuy2] {
        let properties = [("mode", "sync"), ("overlay", "true")];
        let element = tiny_element(&properties);
        let expected = Rig::new(element, info(format, WIDTH, HEIGHT)).pass();
        assert!(bytes(&drawn(format, &[])) == bytes(&expected), "{format}");
    }
}

#[test]
fn each_property_changes_the_picture() {
    let plain = bytes(&drawn(VideoFormat::Bgrx, &NOTHING));
    let mut pictures = vec![plain];
    for option in ["boxes", "labels", "scores", "history", "scene-history"] {
        let mut properties = NOTHING.to_vec();
        properties.push((option, "true"));
        pictures.push(bytes(&drawn(VideoFormat::Bgrx, &properties)));
    }
    for properties in [
        [("font-desc", "Serif Bold 20")],
        [("neutral-color", "0xFF00FF00")],
    ] {
        pictures.push(bytes(&drawn(VideoFormat::Bgrx, &properties)));
    }
    for (index, picture) in pictures.iter().enumerate() {
        assert!(!pictures[..index].contains(picture), "{index}");
    }
}

#[test]
fn a_color_is_that_of_the_property() {
    let mut properties = NOTHING.to_vec();
    properties.extend([("boxes", "true"), ("neutral-color", "0xFF0000FF")]);
    let picture = bytes(&drawn(VideoFormat::Bgrx, &properties));
    let (x, y, _, h) = face_rect();
    let row = &picture[((y + h / 2) * WIDTH * 4) as usize..][..(x * 4) as usize];
    assert!(row.chunks_exact(4).any(|pixel| pixel[..3] == [0xFF, 0, 0]));
}

#[test]
fn every_raw_format_is_drawn_on() {
    for format in VideoFormat::iter_raw() {
        // The analysis accepts fewer formats, but the metadata are the same for all formats.
        let element = tiny_element(&[("mode", "sync")]);
        let analyzed = Rig::new(element, info(VideoFormat::I420, WIDTH, HEIGHT)).pass();
        let info = info(format, WIDTH, HEIGHT);
        let mut frame = gst::Buffer::with_size(info.size()).unwrap();
        frame.get_mut().unwrap().memset(.., 0).unwrap();
        let before = bytes(&frame);
        let flags = gst::BufferCopyFlags::META | gst::BufferCopyFlags::TIMESTAMPS;
        analyzed
            .copy_into(frame.get_mut().unwrap(), flags, ..)
            .unwrap();
        let mut harness = Harness::with_element(&overlay(&[]), Some("sink"), Some("src"));
        harness.set_src_caps(info.to_caps().unwrap());
        let passed = harness.push_and_pull(frame).unwrap();
        assert!(bytes(&passed) != before, "{format}");
    }
}

#[test]
fn faces_of_any_detector_are_pixelated() {
    let info = info(VideoFormat::Gray8, WIDTH, HEIGHT);
    for (blur, region_type, face_type, is_hidden) in [
        ("true", "face", "face", true),
        ("true", "head", "head", true),
        ("true", "car", "face", false),
        ("false", "face", "face", false),
    ] {
        let mut properties = NOTHING.to_vec();
        properties.extend([("blur-faces", blur), ("face-type", face_type)]);
        let mut harness = Harness::with_element(&overlay(&properties), Some("sink"), Some("src"));
        harness.set_src_caps(info.to_caps().unwrap());
        let noise = |index: usize| (index * 7919 % 251) as u8;
        let pixels: Vec<u8> = (0..(WIDTH * HEIGHT) as usize).map(noise).collect();
        let mut frame = gst::Buffer::from_mut_slice(pixels.clone());
        VideoRegionOfInterestMeta::add(frame.get_mut().unwrap(), region_type, face_rect());
        let passed = bytes(&harness.push_and_pull(frame).unwrap());
        let (x, y, w, h) = face_rect();
        let same = (y..y + h)
            .flat_map(|row| (x..x + w).map(move |column| (row * WIDTH + column) as usize))
            .filter(|&index| passed[index] == pixels[index])
            .count();
        let same_fraction = same as f32 / (w * h) as f32;
        assert_eq!(
            same_fraction < 0.05,
            is_hidden,
            "{region_type} {same_fraction}"
        );
        assert_eq!(passed[0], pixels[0]);
    }
}

#[test]
fn frames_without_faces_pass_unchanged_without_the_scene_history() {
    let info = info(VideoFormat::I420, WIDTH, HEIGHT);
    let properties = [("scene-history", "false"), ("blur-faces", "true")];
    let mut harness = Harness::with_element(&overlay(&properties), Some("sink"), Some("src"));
    harness.set_src_caps(info.to_caps().unwrap());
    let buffer = frame(&info, &Patch(NEUTRAL));
    let before = bytes(&buffer);
    assert!(bytes(&harness.push_and_pull(buffer).unwrap()) == before);
}

#[test]
fn a_frame_whose_faces_cannot_be_hidden_does_not_pass() {
    let info = info(VideoFormat::I420, WIDTH, HEIGHT);
    let element = overlay(&[("blur-faces", "true")]);
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    let mut harness = Harness::with_element(&element, Some("sink"), Some("src"));
    harness.set_src_caps(info.to_caps().unwrap());
    let mut short = gst::Buffer::with_size(100).unwrap();
    VideoRegionOfInterestMeta::add(short.get_mut().unwrap(), "face", face_rect());
    assert_eq!(harness.push(short), Err(gst::FlowError::Error));
    let message = bus.pop_filtered(&[gst::MessageType::Error]).unwrap();
    assert!(problem(&message).contains("cannot pixelate the faces"));
    drop(message);
    bus.set_flushing(true);
}

#[test]
fn a_new_element_has_the_defaults_that_its_properties_declare() {
    for name in ["attitudeoverlay", "attitudeexport"] {
        let element = make_element(name, &[]);
        let own = element.list_properties();
        for property in own.iter().filter(|p| p.owner_type() == element.type_()) {
            let value = element.property_value(property.name());
            assert_eq!(
                format!("{value:?}"),
                format!("{:?}", property.default_value()),
                "{name} {}",
                property.name()
            );
        }
    }
}
