// SPDX-License-Identifier: MPL-2.0

mod formats;
mod pixels;
mod style;

use gst_video::prelude::*;
use gst_video::{VideoFormat, VideoFrame, VideoInfo, VideoOverlayRectangle};

use super::*;
use attitude::Scores;
use attitude::geometry::Rect;
use attitude::history::SlotState;

const SKY_BLUE_BGR: [u8; 3] = [0xE9, 0xB4, 0x56];
const YELLOW_BGR: [u8; 3] = [0x42, 0xE4, 0xF0];
const VERMILLION_BGR: [u8; 3] = [0x00, 0x5E, 0xD5];
const GRAY_BGR: [u8; 3] = [0x99, 0x99, 0x99];
const VIDEO: u8 = 120;

const BBOX: Rect = Rect::new(200.0, 120.0, 100.0, 120.0);
const POSITIVE: SlotState = SlotState::Present(Label::POSITIVE);

fn face(bbox_in_frame: Rect) -> FaceDrawing<'static> {
    FaceDrawing {
        track: 3,
        bbox_in_frame,
        label: Label::POSITIVE,
        confidence: 0.91,
        scores: None,
        history: None,
    }
}

fn history(capacity: usize, slots: impl IntoIterator<Item = SlotState>) -> History {
    let mut history = History::new(capacity, 1);
    for (time_ns, state) in slots.into_iter().enumerate() {
        history.push(time_ns as u64, state);
    }
    history
}

/// Renders for 640 by 360.
fn render<'a>(
    renderer: &mut Renderer,
    faces: impl IntoIterator<Item = FaceDrawing<'a>>,
    scene: Option<&History>,
) -> Option<VideoOverlayComposition> {
    compose(renderer, (640, 360), faces, scene)
}

fn compose<'a>(
    renderer: &mut Renderer,
    (width, height): (u32, u32),
    faces: impl IntoIterator<Item = FaceDrawing<'a>>,
    scene: Option<&History>,
) -> Option<VideoOverlayComposition> {
    gst::init().unwrap();
    let drawn = renderer.draw(width, height, faces.into_iter(), scene);
    drawn.unwrap().and_then(|drawn| drawn.compose().unwrap())
}

fn blended(
    composition: &VideoOverlayComposition,
    format: VideoFormat,
    (width, height): (u32, u32),
) -> VideoFrame<gst_video::video_frame::Readable> {
    let info = VideoInfo::builder(format, width, height).build().unwrap();
    let mut pixels = vec![VIDEO; info.size()];
    if format == VideoFormat::Bgrx {
        // Blending takes the unused byte for an opacity.
        pixels.iter_mut().skip(3).step_by(4).for_each(|x| *x = 255);
    }
    let mut buffer = gst::Buffer::from_mut_slice(pixels);
    let video = buffer.get_mut().unwrap();
    let mut frame = VideoFrameRef::from_buffer_ref_writable(video, &info).unwrap();
    composition.blend(&mut frame).unwrap();
    drop(frame);
    VideoFrame::from_buffer_readable(buffer, &info).unwrap()
}

/// Looks up blue, green and red of the frame's pixels.
fn blended_bgrx(composition: &VideoOverlayComposition) -> impl Fn(i32, i32) -> [u8; 3] {
    let frame = blended(composition, VideoFormat::Bgrx, (640, 360));
    move |x, y| {
        let at = y as usize * frame.plane_stride()[0] as usize + x as usize * 4;
        frame.plane_data(0).unwrap()[at..at + 3].try_into().unwrap()
    }
}

/// Each rectangle's place and size, and the address of its pixels.
fn rectangles(composition: &VideoOverlayComposition) -> Vec<((i32, i32, u32, u32), usize)> {
    let describe = |rectangle: VideoOverlayRectangle| {
        let pixels = rectangle.pixels_unscaled_raw(rectangle.flags());
        let address = pixels.map_readable().unwrap().as_ptr() as usize;
        (rectangle.render_rectangle(), address)
    };
    composition.iter().map(describe).collect()
}

/// The label is in front of all.
fn label_address(composition: &VideoOverlayComposition) -> usize {
    rectangles(composition).last().unwrap().1
}

#[test]
fn the_box_has_the_color_of_the_attitude_and_leaves_the_video_alone() {
    for (label, color) in [
        (Label::POSITIVE, SKY_BLUE_BGR),
        (Label::NEUTRAL, YELLOW_BGR),
        (Label::NEGATIVE, VERMILLION_BGR),
        (Label::Unknown, GRAY_BGR),
    ] {
        let drawing = FaceDrawing {
            label,
            ..face(BBOX)
        };
        let composition = render(&mut Renderer::default(), [drawing], None).unwrap();
        let pixel = blended_bgrx(&composition);
        for (x, y) in [(250, 117), (250, 242), (197, 180), (302, 180)] {
            assert_eq!(pixel(x, y), color, "{label:?} at {x}, {y}");
        }
        for (x, y) in [(250, 180), (200, 120), (299, 239), (20, 20), (620, 350)] {
            assert_eq!(pixel(x, y), [VIDEO; 3], "{label:?} at {x}, {y}");
        }
        assert!(pixel(195, 180) < [VIDEO; 3], "no halo");
    }
}

#[test]
fn on_i420_luma_and_chroma_have_the_color() {
    let composition = render(&mut Renderer::default(), [face(BBOX)], None).unwrap();
    let frame = blended(&composition, VideoFormat::I420, (640, 360));
    let sample = |plane: u32, x: usize, y: usize| {
        let stride = frame.plane_stride()[plane as usize] as usize;
        frame.plane_data(plane).unwrap()[y * stride + x]
    };
    for (x, y) in [(250, 117), (250, 242), (197, 180), (302, 180)] {
        // Sky blue in limited-range BT.709.
        assert!(sample(0, x, y).abs_diff(157) <= 2);
        assert!(sample(1, x / 2, y / 2).abs_diff(160) <= 2);
        assert!(sample(2, x / 2, y / 2).abs_diff(85) <= 2);
    }
    for plane in 0..3 {
        let shift = u32::from(plane > 0);
        assert_eq!(sample(plane, 250 >> shift, 180 >> shift), VIDEO);
        assert_eq!(sample(plane, 20 >> shift, 20 >> shift), VIDEO);
    }
}

#[test]
fn the_strip_shows_the_newest_slot_at_the_right() {
    let slots = [
        POSITIVE,
        SlotState::Absent,
        SlotState::Present(Label::Unknown),
        SlotState::Present(Label::NEGATIVE),
    ];
    let history = history(5, slots);
    let drawing = FaceDrawing {
        history: Some(&history),
        ..face(BBOX)
    };
    let composition = render(&mut Renderer::default(), [drawing], None).unwrap();
    let all = rectangles(&composition);
    let ((left, top, width, height), _) = all[all.len() - 2];
    let pixel = blended_bgrx(&composition);
    let cell = |slot: i32| {
        let slot_width = width as i32 / 5;
        pixel(
            left + slot * slot_width + slot_width / 2,
            top + height as i32 / 2,
        )
    };
    let empty = cell(0);
    assert!(empty < [VIDEO; 3] && empty > [0; 3], "translucent dark");
    assert_eq!(cell(1), SKY_BLUE_BGR);
    assert_eq!(cell(2), empty);
    assert_eq!(cell(3), GRAY_BGR);
    assert_eq!(cell(4), VERMILLION_BGR);
}

#[test]
fn the_scene_lies_at_the_bottom_behind_the_boxes() {
    let scene = history(300, (0..300).map(|_| POSITIVE));
    let composition = render(&mut Renderer::default(), [face(BBOX)], Some(&scene)).unwrap();
    let ((left, top, width, height), _) = rectangles(&composition)[0];
    assert_eq!(left * 2 + width as i32, 640);
    assert!(top + height as i32 <= 360 && top > 330);
    let pixel = blended_bgrx(&composition);
    for x in [left + 2, 320, 640 - left - 3] {
        assert_eq!(pixel(x, top + height as i32 / 2), SKY_BLUE_BGR);
    }
}

#[test]
fn a_face_that_moves_keeps_its_pixels() {
    let history = history(50, [POSITIVE]);
    let at = |bbox_in_frame| FaceDrawing {
        history: Some(&history),
        ..face(bbox_in_frame)
    };
    let mut renderer = Renderer::default();
    let first = render(&mut renderer, [at(BBOX)], None).unwrap();
    let moved = render(&mut renderer, [at(BBOX.translated(40.0, 20.0))], None).unwrap();
    let (first, moved) = (rectangles(&first), rectangles(&moved));
    assert_eq!(first.len(), moved.len());
    for (((x, y, ..), address), ((moved_x, moved_y, ..), moved_address)) in first.iter().zip(&moved)
    {
        assert_eq!((x + 40, y + 20), (*moved_x, *moved_y));
        assert_eq!(address, moved_address);
    }
}

#[test]
fn a_label_is_drawn_again_when_its_percentage_changes() {
    let mut renderer = Renderer::default();
    let mut render = |confidence| {
        let drawing = FaceDrawing {
            confidence,
            ..face(BBOX)
        };
        render(&mut renderer, [drawing], None).unwrap()
    };
    let first = render(0.91);
    assert_eq!(label_address(&render(0.912)), label_address(&first));
    assert_ne!(label_address(&render(0.92)), label_address(&first));
}

#[test]
fn a_strip_is_drawn_again_when_a_cell_changes() {
    let mut renderer = Renderer::default();
    let mut strip_address = |history: &History| {
        let drawing = FaceDrawing {
            history: Some(history),
            ..face(BBOX)
        };
        let composition = render(&mut renderer, [drawing], None).unwrap();
        // Alive until the next one, so that an address cannot come back.
        let all = rectangles(&composition);
        (all[all.len() - 2].1, composition)
    };
    let (first, _composition) = strip_address(&history(4, [POSITIVE; 6]));
    let (longer, _composition) = strip_address(&history(4, [POSITIVE; 9]));
    let (absent, _composition) = strip_address(&history(4, [POSITIVE, SlotState::Absent]));
    assert_eq!(first, longer);
    assert_ne!(first, absent);
}

#[test]
fn if_nothing_changes_the_composition_is_the_same() {
    let mut renderer = Renderer::default();
    let scene = history(10, [POSITIVE]);
    let first = render(&mut renderer, [face(BBOX)], Some(&scene)).unwrap();
    let second = render(&mut renderer, [face(BBOX)], Some(&scene)).unwrap();
    assert_eq!(first.as_ptr(), second.as_ptr());
    let fewer = render(&mut renderer, [face(BBOX)], None).unwrap();
    assert_ne!(first.as_ptr(), fewer.as_ptr());
}

#[test]
fn bitmaps_of_ended_tracks_are_dropped() {
    let mut renderer = Renderer::default();
    for track in 1..=20 {
        let drawing = FaceDrawing {
            track,
            ..face(BBOX)
        };
        render(&mut renderer, [drawing], None).unwrap();
        assert_eq!(renderer.bitmaps.as_ref().unwrap().faces.len(), 1);
    }
    assert!(render(&mut renderer, [], None).is_none());
    assert!(renderer.bitmaps.as_ref().unwrap().faces.is_empty());
}

#[test]
fn frames_of_any_size_are_drawn_on_within_their_bounds() {
    gst::init().unwrap();
    let history = history(50, [POSITIVE; 70]);
    let mut renderer = Renderer::default();
    for (width, height) in [
        (1, 1),
        (2, 2),
        (32, 32),
        (33, 47),
        (320, 240),
        (641, 359),
        (100, 4000),
        (3840, 2160),
    ] {
        let (w, h) = (width as f32, height as f32);
        let boxes = [
            Rect::new(w * 0.3, h * 0.3, w * 0.2, h * 0.3),
            Rect::new(-w, -h, w * 3.0, h * 3.0),
            Rect::new(w - 1.0, h - 1.0, 50.0, 50.0),
            Rect::new(w / 2.0, h / 2.0, 0.01, 0.01),
            Rect::new(w * 2.0, 0.0, 10.0, 10.0),
            Rect::new(f32::NAN, 0.0, f32::NAN, 10.0),
            Rect::new(0.0, 0.0, f32::INFINITY, f32::MAX),
        ];
        let faces = boxes.iter().zip(1..).map(|(bbox, track)| FaceDrawing {
            track,
            confidence: f32::NAN,
            history: Some(&history),
            ..face(*bbox)
        });
        let composition = compose(&mut renderer, (width, height), faces, Some(&history));
        assert_eq!(composition.is_some(), width >= 32);
        let Some(composition) = composition else {
            continue;
        };
        for ((x, y, part_width, part_height), _) in rectangles(&composition) {
            assert!(x >= 0 && x as u32 + part_width <= width, "{width}: {x}");
            assert!(y >= 0 && y as u32 + part_height <= height, "{height}: {y}");
        }
        blended(&composition, VideoFormat::I420, (width, height));
    }
}

#[test]
fn a_renderer_goes_with_its_stream_from_thread_to_thread() {
    let mut renderer = Renderer::default();
    let first = render(&mut renderer, [face(BBOX)], None).unwrap();
    let moved = std::thread::spawn(move || render(&mut renderer, [face(BBOX)], None));
    assert_eq!(moved.join().unwrap().unwrap().as_ptr(), first.as_ptr());
}
