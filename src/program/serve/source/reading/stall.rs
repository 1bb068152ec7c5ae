// SPDX-License-Identifier: MPL-2.0

//! Ends a reading without progress.

use std::sync::Weak;
use std::time::{Duration, Instant};

use tokio::time::interval;

use super::{Phase, Reading};
use crate::playback::StallDetector;

/// Interval in which the progress is observed.
const OBSERVE: Duration = Duration::from_millis(500);

/// Ends `reading` if it makes no progress for `--stall-timeout` after it was opened.
pub(crate) async fn end_if_stalled(reading: Weak<Reading>) {
    let mut detector: Option<StallDetector<u64>> = None;
    let mut ticks = interval(OBSERVE);
    loop {
        ticks.tick().await;
        let Some(reading) = reading.upgrade().filter(|reading| !reading.is_over()) else {
            return;
        };
        let Some(timeout) = reading.arguments.stall.timeout() else {
            return;
        };
        let is_open = matches!(*reading.phase.borrow(), Phase::Open(_));
        // A frame that waits for its time is no stall, however long that takes.
        let Some(frames) = reading.frames.progress().filter(|_| is_open) else {
            detector = None;
            continue;
        };
        let now = Instant::now();
        let detector = detector.get_or_insert_with(|| {
            StallDetector::new(Some(timeout), OBSERVE, frames, now).of_process(std::process::id())
        });
        if detector.is_stalled(frames, now) {
            let silence = humantime::format_duration(timeout);
            reading.fail(&format!("stalled: no new frame for {silence}"));
            return;
        }
    }
}
