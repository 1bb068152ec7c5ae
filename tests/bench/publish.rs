// SPDX-License-Identifier: MPL-2.0

//! Measures publishing: 64 live streams with five records per second each, to a real broker on the
//! loopback interface. Each stream has a spool. Reports the time from the frame to the
//! acknowledgement, the time that a frame spends in the element, and whether the broker has every
//! record in order. A broker that is not installed is left out.
//!
//!     cargo bench --bench publish             # two minutes per broker
//!     cargo bench --bench publish -- 20       # seconds

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gst::prelude::*;

use brokers::{mosquitto, nats, redis, redis_entries};
use files::project;
use server::{Server, free_port, is_installed};
use subscriber::Subscriber;
use waiting::wait_until;

#[path = "../support/brokers/mod.rs"]
#[allow(dead_code)] // The tests use more of it.
mod brokers;
#[path = "../support/files.rs"]
mod files;
#[path = "../support/server.rs"]
#[allow(dead_code)]
mod server;
#[path = "../support/subscriber.rs"]
#[allow(dead_code)]
mod subscriber;
#[path = "../support/waiting.rs"]
mod waiting;

const STREAMS: usize = 64;
const RECORDS_PER_SECOND: u64 = 5;
/// Time for the last messages to reach the subscriber.
const MAX_RECEIVING: Duration = Duration::from_secs(10);

/// A running broker that stores or passes on what it receives.
struct Broker {
    server: Server,
    subscriber: Option<Subscriber>,
    scheme: &'static str,
    /// Separates the levels of a topic.
    separator: char,
}

impl Broker {
    /// Starts a broker. Returns `None` if it is not installed.
    fn start(scheme: &'static str) -> Option<Self> {
        let (server, separator) = match scheme {
            "mqtt" => (mosquitto("allow_anonymous true"), '/'),
            "redis" => (redis(&["--appendonly", "no"]), ':'),
            _ => (nats(&[]), '.'),
        };
        let mut server = server?;
        server.start();
        let subscriber = match scheme {
            "mqtt" => Some(Subscriber::mqtt(server.port, &[])),
            "nats" => Some(Subscriber::nats(server.port, "streams.>", "{}")),
            _ => None,
        };
        Some(Self {
            server,
            subscriber,
            scheme,
            separator,
        })
    }

    fn location(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.server.port)
    }

    fn topic(&self, stream: usize) -> String {
        format!("streams{}{stream}", self.separator)
    }

    /// Returns the numbers of the frames that have arrived, by topic.
    fn received(&self) -> HashMap<String, Vec<u64>> {
        let messages = match &self.subscriber {
            Some(subscriber) => subscriber.messages(),
            None => (0..STREAMS)
                .flat_map(|stream| {
                    let topic = self.topic(stream);
                    let entries = redis_entries(self.server.port, &topic, "");
                    entries.into_iter().map(move |entry| (topic.clone(), entry))
                })
                .collect(),
        };
        let mut received: HashMap<String, Vec<u64>> = HashMap::new();
        for (topic, record) in messages {
            let record: serde_json::Value = serde_json::from_str(&record).expect("a record");
            let frame = record["frame"].as_u64().expect("it has a number");
            received.entry(topic).or_default().push(frame);
        }
        received
    }
}

/// A pipeline that publishes every frame of a test picture.
struct Stream {
    pipeline: gst::Pipeline,
    publish: gst::Element,
    held_up: Arc<Mutex<Vec<Duration>>>,
}

impl Stream {
    fn start(broker: &Broker, number: usize, folder: &Path, seconds: u64) -> Self {
        let frames = seconds * RECORDS_PER_SECOND;
        let spool = folder.join(format!("spool-{number}"));
        let launch = format!(
            "videotestsrc is-live=true num-buffers={frames} \
             ! video/x-raw,format=GRAY8,width=64,height=64,framerate={RECORDS_PER_SECOND}/1 \
             ! attitudepublish name=publish location={} topic={} interval=frame \
               delivery=buffered spool-location={} \
             ! fakesink sync=false",
            broker.location(),
            broker.topic(number),
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

/// Publishes to a broker, and prints a row of the table.
fn measure(broker: &Broker, seconds: u64) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let start = |number| Stream::start(broker, number, folder.path(), seconds);
    let streams: Vec<Stream> = (0..STREAMS).map(start).collect();
    let stats: Vec<gst::Structure> = streams.iter().map(Stream::end).collect();
    let expected: Vec<u64> = (0..seconds * RECORDS_PER_SECOND).collect();
    let complete = || {
        let received = broker.received();
        let complete = received.values().filter(|frames| **frames == expected);
        complete.count()
    };
    let end = Instant::now() + MAX_RECEIVING;
    while complete() < STREAMS && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(100));
    }

    let mut held_up: Vec<Duration> = Vec::new();
    for stream in &streams {
        held_up.extend(stream.held_up.lock().expect("no panic").iter());
    }
    held_up.sort();
    let sorted = |name: &str| {
        let times = stats
            .iter()
            .filter_map(|stats| stats.get::<gst::ClockTime>(name).ok());
        let mut times: Vec<Duration> = times.map(Duration::from).collect();
        times.sort();
        times
    };
    println!(
        "| {} | {} | {:.3}, {:.3} | {:.1}, {:.1} |",
        broker.scheme,
        complete(),
        quantile_ms(&held_up, 0.5),
        quantile_ms(&held_up, 0.99),
        quantile_ms(&sorted("latency-p50"), 0.5),
        quantile_ms(&sorted("latency-p95"), 1.0)
    );
}

fn main() {
    let mut arguments = std::env::args().filter_map(|argument| argument.parse().ok());
    let seconds: u64 = arguments.next().unwrap_or(120);
    gst::init().expect("GStreamer is installed");
    gstattitude::plugin_register_static().expect("the plugin registers");
    println!(
        "| broker | of {STREAMS} streams complete and in order | frame held up, ms: median, p99 \
         | frame to acknowledgement, ms: median stream's median, worst stream's p95 |"
    );
    println!("|---|---|---|---|");
    for broker in ["mqtt", "redis", "nats"]
        .into_iter()
        .filter_map(Broker::start)
    {
        measure(&broker, seconds);
    }
}
