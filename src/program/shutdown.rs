// SPDX-License-Identifier: MPL-2.0

//! The end of servers, whose pipelines may never stop.

use std::io;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::console;
use crate::exit::SignalError;

/// The end of the process cannot be limited in time.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EndInTimeError {
    #[error(transparent)]
    Signal(#[from] SignalError),
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
}

/// Ends the process with success `limit` after the first Ctrl-C or SIGTERM, with a warning. If the
/// system allows no further threads, pipelines may never stop. This thread exists by then, and
/// waits for nothing else.
///
/// # Errors
/// Returns an error if a signal handler or a thread cannot be created.
pub(crate) fn end_in_time(limit: Duration, warning: &'static str) -> Result<(), EndInTimeError> {
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(SignalError)?;
    let thread = std::thread::Builder::new().name("end-in-time".to_owned());
    let wait = move || {
        if signals.forever().next().is_some() {
            std::thread::sleep(limit);
            console::warn(warning);
            signal_hook::low_level::exit(0);
        }
    };
    thread.spawn(wait).map(drop).map_err(EndInTimeError::Thread)
}
