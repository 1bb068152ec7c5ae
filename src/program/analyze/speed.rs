// SPDX-License-Identifier: MPL-2.0

//! Measures position and speed of an analysis.

use std::time::{Duration, Instant};

use attitude::clock;

/// Position and speed of the analysis of one recording.
#[derive(Debug)]
pub(super) struct Speed {
    started: Instant,
    from_ns: u64,
    to_ns: Option<u64>,
    position_ns: u64,
    end_ns: Option<u64>,
}

impl Default for Speed {
    fn default() -> Self {
        Self::new(0, None)
    }
}

impl Speed {
    /// Starts to measure a recording that is analysed from `from_ns` to `to_ns`, or to its end.
    pub(super) fn new(from_ns: u64, to_ns: Option<u64>) -> Self {
        Self {
            started: Instant::now(),
            from_ns,
            to_ns,
            position_ns: from_ns,
            end_ns: to_ns,
        }
    }

    /// Sets the position, and the duration of the recording.
    pub(super) fn update(&mut self, position_ns: u64, duration_ns: Option<u64>) {
        self.position_ns = self.position_ns.max(position_ns);
        self.end_ns = match (self.to_ns, duration_ns) {
            (Some(to_ns), Some(duration_ns)) => Some(to_ns.min(duration_ns)),
            (to_ns, duration_ns) => to_ns.or(duration_ns),
        };
    }

    /// Returns the length of the analysed part.
    pub(super) fn analysed_ns(&self) -> u64 {
        self.position_ns.saturating_sub(self.from_ns)
    }

    pub(super) fn elapsed_s(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// Returns the progress from 0 to 1; 0 if the duration is unknown.
    pub(super) fn share(&self) -> f64 {
        match self
            .end_ns
            .and_then(|end_ns| end_ns.checked_sub(self.from_ns))
        {
            Some(all_ns) if all_ns > 0 => (self.analysed_ns() as f64 / all_ns as f64).min(1.0),
            _ => 0.0,
        }
    }

    pub(super) fn times_real_time(&self) -> f64 {
        self.analysed_ns() as f64 / 1e9 / self.elapsed_s().max(1e-3)
    }

    /// Estimates the remaining time in seconds; `None` if it is unknown.
    pub(super) fn left_s(&self) -> Option<f64> {
        let share = self.share();
        (share > 0.0).then(|| self.elapsed_s() * (1.0 - share) / share)
    }

    /// Formats the speed and the remaining time.
    pub(super) fn format_current(&self) -> String {
        let speed = self.times_real_time();
        match self.left_s() {
            Some(left_s) => format!("{speed:.0}x, {} left", clock::duration(left_s)),
            None => format!(
                "{speed:.0}x, at {}",
                clock::duration(self.position_ns as f64 / 1e9)
            ),
        }
    }

    /// Formats the length of the analysed part, and the time that it took.
    pub(super) fn format_total(&self) -> String {
        let (analysed_s, speed) = (self.analysed_ns() as f64 / 1e9, self.times_real_time());
        let elapsed = clock::duration(self.elapsed_s());
        format!(
            "{} in {elapsed}, {speed:.0} times real time",
            clock::duration(analysed_s)
        )
    }

    /// Formats the remaining time, if `share` of the work took `elapsed`.
    pub(super) fn format_left(elapsed: Duration, share: f64) -> String {
        match share > 0.0 {
            true => clock::duration(elapsed.as_secs_f64() * (1.0 - share).max(0.0) / share),
            false => "?".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_progress_is_that_of_the_analysed_part() {
        let mut speed = Speed::new(10, Some(50));
        assert_eq!(speed.share(), 0.0);
        speed.update(20, Some(30));
        assert_eq!((speed.share(), speed.analysed_ns()), (0.5, 10));
        speed.update(40, None);
        assert_eq!(speed.share(), 0.75);
        assert_eq!(Speed::default().left_s(), None);
    }
}
