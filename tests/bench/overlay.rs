// SPDX-License-Identifier: MPL-2.0

//! Measures the cost of drawing the overlay of one face, compared with GStreamer's own blending of
//! the same overlay, and the cost of pixelating a face.
//!
//!     cargo bench --bench overlay

use attitude::geometry::Rect;
use attitude::history::{History, SlotState};
use attitude::{Attitude, Label};
use criterion::{BenchmarkId, Criterion};
use gst_video::{VideoFormat, VideoFrameRef, VideoInfo, VideoOverlayComposition};
use gstattitude::drawing::{Drawn, FaceDrawing, Pixelator, Renderer};

const SIZES: [(u32, u32); 4] = [(640, 360), (1280, 720), (1920, 1080), (3840, 2160)];
const LABEL: Label = Label::POSITIVE;

/// Returns a history of changing attitudes.
fn history(slots: u64) -> History {
    let mut history = History::new(slots as usize, 1);
    for slot in 0..slots {
        let attitude = Attitude::ALL[slot as usize / 20 % 3];
        history.push(slot, SlotState::Present(attitude.into()));
    }
    history
}

/// Draws a face with a third of the frame's height and a history of 10 s, and the scene's history
/// of a minute.
fn draw<T>(
    renderer: &mut Renderer,
    size: (u32, u32),
    x: f32,
    with: impl FnOnce(Drawn<'_>) -> T,
) -> T {
    let side = size.1 as f32 / 3.0;
    let history_of_face = history(50);
    let face = FaceDrawing {
        track: 1,
        bbox_in_frame: Rect::new(x, side, side * 0.8, side),
        label: LABEL,
        confidence: 0.9,
        scores: None,
        history: Some(&history_of_face),
    };
    let drawn = renderer.draw(size.0, size.1, [face].into_iter(), Some(&history(300)));
    with(drawn.expect("it draws").expect("there is something"))
}

fn compose(renderer: &mut Renderer, size: (u32, u32), x: f32) -> VideoOverlayComposition {
    let composition = draw(renderer, size, x, |drawn| drawn.compose());
    composition.expect("it draws").expect("there is something")
}

/// Calls `measure` with a white frame.
fn with_frame(
    format: VideoFormat,
    (width, height): (u32, u32),
    measure: impl FnOnce(&mut VideoFrameRef<&mut gst::BufferRef>),
) {
    let info = VideoInfo::builder(format, width, height).build();
    let info = info.expect("a size");
    let mut buffer = gst::Buffer::from_mut_slice(vec![255u8; info.size()]);
    let video = buffer.get_mut().expect("it is new");
    let mut frame = VideoFrameRef::from_buffer_ref_writable(video, &info);
    measure(frame.as_mut().expect("it is long enough"));
}

fn main() {
    gst::init().expect("GStreamer");
    let mut criterion = Criterion::default().configure_from_args();
    for (width, height) in SIZES {
        let mut group = criterion.benchmark_group(format!("overlay of {width}x{height}"));
        let mut renderer = Renderer::default();
        let mut frames = 0u32;
        group.bench_function("compose a face that moves", |bencher| {
            bencher.iter(|| {
                frames += 1;
                compose(&mut renderer, (width, height), (frames % 100) as f32)
            });
        });
        let composition = compose(&mut renderer, (width, height), 100.0);
        for format in [VideoFormat::I420, VideoFormat::Bgrx] {
            with_frame(format, (width, height), |frame| {
                group.bench_function(BenchmarkId::new("blend", format), |bencher| {
                    bencher.iter(|| {
                        draw(&mut renderer, (width, height), 100.0, |drawn| {
                            drawn.blend(frame)
                        })
                    });
                });
                group.bench_function(BenchmarkId::new("GStreamer's own blending", format), |b| {
                    b.iter(|| composition.blend(frame));
                });
            });
        }
        group.finish();
    }
    let mut group = criterion.benchmark_group("pixelation of 1280x720");
    let mut pixelator = Pixelator::default();
    let bbox_in_frame = Rect::new(500.0, 200.0, 200.0, 250.0);
    for format in [VideoFormat::I420, VideoFormat::Bgrx] {
        with_frame(format, (1280, 720), |frame| {
            group.bench_function(BenchmarkId::new("a face of 200x250", format), |bencher| {
                bencher.iter(|| pixelator.pixelate(frame, bbox_in_frame));
            });
        });
    }
    group.finish();
    criterion.final_summary();
}
