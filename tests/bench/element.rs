// SPDX-License-Identifier: MPL-2.0

//! Measures the cost of a frame that is not sampled in `faceattitude`, with and without a face, and
//! in `identity`, whose cost is GStreamer's own share.
//!
//!     cargo bench --bench element

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

use criterion::{BenchmarkId, Criterion};
use gst_check::Harness;

const WIDTH: usize = 1280;
const HEIGHT: usize = 720;

/// Number of frames whose allocations are counted.
const FRAMES: u64 = 1000;

/// The system's allocator with a counter. It does not count allocations of GStreamer's C code.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: Both functions forward to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: The contract is the same, and the caller keeps it.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: As above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Returns a gray frame; with `has_face`, with an average face.
fn frame(has_face: bool) -> Vec<u8> {
    let mut luma = vec![60; WIDTH * HEIGHT];
    if has_face {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/neutral.png");
        let file = std::io::BufReader::new(std::fs::File::open(path).expect("a fixture"));
        let mut reader = png::Decoder::new(file).read_info().expect("a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
        let info = reader.next_frame(&mut pixels).expect("a picture");
        let samples = info.color_type.samples();
        for (y, row) in pixels.chunks_exact(info.line_size).enumerate() {
            for (x, pixel) in row.chunks_exact(samples).enumerate() {
                luma[(200 + y) * WIDTH + 480 + x] = pixel[0];
            }
        }
    }
    luma
}

fn harness(element: &str, frame: &[u8]) -> Harness {
    let mut harness = Harness::new_parse(element);
    harness.set_src_caps_str(&format!(
        "video/x-raw,format=GRAY8,width={WIDTH},height={HEIGHT},framerate=30/1"
    ));
    harness.play();
    push(&mut harness, frame, 0);
    harness
}

fn push(harness: &mut Harness, frame: &[u8], number: u64) {
    let mut buffer = gst::Buffer::from_slice(frame.to_vec());
    let pts = gst::ClockTime::from_mseconds(number / 1000);
    buffer.get_mut().expect("it is new").set_pts(pts);
    harness.push(buffer).expect("it passes");
    harness.pull().expect("it comes out");
}

fn main() {
    gst::init().expect("GStreamer");
    gstattitude::plugin_register_static().expect("the plugin");
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("frame that is not sampled");
    let analyzer =
        "faceattitude mode=sync sample-interval=1000000000000 track-timeout=1000000000000";
    for (name, element, has_face) in [
        ("identity", "identity", false),
        ("no face", analyzer, false),
        ("one face", analyzer, true),
    ] {
        let frame = frame(has_face);
        let mut harness = harness(element, &frame);
        // All buffers share one memory, so that the measurement excludes copies.
        let template = gst::Buffer::from_slice(frame);
        let mut number = 0;
        let mut pass = || {
            number += 1;
            let mut buffer = template.copy();
            let pts = gst::ClockTime::from_useconds(number);
            buffer.get_mut().expect("it is new").set_pts(pts);
            harness.push(buffer).expect("it passes");
            harness.pull().expect("it comes out")
        };
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(&mut pass);
        });
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        (0..FRAMES).for_each(|_| drop(pass()));
        let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
        println!(
            "{name}: {} allocations in Rust per frame",
            allocations as f64 / FRAMES as f64
        );
    }
    group.finish();
    criterion.final_summary();
}
