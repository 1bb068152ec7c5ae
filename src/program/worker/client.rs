// SPDX-License-Identifier: MPL-2.0

//! The parent's side: starts workers, sends them recordings, and watches them.

use std::io::{self, BufRead, BufReader, ErrorKind, PipeReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use attitude::clock;
use attitude::record::Record;
use signal_hook::consts::{SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGKILL, SIGSEGV, SIGTRAP};
use signal_hook::low_level::signal_name;
use tracing::debug;

use super::message::{Command, Event, Outcome, Request};
use crate::console;
use crate::exit::Interrupt;
use crate::playback::{PlaybackError, Progress, StallDetector};

/// Interval of checks for an interruption or a stall.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Maximum time that a worker takes to end a recording by request.
const MAX_STOPPING: Duration = Duration::from_secs(8);

/// Exit status of a Rust program that panicked.
const PANICKED: i32 = 101;

/// End of a recording.
#[derive(Debug)]
pub(crate) enum PlaybackEnd {
    EndOfStream,
    /// It was read and analyzed up to this damage.
    Damaged(String),
    /// It cannot be analyzed.
    Failed(PlaybackError),
    /// The worker has ended.
    Lost(WorkerError),
    /// The annotated video cannot be written, for this reason.
    Unwritable(String),
    /// The run was interrupted.
    Interrupted,
}

/// A worker has ended during a recording, or cannot be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkerError {
    #[error("cannot start a worker process")]
    Start(#[source] io::Error),
    #[error("cannot talk to the worker process")]
    Connection(#[source] io::Error),
    #[error("the decoder crashed ({0})")]
    Crashed(&'static str),
    #[error("the decoder aborted ({signal}); --log debug shows its messages")]
    Aborted { signal: &'static str },
    #[error(
        "the system killed its worker process (SIGKILL), probably for lack of memory; lower --jobs"
    )]
    Killed,
    #[error("signal {0} ended its worker process")]
    Signal(i32),
    #[error("a panic ended its worker process; --log debug shows its message")]
    Panicked,
    #[error("its worker process ended with status {0}; --log debug shows its messages")]
    Exited(i32),
}

impl From<ExitStatus> for WorkerError {
    fn from(status: ExitStatus) -> Self {
        match (status.signal(), status.code()) {
            (Some(SIGKILL), _) => Self::Killed,
            (Some(signal @ (SIGSEGV | SIGBUS | SIGFPE | SIGILL)), _) => {
                Self::Crashed(signal_name(signal).unwrap_or("signal"))
            }
            (Some(signal @ (SIGABRT | SIGTRAP)), _) => Self::Aborted {
                signal: signal_name(signal).unwrap_or("signal"),
            },
            (Some(signal), _) => Self::Signal(signal),
            (None, Some(PANICKED)) => Self::Panicked,
            (None, code) => Self::Exited(code.unwrap_or_default()),
        }
    }
}

/// Receives what happens during a recording.
pub(crate) trait Observer {
    /// An error that ends the run.
    type Error;
    /// Handles a sample of the analysis with this index.
    fn sample(&mut self, analysis: usize, record: Record) -> Result<(), Self::Error>;
    /// Handles the progress.
    fn progress(&mut self, progress: &Progress);
    /// Handles a warning of GStreamer.
    fn warning(&mut self, text: &str);
    /// Handles what a user should know about the recording.
    fn note(&mut self, text: String);
    /// Returns `true` if the rest of the recording is not needed.
    fn is_done(&self) -> bool {
        false
    }
}

/// Plays recordings one after the other, in a worker process that it starts when it needs one.
pub(crate) struct Player {
    stall_timeout: Option<Duration>,
    worker: Option<Worker>,
}

impl Player {
    /// `stall_timeout` is the time without progress after which a recording ends; `None` for never.
    pub(crate) fn new(stall_timeout: Option<Duration>) -> Self {
        Self {
            stall_timeout,
            worker: None,
        }
    }

    /// Returns `true` if the worker has played a recording, which may have damaged its memory.
    pub(crate) fn is_used(&self) -> bool {
        self.worker.is_some()
    }

    /// Plays a recording, and tells `observer` what happens.
    ///
    /// # Errors
    /// Returns the error of `observer`.
    pub(crate) fn play<O: Observer>(
        &mut self,
        request: &Request,
        interrupt: &Interrupt,
        observer: &mut O,
    ) -> Result<PlaybackEnd, O::Error> {
        let worker = match self.worker.take() {
            Some(worker) => Ok(worker),
            None => Worker::start().map_err(WorkerError::Start),
        };
        let mut worker = match worker {
            Ok(worker) => worker,
            Err(error) => return Ok(PlaybackEnd::Lost(error)),
        };
        let mut watch = Watch::new(self.stall_timeout, worker.child.id());
        let end = worker.play(request, interrupt, observer, &mut watch)?;
        Ok(match end {
            WorkerEnd::Ended { end, is_stuck } => {
                self.worker = (!is_stuck).then_some(worker);
                match end {
                    Outcome::EndOfStream => PlaybackEnd::EndOfStream,
                    Outcome::Damaged(reason) => PlaybackEnd::Damaged(reason),
                    Outcome::Failed(error) => PlaybackEnd::Failed(error),
                    Outcome::Unwritable(reason) => PlaybackEnd::Unwritable(reason),
                    Outcome::Stopped if observer.is_done() => PlaybackEnd::EndOfStream,
                    Outcome::Stopped => PlaybackEnd::Damaged(watch.describe_stall()),
                }
            }
            WorkerEnd::Unresponsive => PlaybackEnd::Damaged(watch.describe_stall()),
            WorkerEnd::Interrupted => PlaybackEnd::Interrupted,
            WorkerEnd::Lost(error) => PlaybackEnd::Lost(error),
        })
    }
}

/// Watches the progress of a recording.
struct Watch {
    timeout: Option<Duration>,
    /// The process that plays.
    worker: u32,
    stall_detector: Option<StallDetector<[u64; 3]>>,
    progress: Progress,
    /// Number of reports during the analysis of a frame, which has its own limit.
    analyzing_reports: u64,
    /// Watches the end after the request to stop.
    stopping: Option<StallDetector<()>>,
}

impl Watch {
    fn new(timeout: Option<Duration>, worker: u32) -> Self {
        Self {
            timeout,
            worker,
            stall_detector: None,
            progress: Progress::default(),
            analyzing_reports: 0,
            stopping: None,
        }
    }

    /// Starts to watch: before, the models are loaded, which may take minutes on a GPU.
    fn start(&mut self) {
        self.stall_detector = Some(self.detector(self.timeout, [0; 3]));
    }

    fn detector<P: PartialEq>(&self, timeout: Option<Duration>, progress: P) -> StallDetector<P> {
        StallDetector::new(timeout, POLL_INTERVAL, progress, Instant::now()).of_process(self.worker)
    }

    fn observe(&mut self, progress: Progress) {
        self.analyzing_reports += u64::from(progress.is_analyzing);
        self.progress = progress;
    }

    /// Returns `true` at the first time that the recording is stalled, for the request to stop.
    fn is_stalled(&mut self) -> bool {
        let Progress {
            frames, bytes_read, ..
        } = self.progress;
        let Some(stall_detector) = &mut self.stall_detector else {
            return false;
        };
        let progress = [frames, bytes_read, self.analyzing_reports];
        let is_stalled = stall_detector.is_stalled(progress, Instant::now());
        is_stalled && self.stop()
    }

    /// Returns `true` at the first call, for the request to stop.
    fn stop(&mut self) -> bool {
        let is_first = self.stopping.is_none();
        if is_first {
            self.stopping = Some(self.detector(Some(MAX_STOPPING), ()));
        }
        is_first
    }

    /// Returns `true` if the recording does not end by request.
    fn is_unresponsive(&mut self) -> bool {
        let stopping = self.stopping.as_mut();
        stopping.is_some_and(|stopping| stopping.is_stalled((), Instant::now()))
    }

    fn describe_stall(&self) -> String {
        let timeout = humantime::format_duration(self.timeout.unwrap_or_default());
        match self.progress.position_ns {
            Some(position_ns) => format!(
                "stalled at {}: no new frame for {timeout}",
                clock::position(position_ns)
            ),
            None if self.progress.bytes_read == 0 => {
                format!("stalled at the start: nothing could be read for {timeout}")
            }
            None => format!("stalled before the first frame: no progress for {timeout}"),
        }
    }
}

/// End of a recording in a worker.
enum WorkerEnd {
    /// The worker waits for the next recording, unless it is stuck.
    Ended {
        end: Outcome,
        is_stuck: bool,
    },
    /// The recording is stalled, and the worker too.
    Unresponsive,
    Interrupted,
    Lost(WorkerError),
}

/// A worker process, which is killed when it is dropped.
struct Worker {
    child: Child,
    connection: BufReader<UnixStream>,
    /// The part of the next line that has arrived.
    line: Vec<u8>,
}

impl Worker {
    fn start() -> io::Result<Self> {
        let (connection, end_of_worker) = UnixStream::pair()?;
        connection.set_read_timeout(Some(POLL_INTERVAL))?;
        let (messages, output) = io::pipe()?;
        // The same program, even if its file was replaced.
        let child = std::process::Command::new("/proc/self/exe")
            .arg0(env!("CARGO_PKG_NAME"))
            .args(["worker", "--log", console::log_filter_in_use()])
            .stdin(Stdio::from(OwnedFd::from(end_of_worker)))
            .stdout(output.try_clone()?)
            .stderr(output)
            // Ctrl-C in a terminal reaches this process only, which ends the worker.
            .process_group(0)
            .spawn()?;
        let id = child.id();
        debug!(worker = id, "started a worker");
        std::thread::Builder::new()
            .name("worker-log".to_owned())
            .spawn(move || log_messages(id, messages))?;
        Ok(Self {
            child,
            connection: BufReader::new(connection),
            line: Vec::new(),
        })
    }

    fn send(&mut self, command: &Command) -> io::Result<()> {
        let mut line = serde_json::to_vec(command)?;
        line.push(b'\n');
        self.connection.get_mut().write_all(&line)
    }

    /// Plays a recording.
    ///
    /// # Errors
    /// Returns the error of `observer`.
    fn play<O: Observer>(
        &mut self,
        request: &Request,
        interrupt: &Interrupt,
        observer: &mut O,
        watch: &mut Watch,
    ) -> Result<WorkerEnd, O::Error> {
        if let Err(error) = self.send(&Command::Play(Box::new(request.clone()))) {
            return Ok(self.lost(error));
        }
        loop {
            let event = self.receive();
            if interrupt.is_set() {
                return Ok(WorkerEnd::Interrupted);
            }
            match event {
                Ok(Some(Event::Started)) => watch.start(),
                Ok(Some(Event::Sample { analysis, record })) => {
                    observer.sample(analysis, record)?
                }
                Ok(Some(Event::Warning(text))) => observer.warning(&text),
                Ok(Some(Event::Note(text))) => observer.note(text),
                Ok(Some(Event::Progress(progress))) => {
                    observer.progress(&progress);
                    watch.observe(progress);
                }
                Ok(Some(Event::Ended { end, is_stuck })) => {
                    return Ok(WorkerEnd::Ended { end, is_stuck });
                }
                Ok(None) => {}
                Err(error) => return Ok(self.lost(error)),
            }
            if (watch.is_stalled() || observer.is_done() && watch.stop())
                && let Err(error) = self.send(&Command::Stop)
            {
                return Ok(self.lost(error));
            }
            if watch.is_unresponsive() {
                return Ok(WorkerEnd::Unresponsive);
            }
        }
    }

    /// Waits for an event for a moment; returns `None` if none has arrived.
    ///
    /// # Errors
    /// Returns an error if the worker has ended.
    fn receive(&mut self) -> io::Result<Option<Event>> {
        match self.connection.read_until(b'\n', &mut self.line) {
            Ok(_) if self.line.ends_with(b"\n") => {
                let event = serde_json::from_slice(&self.line);
                self.line.clear();
                Ok(Some(event?))
            }
            Ok(_) => Err(ErrorKind::UnexpectedEof.into()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the reason for `error` of the connection.
    fn lost(&mut self, error: io::Error) -> WorkerEnd {
        let is_closed = matches!(
            error.kind(),
            ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe | ErrorKind::ConnectionReset
        );
        let status = is_closed.then(|| self.child.wait());
        WorkerEnd::Lost(match status {
            Some(Ok(status)) => status.into(),
            Some(Err(error)) => WorkerError::Connection(error),
            None => WorkerError::Connection(error),
        })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Both fail if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Logs what the worker and the libraries in it print, up to the end of the worker.
fn log_messages(worker: u32, messages: PipeReader) {
    // The user asked for the log of GStreamer.
    let is_requested = std::env::var_os("GST_DEBUG").is_some();
    for line in BufReader::new(messages).split(b'\n') {
        let Ok(line) = line else {
            return;
        };
        let line = String::from_utf8_lossy(&line);
        match is_requested {
            true => console::line(&line),
            false => debug!(worker, "{line}"),
        }
    }
}
