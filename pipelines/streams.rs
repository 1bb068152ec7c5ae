// SPDX-License-Identifier: MPL-2.0
//! Tracks the faces of many live streams, which are added and removed at run time: a starting point
//! for a conferencing backend.
//!
//! ```sh
//! cargo run --release -p gst-attitude-pipelines --example streams
//! add alice rtsp://192.0.2.1/stream
//! add bob rtsp://192.0.2.2/stream
//! remove alice
//! ```
//!
//! Reads commands from stdin, one per line, until its end. Writes events to stdout, one JSON object
//! per line:
//!
//! ```json
//! {"stream":"alice","event":"live"}
//! {"stream":"alice","event":"faces","time":1.4,"faces":[{"track":1,"attitude":"positive","confidence":0.91}]}
//! {"stream":"alice","event":"lost","reason":"…"}
//! ```
//!
//! `faces` is printed on each change, with the running time in seconds. A stream that fails, ends
//! or hangs is `lost`; it is restarted after 1, 2, 4 and up to 30 seconds until it is `live`, and
//! its track numbers start at 1 again. This applies to files too: a file that has ended plays again
//! from its beginning until it is removed. `pipelines/streams.py` is the same program in Python.

use std::collections::HashMap;
use std::error::Error;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};
use std::{io, process::ExitCode, thread};

use attitude::record::Record;
use gst::{MessageView, prelude::*};
use gstattitude::message::AttitudeMessage;
use serde_json::{Value, json};

/// The timeout of the watchdog is longer than the 5 s for which rtspsrc tries UDP before TCP.
const PIPELINE: &str = "uridecodebin name=source \
    ! videoconvert ! watchdog timeout=15000 ! faceattitude ! fakesink sync=true";
const LATENCY_MS: u32 = 200;
const FIRST_DELAY: Duration = Duration::from_secs(1);
const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// An event for the main thread, which handles all streams.
enum Event {
    Command(String),
    /// Message from the bus of the pipeline with this number.
    Message(u64, gst::Message),
    EndOfCommands,
}

/// A pipeline that stops when it is dropped.
struct Playing(gst::Pipeline);

impl Playing {
    /// Starts a pipeline whose messages are sent to the main thread with `number`.
    fn start(uri: &str, number: u64, events: Sender<Event>) -> Result<Self, Box<dyn Error>> {
        let pipeline = gst::parse::launch(PIPELINE)?
            .downcast::<gst::Pipeline>()
            .map_err(|_| "no pipeline")?;
        let source = pipeline.by_name("source").ok_or("no source")?;
        source.set_property("uri", uri);
        source.connect("source-setup", false, |values| {
            let source = values[1].get::<gst::Element>().ok()?;
            if source.has_property("latency") {
                source.set_property("latency", LATENCY_MS);
            }
            None
        });
        let bus = pipeline.bus().ok_or("no bus")?;
        bus.set_sync_handler(move |_, message| {
            // The receiver is gone only when the program ends.
            let _ = events.send(Event::Message(number, message.clone()));
            gst::BusSyncReply::Drop
        });
        let _ = pipeline.set_state(gst::State::Playing); // Errors are reported on the bus.
        Ok(Self(pipeline))
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        let _ = self.0.set_state(gst::State::Null);
    }
}

/// A stream. Each has its own pipeline, so that a failure does not affect the others.
struct Stream {
    uri: String,
    /// `None` while the stream is lost.
    playing: Option<Playing>,
    /// Number of the current pipeline; messages of earlier ones are ignored.
    number: u64,
    delay: Duration,
    restart: Option<Instant>,
}

struct Streams {
    streams: HashMap<String, Stream>,
    sender: Sender<Event>,
    last_number: u64,
}

impl Streams {
    /// Executes a command.
    fn execute(&mut self, line: &str) -> Result<(), Box<dyn Error>> {
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["add", name, _] if self.streams.contains_key(name) => {
                Err(format!("stream {name} already exists; remove it first").into())
            }
            ["add", name, uri] => {
                let stream = Stream {
                    uri: uri.to_owned(),
                    playing: None,
                    number: 0,
                    delay: FIRST_DELAY,
                    restart: Some(Instant::now()),
                };
                self.streams.insert(name.to_owned(), stream);
                Ok(())
            }
            ["remove", name] if self.streams.remove(name).is_some() => Ok(()),
            ["remove", name] => Err(format!("there is no stream {name}").into()),
            [] => Ok(()),
            _ => Err(format!("not `add NAME URI` or `remove NAME`: {line}").into()),
        }
    }

    /// Starts the streams that are due, each with a new pipeline: the parser's delayed links
    /// connect the pads of a source only once, not again after a restart.
    fn start(&mut self) -> Result<(), Box<dyn Error>> {
        let now = Instant::now();
        for stream in self.streams.values_mut() {
            if stream.restart.is_some_and(|time| time <= now) {
                self.last_number += 1;
                stream.restart = None;
                stream.number = self.last_number;
                let sender = self.sender.clone();
                stream.playing = Some(Playing::start(&stream.uri, stream.number, sender)?);
            }
        }
        Ok(())
    }

    fn next_start(&self) -> Option<Instant> {
        self.streams.values().filter_map(|s| s.restart).min()
    }

    fn on_message(&mut self, number: u64, message: &gst::Message) -> Result<(), Box<dyn Error>> {
        let mut streams = self.streams.iter_mut();
        let Some((name, stream)) = streams.find(|(_, s)| s.number == number) else {
            return Ok(()); // The stream was removed before the message arrived.
        };
        let Some(Playing(pipeline)) = &stream.playing else {
            return Ok(()); // The stream was lost before the message arrived.
        };
        match message.view() {
            MessageView::StreamStart(_) => {
                stream.delay = FIRST_DELAY;
                print(json!({"stream": name, "event": "live"}));
            }
            MessageView::Element(element) => {
                if let Some(structure) = element.structure()
                    && structure.name() == "faceattitude"
                {
                    print(faces(name, &AttitudeMessage::try_from(structure)?.0));
                }
            }
            MessageView::Error(error) => stream.on_lost(name, &describe(error)),
            MessageView::Eos(_) => stream.on_lost(name, "the stream has ended"),
            MessageView::Latency(_) => pipeline.recalculate_latency()?,
            _ => {}
        }
        Ok(())
    }
}

impl Stream {
    fn on_lost(&mut self, name: &str, reason: &str) {
        self.playing = None;
        print(json!({"stream": name, "event": "lost", "reason": reason}));
        self.restart = Some(Instant::now() + self.delay);
        self.delay = LONGEST_DELAY.min(2 * self.delay);
    }
}

/// Returns an error as a sentence, without the first line of its debug text: the position in
/// GStreamer's source code.
fn describe(error: &gst::message::Error) -> String {
    let debug = error.debug().unwrap_or_default();
    let details: Vec<_> = debug.lines().skip(1).collect();
    format!("{} {}", error.error(), details.join(" "))
        .trim_end()
        .to_owned()
}

/// Returns the event `faces` of a record.
fn faces(name: &str, record: &Record) -> Value {
    let round = |value: f64, digits: i32| (value * 10f64.powi(digits)).round() / 10f64.powi(digits);
    let time = record.running_time_ns.map(|ns| round(ns as f64 / 1e9, 3));
    let faces = record.faces.iter().map(|face| {
        let confidence = round(f64::from(face.confidence), 2);
        json!({"track": face.track, "attitude": face.attitude, "confidence": confidence})
    });
    json!({"stream": name, "event": "faces", "time": time, "faces": faces.collect::<Value>()})
}

fn print(event: Value) {
    println!("{event}");
}

/// Runs until the end of the commands.
fn run(events: &Receiver<Event>, sender: Sender<Event>) -> Result<(), Box<dyn Error>> {
    let mut streams = Streams {
        streams: HashMap::new(),
        sender,
        last_number: 0,
    };
    loop {
        let event = match streams.next_start() {
            Some(time) => events.recv_timeout(time.saturating_duration_since(Instant::now())),
            None => events.recv().map_err(RecvTimeoutError::from),
        };
        match event {
            Ok(Event::Command(line)) => {
                if let Err(error) = streams.execute(&line) {
                    eprintln!("streams: {error}");
                }
            }
            Ok(Event::Message(number, message)) => streams.on_message(number, &message)?,
            Ok(Event::EndOfCommands) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Err(RecvTimeoutError::Timeout) => streams.start()?,
        }
    }
}

fn main() -> ExitCode {
    gst::init().expect("GStreamer does not start");
    gstattitude::plugin_register_static().expect("the plugin does not register");
    let (sender, events) = channel();
    thread::spawn({
        let sender = sender.clone();
        move || {
            for line in io::stdin().lines().map_while(Result::ok) {
                let _ = sender.send(Event::Command(line));
            }
            let _ = sender.send(Event::EndOfCommands);
        }
    });
    let result = run(&events, sender);
    drop(events); // The queued messages hold references to the pipelines.
    // SAFETY: All streams have ended. With GST_TRACERS=leaks, this reports what has not been freed.
    unsafe { gst::deinit() };
    if let Err(error) = result {
        eprintln!("streams: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
