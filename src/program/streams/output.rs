// SPDX-License-Identifier: MPL-2.0

//! Writes the records of all streams to standard output or a file, without holding up the video.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::SystemTime;

use attitude::record::Record;
use attitude::record::formats::jsonl;
use attitude::sync::lock;
use clap::{Args, ValueEnum};

use super::changes::Changes;
use super::consumer::RecordConsumer;
use crate::numbers::count;

/// Maximum number of records that wait to be written.
const MAX_WAITING: usize = 1000;

/// Options of the output.
#[derive(Args)]
pub(crate) struct OutputArguments {
    /// Format of the output
    #[arg(long, value_enum, default_value_t = OutputFormat::Jsonl)]
    format: OutputFormat,

    /// File to append the output to, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Format of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OutputFormat {
    /// One JSON object per sample
    Jsonl,
    /// One line per change of a face, for people
    Text,
    /// No output, such as if records are only published
    None,
}

/// Records cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutputError {
    #[error("cannot open {0}, the file of --output")]
    Open(PathBuf, #[source] io::Error),
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
    #[error("cannot write the records")]
    Write(#[source] io::Error),
}

impl OutputArguments {
    /// Starts to write; returns `None` if no output is wanted.
    ///
    /// # Errors
    /// Returns an error if the file cannot be opened.
    pub(crate) fn start(&self) -> Result<Option<Arc<Output>>, OutputError> {
        let lines: Box<dyn Write + Send> = match &self.output {
            _ if self.format == OutputFormat::None => return Ok(None),
            Some(path) => {
                let file = File::options().append(true).create(true).open(path);
                Box::new(file.map_err(|error| OutputError::Open(path.clone(), error))?)
            }
            None => Box::new(io::stdout()),
        };
        let (sender, records) = sync_channel(MAX_WAITING);
        let dropped = Arc::new(AtomicU64::new(0));
        let writer = Writer {
            format: self.format,
            lines,
            dropped: dropped.clone(),
        };
        let thread = std::thread::Builder::new()
            .name("output".to_owned())
            .spawn(move || writer.run(&records))
            .map_err(OutputError::Thread)?;
        Ok(Some(Arc::new(Output {
            records: Mutex::new(Some(sender)),
            dropped,
            thread: Mutex::new(Some(thread)),
        })))
    }
}

/// Writes records in a thread of its own.
pub(crate) struct Output {
    /// `None` after the end.
    records: Mutex<Option<SyncSender<Record>>>,
    dropped: Arc<AtomicU64>,
    thread: Mutex<Option<JoinHandle<io::Result<()>>>>,
}

impl Output {
    /// Returns `true` if the output can no longer be written.
    pub(crate) fn is_broken(&self) -> bool {
        let thread = lock(&self.thread);
        thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Writes the remaining records, and ends.
    ///
    /// # Errors
    /// Returns an error if the output could not be written, but not if the reader of standard
    /// output has closed it.
    pub(crate) fn finish(&self) -> Result<(), OutputError> {
        *lock(&self.records) = None;
        let thread = lock(&self.thread).take();
        match thread.map(JoinHandle::join) {
            Some(Ok(Err(error))) if error.kind() != ErrorKind::BrokenPipe => {
                Err(OutputError::Write(error))
            }
            _ => Ok(()),
        }
    }
}

impl RecordConsumer for Output {
    fn push(&self, record: &Record) {
        if let Some(records) = &*lock(&self.records)
            && records.try_send(record.clone()).is_err()
        {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The thread's side.
struct Writer {
    format: OutputFormat,
    lines: Box<dyn Write + Send>,
    dropped: Arc<AtomicU64>,
}

impl Writer {
    fn run(mut self, records: &Receiver<Record>) -> io::Result<()> {
        let mut changes = Changes::default();
        let mut text = Vec::new();
        for record in records {
            text.clear();
            match self.format {
                OutputFormat::Text => {
                    let mut lines = String::new();
                    changes.describe(&record, &time(&record), &mut lines);
                    text.extend(lines.as_bytes());
                }
                _ => jsonl::write_line(&record, &mut text)?,
            }
            self.lines.write_all(&text)?;
            self.lines.flush()?;
            let dropped = self.dropped.swap(0, Ordering::Relaxed);
            if dropped > 0 {
                let lost = count(dropped, "record");
                tracing::warn!("the output is too slow: {lost} dropped");
            }
        }
        Ok(())
    }
}

/// Returns the time of a record or, if it has none, the current time, in UTC and whole seconds.
fn time(record: &Record) -> String {
    let captured = record.utc.as_deref();
    let captured = captured.and_then(|utc| humantime::parse_rfc3339(utc).ok());
    let time = captured.unwrap_or_else(SystemTime::now);
    humantime::format_rfc3339_seconds(time).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blocks like a pipe that nobody reads.
    struct Blocked(Receiver<()>);

    impl Write for Blocked {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_stops_costs_records_and_does_not_block() {
        let (unblock, blocked) = std::sync::mpsc::channel();
        let (sender, records) = sync_channel(2);
        let dropped = Arc::new(AtomicU64::new(0));
        let writer = Writer {
            format: OutputFormat::Jsonl,
            lines: Box::new(Blocked(blocked)),
            dropped: dropped.clone(),
        };
        let thread = std::thread::spawn(move || writer.run(&records));
        let output = Output {
            records: Mutex::new(Some(sender)),
            dropped,
            thread: Mutex::new(Some(thread)),
        };
        for _ in 0..10 {
            output.push(&Record::default());
        }
        assert!(output.dropped.load(Ordering::Relaxed) >= 7);
        assert!(!output.is_broken());
        drop(unblock);
        output.finish().unwrap();
        assert!(output.is_broken());
    }
}
