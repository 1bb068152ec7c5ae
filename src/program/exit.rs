// SPDX-License-Identifier: MPL-2.0

//! Exit status and signals.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// Exit status if the arguments are wrong; clap's.
pub(crate) const USAGE: u8 = 2;

/// Exit status after a signal.
const INTERRUPTED: u8 = 130;

/// Result of a subcommand that ran to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Success,
    /// A part failed; the error was already reported.
    Failure,
    /// A signal stopped the run.
    Interrupted,
}

impl Status {
    /// Returns `Success` if `is_complete`, else `Failure`.
    pub(crate) fn of(is_complete: bool) -> Self {
        match is_complete {
            true => Self::Success,
            false => Self::Failure,
        }
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        match status {
            Status::Success => Self::SUCCESS,
            Status::Failure => Self::FAILURE,
            Status::Interrupted => Self::from(INTERRUPTED),
        }
    }
}

/// Set by the first Ctrl-C or SIGTERM, so that the run ends in order; the second ends it at once.
#[derive(Clone, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Handles signals from now on.
    ///
    /// # Errors
    /// Returns an error if a signal handler cannot be registered.
    pub(crate) fn watch() -> Result<Self, SignalError> {
        let interrupt = Self::default();
        for signal in [SIGINT, SIGTERM] {
            // Checks for an earlier signal, and so must be registered before the flag is.
            flag::register_conditional_shutdown(signal, INTERRUPTED.into(), interrupt.0.clone())
                .and_then(|_| flag::register(signal, interrupt.0.clone()))
                .map_err(SignalError)?;
        }
        Ok(interrupt)
    }

    /// Requests the end of the run, like a signal.
    pub(crate) fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Returns `true` if the run must end.
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Signals cannot be watched.
#[derive(Debug, thiserror::Error)]
#[error("cannot handle signals")]
pub(crate) struct SignalError(#[source] pub(crate) io::Error);
