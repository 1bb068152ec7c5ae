// SPDX-License-Identifier: MPL-2.0

//! Measures the cost of a sample with one face and with nine, by part, and the share of ONNX
//! Runtime in it.
//!
//!     cargo bench --bench analysis
//!
//! Criterion measures the parts. The table at the end compares the whole analysis with the same two
//! inferences through `ort` alone, in one thread; both alternate, so that other load on the machine
//! slows down both. `cargo bench --bench analysis -- nothing` prints the table alone.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::Criterion;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;

use attitude::analyzer::{Analysis, Analyzer, Epoch, Params, Sample, Timings};
use attitude::crop::{self, Cropper};
use attitude::detection::Detection;
use attitude::frame::{
    ColorModel, Component, Frame, Layout, MAX_PLANES, Matrix, Plane, Snapshot, Transfer,
};
use attitude::preprocessing::{FrameScaler, Letterbox};
use attitude_inference::model::ModelSource;
use attitude_inference::networks::{Config, Networks};
use attitude_inference::provider::Provider;
use attitude_inference::runtime::{self, RuntimeOptions};

const SIZES: [(usize, usize); 3] = [(640, 360), (1280, 720), (1920, 1080)];

/// Running time between samples.
const INTERVAL_NS: u64 = 200_000_000;

/// Number of alternating rounds for the table.
const ROUNDS: usize = 300;

#[derive(Clone, Copy, Debug)]
enum Format {
    I420,
    Rgb,
}

/// A picture of one average face, or of nine in rows of three, on a gray gradient. The height of
/// one face is a third of the picture's, that of each of nine is a quarter.
struct Picture {
    faces: usize,
    width: usize,
    height: usize,
    format: Format,
    planes: [Vec<u8>; MAX_PLANES],
}

impl Picture {
    fn new(width: usize, height: usize, format: Format, rows: usize) -> Self {
        let face = Face::load();
        let side = height / if rows == 1 { 3 } else { 4 };
        let (cell_width, cell_height) = (width / rows, height / rows);
        let (left, top) = ((cell_width - side) / 2, (cell_height - side) / 2);
        let color_at = |index: usize| {
            let (x, y) = (index % width, index / width);
            let (cell_x, cell_y) = (x % cell_width, y % cell_height);
            let is_face =
                (left..left + side).contains(&cell_x) && (top..top + side).contains(&cell_y);
            if is_face {
                let from = |at: usize| at * face.side / side;
                face.color_at(from(cell_x - left), from(cell_y - top))
            } else {
                [(96 + 48 * x / width + 32 * y / height) as u8; 3]
            }
        };
        let pixels = (0..width * height).map(color_at);
        let planes = match format {
            Format::Rgb => [pixels.flatten().collect(), Vec::new(), Vec::new()],
            // The analysis reads only luma, so the chroma can be gray.
            Format::I420 => {
                let chroma = vec![128; (width / 2) * (height / 2)];
                [pixels.map(limited_luma).collect(), chroma.clone(), chroma]
            }
        };
        Self {
            faces: rows * rows,
            width,
            height,
            format,
            planes,
        }
    }

    fn frame(&self) -> Frame<'_> {
        let (color, strides) = match self.format {
            Format::I420 => (
                ColorModel::Yuv,
                [self.width, self.width / 2, self.width / 2],
            ),
            Format::Rgb => (ColorModel::Rgb, [3 * self.width, 0, 0]),
        };
        let component = |index: usize| match self.format {
            Format::I420 => Component {
                plane: index,
                pixel_stride: 1,
                shift_x: index.min(1) as u32,
                shift_y: index.min(1) as u32,
                ..Component::default()
            },
            Format::Rgb => Component {
                offset: index,
                pixel_stride: 3,
                ..Component::default()
            },
        };
        let layout = Layout {
            color,
            components: std::array::from_fn(component),
            full_range: matches!(self.format, Format::Rgb),
            matrix: Matrix::Bt601,
            transfer: Transfer::Sdr,
        };
        let planes = std::array::from_fn(|index| Plane {
            data: &self.planes[index],
            stride: strides[index],
        });
        Frame::new(self.width, self.height, layout, planes).unwrap()
    }

    fn name(&self) -> String {
        let faces = if self.faces > 1 { " 9 faces" } else { "" };
        format!("{}x{} {:?}{faces}", self.width, self.height, self.format)
    }
}

fn limited_luma([r, g, b]: [u8; 3]) -> u8 {
    let luma = 0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b);
    (16.0 + luma * 219.0 / 255.0).round() as u8
}

struct Face {
    side: usize,
    rgb: Vec<u8>,
}

impl Face {
    fn load() -> Self {
        let bytes: &[u8] = include_bytes!("../fixtures/neutral.png");
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
            .read_info()
            .unwrap();
        let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut rgb).unwrap();
        assert_eq!(
            (info.color_type, info.width),
            (png::ColorType::Rgb, info.height)
        );
        Self {
            side: info.width as usize,
            rgb,
        }
    }

    fn color_at(&self, x: usize, y: usize) -> [u8; 3] {
        let start = 3 * (y * self.side + x);
        [self.rgb[start], self.rgb[start + 1], self.rgb[start + 2]]
    }
}

/// What is needed to analyze a picture repeatedly.
struct Bench {
    picture: Picture,
    networks: Networks,
    analyzer: Analyzer,
    analysis: Analysis,
    letterbox: Letterbox,
}

impl Bench {
    fn new(picture: Picture) -> Self {
        let networks = Networks::load(&Config {
            provider: Provider::Cpu.into(),
            runtime: runtime_options(),
            ..Config::default()
        });
        let networks = networks.unwrap_or_else(|error| panic!("{error}"));
        let size = networks.detector.as_ref().unwrap().input().size;
        let long_side = Params::default().detector_size as usize;
        let letterbox = Letterbox::new((picture.width, picture.height), 1.0, size, long_side);
        let mut bench = Self {
            picture,
            networks,
            analyzer: Analyzer::default(),
            analysis: Analysis::default(),
            letterbox,
        };
        bench.analyze();
        bench
    }

    /// Writes the detector's input into `tensor`.
    fn scale(&self, scaler: &mut FrameScaler, tensor: &mut Vec<f32>) {
        let format = &self
            .networks
            .detector
            .as_ref()
            .unwrap()
            .input()
            .tensor_format;
        let (width, height) = (self.letterbox.input_width, self.letterbox.input_height);
        tensor.resize(format.len(width, height), 0.0);
        scaler.scale(&self.picture.frame(), &self.letterbox, format, tensor);
    }

    /// Writes the classifier's input into `tensor`.
    fn cut(&self, cropper: &mut Cropper, tensor: &mut Vec<f32>) {
        let input = self.networks.classifier.input();
        let (format, size) = (&input.tensor_format, (input.width, input.height));
        let len = format.len(size.0, size.1);
        tensor.resize(len * self.picture.faces, 0.0);
        for (face, tensor) in self.analysis.faces.iter().zip(tensor.chunks_exact_mut(len)) {
            let detection = Detection {
                bbox: face.bbox_in_frame,
                score: face.detection_score,
                landmarks: face.landmarks_in_frame,
            };
            let transform = crop::displayed_from_crop(&detection, &input.framing, size.0, size.1);
            cropper.extract(&self.picture.frame(), &transform, format, size, tensor);
        }
    }

    fn analyze(&mut self) {
        let time_ns = self.analysis.time_ns + INTERVAL_NS;
        let sample = Sample {
            frame: self.picture.frame(),
            time_ns,
            epoch: Epoch::default(),
            upstream: None,
            params: &Params::default(),
        };
        self.networks
            .analyze(&mut self.analyzer, &sample, &mut self.analysis)
            .unwrap();
        let classified = self.analysis.faces.iter().map(|face| face.classified_ns);
        assert!(classified.eq(vec![Some(time_ns); self.picture.faces]));
    }
}

/// The same two inferences by ONNX Runtime alone.
struct Bare {
    detector: Session,
    picture: Vec<f32>,
    picture_shape: [usize; 4],
    classifier: Session,
    crop: Vec<f32>,
    crop_shape: [usize; 4],
}

impl Bare {
    fn of(bench: &Bench) -> Self {
        let (mut picture, mut crop) = (Vec::new(), Vec::new());
        bench.scale(&mut FrameScaler::default(), &mut picture);
        bench.cut(&mut Cropper::default(), &mut crop);
        let letterbox = &bench.letterbox;
        let input = bench.networks.classifier.input();
        Self {
            detector: session(&ModelSource::FACE_DETECTOR),
            picture,
            picture_shape: [1, 1, letterbox.input_height, letterbox.input_width],
            classifier: session(&ModelSource::ATTITUDE),
            crop,
            crop_shape: [bench.picture.faces, 1, input.height, input.width],
        }
    }

    fn run(&mut self) {
        let picture = TensorRef::from_array_view((self.picture_shape, &self.picture[..])).unwrap();
        black_box(self.detector.run(ort::inputs![picture]).unwrap());
        let crop = TensorRef::from_array_view((self.crop_shape, &self.crop[..])).unwrap();
        black_box(self.classifier.run(ort::inputs![crop]).unwrap());
    }
}

/// Returns a session like that of the element: optimized, in one thread.
fn session(source: &ModelSource) -> Session {
    let bytes = source.read(Provider::Cpu).unwrap();
    let environment = runtime::environment(&runtime_options()).unwrap();
    let builder = Session::builder(environment).unwrap();
    let builder = builder.with_optimization_level(GraphOptimizationLevel::All);
    let mut builder = builder.unwrap().with_intra_threads(1).unwrap();
    builder.commit_from_memory(&bytes).unwrap()
}

fn runtime_options() -> RuntimeOptions {
    RuntimeOptions {
        log: |message| eprintln!("{message}"),
        ..RuntimeOptions::default()
    }
}

/// Measures each part with Criterion.
fn measure_parts(criterion: &mut Criterion, benches: &mut [Bench]) {
    for bench in benches {
        let mut group = criterion.benchmark_group(bench.picture.name());
        group.warm_up_time(Duration::from_millis(300));
        group.measurement_time(Duration::from_secs(1));
        group.bench_function("snapshot", |b| {
            let mut snapshot = Snapshot::default();
            b.iter(|| snapshot.copy_from(&bench.picture.frame(), true));
        });
        let (mut scaler, mut picture) = (FrameScaler::default(), Vec::new());
        bench.scale(&mut scaler, &mut picture);
        group.bench_function("scaling", |b| {
            b.iter(|| bench.scale(&mut scaler, &mut picture));
        });
        group.bench_function("detection", |b| {
            let (width, height) = (bench.letterbox.input_width, bench.letterbox.input_height);
            let (detector, mut found) = (bench.networks.detector.as_mut().unwrap(), Vec::new());
            b.iter(|| detector.detect(&picture, width, height, 0.5, &mut found));
        });
        let (mut cropper, mut crop) = (Cropper::default(), Vec::new());
        bench.cut(&mut cropper, &mut crop);
        group.bench_function("crop", |b| {
            b.iter(|| bench.cut(&mut cropper, &mut crop));
        });
        group.bench_function("classification", |b| {
            let (classifier, mut found) = (&mut bench.networks.classifier, Vec::new());
            b.iter(|| classifier.classify(&crop, bench.picture.faces, &mut found));
        });
        group.bench_function("total", |b| b.iter(|| bench.analyze()));
        let mut bare = Bare::of(bench);
        group.bench_function("bare", |b| b.iter(|| bare.run()));
        group.finish();
    }
}

/// Measures the whole analysis and its two inferences alone in alternating rounds.
fn print_table(benches: &mut [Bench]) {
    println!("\nmedians of {ROUNDS} alternating rounds, in microseconds");
    println!("frame                 scaling detection  crop classification  total   bare  ratio");
    for bench in benches {
        let mut bare = Bare::of(bench);
        let mut columns: [Vec<Duration>; 6] = Default::default();
        for _ in 0..ROUNDS {
            let total = time(|| bench.analyze());
            let bare = time(|| bare.run());
            let Timings {
                scaling,
                detection,
                crop,
                classification,
            } = bench.analysis.timings;
            let round = [scaling, detection, crop, classification, total, bare];
            for (column, duration) in columns.iter_mut().zip(round) {
                column.push(duration);
            }
        }
        let [scaling, detection, crop, classification, total, bare] = columns.map(median_us);
        let name = bench.picture.name();
        println!(
            "{name:<20} {scaling:>8.0} {detection:>9.0} {crop:>5.0} {classification:>14.0} \
             {total:>6.0} {bare:>6.0} {:>6.2}",
            total / bare
        );
    }
}

fn time(run: impl FnOnce()) -> Duration {
    let started = Instant::now();
    run();
    started.elapsed()
}

fn median_us(mut durations: Vec<Duration>) -> f64 {
    durations.sort();
    durations[durations.len() / 2].as_secs_f64() * 1e6
}

fn main() {
    let pictures = SIZES.into_iter().flat_map(|(width, height)| {
        [Format::I420, Format::Rgb].map(|format| Picture::new(width, height, format, 1))
    });
    let pictures = pictures.chain([Picture::new(1280, 720, Format::I420, 3)]);
    let mut benches: Vec<Bench> = pictures.map(Bench::new).collect();
    let mut criterion = Criterion::default().configure_from_args();
    measure_parts(&mut criterion, &mut benches);
    print_table(&mut benches);
    criterion.final_summary();
}
