// SPDX-License-Identifier: MPL-2.0

//! What this process uses, to find leaks.

use std::time::{Duration, Instant};

/// Longest time in which threads that end have ended. GLib ends those of its pools that have been idle
/// for 15 s, and with a thread that has drawn texts that of Pango's fonts ends.
const SETTLING_TIME: Duration = Duration::from_secs(30);

/// Numbers of threads and of open files.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resources {
    threads: usize,
    files: usize,
}

impl Resources {
    pub fn now() -> Self {
        let entries = |folder: &str| std::fs::read_dir(folder).unwrap().count();
        Self {
            threads: entries("/proc/self/task"),
            files: entries("/proc/self/fd"),
        }
    }

    /// Waits until no more is used than in `self`.
    ///
    /// # Panics
    /// Panics if more stays in use.
    pub fn wait_until_released(self) {
        let started = Instant::now();
        loop {
            let now = Self::now();
            if now.threads <= self.threads && now.files <= self.files {
                return;
            }
            assert!(
                started.elapsed() < SETTLING_TIME,
                "{now:?}, before {self:?}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
