// SPDX-License-Identifier: MPL-2.0

//! A source that is connected again whenever it fails, ends or stalls, by a thread of its own.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use attitude_publish::Backoff;

use super::arguments::Arguments;
use super::connection::Connection;
use crate::console;
use crate::playback::StallDetector;
use crate::streams::{Location, Stream};

/// Interval in which the progress is observed.
const OBSERVE: Duration = Duration::from_millis(500);
/// Time after which a connection counts as successful, so that the next failure is the first one.
const STABLE: Duration = Duration::from_secs(10);

/// A source, until [`stop`](Self::stop) is called.
pub(crate) struct Source {
    pub(crate) stream: Arc<Stream>,
    events: Sender<Event>,
    thread: JoinHandle<()>,
}

/// What the thread waits for.
enum Event {
    /// The source is no longer wanted.
    Stop,
    /// The connection with this number has ended: with a problem, or as a video ends.
    End {
        connection: u64,
        problem: Option<String>,
    },
}

/// Why a connection ended.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// The source is no longer wanted.
    Stopped,
    /// The video is at its end.
    Ended,
    Failed(String),
}

impl Source {
    /// Starts to connect to the source at `uri`.
    ///
    /// # Errors
    /// Returns an error if the system cannot start a thread.
    pub(crate) fn start(
        arguments: &Arc<Arguments>,
        uri: &str,
        stream: Arc<Stream>,
    ) -> std::io::Result<Self> {
        let (events, receiver) = channel();
        let supervisor = Supervisor {
            arguments: arguments.clone(),
            uri: uri.to_owned(),
            stream: stream.clone(),
            sender: events.clone(),
            events: receiver,
        };
        let thread = std::thread::Builder::new()
            .name("source".to_owned())
            .spawn(move || supervisor.run())?;
        Ok(Self {
            stream,
            events,
            thread,
        })
    }

    /// Requests the end, without waiting for it.
    pub(crate) fn stop(&self) {
        // The thread may have ended by a panic.
        let _ = self.events.send(Event::Stop);
    }

    /// Returns `true` if the source has released everything.
    pub(crate) fn has_stopped(&self) -> bool {
        self.thread.is_finished()
    }
}

struct Supervisor {
    arguments: Arc<Arguments>,
    uri: String,
    stream: Arc<Stream>,
    /// For the connections.
    sender: Sender<Event>,
    events: Receiver<Event>,
}

impl Supervisor {
    fn run(&self) {
        let mut backoff = Backoff::default();
        let mut reported = None;
        for number in 0.. {
            let started = Instant::now();
            self.stream.begin_connection();
            let frames = self.stream.frames();
            let outcome = self.connect(number);
            // A recording plays again at once, however short it is.
            let is_played = outcome == Outcome::Ended && self.stream.frames() > frames;
            if is_played || started.elapsed() > STABLE {
                backoff.reset();
                reported = None;
            }
            let problem = match outcome {
                Outcome::Stopped => return,
                Outcome::Ended => "the video has ended".to_owned(),
                Outcome::Failed(problem) => problem,
            };
            self.stream.set_down(&problem);
            let wait = backoff.next_wait();
            let source = self.stream.source();
            // Neither a recording that plays again nor a source that is absent for long is news.
            if is_played || reported.as_ref() == Some(&problem) {
                tracing::debug!("{source}: {problem}; trying again in {wait:.1?}");
            } else {
                tracing::warn!("{source}: {problem}; trying again in {wait:.1?}");
                reported = Some(problem);
            }
            if self.is_stopped_within(wait) {
                return;
            }
        }
    }

    /// Stays connected for as long as possible. Returns why the connection ended.
    fn connect(&self, number: u64) -> Outcome {
        let location = match Location::parse(&self.uri) {
            Ok(location) => location,
            Err(error) => return Outcome::Failed(console::chain(&error)),
        };
        let sender = self.sender.clone();
        let end = move |problem| {
            let _ = sender.send(Event::End {
                connection: number,
                problem,
            });
        };
        let frames = self.stream.frames();
        let arguments = &self.arguments;
        let opened = Connection::open(&location, &arguments.host.analysis, &self.stream, end);
        let _connection = match opened {
            Ok(connection) => connection,
            Err(error) => return Outcome::Failed(error.to_string()),
        };
        let timeout = arguments.host.stall.timeout();
        let mut stall_detector = StallDetector::new(timeout, OBSERVE, frames, Instant::now())
            .of_process(std::process::id());
        loop {
            match self.events.recv_timeout(OBSERVE) {
                Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => return Outcome::Stopped,
                Ok(Event::End {
                    connection,
                    problem,
                }) if connection == number => {
                    return problem.map_or(Outcome::Ended, Outcome::Failed);
                }
                Ok(Event::End { .. }) => (),
                Err(RecvTimeoutError::Timeout) => {
                    let current = self.stream.frames();
                    if stall_detector.is_stalled(current, Instant::now()) {
                        let silence = humantime::format_duration(timeout.unwrap_or_default());
                        return Outcome::Failed(match current == frames {
                            true => format!("no video within {silence}"),
                            false => format!("stalled: no new frame for {silence}"),
                        });
                    }
                }
            }
        }
    }

    /// Waits; returns `true` at once if the source is no longer wanted.
    fn is_stopped_within(&self, wait: Duration) -> bool {
        let end = Instant::now() + wait;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Ok(Event::End { .. }) => (),
                Err(RecvTimeoutError::Timeout) => return false,
                Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => return true,
            }
        }
    }
}
