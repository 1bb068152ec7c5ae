// SPDX-License-Identifier: MPL-2.0

//! What is done to the pixels, in every raw format of the GStreamer that runs.

use std::collections::HashSet;
use std::ops::Range;

use gst_video::VideoInfo;

use super::pixels::{Pixel, bytes, frame, infos, map, noise, pixels, with_meta};
use super::*;
use crate::analysis::frame::FrameError;

/// An overlay of three faces, two of them at the frame's edges.
fn composition(info: &VideoInfo) -> VideoOverlayComposition {
    let history = history(50, [POSITIVE; 30]);
    let (w, h) = (info.width() as f32, info.height() as f32);
    let boxes = [
        Rect::new(w * 0.3, h * 0.3, w * 0.2, h * 0.3),
        Rect::new(w * 0.9, h * 0.8, w, h),
        Rect::new(-5.0, -5.0, w * 0.2, h * 0.3),
    ];
    let faces = boxes.iter().zip(1..).map(|(bbox, track)| FaceDrawing {
        track,
        history: Some(&history),
        ..face(*bbox)
    });
    let mut renderer = Renderer::default();
    let rendered = renderer.render(info.width(), info.height(), faces, Some(&history));
    rendered.unwrap().unwrap()
}

/// GStreamer 1.22 blends all of its formats, so that none is left out.
#[test]
fn blending_gives_the_pixels_of_gstreamers_own() {
    for info in infos() {
        let composition = composition(&info);
        let plain = noise(&info);
        let (mut ours, mut gstreamers) = (plain.copy(), plain.copy());
        map(&mut ours, &info, |frame| blend(&composition, frame)).unwrap();
        map(&mut gstreamers, &info, |frame| composition.blend(frame)).unwrap();
        assert!(bytes(&ours) == bytes(&gstreamers), "{info:?}");
        assert!(bytes(&ours) != bytes(&plain), "{info:?}");
    }
}

/// The columns or rows that pixelation may change for a box from `start` on.
fn reach(start: f32, len: f32, shifts: &[u32], frame_px: u32) -> Range<u32> {
    let sample = 1 << shifts.iter().max().unwrap();
    let first = (start - len / 4.0).max(0.0) as u32 / sample * sample;
    let last = (start + len * 1.25).ceil().min(frame_px as f32) as u32;
    first..last.next_multiple_of(sample).min(frame_px)
}

#[test]
fn a_face_becomes_blocks_of_its_mean_colours_and_all_else_stays() {
    let boxes = [
        ("middle", Rect::new(203.0, 121.0, 81.0, 103.0)),
        ("corner", Rect::new(610.0, 339.0, 60.0, 60.0)),
        ("all", Rect::new(-100.0, -100.0, 2000.0, 1000.0)),
        ("tiny", Rect::new(300.3, 200.2, 0.5, 0.5)),
    ];
    let mut pixelator = Pixelator::default();
    for (info, (place, bbox)) in infos().flat_map(|info| boxes.map(|b| (info.clone(), b))) {
        let name = format!("{} {}x{} {place}", info.name(), info.width(), info.height());
        let plain = noise(&info);
        let mut pixelated = plain.copy();
        map(&mut pixelated, &info, |frame| {
            pixelator.pixelate(frame, bbox)
        })
        .unwrap();

        let (before, after) = (pixels(&plain, &info), pixels(&pixelated, &info));
        let at = |x: u32, y: u32| (y * info.width() + x) as usize;
        let format = info.format_info();
        let columns = reach(bbox.x, bbox.w, format.w_sub(), info.width());
        let rows = reach(bbox.y, bbox.h, format.h_sub(), info.height());
        let is_inside = |x, y| columns.contains(&x) && rows.contains(&y);
        let kept = frame(&info, |x, y| match is_inside(x, y) {
            true => after[at(x, y)],
            false => before[at(x, y)],
        });
        assert!(bytes(&kept) == bytes(&pixelated), "{name}");

        let inside = |pixels: &[Pixel]| -> Vec<Pixel> {
            let row = |y| pixels[at(columns.start, y)..at(columns.end, y)].iter();
            rows.clone().flat_map(row).copied().collect()
        };
        let (before, after) = (inside(&before), inside(&after));
        // To 8 bits: GStreamer fills what is below them for every other pixel of Y210 differently.
        let colors = |pixels: &[Pixel]| {
            let colors: HashSet<Pixel> = pixels.iter().map(|px| px.map(|s| s >> 8)).collect();
            colors.len()
        };
        assert!(colors(&after) <= 64, "{name}: {}", colors(&after));
        if place != "tiny" {
            assert!(colors(&after) > 1, "{name}");
        }
        // What is rounded down when packed: most where few colours are to be had.
        let tolerance = match info.format_info().has_palette() {
            true => 0.2,
            false => 0.02,
        };
        let mean = |pixels: &[Pixel]| {
            let sum: f64 = pixels.iter().map(|pixel| f64::from(pixel[1])).sum();
            sum / pixels.len() as f64 / 65_535.0
        };
        let change = mean(&after) - mean(&before);
        assert!(change.abs() < tolerance, "{name}: {change}");
    }
}

#[test]
fn a_box_that_is_none_or_lies_outside_changes_nothing() {
    let boxes = [
        Rect::new(f32::NAN, 0.0, 10.0, 10.0),
        Rect::new(0.0, 0.0, f32::INFINITY, 10.0),
        Rect::new(10.0, 10.0, 0.0, 10.0),
        Rect::new(700.0, 10.0, 50.0, 50.0),
        Rect::new(10.0, -80.0, 50.0, 50.0),
        Rect::new(1e30, 1e30, 1e30, 1e30),
    ];
    for info in infos() {
        let plain = noise(&info);
        let mut pixelated = plain.copy();
        for bbox in boxes {
            let mut pixelator = Pixelator::default();
            map(&mut pixelated, &info, |frame| {
                pixelator.pixelate(frame, bbox)
            })
            .unwrap();
        }
        assert!(bytes(&pixelated) == bytes(&plain), "{info:?}");
    }
}

/// GStreamer lays out rows of UYVP of an odd width shorter than the pairs of pixels that it packs.
#[test]
fn rows_that_gstreamer_would_pack_beyond_the_end_of_the_frame_are_refused() {
    gst::init().unwrap();
    let info = VideoInfo::builder(VideoFormat::Uyvp, 641, 359)
        .build()
        .unwrap();
    let mut buffer = gst::Buffer::from_mut_slice(vec![0u8; info.size()]);
    let checked = map(&mut buffer, &info, |frame| check_planes(frame));
    assert!(matches!(
        checked,
        Err(FrameError::ShortPlane { plane: 0, .. })
    ));
}

#[test]
fn frames_that_hold_less_than_they_promise_are_refused() {
    for info in infos() {
        let last = info.n_planes() as usize - 1;
        let check = |stride: &[i32], len| {
            let mut buffer = with_meta(&info, stride, len);
            map(&mut buffer, &info, |frame| {
                let is_refused = Pixelator::default().pixelate(frame, BBOX).is_err();
                let checked = check_planes(frame);
                assert_eq!(is_refused, checked.is_err());
                checked
            })
        };
        assert_eq!(check(info.stride(), info.size()), Ok(()), "{info:?}");

        let short = check(info.stride(), info.offset()[last] + 100);
        let is_short = |error: FrameError| matches!(error, FrameError::ShortPlane { plane, found: 100, needed } if plane == last && needed > 100);
        assert!(short.is_err_and(is_short), "{info:?}");

        let mut upside_down = info.stride().to_vec();
        upside_down[0] = -upside_down[0];
        let refused = Err(FrameError::UpsideDown { plane: 0 });
        assert_eq!(check(&upside_down, info.size()), refused, "{info:?}");

        let mut long = info.stride().to_vec();
        long[0] = i32::MAX;
        let refused = check(&long, info.size());
        assert!(
            matches!(refused, Err(FrameError::ShortPlane { .. })),
            "{info:?}"
        );
    }
}
