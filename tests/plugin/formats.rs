// SPDX-License-Identifier: MPL-2.0

//! Tests of formats: the same picture in every accepted format, size, stride and range gives the
//! same result.

use gst_check::Harness;
use gst_video::prelude::*;
use gst_video::video_frame::{VideoFrame, VideoFrameRef};
use gst_video::video_meta::{VideoMeta, VideoRegionOfInterestMeta};
use gst_video::{VideoColorimetry, VideoConverter, VideoFormat, VideoFrameFlags, VideoInfo};

use crate::support::{self, AverageFace, init};

const FORMATS: [VideoFormat; 19] = [
    VideoFormat::I420,
    VideoFormat::Yv12,
    VideoFormat::Nv12,
    VideoFormat::Nv21,
    VideoFormat::Yuy2,
    VideoFormat::Uyvy,
    VideoFormat::Y42b,
    VideoFormat::Y444,
    VideoFormat::Gray8,
    VideoFormat::Rgb,
    VideoFormat::Bgr,
    VideoFormat::Rgbx,
    VideoFormat::Xrgb,
    VideoFormat::Bgrx,
    VideoFormat::Xbgr,
    VideoFormat::Rgba,
    VideoFormat::Argb,
    VideoFormat::Bgra,
    VideoFormat::Abgr,
];

const SIZES: [(u32, u32); 2] = [(640, 360), (641, 359)];

/// Side of the drawn face in pixels.
const FACE_SIDE: usize = 200;

/// Luma of the background: dim, as in the demo's clip.
const BACKGROUND: u8 = 50;

/// Returns the brightness of a pixel of a face that is scaled to `FACE_SIDE`.
fn interpolated(face: &AverageFace, u: usize, v: usize) -> u8 {
    let side = face.side;
    let position = |index: usize| (index as f32 + 0.5) * side as f32 / FACE_SIDE as f32 - 0.5;
    let (x, y) = (position(u), position(v));
    let (x0, y0) = (x as usize, y as usize);
    let (fx, fy) = (x - x0 as f32, y - y0 as f32);
    let value = |x: usize, y: usize| f32::from(face.pixel(x.min(side - 1), y.min(side - 1))[0]);
    let top = value(x0, y0) * (1.0 - fx) + value(x0 + 1, y0) * fx;
    let bottom = value(x0, y0 + 1) * (1.0 - fx) + value(x0 + 1, y0 + 1) * fx;
    (top * (1.0 - fy) + bottom * fy).round() as u8
}

/// Returns an RGB frame with an average face in a warm tint, so that colors matter.
fn rgb_frame(
    attitude: &str,
    (width, height): (u32, u32),
) -> VideoFrame<gst_video::video_frame::Readable> {
    let info = VideoInfo::builder(VideoFormat::Rgb, width, height)
        .build()
        .unwrap();
    let face = AverageFace::load(attitude);
    let mut buffer = gst::Buffer::with_size(info.size()).unwrap();
    {
        let buffer = buffer.get_mut().unwrap();
        let mut frame = VideoFrameRef::from_buffer_ref_writable(buffer, &info).unwrap();
        let stride = frame.plane_stride()[0] as usize;
        let data = frame.plane_data_mut(0).unwrap();
        let (left, top) = (width as usize / 3, height as usize / 4);
        for y in 0..height as usize {
            for x in 0..width as usize {
                let (u, v) = (x.wrapping_sub(left), y.wrapping_sub(top));
                let luma = if u < FACE_SIDE && v < FACE_SIDE {
                    interpolated(&face, u, v)
                } else {
                    BACKGROUND
                };
                let warm = [luma.saturating_add(10), luma, luma.saturating_sub(10)];
                data[y * stride + x * 3..][..3].copy_from_slice(&warm);
            }
        }
    }
    VideoFrame::from_buffer_readable(buffer, &info).unwrap()
}

/// Converts the frame to another format with GStreamer's own converter.
fn converted(
    rgb: &VideoFrame<gst_video::video_frame::Readable>,
    info: &VideoInfo,
    is_padded: bool,
) -> gst::Buffer {
    let mut buffer = gst::Buffer::with_size(info.size()).unwrap();
    {
        let buffer = buffer.get_mut().unwrap();
        let mut frame = VideoFrameRef::from_buffer_ref_writable(buffer, info).unwrap();
        let converter = VideoConverter::new(rgb.info(), info, None).unwrap();
        converter.frame_ref(&rgb.as_video_frame_ref(), &mut frame);
    }
    if is_padded {
        padded(&buffer, info)
    } else {
        buffer
    }
}

/// Returns the frame with longer rows, and with gaps before and between the planes.
fn padded(tight: &gst::BufferRef, info: &VideoInfo) -> gst::Buffer {
    let bytes = tight.map_readable().unwrap();
    let planes = info.n_planes() as usize;
    let mut data = vec![0xaa; 24];
    let (mut offsets, mut strides) = (Vec::new(), Vec::new());
    for plane in 0..planes {
        let start = info.offset()[plane];
        let end = info.offset().get(plane + 1).copied().unwrap_or(info.size());
        let stride = info.stride()[plane] as usize;
        offsets.push(data.len());
        strides.push(stride as i32 + 40);
        for row in bytes[start..end].chunks(stride) {
            data.extend_from_slice(row);
            data.extend(std::iter::repeat_n(0xaa, 40));
        }
    }
    let mut buffer = gst::Buffer::from_slice(data);
    let (width, height) = (info.width(), info.height());
    VideoMeta::add_full(
        buffer.get_mut().unwrap(),
        VideoFrameFlags::empty(),
        info.format(),
        width,
        height,
        &offsets,
        &strides,
    )
    .unwrap();
    buffer
}

#[derive(Debug)]
struct Found {
    label: String,
    bbox: [u32; 4],
    scores: [f64; 3],
}

/// Returns the result of the element for one frame.
fn found(info: &VideoInfo, buffer: gst::Buffer) -> Found {
    let mut harness = Harness::new_parse("faceattitude mode=sync smoothing=0");
    harness.set_src_caps(info.to_caps().unwrap());
    let buffer = harness.push_and_pull(buffer).unwrap();
    let rois: Vec<_> = buffer.iter_meta::<VideoRegionOfInterestMeta>().collect();
    assert_eq!(rois.len(), 1, "{info:?}");
    let (x, y, w, h) = rois[0].rect();
    let attitude = rois[0]
        .params()
        .find(|param| param.name() == "classification_layer_name:attitude")
        .unwrap();
    Found {
        label: attitude.get("label").unwrap(),
        bbox: [x, y, w, h],
        scores: ["positive", "neutral", "negative"].map(|name| attitude.get(name).unwrap()),
    }
}

/// Maximum difference between scores, because conversions and the int8 classifier round
/// differently, and landmarks move by fractions of a pixel.
const TOLERANCE: f64 = 0.07;

/// Asserts that `found` is `expected` up to rounding.
fn assert_alike(found: &Found, expected: &Found, what: &str) {
    assert_eq!(found.label, expected.label, "{what}");
    for (found, expected) in found.bbox.iter().zip(expected.bbox) {
        assert!(found.abs_diff(expected) <= 2, "{what}: {found} {expected}");
    }
    for (score, expected) in found.scores.iter().zip(expected.scores) {
        let difference = (score - expected).abs();
        assert!(
            difference < TOLERANCE,
            "{what}: {score} where RGB has {expected}"
        );
    }
}

#[test]
fn every_format_size_and_stride_gives_the_result_of_rgb() {
    init();
    for attitude in ["positive", "neutral", "negative"] {
        for size in SIZES {
            let rgb = rgb_frame(attitude, size);
            let expected = found(rgb.info(), rgb.buffer().to_owned());
            assert_eq!(expected.label, attitude);
            for format in FORMATS {
                let info = VideoInfo::builder(format, size.0, size.1).build().unwrap();
                for is_padded in [false, true] {
                    let found = found(&info, converted(&rgb, &info, is_padded));
                    let what = format!("{attitude} {format:?} {size:?} padded: {is_padded}");
                    assert_alike(&found, &expected, &what);
                }
            }
        }
    }
}

#[test]
fn full_range_and_other_matrices_give_the_result_of_rgb() {
    init();
    let rgb = rgb_frame("positive", SIZES[0]);
    let expected = found(rgb.info(), rgb.buffer().to_owned());
    // Range, matrix, transfer, primaries: full-range BT.601 as JPEG has it, then BT.709, BT.2020.
    for colorimetry in ["1:4:0:1", "bt709", "bt601", "bt2020"] {
        for format in [VideoFormat::I420, VideoFormat::Nv12, VideoFormat::Yuy2] {
            let colorimetry: VideoColorimetry = colorimetry.parse().unwrap();
            let info = VideoInfo::builder(format, SIZES[0].0, SIZES[0].1)
                .colorimetry(&colorimetry)
                .build()
                .unwrap();
            let found = found(&info, converted(&rgb, &info, false));
            assert_alike(&found, &expected, &format!("{format:?} {colorimetry}"));
        }
    }
}

/// Returns the value of HDR video in PQ of a luminance in cd/m².
fn pq(luminance: f64) -> f64 {
    let power = (luminance / 10_000.0).powf(0.159_301_757_812_5);
    ((0.835_937_5 + 18.851_562_5 * power) / (1.0 + 18.687_5 * power)).powf(78.843_75)
}

/// Returns the value of HDR video in HLG of a luminance in cd/m².
fn hlg(luminance: f64) -> f64 {
    let scene = (luminance / 1000.0).powf(1.0 / 1.2);
    match scene * 12.0 {
        scene if scene <= 1.0 => (scene / 4.0).sqrt(),
        scene => 0.178_832_77 * (scene - 0.284_668_92).ln() + 0.559_910_73,
    }
}

#[test]
fn hdr_video_gives_the_result_of_sdr_video() {
    init();
    let info = |colorimetry: &str| {
        let colorimetry: VideoColorimetry = colorimetry.parse().unwrap();
        let builder = VideoInfo::builder(VideoFormat::I420, SIZES[0].0, SIZES[0].1);
        builder.colorimetry(&colorimetry).build().unwrap()
    };
    let sdr = info("bt709");
    for attitude in ["positive", "neutral", "negative"] {
        let rgb = rgb_frame(attitude, SIZES[0]);
        let buffer = converted(&rgb, &sdr, false);
        let expected = found(&sdr, buffer.clone());
        for (colorimetry, encode) in [("bt2100-pq", pq as fn(f64) -> f64), ("bt2100-hlg", hlg)] {
            let mut hdr = buffer.copy_deep().unwrap();
            let mut data = hdr.get_mut().unwrap().map_writable().unwrap();
            for luma in &mut data[..sdr.offset()[1]] {
                // White is at 203 cd/m².
                let value = ((f64::from(*luma) - 16.0) / 219.0).clamp(0.0, 1.0);
                *luma = (16.0 + 219.0 * encode(203.0 * value.powf(2.4))).round() as u8;
            }
            drop(data);
            let found = found(&info(colorimetry), hdr);
            assert_alike(&found, &expected, &format!("{attitude} {colorimetry}"));
        }
    }
}

#[test]
fn pixels_that_are_not_square_give_the_result_of_square_ones() {
    init();
    for attitude in ["positive", "neutral", "negative"] {
        let rgb = rgb_frame(attitude, SIZES[0]);
        let expected = found(rgb.info(), rgb.buffer().to_owned());
        // Squeezed to half the width, then to half the height.
        for ((width, height), par) in [((320, 360), (2, 1)), ((640, 180), (1, 2))] {
            for format in [VideoFormat::I420, VideoFormat::Rgb] {
                let info = VideoInfo::builder(format, width, height)
                    .par(gst::Fraction::new(par.0, par.1))
                    .build()
                    .unwrap();
                let found = found(&info, converted(&rgb, &info, false));
                let what = format!("{attitude} {format} {width}x{height}");
                assert_eq!(found.label, expected.label, "{what}");
                let sizes = [(width, SIZES[0].0), (height, SIZES[0].1)];
                for (index, (found, expected)) in found.bbox.iter().zip(expected.bbox).enumerate() {
                    let (size, full) = sizes[index % 2];
                    let expected = expected * size / full;
                    assert!(found.abs_diff(expected) <= 6, "{what}: {found} {expected}");
                }
                for (score, expected) in found.scores.iter().zip(expected.scores) {
                    assert!((score - expected).abs() < 0.1, "{what}: {score} {expected}");
                }
            }
        }
    }
}

#[test]
fn networks_that_take_colors_see_those_of_every_format() {
    init();
    let rgb_info = VideoInfo::builder(VideoFormat::Rgb, 320, 192)
        .build()
        .unwrap();
    for (color, label) in [
        ([220, 40, 60], "positive"),
        ([40, 200, 60], "neutral"),
        ([60, 40, 220], "negative"),
    ] {
        let pixels = color.repeat(320 * 192);
        let rgb = gst::Buffer::from_slice(pixels);
        let rgb = VideoFrame::from_buffer_readable(rgb, &rgb_info).unwrap();
        for format in FORMATS
            .into_iter()
            .filter(|format| *format != VideoFormat::Gray8)
        {
            let info = VideoInfo::builder(format, 320, 192).build().unwrap();
            let buffer = converted(&rgb, &info, true);
            let labels = |detector: &str| {
                let element = support::element(&[
                    ("mode", "sync"),
                    ("detector-model", &support::model(detector)),
                    ("attitude-model", &support::model("colors")),
                    // Pictures without contrast have a low quality.
                    ("min-confidence", "0"),
                ]);
                let mut harness = Harness::with_element(&element, Some("sink"), Some("src"));
                harness.set_src_caps(info.to_caps().unwrap());
                let passed = harness.push_and_pull(buffer.clone()).unwrap();
                let labels = support::regions(&passed).into_iter().map(|face| face.label);
                labels.collect::<Vec<_>>()
            };
            assert_eq!(labels("one-face"), [label], "{format}");
            let is_red = label == "positive";
            assert_eq!(
                labels("red-face").len(),
                usize::from(is_red),
                "{format} {label}"
            );
        }
    }
}

#[test]
fn a_detector_that_takes_colors_finds_the_face_in_every_format() {
    let Some(model) = support::shared("reference/yunet_n_dynamic.onnx") else {
        return;
    };
    init();
    let rgb = rgb_frame("neutral", SIZES[1]);
    for format in FORMATS {
        let info = VideoInfo::builder(format, SIZES[1].0, SIZES[1].1)
            .build()
            .unwrap();
        let mut harness = Harness::new_parse(&format!(
            "faceattitude mode=sync detector-model={}",
            model.display()
        ));
        harness.set_src_caps(info.to_caps().unwrap());
        let buffer = harness.push_and_pull(converted(&rgb, &info, true)).unwrap();
        let rois = buffer.iter_meta::<VideoRegionOfInterestMeta>().count();
        assert_eq!(rois, 1, "{format:?}");
    }
}
