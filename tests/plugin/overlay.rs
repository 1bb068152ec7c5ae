// SPDX-License-Identifier: MPL-2.0

//! Tests of the property `overlay`: blending into pixels, and compositions for sinks that draw
//! them.

use gst::prelude::*;
use gst_video::prelude::*;
use gst_video::video_overlay_composition::{VideoOverlayComposition, VideoOverlayRectangle};
use gst_video::{VideoFormat, VideoInfo, VideoOverlayCompositionMeta};

use crate::support::*;

fn rig(format: VideoFormat, overlay: &str) -> Rig {
    let properties = [
        ("mode", "sync"),
        ("overlay", overlay),
        ("sample-interval", "0"),
    ];
    Rig::new(tiny_element(&properties), info(format, WIDTH, HEIGHT))
}

/// Converts red, green and blue to the components of the format, in their order.
fn in_format([r, g, b]: [u8; 3], info: &VideoInfo) -> [u8; 3] {
    if info.is_rgb() {
        return [r, g, b];
    }
    let [r, g, b] = [r, g, b].map(f32::from);
    // BT.601, limited range.
    let y = 16.0 + (65.738 * r + 129.057 * g + 25.064 * b) / 256.0;
    let u = 128.0 + (-37.945 * r - 74.494 * g + 112.439 * b) / 256.0;
    let v = 128.0 + (112.439 * r - 94.154 * g - 18.285 * b) / 256.0;
    [y, u, v].map(|value| value as u8)
}

/// Returns the components of a pixel.
fn pixel(buffer: &gst::Buffer, info: &VideoInfo, x: u32, y: u32) -> [u8; 3] {
    let frame = gst_video::VideoFrameRef::from_buffer_ref_readable(buffer, info).unwrap();
    let format = info.format_info();
    [0, 1, 2].map(|component| {
        let plane = format.plane()[component];
        let (x, y) = (
            x >> format.w_sub()[component],
            y >> format.h_sub()[component],
        );
        let stride = frame.plane_stride()[plane as usize] as usize;
        let start = y as usize * stride + format.poffset()[component] as usize;
        let offset = start + x as usize * format.pixel_stride()[component] as usize;
        frame.plane_data(plane).unwrap()[offset]
    })
}

/// Returns the rectangles of the composition that a buffer carries.
fn rectangles(buffer: &gst::Buffer) -> Vec<VideoOverlayRectangle> {
    let meta = buffer.meta::<VideoOverlayCompositionMeta>();
    meta.map_or(Vec::new(), |meta| meta.overlay().iter().collect())
}

/// Returns a composition of one gray square at the top right, as another element may attach it.
fn foreign_composition() -> VideoOverlayComposition {
    init();
    let format = VideoFormat::Bgra;
    let mut pixels = gst::Buffer::with_size(16 * 16 * 4).unwrap();
    let writable = pixels.get_mut().unwrap();
    writable.memset(.., 200).unwrap();
    gst_video::VideoMeta::add(
        writable,
        gst_video::VideoFrameFlags::empty(),
        format,
        16,
        16,
    )
    .unwrap();
    let flags = gst_video::VideoOverlayFormatFlags::empty();
    let rectangle = VideoOverlayRectangle::new_raw(&pixels, 300, 0, 16, 16, flags);
    VideoOverlayComposition::new([&rectangle]).unwrap()
}

/// Makes the downstream peer announce that it draws overlays.
fn draws_overlays(rig: &mut Rig) {
    let api = VideoOverlayCompositionMeta::meta_api();
    rig.harness.add_propose_allocation_meta(api, None);
}

#[test]
fn the_box_has_the_color_of_the_attitude() {
    for format in [VideoFormat::I420, VideoFormat::Bgrx] {
        for (luma, attitude) in [
            (POSITIVE, "positive"),
            (NEUTRAL, "neutral"),
            (NEGATIVE, "negative"),
        ] {
            let mut rig = rig(format, "true");
            let buffer = rig.pass_face(luma);
            let (x, y, w, h) = face_rect();
            let expected = in_format(overlay_color(attitude), &rig.info);
            let is_colored = |(x, y): (u32, u32)| {
                let found = pixel(&buffer, &rig.info, x, y);
                found.iter().zip(expected).all(|(f, e)| f.abs_diff(e) <= 8)
            };
            // The middles of the sides, each within a few pixels outside of the face.
            let (middle_x, middle_y) = (x + w / 2, y + h / 2);
            let sides: [(&str, [(u32, u32); 8]); 4] = [
                (
                    "left",
                    std::array::from_fn(|d| (x - 1 - d as u32, middle_y)),
                ),
                (
                    "right",
                    std::array::from_fn(|d| (x + w + d as u32, middle_y)),
                ),
                ("top", std::array::from_fn(|d| (middle_x, y - 1 - d as u32))),
                (
                    "bottom",
                    std::array::from_fn(|d| (middle_x, y + h + d as u32)),
                ),
            ];
            for (side, places) in sides {
                assert!(places.into_iter().any(is_colored), "{format} {luma} {side}");
            }
            // The face itself stays free.
            let face = pixel(&buffer, &rig.info, middle_x, middle_y);
            assert_eq!(face[0], luma, "{format}");
        }
    }
}

#[test]
fn without_overlay_no_pixel_changes_in_any_mode() {
    for (format, mode) in [
        (VideoFormat::I420, "sync"),
        (VideoFormat::Bgrx, "sync"),
        (VideoFormat::Yuy2, "live"),
    ] {
        let mut rig = Rig::new(tiny_element(&[("mode", mode)]), info(format, WIDTH, HEIGHT));
        for luma in [NEUTRAL, POSITIVE, NEGATIVE] {
            let buffer = rig.frame(&Patch(luma));
            let before = bytes(&buffer);
            assert!(bytes(&rig.push(buffer)) == before, "{format} {mode}");
        }
    }
}

#[test]
fn a_shared_buffer_stays_as_it_is() {
    for overlay in ["false", "true"] {
        let mut rig = rig(VideoFormat::I420, overlay);
        let shared = rig.frame(&Patch(POSITIVE));
        let before = bytes(&shared);
        let passed = rig.push(shared.clone());
        assert_eq!((regions(&shared).len(), regions(&passed).len()), (0, 1));
        assert!(bytes(&shared) == before);
        assert_eq!(bytes(&passed) == before, overlay == "false");
        let times = |buffer: &gst::Buffer| (buffer.pts(), buffer.duration());
        assert_eq!(times(&passed), times(&shared));
    }
}

#[test]
fn the_other_branch_of_a_tee_is_not_affected() {
    init();
    let pipeline = gst::parse::launch(&format!(
        "videotestsrc num-buffers=3 pattern=white ! {LAUNCH_CAPS} ! tee name=t \
         t. ! queue ! faceattitude overlay=true {} ! appsink name=drawn sync=false \
         t. ! queue ! appsink name=plain sync=false",
        tiny_launch()
    ))
    .unwrap();
    let bin = pipeline.downcast_ref::<gst::Bin>().unwrap();
    let sink = |name| {
        bin.by_name(name)
            .unwrap()
            .downcast::<gst_app::AppSink>()
            .unwrap()
    };
    pipeline.set_state(gst::State::Playing).unwrap();
    for _ in 0..3 {
        let [drawn, plain] = ["drawn", "plain"].map(|name| {
            let timeout = gst::ClockTime::from_seconds(60);
            sink(name)
                .try_pull_sample(timeout)
                .unwrap()
                .buffer_owned()
                .unwrap()
        });
        assert_eq!((regions(&drawn).len(), regions(&plain).len()), (1, 0));
        let is_white = |buffer: &gst::Buffer| {
            bytes(buffer)[..(WIDTH * HEIGHT) as usize]
                .iter()
                .all(|&luma| luma == 235)
        };
        assert!(is_white(&plain) && !is_white(&drawn));
    }
    pipeline.set_state(gst::State::Null).unwrap();
}

#[test]
fn pixels_stay_unchanged_if_the_sink_draws_overlays() {
    let mut rig = rig(VideoFormat::I420, "true");
    draws_overlays(&mut rig);
    let buffer = rig.frame(&Patch(POSITIVE));
    let before = bytes(&buffer);
    let passed = rig.push(buffer);
    assert!(bytes(&passed) == before);
    let rectangles = rectangles(&passed);
    let (x, y, w, h) = face_rect();
    let is_near_face = |rectangle: &VideoOverlayRectangle| {
        let (left, top, width, height) = rectangle.render_rectangle();
        let reaches = |start: i32, size: u32, low: u32, len: u32| {
            start >= low as i32 - 8 && start + size as i32 <= (low + len) as i32 + 8
        };
        reaches(left, width, x, w) && reaches(top, height, y, h)
    };
    assert!(rectangles.iter().any(is_near_face), "{rectangles:?}");
}

#[test]
fn caps_announce_an_overlay_only_while_there_is_one_for_the_sink_to_draw() {
    let mut rig = rig(VideoFormat::I420, "false");
    draws_overlays(&mut rig);
    let pad = rig.element.static_pad("src").unwrap();
    for overlay in [false, true, false] {
        rig.element.set_property("overlay", overlay);
        let carried = rectangles(&rig.pass());
        let caps = pad.current_caps().unwrap().to_string();
        let is_announced = caps.contains("meta:GstVideoOverlayComposition");
        assert_eq!(
            (is_announced, !carried.is_empty()),
            (overlay, overlay),
            "{caps}"
        );
    }
}

#[test]
fn the_overlay_is_blended_if_downstream_accepts_only_plain_frames() {
    let mut frames = Played::launch(&format!(
        "videotestsrc num-buffers=1 pattern=white ! {LAUNCH_CAPS} ! \
         faceattitude overlay=true {} ! {LAUNCH_CAPS} ! appsink name=sink",
        tiny_launch()
    ));
    let luma = &bytes(&frames.next().unwrap())[..(WIDTH * HEIGHT) as usize];
    assert!(luma.iter().any(|&luma| luma != 235));
}

#[test]
fn an_overlay_from_upstream_is_kept_below() {
    let foreign = foreign_composition();
    let rectangle = foreign.rectangle(0).unwrap();
    for (is_drawn_by_sink, overlay) in [(true, "true"), (true, "false"), (false, "true")] {
        let mut rig = rig(VideoFormat::I420, overlay);
        if is_drawn_by_sink {
            draws_overlays(&mut rig);
        }
        let mut buffer = rig.frame(&Patch(POSITIVE));
        VideoOverlayCompositionMeta::add(buffer.get_mut().unwrap(), &foreign);
        let kept = rectangles(&rig.push(buffer));
        assert_eq!(kept[0].as_ptr(), rectangle.as_ptr());
        let is_added = is_drawn_by_sink && overlay == "true";
        assert_eq!(kept.len() > 1, is_added, "{is_drawn_by_sink} {overlay}");
    }
    // Nor does what was merged reach other frames that carry the same composition.
    assert_eq!(foreign.n_rectangles(), 1);
}

#[test]
fn a_flush_clears_the_history_of_the_scene() {
    let mut rig = rig(VideoFormat::Bgrx, "true");
    // In the band along the bottom, below everything else.
    let has_color = |buffer: &gst::Buffer, info: &VideoInfo, color: [u8; 3]| {
        let is_it = |x| pixel(buffer, info, x, HEIGHT - 8) == color;
        (0..WIDTH).any(is_it)
    };
    let [blue, red] = ["positive", "negative"].map(overlay_color);
    rig.next_pts = gst::ClockTime::from_seconds(100);
    let before = rig.pass_face(POSITIVE);
    assert!(has_color(&before, &rig.info, blue));
    rig.flush();
    rig.next_pts = gst::ClockTime::ZERO;
    let after = rig.pass_face(NEGATIVE);
    assert!(has_color(&after, &rig.info, red) && !has_color(&after, &rig.info, blue));
}

#[test]
fn the_overlay_can_be_switched_while_frames_pass() {
    let mut rig = rig(VideoFormat::Bgrx, "false");
    for overlay in [false, true, true, false, true] {
        rig.element.set_property("overlay", overlay);
        let buffer = rig.frame(&Patch(NEUTRAL));
        let before = bytes(&buffer);
        assert_eq!(bytes(&rig.push(buffer)) != before, overlay);
    }
}
