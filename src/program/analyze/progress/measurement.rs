// SPDX-License-Identifier: MPL-2.0

//! Measures position and speed of an analysis.

use std::time::Instant;

use attitude::clock;

use crate::numbers::times_real_time;

/// Position and speed of the analysis of one recording.
#[derive(Debug)]
pub(super) struct Measurement {
    started: Instant,
    from_ns: u64,
    to_ns: Option<u64>,
    position_ns: u64,
    /// End of the analyzed part, if it is known.
    end_ns: Option<u64>,
}

impl Default for Measurement {
    fn default() -> Self {
        Self::new(0, None)
    }
}

impl Measurement {
    /// Starts to measure a recording that is analyzed from `from_ns` to `to_ns`, or to its end.
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

    /// Sets the position to the end of the analyzed part, which is after the last sample. Has no
    /// effect if all samples have the same time, as some decoders make them.
    pub(super) fn finish(&mut self) {
        if self.position_ns > self.from_ns {
            self.position_ns = self.position_ns.max(self.end_ns.unwrap_or(0));
        }
    }

    /// Returns the length of the part that has been analyzed, in nanoseconds.
    pub(super) fn analyzed_ns(&self) -> u64 {
        self.position_ns.saturating_sub(self.from_ns)
    }

    fn analyzed_s(&self) -> f64 {
        self.analyzed_ns() as f64 / 1e9
    }

    /// Returns the time since the start in seconds.
    pub(super) fn elapsed_s(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// Returns the progress from 0 to 1; 0 if the duration is unknown.
    pub(super) fn fraction(&self) -> f64 {
        let end_ns = self.end_ns;
        match end_ns.and_then(|end_ns| end_ns.checked_sub(self.from_ns)) {
            Some(all_ns) if all_ns > 0 => (self.analyzed_ns() as f64 / all_ns as f64).min(1.0),
            _ => 0.0,
        }
    }

    /// Returns the speed as a multiple of real time.
    pub(super) fn speed(&self) -> f64 {
        speed(self.analyzed_s(), self.elapsed_s())
    }

    /// Estimates the remaining time in seconds; `None` if it is unknown.
    pub(super) fn remaining_s(&self) -> Option<f64> {
        remaining_s(self.elapsed_s(), self.fraction())
    }

    /// Describes the speed and the remaining time.
    pub(super) fn describe_current(&self) -> String {
        let speed = times_real_time(self.speed());
        match self.remaining_s() {
            Some(remaining_s) => format!("{speed}x, {} left", clock::duration(remaining_s)),
            None => {
                let position_s = self.position_ns as f64 / 1e9;
                format!("{speed}x, at {}", clock::duration(position_s))
            }
        }
    }

    /// Describes the length of the analyzed part, and the time that the analysis took.
    pub(super) fn describe_total(&self) -> String {
        describe_speed(self.analyzed_s(), self.elapsed_s())
    }
}

/// Describes how long an analysis of `analyzed_s` took, and its speed.
pub(super) fn describe_speed(analyzed_s: f64, elapsed_s: f64) -> String {
    let (analyzed, elapsed) = (clock::duration(analyzed_s), clock::duration(elapsed_s));
    match analyzed_s > 0.0 {
        true => {
            let speed = times_real_time(speed(analyzed_s, elapsed_s));
            format!("{analyzed} in {elapsed}, {speed} times real time")
        }
        false => elapsed,
    }
}

/// Formats the remaining time, if the `fraction` of the work took `elapsed_s`.
pub(super) fn format_remaining(elapsed_s: f64, fraction: f64) -> String {
    remaining_s(elapsed_s, fraction).map_or_else(|| "?".to_owned(), clock::duration)
}

fn speed(analyzed_s: f64, elapsed_s: f64) -> f64 {
    analyzed_s / elapsed_s.max(1e-3)
}

fn remaining_s(elapsed_s: f64, fraction: f64) -> Option<f64> {
    (fraction > 0.0).then(|| elapsed_s * (1.0 - fraction).max(0.0) / fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_progress_is_that_of_the_analyzed_part() {
        let mut measurement = Measurement::new(10, Some(50));
        assert_eq!(measurement.fraction(), 0.0);
        measurement.update(20, Some(30));
        assert_eq!(
            (measurement.fraction(), measurement.analyzed_ns()),
            (0.5, 10)
        );
        measurement.update(40, None);
        assert_eq!(measurement.fraction(), 0.75);
        measurement.finish();
        assert_eq!(measurement.analyzed_ns(), 40);
        assert_eq!(Measurement::default().remaining_s(), None);
        let mut single = Measurement::new(10, Some(50));
        single.update(10, None);
        single.finish();
        assert_eq!(single.analyzed_ns(), 0);
    }

    #[test]
    fn the_speed_is_never_zero() {
        assert_eq!(describe_speed(0.0, 1.0), "1.0 s");
        let slow = "1.0 s in 50:00, under 0.1 times real time";
        assert_eq!(describe_speed(1.0, 3000.0), slow);
        assert_eq!(
            describe_speed(10.0, 4.0),
            "10.0 s in 4.0 s, 2.5 times real time"
        );
    }
}
