// SPDX-License-Identifier: MPL-2.0

//! Tests of the orientation of the picture: frames that lie on their side or are mirrored are
//! analyzed upright, and the results are those of the frames.

use attitude::Label;
use attitude::record::FaceRecord;
use gst::prelude::*;
use gst_check::Harness;
use gst_video::VideoFormat;

use crate::support::*;

/// An orientation: the value of the tag, that of the property, the direction in which `videoflip`
/// turns an upright picture into the stored one, and the box of the face in the stored frame.
struct Case {
    tag: &'static str,
    property: &'static str,
    stored_from_upright: &'static str,
    bbox: [f32; 4],
}

const fn case(
    tag: &'static str,
    property: &'static str,
    stored_from_upright: &'static str,
    bbox: [f32; 4],
) -> Case {
    Case {
        tag,
        property,
        stored_from_upright,
        bbox,
    }
}

/// The face of the upright picture of 320x192 px is at 64, 32 and has 48x48 px.
const CASES: [Case; 8] = [
    case("rotate-0", "identity", "identity", [64.0, 32.0, 48.0, 48.0]),
    case("rotate-90", "rotate-90", "90l", [32.0, 208.0, 48.0, 48.0]),
    case(
        "rotate-180",
        "rotate-180",
        "180",
        [208.0, 112.0, 48.0, 48.0],
    ),
    case("rotate-270", "rotate-270", "90r", [112.0, 64.0, 48.0, 48.0]),
    case(
        "flip-rotate-0",
        "horizontal-flip",
        "horiz",
        [208.0, 32.0, 48.0, 48.0],
    ),
    case(
        "flip-rotate-180",
        "vertical-flip",
        "vert",
        [64.0, 112.0, 48.0, 48.0],
    ),
    case(
        "flip-rotate-270",
        "upper-left-diagonal",
        "ul-lr",
        [32.0, 64.0, 48.0, 48.0],
    ),
    case(
        "flip-rotate-90",
        "upper-right-diagonal",
        "ur-ll",
        [112.0, 208.0, 48.0, 48.0],
    ),
];

/// Returns the next frame of `rig`, with a positive face, turned by `videoflip`, and its caps.
fn turned(rig: &mut Rig, direction: &str) -> (gst::Buffer, gst_video::VideoInfo) {
    let upright = info(VideoFormat::I420, WIDTH, HEIGHT);
    let mut buffer = frame(&upright, &Patch(POSITIVE));
    buffer.get_mut().unwrap().set_pts(rig.next_pts);
    rig.next_pts += 5 * FRAME;
    let mut flip = Harness::new_parse(&format!("videoflip video-direction={direction}"));
    flip.set_src_caps(upright.to_caps().unwrap());
    let buffer = flip.push_and_pull(buffer).unwrap();
    let caps = flip.sink_pad_caps();
    (buffer, gst_video::VideoInfo::from_caps(&caps).unwrap())
}

trait SinkPadCaps {
    fn sink_pad_caps(&self) -> gst::Caps;
}

impl SinkPadCaps for Harness {
    fn sink_pad_caps(&self) -> gst::Caps {
        self.sinkpad().unwrap().current_caps().unwrap()
    }
}

fn tag_event(value: &str, scope: gst::TagScope) -> gst::Event {
    let mut tags = gst::TagList::new();
    let list = tags.get_mut().unwrap();
    list.add::<gst::tags::ImageOrientation>(&value, gst::TagMergeMode::Replace);
    list.set_scope(scope);
    gst::event::Tag::new(tags)
}

/// Returns the only face that `buffer` carries.
#[track_caller]
fn only_face(buffer: &gst::BufferRef) -> FaceRecord {
    let mut faces = Vec::new();
    gstattitude::meta::read_records(buffer, &mut faces);
    assert_eq!(faces.len(), 1, "{faces:?}");
    faces.remove(0)
}

/// Passes the picture, turned as in `case`, and asserts that the face is found and classified.
#[track_caller]
fn assert_found(rig: &mut Rig, case: &Case) {
    let (buffer, info) = turned(rig, case.stored_from_upright);
    rig.set_video(info);
    let face = only_face(&rig.push(buffer));
    assert_eq!(face.attitude, Label::POSITIVE, "{}", case.tag);
    let is_near = face
        .bbox
        .iter()
        .zip(case.bbox)
        .all(|(a, b)| (a - b).abs() < 0.5);
    assert!(
        is_near,
        "{}: {:?}, not {:?}",
        case.tag, face.bbox, case.bbox
    );
    let roll = face.pose.unwrap().roll;
    assert!(roll.abs() < 1.0, "{}: {roll}", case.tag);
}

#[test]
fn frames_with_a_tag_are_analyzed_upright() {
    for case in &CASES {
        for scope in [gst::TagScope::Stream, gst::TagScope::Global] {
            let mut rig = Rig::tiny(&[]);
            assert!(rig.harness.push_event(tag_event(case.tag, scope)));
            assert_found(&mut rig, case);
        }
    }
}

#[test]
fn the_property_overrides_the_tag() {
    for case in &CASES {
        let mut rig = Rig::tiny(&[("orientation", case.property)]);
        let other = tag_event("flip-rotate-90", gst::TagScope::Stream);
        assert!(rig.harness.push_event(other));
        assert_found(&mut rig, case);
    }
}

#[test]
fn the_tag_of_the_stream_overrides_that_of_the_container() {
    let mut rig = Rig::tiny(&[]);
    let events = [
        tag_event("rotate-90", gst::TagScope::Stream),
        tag_event("rotate-180", gst::TagScope::Global),
    ];
    for event in events {
        assert!(rig.harness.push_event(event));
    }
    assert_found(&mut rig, &CASES[1]);
}

#[test]
fn the_orientation_can_change_and_ends_with_the_stream() {
    let mut rig = Rig::tiny(&[]);
    for case in CASES.iter().rev() {
        let event = tag_event(case.tag, gst::TagScope::Stream);
        assert!(rig.harness.push_event(event));
        assert_found(&mut rig, case);
    }
    let event = tag_event("rotate-90", gst::TagScope::Stream);
    assert!(rig.harness.push_event(event));
    assert_found(&mut rig, &CASES[1]);
    rig.begin_stream("another");
    assert_found(&mut rig, &CASES[0]);
}

#[test]
fn frames_that_videoflip_has_turned_are_not_turned_again() {
    for (case, between) in CASES
        .iter()
        .zip(["", "! videoconvert ! identity "].iter().cycle())
    {
        let mut rig = Rig::tiny(&[]);
        let (buffer, info) = turned(&mut rig, case.stored_from_upright);
        let mut chain = Harness::new_parse(&format!(
            "videoflip video-direction=auto {between}! faceattitude mode=sync {}",
            tiny_launch()
        ));
        chain.set_src_caps(info.to_caps().unwrap());
        assert!(chain.push_event(tag_event(case.tag, gst::TagScope::Stream)));
        let face = only_face(&chain.push_and_pull(buffer).unwrap());
        assert_eq!(face.attitude, Label::POSITIVE, "{}", case.tag);
        assert_eq!(face.bbox, CASES[0].bbox, "{}", case.tag);
    }
}

#[test]
fn live_results_are_those_of_the_frame() {
    let mut rig = Rig::tiny(&[("mode", "live")]);
    let case = &CASES[1];
    let event = tag_event(case.tag, gst::TagScope::Stream);
    assert!(rig.harness.push_event(event));
    let (buffer, info) = turned(&mut rig, case.stored_from_upright);
    rig.set_video(info);
    rig.push(buffer);
    assert!(rig.harness.push_event(gst::event::Eos::new()));
    let records = rig.records();
    assert_eq!(records.last().unwrap().faces[0].bbox, case.bbox);
}
