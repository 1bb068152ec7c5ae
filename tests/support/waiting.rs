// SPDX-License-Identifier: MPL-2.0

//! Waiting for what a test expects.

use std::time::{Duration, Instant};

/// Maximum time for what a test waits for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until `condition` holds.
#[track_caller]
pub fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "waited too long: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
