// SPDX-License-Identifier: MPL-2.0

//! Ctrl-C and SIGTERM end the run in an orderly way; the second one at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// The exit status where it was stopped.
pub const STATUS: u8 = 130;

/// Whether the run is to end.
#[derive(Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Is told of the signals from now on.
    pub fn watch() -> io::Result<Self> {
        let interrupt = Self::default();
        for signal in [SIGINT, SIGTERM] {
            // The one that looks whether there was one before comes first.
            flag::register_conditional_shutdown(signal, STATUS.into(), interrupt.0.clone())?;
            flag::register(signal, interrupt.0.clone())?;
        }
        Ok(interrupt)
    }

    /// Ends the run.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn is_due(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
