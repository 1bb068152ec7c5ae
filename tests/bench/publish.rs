// SPDX-License-Identifier: MPL-2.0

//! Measures publishing by MQTT: 64 live streams with five records per second each, to Mosquitto on
//! the loopback interface. Reports the time from the frame to the acknowledgement, the time that a
//! frame spends in the element, and whether a subscriber received every record in order.
//!
//!     cargo bench --bench publish             # two minutes
//!     cargo bench --bench publish -- 20       # seconds

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gst::prelude::*;

const STREAMS: usize = 64;
const RECORDS_PER_SECOND: u64 = 5;
/// Time for the last messages to reach the subscriber.
const MAX_RECEIVING: Duration = Duration::from_secs(10);

/// A process that is killed when it is dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(command: &mut Command) -> Process {
    Process(
        command
            .stderr(Stdio::null())
            .spawn()
            .expect("installed by setup.sh --tests"),
    )
}

/// A pipeline that publishes every frame of a test picture.
struct Stream {
    pipeline: gst::Pipeline,
    publish: gst::Element,
    held_up: Arc<Mutex<Vec<Duration>>>,
}

impl Stream {
    fn start(number: usize, port: u16, folder: &std::path::Path, seconds: u64) -> Self {
        let frames = seconds * RECORDS_PER_SECOND;
        let spool = folder.join(format!("spool-{number}"));
        let launch = format!(
            "videotestsrc is-live=true num-buffers={frames} \
             ! video/x-raw,format=GRAY8,width=64,height=64,framerate={RECORDS_PER_SECOND}/1 \
             ! attitudepublish name=publish location=mqtt://127.0.0.1:{port} topic=streams/{number} interval=frame \
               delivery=buffered spool-location={} \
             ! fakesink sync=false",
            spool.display()
        );
        let pipeline = gst::parse::launch(&launch).expect("the elements exist");
        let pipeline = pipeline
            .downcast::<gst::Pipeline>()
            .expect("it is a pipeline");
        let publish = pipeline.by_name("publish").expect("it is in the pipeline");
        let held_up: Arc<Mutex<Vec<Duration>>> = Arc::default();
        let entered = Arc::new(Mutex::new(Instant::now()));
        let sink = publish.static_pad("sink").expect("it has one");
        sink.add_probe(gst::PadProbeType::BUFFER, {
            let entered = entered.clone();
            move |_, _| {
                *entered.lock().expect("no panic") = Instant::now();
                gst::PadProbeReturn::Ok
            }
        });
        let src = publish.static_pad("src").expect("it has one");
        src.add_probe(gst::PadProbeType::BUFFER, {
            let held_up = held_up.clone();
            move |_, _| {
                let elapsed = entered.lock().expect("no panic").elapsed();
                held_up.lock().expect("no panic").push(elapsed);
                gst::PadProbeReturn::Ok
            }
        });
        pipeline.set_state(gst::State::Playing).expect("it plays");
        Self {
            pipeline,
            publish,
            held_up,
        }
    }

    /// Waits for the end of the stream and returns the counters.
    fn end(&self) -> gst::Structure {
        let bus = self.pipeline.bus().expect("a pipeline has a bus");
        let types = [gst::MessageType::Eos, gst::MessageType::Error];
        let message = bus.timed_pop_filtered(gst::ClockTime::NONE, &types);
        assert_eq!(
            message.map(|message| message.type_()),
            Some(gst::MessageType::Eos)
        );
        self.publish.property("stats")
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

/// Returns milliseconds at a quantile.
fn quantile_ms(times: &[Duration], quantile: f64) -> f64 {
    let index = (times.len() as f64 * quantile) as usize;
    times[index.min(times.len() - 1)].as_secs_f64() * 1e3
}

fn main() {
    let mut arguments = std::env::args().filter_map(|argument| argument.parse().ok());
    let seconds: u64 = arguments.next().unwrap_or(120);
    gst::init().expect("GStreamer is installed");
    gstattitude::plugin_register_static().expect("the plugin registers");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let port = port.expect("a free port").port();
    let configuration = folder.path().join("mosquitto.conf");
    let text = format!("listener {port} 127.0.0.1\nallow_anonymous true\n");
    std::fs::write(&configuration, text).expect("the folder is writable");
    let _broker = start(Command::new("mosquitto").arg("-c").arg(&configuration));
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut subscriber = start(
        Command::new("mosquitto_sub")
            .args([
                "-h",
                "127.0.0.1",
                "-t",
                "streams/#",
                "-q",
                "1",
                "-F",
                "%t %p",
                "-p",
            ])
            .arg(port.to_string())
            .stdout(Stdio::piped()),
    );
    let lines = BufReader::new(subscriber.0.stdout.take().expect("it is piped")).lines();
    let received: Arc<Mutex<HashMap<String, Vec<u64>>>> = Arc::default();
    std::thread::spawn({
        let received = received.clone();
        move || {
            for line in lines.map_while(Result::ok) {
                let (topic, record) = line.split_once(' ').expect("the format has a space");
                let record: serde_json::Value = serde_json::from_str(record).expect("a record");
                let frame = record["frame"].as_u64().expect("it has a number");
                let mut received = received.lock().expect("no panic");
                received.entry(topic.to_owned()).or_default().push(frame);
            }
        }
    });
    std::thread::sleep(Duration::from_secs(1));

    let start = |number| Stream::start(number, port, folder.path(), seconds);
    let streams: Vec<Stream> = (0..STREAMS).map(start).collect();
    let stats: Vec<gst::Structure> = streams.iter().map(Stream::end).collect();
    let expected: Vec<u64> = (0..seconds * RECORDS_PER_SECOND).collect();
    let is_complete = || {
        let received = received.lock().expect("no panic");
        let complete = received.values().filter(|frames| **frames == expected);
        complete.count()
    };
    let end = Instant::now() + MAX_RECEIVING;
    while is_complete() < STREAMS && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(100));
    }

    let mut held_up: Vec<Duration> = Vec::new();
    for stream in &streams {
        held_up.extend(stream.held_up.lock().expect("no panic").iter());
    }
    held_up.sort();
    let worst = |name: &str| {
        let times = stats
            .iter()
            .filter_map(|stats| stats.get::<gst::ClockTime>(name).ok());
        let mut times: Vec<Duration> = times.map(Duration::from).collect();
        times.sort();
        (quantile_ms(&times, 0.5), quantile_ms(&times, 1.0))
    };
    println!(
        "| streams | complete and in order | frame held up, ms: median, p99 | frame to acknowledgement, ms: median, p95 of the worst stream |"
    );
    println!("|---|---|---|---|");
    println!(
        "| {STREAMS} | {} | {:.3}, {:.3} | {:.1}, {:.1} |",
        is_complete(),
        quantile_ms(&held_up, 0.5),
        quantile_ms(&held_up, 0.99),
        worst("latency-p50").0,
        worst("latency-p95").1
    );
}
