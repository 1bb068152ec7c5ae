// SPDX-License-Identifier: MPL-2.0

//! `gst-attitude watch`: analyzes live streams and cameras for as long as it runs.
//!
//! ```text
//! config -> sources -> source -> connection -> streams
//! ```

use std::sync::Arc;
use std::time::{Duration, Instant};

use signal_hook::consts::SIGHUP;
use signal_hook::iterator::Signals;

pub(crate) use arguments::Arguments;
use config::{ConfigError, ConfigFile};
use service::Service;
use sources::{Sources, SourcesError};

mod arguments;
pub(crate) mod config;

mod connection;
mod source;
mod sources;

mod service;

use crate::console;
use crate::exit::{SignalError, Status};
use crate::playback::{self, InitError};
use crate::streams::{Consumers, Host, HostError, Registry};

/// Interval in which signals and the output are observed.
const OBSERVE: Duration = Duration::from_millis(100);
/// Maximum time for the sources to stop.
const MAX_STOP: Duration = Duration::from_secs(5);
/// Maximum time for the program to end after a signal, including that for the last messages.
const MAX_END: Duration = Duration::from_secs(15);

/// The program does not start, or stops early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WatchError {
    #[error(transparent)]
    Init(#[from] InitError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("the options of {file} do not fit the command line: {problem}")]
    Options { file: String, problem: String },
    #[error(transparent)]
    Sources(#[from] SourcesError),
    #[error(transparent)]
    Host(#[from] HostError),
    #[error(transparent)]
    Signal(#[from] SignalError),
}

/// Watches the sources until Ctrl-C or SIGTERM.
pub(crate) fn run(arguments: Arguments) -> Result<Status, WatchError> {
    playback::init()?;
    let (arguments, file) = with_file(arguments)?;
    let arguments = Arc::new(arguments);
    let wanted = sources::wanted(&arguments, file.as_ref())?;
    for name in sources::passwords_on_command_line(&arguments) {
        console::warn(format_args!(
            "the command line contains the password of {name}, where other users can read it; use --config"
        ));
    }
    let host = Host::start(&arguments.host, Consumers::default(), MAX_END)?;
    let mut signals = Signals::new([SIGHUP]).map_err(SignalError)?;
    let mut sources = Sources::new(&arguments, host.consumers.clone(), host.registry.clone());
    sources.set(&wanted);

    let mut service = Service::ready();
    while !host.must_end() {
        std::thread::sleep(OBSERVE);
        if signals.pending().count() > 0 {
            service.reload(|| reload(&arguments, &file, &mut sources));
        }
        service.give_sign(|| condition(&host.registry));
    }
    tracing::info!("stopping");
    service.stopping();
    sources.stop(Instant::now() + MAX_STOP);
    host.finish()?;
    Ok(Status::Success)
}

/// Adds the options of the configuration file to those of the command line, if there is a file.
fn with_file(arguments: Arguments) -> Result<(Arguments, Option<ConfigFile>), WatchError> {
    let Some(path) = &arguments.config else {
        return Ok((arguments, None));
    };
    let file = ConfigFile::read(path)?;
    let merged = crate::parse_with_options("watch", &file.options);
    match merged.map(|program| program.command) {
        Ok(crate::Command::Watch(arguments)) => Ok((arguments, Some(file))),
        Ok(_) => Ok((arguments, Some(file))),
        Err(error) => Err(WatchError::Options {
            file: path.display().to_string(),
            problem: config::one_line(&error),
        }),
    }
}

/// Reads the configuration file again. If it is wrong, the sources stay as they are.
fn reload(arguments: &Arguments, started_with: &Option<ConfigFile>, sources: &mut Sources) {
    let (Some(path), Some(started_with)) = (&arguments.config, started_with) else {
        return tracing::warn!("SIGHUP has no effect without --config");
    };
    let read = ConfigFile::read(path).map_err(WatchError::from);
    let wanted = read.and_then(|file| Ok((sources::wanted(arguments, Some(&file))?, file)));
    match wanted {
        Ok((wanted, file)) => {
            if file.options != started_with.options {
                tracing::warn!("the options in {} apply at the next start", path.display());
            }
            sources.set(&wanted);
            tracing::info!("read {} again", path.display());
        }
        Err(error) => tracing::error!("the sources stay as they are: {}", console::chain(&error)),
    }
}

/// Describes the condition of the sources, such as `2 of 3 sources live`.
fn condition(registry: &Registry) -> String {
    let statuses = registry.statuses();
    let live = statuses.iter().filter(|status| status.problem.is_none());
    format!("{} of {} sources live", live.count(), statuses.len())
}
