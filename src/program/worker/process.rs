// SPDX-License-Identifier: MPL-2.0

//! The worker's side: plays what its parent requests, and reports what happens.

use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{self, Receiver};

use clap::Args;
use gst::prelude::*;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level;

use super::message::{Command, Event, Request};
use crate::exit::Status;
use crate::options::ElementSettings;
use crate::playback::{self, InitError, Played};

/// Arguments of the hidden subcommand `worker`: none.
#[derive(Args)]
pub(crate) struct Arguments {}

/// A worker cannot start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProcessError {
    #[error(transparent)]
    Init(#[from] InitError),
    #[error("a worker is started by gst-attitude itself: its standard input is a socket")]
    Connection(#[source] io::Error),
}

/// Plays what the parent requests until it closes the connection.
///
/// # Errors
/// Returns an error if the process was not started as a worker.
pub(crate) fn run(_: &Arguments) -> Result<Status, ProcessError> {
    let connection = connect().map_err(ProcessError::Connection)?;
    let commands = connection.try_clone().map(read_commands);
    let commands = commands.map_err(ProcessError::Connection)?;
    ignore_signals().map_err(ProcessError::Connection)?;
    playback::init()?;
    let mut models = LoadedModels::default();
    while let Ok(command) = commands.recv() {
        if let Command::Play(request) = command {
            play(&request, &commands, &connection, &mut models);
        }
    }
    Ok(Status::Success)
}

/// Returns the connection to the parent, which is the standard input: libraries may print on all
/// other standard streams.
fn connect() -> io::Result<UnixStream> {
    let connection = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    // This fails if it is not a socket.
    connection.peer_addr()?;
    Ok(connection)
}

/// Reads the commands of the parent. When it closes the connection, or has ended, the process ends,
/// even if its other threads are stuck.
fn read_commands(connection: UnixStream) -> Receiver<Command> {
    let (sender, commands) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(connection).lines() {
            let Ok(command) = line.and_then(|line| Ok(serde_json::from_str(&line)?)) else {
                break;
            };
            if sender.send(command).is_err() {
                break;
            }
        }
        low_level::exit(0);
    });
    commands
}

/// Leaves signals to the parent, which a terminal or a service manager may send to all processes.
fn ignore_signals() -> io::Result<()> {
    let ignored = std::sync::Arc::default();
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, std::sync::Arc::clone(&ignored))?;
    }
    Ok(())
}

/// Plays a recording and reports what happens.
fn play(
    request: &Request,
    commands: &Receiver<Command>,
    mut connection: &UnixStream,
    models: &mut LoadedModels,
) {
    let mut report = |event: Event| {
        let sent = serde_json::to_vec(&event).map_err(io::Error::from);
        let sent = sent.and_then(|mut line| {
            line.push(b'\n');
            connection.write_all(&line)
        });
        if sent.is_err() {
            // The parent has ended.
            low_level::exit(0);
        }
    };
    models.load(request);
    report(Event::Started);
    let is_stopped = || matches!(commands.try_recv(), Ok(Command::Stop));
    let Played { end, is_stuck } = playback::play(request, is_stopped, &mut report);
    report(Event::Ended { end, is_stuck });
    if is_stuck {
        low_level::exit(0);
    }
}

/// Keeps the models loaded between recordings: elements with the same settings share them.
#[derive(Default)]
struct LoadedModels {
    settings: Vec<ElementSettings>,
    elements: Vec<gst::Element>,
}

impl LoadedModels {
    fn load(&mut self, request: &Request) {
        let analyses = request.analyses.iter();
        let settings: Vec<ElementSettings> = analyses.map(|a| a.element.clone()).collect();
        if self.settings == settings {
            return;
        }
        let loaded = settings.iter().filter_map(|settings| {
            let element = settings.create().ok()?;
            // The elements of the recording report why they cannot load the models.
            let _ = element.set_state(gst::State::Paused);
            Some(element)
        });
        let loaded = loaded.collect();
        self.release();
        (self.settings, self.elements) = (settings, loaded);
    }

    fn release(&mut self) {
        for element in self.elements.drain(..) {
            // Changing to a lower state does not fail.
            let _ = element.set_state(gst::State::Null);
        }
    }
}

impl Drop for LoadedModels {
    fn drop(&mut self) {
        self.release();
    }
}
