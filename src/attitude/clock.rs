// SPDX-License-Identifier: MPL-2.0

//! Parsing and formatting of times as hours, minutes and seconds.

use std::fmt::{self, Display};

/// Number of nanoseconds per second.
pub const NS_PER_S: u64 = 1_000_000_000;

/// Number of nanoseconds per millisecond.
pub const NS_PER_MS: u64 = 1_000_000;

/// Upper limit of times that are parsed, in seconds, so that nanoseconds fit into 64 bits; about 32
/// years.
pub const MAX_S: f64 = 1e9;

/// Parses a time into seconds: `SECONDS`, `MM:SS` or `HH:MM:SS`, with or without a fraction of a
/// second. Except for the first number, minutes and seconds are less than 60. Returns `None` if
/// `text` is something else, or [`MAX_S`] or more.
pub fn parse_s(text: &str) -> Option<f64> {
    let time_s = match *text.split(':').collect::<Vec<_>>() {
        [seconds] => seconds.parse().ok(),
        [minutes, seconds] => clock_time_s("0", minutes, seconds),
        [hours, minutes, seconds] if minutes.parse().is_ok_and(|minutes: u16| minutes < 60) => {
            clock_time_s(hours, minutes, seconds)
        }
        _ => None,
    };
    time_s.filter(|time_s| (0.0..MAX_S).contains(time_s))
}

/// Returns the time in seconds, or `None` if `seconds` are not from 0 to 60, or a text is not a
/// number.
fn clock_time_s(hours: &str, minutes: &str, seconds: &str) -> Option<f64> {
    let hours: u16 = hours.parse().ok()?;
    let minutes: u16 = minutes.parse().ok()?;
    let seconds: f64 = seconds.parse().ok()?;
    let whole_minutes = u32::from(hours) * 60 + u32::from(minutes);
    (0.0..60.0)
        .contains(&seconds)
        .then(|| f64::from(whole_minutes) * 60.0 + seconds)
}

/// Formats a position such as `1:02:03.4`, rounded down to tenths of a second.
pub fn position(ns: u64) -> String {
    format!("{}.{}", position_s(ns), ns % NS_PER_S / (NS_PER_S / 10))
}

/// Formats a position such as `1:02:03`, rounded down to seconds.
pub fn position_s(ns: u64) -> String {
    WholeSeconds::new(ns / NS_PER_S).to_string()
}

/// Formats a duration such as `1:02:03`, rounded to seconds, or `12.3 s` below a minute.
pub fn duration(seconds: f64) -> String {
    match seconds < 60.0 {
        true => format!("{seconds:.1} s"),
        false => WholeSeconds::new(seconds.round() as u64).to_string(),
    }
}

/// A time in a subtitle file, such as `00:01:02.345`; hours have at least two digits.
#[derive(Clone, Copy, Debug)]
pub struct Timestamp {
    /// The time in milliseconds.
    pub ms: u64,
    /// The character between seconds and milliseconds.
    pub separator: char,
}

impl Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let WholeSeconds {
            hours,
            minutes,
            seconds,
        } = WholeSeconds::new(self.ms / 1000);
        let (separator, ms) = (self.separator, self.ms % 1000);
        write!(f, "{hours:02}:{minutes:02}:{seconds:02}{separator}{ms:03}")
    }
}

/// Hours, minutes and seconds: `1:02:03`, or `2:03` below an hour.
struct WholeSeconds {
    hours: u64,
    minutes: u64,
    seconds: u64,
}

impl WholeSeconds {
    fn new(seconds: u64) -> Self {
        Self {
            hours: seconds / 3600,
            minutes: seconds / 60 % 60,
            seconds: seconds % 60,
        }
    }
}

impl Display for WholeSeconds {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self {
            hours,
            minutes,
            seconds,
        } = self;
        match hours {
            0 => write!(f, "{minutes}:{seconds:02}"),
            _ => write!(f, "{hours}:{minutes:02}:{seconds:02}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_rounded_down_and_have_hours_only_if_needed() {
        assert_eq!(position(0), "0:00.0");
        assert_eq!(position(62_960_000_000), "1:02.9");
        assert_eq!(position(3_723_400_000_000), "1:02:03.4");
        assert_eq!(position_s(59_999_999_999), "0:59");
    }

    #[test]
    fn durations_below_a_minute_are_in_seconds() {
        for (seconds, expected) in [
            (0.04, "0.0 s"),
            (59.9, "59.9 s"),
            (61.0, "1:01"),
            (3723.4, "1:02:03"),
        ] {
            assert_eq!(duration(seconds), expected);
        }
    }

    #[test]
    fn timestamps_have_two_digits_for_hours_or_more() {
        let timestamp = |ms, separator| Timestamp { ms, separator }.to_string();
        assert_eq!(timestamp(61_234, '.'), "00:01:01.234");
        assert_eq!(timestamp(400_000_000, ','), "111:06:40,000");
    }
}
