// SPDX-License-Identifier: MPL-2.0

//! Measures many live streams in one process: 640x360 at 30 frames per second with an average face,
//! and two samples per second. Reports the cost per stream, compared with `identity` in place of
//! `faceattitude`; the time that a frame spends in the element; the delay of results; the cost of
//! paused streams; and the share of samples that other streams get beside one that floods the
//! engine.
//!
//!     cargo bench --bench streams             # tables
//!     cargo bench --bench streams -- --json   # one JSON object per line
//!
//! Each row is measured in its own process.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gst::prelude::*;
use serde_json::{Value, json};

const SIZE: (usize, usize) = (640, 360);
const STREAMS: [usize; 4] = [1, 4, 16, 64];
const FRAMES_PER_SECOND: u32 = 30;
const INTERVAL: Duration = Duration::from_millis(500);
/// Time before each measurement.
const WARM_UP: Duration = Duration::from_secs(3);
/// Duration of each measurement.
const MEASURED: Duration = Duration::from_secs(15);

const ORDINARY: &str = "faceattitude name=faces mode=live sample-interval=500000000";
const PLAIN: &str = "identity name=faces";

/// Writes a picture with `columns` by `rows` average faces.
fn write_picture(path: &Path, (columns, rows): (usize, usize)) {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/neutral.png");
    let file = std::io::BufReader::new(std::fs::File::open(file).expect("a fixture"));
    let mut reader = png::Decoder::new(file).read_info().expect("a PNG");
    let mut face = vec![0; reader.output_buffer_size().expect("a size")];
    let face_info = reader.next_frame(&mut face).expect("a picture");
    let samples = face_info.color_type.samples();
    let side = face_info.width as usize;

    let (width, height) = SIZE;
    let cell = (width / columns).min(height / rows);
    let shown = (cell * 4 / 5).min(160);
    let mut luma = vec![60; width * height];
    for (column, row) in (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row))) {
        let left = column * width / columns + (width / columns - shown) / 2;
        let top = row * height / rows + (height / rows - shown) / 2;
        for (x, y) in (0..shown).flat_map(|y| (0..shown).map(move |x| (x, y))) {
            let from = (y * side / shown * side + x * side / shown) * samples;
            luma[(top + y) * width + left + x] = face[from];
        }
    }
    let file = std::fs::File::create(path).expect("a temporary file");
    let mut encoder = png::Encoder::new(file, width as u32, height as u32);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(&luma).expect("a picture");
}

/// A live stream of a still picture through an element.
struct Stream {
    pipeline: gst::Pipeline,
    element: gst::Element,
    held_up: Arc<Mutex<Vec<Duration>>>,
}

impl Stream {
    fn start(picture: &Path, frames_per_second: u32, element: &str) -> Self {
        let description = format!(
            "filesrc location={} ! pngdec ! videoconvert ! video/x-raw,format=I420 ! \
             imagefreeze is-live=true ! video/x-raw,framerate={frames_per_second}/1 ! {element} ! \
             fakesink sync=false",
            picture.display()
        );
        let pipeline = gst::parse::launch(&description).expect("a pipeline");
        let pipeline = pipeline.downcast::<gst::Pipeline>().expect("a pipeline");
        let element = pipeline.by_name("faces").expect("it is there");
        let held_up: Arc<Mutex<Vec<Duration>>> = Arc::default();
        let entered: Arc<Mutex<Option<Instant>>> = Arc::default();
        for pad in ["sink", "src"] {
            let (entered, held_up) = (entered.clone(), held_up.clone());
            let is_entry = pad == "sink";
            let pad = element.static_pad(pad).expect("it is there");
            pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
                let mut entered = entered.lock().unwrap();
                if is_entry {
                    *entered = Some(Instant::now());
                } else if let Some(entered) = entered.take() {
                    held_up.lock().unwrap().push(entered.elapsed());
                }
                gst::PadProbeReturn::Ok
            });
        }
        pipeline.set_state(gst::State::Playing).expect("it plays");
        Self {
            pipeline,
            element,
            held_up,
        }
    }

    /// Returns a number of the property `stats`; 0 for `identity`.
    fn stat(&self, name: &str) -> u64 {
        if !self.element.has_property("mode") {
            return 0;
        }
        let stats: gst::Structure = self.element.property("stats");
        let value = stats.value(name).expect("a number");
        let wide = value.get::<u64>();
        wide.unwrap_or_else(|_| value.get::<u32>().expect("a number").into())
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.pipeline.set_state(gst::State::Null).expect("it stops");
    }
}

fn cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    // The fields follow the name of the process, which may contain spaces.
    let fields: Vec<u64> = text[text.rfind(')').expect("a name") + 2..]
        .split(' ')
        .map(|field| field.parse().unwrap_or(0))
        .collect();
    // User and system time, in Linux's clock ticks of 10 ms.
    Duration::from_millis((fields[11] + fields[12]) * 10)
}

/// Returns a number of /proc/self/status, in its unit.
fn status(name: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = text.lines().find(|line| line.starts_with(name));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number
        .and_then(|number| number.parse().ok())
        .expect("a number")
}

fn quantile(sorted: &[Duration], share: f64) -> f64 {
    let index = (sorted.len() as f64 * share) as usize;
    let time = sorted.get(index.min(sorted.len().saturating_sub(1)));
    time.map_or(0.0, |time| time.as_secs_f64() * 1e3)
}

/// Runs streams through `element` and measures their cost.
fn measure(streams: usize, element: &str) -> Value {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let picture = folder.path().join("picture.png");
    write_picture(&picture, (1, 1));
    let all: Vec<Stream> = (0..streams)
        .map(|_| {
            // The samples of the streams are spread, as those of independent cameras.
            std::thread::sleep(INTERVAL / streams as u32);
            Stream::start(&picture, FRAMES_PER_SECOND, element)
        })
        .collect();
    std::thread::sleep(WARM_UP);
    let count = |name: &str| all.iter().map(|stream| stream.stat(name)).sum::<u64>();
    all.iter().for_each(|s| s.held_up.lock().unwrap().clear());
    let (started, cpu_before, samples_before) = (Instant::now(), cpu(), count("samples"));
    std::thread::sleep(MEASURED);
    let (elapsed, cpu_spent) = (started.elapsed(), cpu() - cpu_before);
    let samples = count("samples") - samples_before;
    let mut held_up: Vec<Duration> = all
        .iter()
        .flat_map(|stream| stream.held_up.lock().unwrap().clone())
        .collect();
    held_up.sort();
    let delays = |name: &str| -> Vec<Duration> {
        let mut delays: Vec<_> = all
            .iter()
            .map(|s| Duration::from_nanos(s.stat(name)))
            .collect();
        delays.sort();
        delays
    };
    let expected = elapsed.as_secs_f64() * f64::from(FRAMES_PER_SECOND) * streams as f64;
    json!({
        "streams": streams,
        "element": element.split(' ').next(),
        "frames": held_up.len(),
        "frames_expected": expected.round(),
        "held_up_p50_ms": quantile(&held_up, 0.5),
        "held_up_p99_ms": quantile(&held_up, 0.99),
        "samples_a_second": samples as f64 / elapsed.as_secs_f64() / streams as f64,
        "skipped": count("skipped"),
        // The median of the streams, and the worst stream.
        "delay_p50_ms": quantile(&delays("delay-p50"), 0.5),
        "delay_p95_ms": quantile(&delays("delay-p95"), 1.0),
        "cpu_share": cpu_spent.as_secs_f64() / elapsed.as_secs_f64() / streams as f64,
        "memory_mib": status("VmRSS:") as f64 / 1024.0,
        "threads": status("Threads:"),
    })
}

/// Measures the cost per stream of 16 streams that are paused after they have played.
fn measure_paused(element: &str) -> Value {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let picture = folder.path().join("picture.png");
    write_picture(&picture, (1, 1));
    let start = || Stream::start(&picture, FRAMES_PER_SECOND, element);
    let all: Vec<Stream> = std::iter::repeat_with(start).take(16).collect();
    std::thread::sleep(WARM_UP);
    for stream in &all {
        stream
            .pipeline
            .set_state(gst::State::Paused)
            .expect("it pauses");
    }
    std::thread::sleep(WARM_UP);
    let before = cpu();
    std::thread::sleep(MEASURED);
    let share = (cpu() - before).as_secs_f64() / MEASURED.as_secs_f64() / all.len() as f64;
    json!({"paused": element.split(' ').next(), "cpu_share": share})
}

/// Measures the share of samples that eight ordinary streams get beside one with 16 faces and 240
/// frames per second, all of which are sampled.
fn measure_fairness() -> Value {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let [one, many] = ["one.png", "many.png"].map(|name| folder.path().join(name));
    write_picture(&one, (1, 1));
    write_picture(&many, (8, 2));
    let ordinary: Vec<Stream> = (0..8)
        .map(|_| Stream::start(&one, FRAMES_PER_SECOND, ORDINARY))
        .collect();
    let flooding = "faceattitude name=faces mode=live sample-interval=0 detector-size=640";
    let flooding = Stream::start(&many, 240, flooding);
    std::thread::sleep(WARM_UP);
    let count = |name: &str| ordinary.iter().map(|s| s.stat(name)).sum::<u64>();
    let before = (count("samples"), flooding.stat("samples"));
    std::thread::sleep(MEASURED);
    let due = MEASURED.as_secs_f64() / INTERVAL.as_secs_f64() * ordinary.len() as f64;
    json!({
        "ordinary_samples_share": (count("samples") - before.0) as f64 / due,
        "flooding_samples_a_second":
            (flooding.stat("samples") - before.1) as f64 / MEASURED.as_secs_f64(),
        "flooding_faces": flooding.stat("faces"),
    })
}

/// Runs a measurement in its own process.
fn measured(arguments: &[&str]) -> Value {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program)
        .arg("--measure")
        .args(arguments)
        .output();
    let output = output.expect("it runs");
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(at) = arguments
        .iter()
        .position(|argument| argument == "--measure")
    {
        gst::init().expect("GStreamer");
        gstattitude::plugin_register_static().expect("the plugin");
        let result = match &arguments[at + 1..] {
            [fairness] if fairness == "fairness" => measure_fairness(),
            [paused, element] if paused == "paused" => measure_paused(element),
            [streams, element] => measure(streams.parse().expect("a number"), element),
            other => panic!("{other:?}"),
        };
        println!("{result}");
        return;
    }
    let is_json = arguments.iter().any(|argument| argument == "--json");
    if !is_json {
        println!(
            "streams  element       frames  of    held up ms     samples/s  skipped  delay ms      \
             CPU        memory   threads\n\
             \x20                                    p50    p99                        p50    p95   \
             per stream MiB"
        );
    }
    for streams in STREAMS {
        for element in [PLAIN, ORDINARY] {
            let row = measured(&[&streams.to_string(), element]);
            if is_json {
                println!("{row}");
                continue;
            }
            let number = |name: &str| row[name].as_f64().unwrap_or(0.0);
            println!(
                "{streams:>7}  {:<12} {:>7} {:>7} {:>6.3} {:>6.3} {:>10.2} {:>8} {:>6.1} {:>6.1} \
                 {:>8.2}% {:>8.0} {:>8}",
                row["element"].as_str().unwrap_or_default(),
                number("frames"),
                number("frames_expected"),
                number("held_up_p50_ms"),
                number("held_up_p99_ms"),
                number("samples_a_second"),
                number("skipped"),
                number("delay_p50_ms"),
                number("delay_p95_ms"),
                number("cpu_share") * 100.0,
                number("memory_mib"),
                number("threads"),
            );
        }
    }
    for element in [PLAIN, ORDINARY] {
        let row = measured(&["paused", element]);
        if is_json {
            println!("{row}");
        } else {
            let percent = row["cpu_share"].as_f64().unwrap_or(0.0) * 100.0;
            let element = row["paused"].as_str().unwrap_or_default();
            println!("paused   {element:<12} {percent:.3}% of a core per stream, with 16 streams");
        }
    }
    let fairness = measured(&["fairness"]);
    if is_json {
        println!("{fairness}");
    } else {
        println!(
            "beside a stream that floods ({} faces, {:.0} samples/s), eight ordinary ones get {:.0}% \
             of their samples",
            fairness["flooding_faces"],
            fairness["flooding_samples_a_second"]
                .as_f64()
                .unwrap_or(0.0),
            fairness["ordinary_samples_share"].as_f64().unwrap_or(0.0) * 100.0
        );
    }
}
