// SPDX-License-Identifier: MPL-2.0

//! What is done to the pixels, in every raw format of the GStreamer that runs.

use std::collections::HashSet;
use std::ops::Range;

use gst_video::VideoInfo;

use super::mask::MaskFormat;
use super::pixels::{Pixel, bytes, frame, infos, map, noise, pixels, samples, with_meta};
use super::*;
use crate::video::check_planes;
use attitude::frame::FrameError;

/// An overlay of three faces, two of them at the frame's edges, as `with` takes it.
fn with_overlay<T>(info: &VideoInfo, with: impl FnOnce(Drawn<'_>) -> T) -> T {
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
    let drawn = renderer.draw(info.width(), info.height(), faces, Some(&history));
    with(drawn.unwrap().unwrap())
}

/// Noise, the same with the overlay blended, and the overlay as a composition.
fn blended_on_noise(info: &VideoInfo) -> (gst::Buffer, gst::Buffer, VideoOverlayComposition) {
    let plain = noise(info);
    let mut blended = plain.copy();
    with_overlay(info, |drawn| {
        map(&mut blended, info, |frame| drawn.blend(frame)).unwrap();
    });
    let composition = with_overlay(info, |drawn| drawn.compose().unwrap().unwrap());
    (plain, blended, composition)
}

/// GStreamer 1.22 blends all of its formats, so that no format is left out.
#[test]
fn pixels_blended_by_gstreamer_are_those_of_a_whole_composition() {
    for info in infos().filter(|info| MaskFormat::of(info).is_none()) {
        let (plain, ours, composition) = blended_on_noise(&info);
        let mut gstreamers = plain.copy();
        map(&mut gstreamers, &info, |frame| composition.blend(frame)).unwrap();
        assert!(bytes(&ours) == bytes(&gstreamers), "{info:?}");
        assert!(bytes(&ours) != bytes(&plain), "{info:?}");
    }
}

/// Premultiplied red, green, blue and opacity of a rectangle's pixels, 0 to 1, row by row.
fn premultiplied(rectangle: &VideoOverlayRectangle) -> Vec<[f64; 4]> {
    let (_, _, width, height) = rectangle.render_rectangle();
    let pixels = rectangle.pixels_unscaled_raw(rectangle.flags());
    let stride = pixels.meta::<gst_video::VideoMeta>().unwrap().stride()[0] as usize;
    let map = pixels.map_readable().unwrap();
    let at = |x: u32, y: u32| {
        let at = y as usize * stride + x as usize * 4;
        let argb = u32::from_ne_bytes(map[at..at + 4].try_into().unwrap());
        [16, 8, 0, 24].map(|shift| f64::from(argb >> shift & 0xFF) / 255.0)
    };
    (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .map(|(x, y)| at(x, y))
        .collect()
}

/// The component of a premultiplied pixel as such frames store it, not rounded, by the equations of
/// BT.601, which is GStreamer's default for frames of this size.
fn component_of([r, g, b, a]: [f64; 4], info: &VideoInfo, component: usize) -> f64 {
    let luma = 0.299 * r + 0.587 * g + 0.114 * b;
    if info.is_rgb() {
        [r, g, b][component] * 255.0
    } else if info.is_gray() {
        luma * 255.0
    } else {
        match component {
            0 => 16.0 * a + 219.0 * luma,
            1 => 128.0 * a + 224.0 * (b - luma) / 1.772,
            _ => 128.0 * a + 224.0 * (r - luma) / 1.402,
        }
    }
}

/// Each sample of each component: in frames with subsampled chroma a sample is covered as far as
/// its pixels are.
#[test]
fn converted_bitmaps_blend_to_the_pixels_of_compositing() {
    let infos: Vec<_> = infos()
        .filter(|info| MaskFormat::of(info).is_some())
        .collect();
    assert!(infos.len() >= 2 * 15, "{}", infos.len());
    for info in infos {
        let (mut plain, mut ours, composition) = blended_on_noise(&info);
        let format = info.format_info();
        for component in 0..info.n_components() as usize {
            let shifts = (format.w_sub()[component], format.h_sub()[component]);
            let (width, height) = (
                format.scale_width(component as u8, info.width()) as usize,
                format.scale_height(component as u8, info.height()) as usize,
            );
            let mut expected = samples(&mut plain, &info, component);
            for rectangle in composition.iter() {
                let (left, top, columns, _) = rectangle.render_rectangle();
                let mut sums = vec![(0.0, 0.0); width * height];
                for (index, pixel) in (0..).zip(premultiplied(&rectangle)) {
                    let x = (left as u32 + index % columns) >> shifts.0;
                    let y = (top as u32 + index / columns) >> shifts.1;
                    let (opacity, value) = &mut sums[y as usize * width + x as usize];
                    let share = f64::from(1 << (shifts.0 + shifts.1));
                    *opacity += pixel[3] / share;
                    *value += component_of(pixel, &info, component) / share;
                }
                for (expected, (opacity, value)) in expected.iter_mut().zip(sums) {
                    *expected = *expected * (1.0 - opacity) + value;
                }
            }
            let found = samples(&mut ours, &info, component);
            for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
                assert!(
                    (found - expected).abs() <= 2.5,
                    "{} {}x{} component {component} at {}, {}: {found} for {expected}",
                    info.name(),
                    info.width(),
                    info.height(),
                    index % width,
                    index / width
                );
            }
        }
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
fn a_face_becomes_blocks_of_its_mean_colors_and_all_else_stays() {
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
        // Packing rounds down, most with a palette of few colors.
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
