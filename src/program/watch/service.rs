// SPDX-License-Identifier: MPL-2.0

//! Notifications to systemd, if it runs the program as a service.

use std::time::{Duration, Instant};

use sd_notify::NotifyState;

/// Tells systemd what the service does. Without systemd, nothing happens.
pub(crate) struct Service {
    /// Time between two signs of life; `None` if systemd expects none.
    interval: Option<Duration>,
    last_sign: Instant,
}

impl Service {
    /// Reports that the service has started.
    pub(crate) fn ready() -> Self {
        notify(&[NotifyState::Ready]);
        Self {
            // Half of the time after which systemd restarts the service.
            interval: sd_notify::watchdog_enabled().map(|timeout| timeout / 2),
            last_sign: Instant::now(),
        }
    }

    /// Reports that the configuration is read again, runs `reload`, and reports its end.
    pub(crate) fn reload(&self, reload: impl FnOnce()) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => notify(&[NotifyState::Reloading, now]),
            Err(error) => tracing::warn!("cannot read the clock for systemd: {error}"),
        }
        reload();
        notify(&[NotifyState::Ready]);
    }

    /// Gives a sign of life if one is due, with a sentence about the condition of the service.
    pub(crate) fn give_sign(&mut self, condition: impl FnOnce() -> String) {
        if self
            .interval
            .is_some_and(|interval| self.last_sign.elapsed() >= interval)
        {
            self.last_sign = Instant::now();
            notify(&[NotifyState::Watchdog, NotifyState::Status(&condition())]);
        }
    }

    /// Reports that the service stops.
    pub(crate) fn stopping(self) {
        notify(&[NotifyState::Stopping]);
    }
}

fn notify(states: &[NotifyState]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!("cannot notify systemd: {error}");
    }
}
