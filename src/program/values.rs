// SPDX-License-Identifier: MPL-2.0

//! Values as users write them, on the command line and in data files.

use std::num::NonZeroUsize;
use std::str::FromStr;

/// A value that cannot be used, with a description of those that can.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {0}")]
pub(crate) struct ValueError(pub(crate) &'static str);

/// Parses a number for which `is_in_range` holds, else an error with the text `expected`.
pub(crate) fn number<T: FromStr>(
    text: &str,
    expected: &'static str,
    is_in_range: impl Fn(&T) -> bool,
) -> Result<T, ValueError> {
    let number = text.parse().ok().filter(is_in_range);
    number.ok_or(ValueError(expected))
}

/// Parses an integer from 1 up, such as a number of threads.
pub(crate) fn positive(text: &str) -> Result<NonZeroUsize, ValueError> {
    number(text, "an integer of at least 1", |_| true)
}

/// Parses seconds, MM:SS or HH:MM:SS, each with or without a fraction, into seconds; `None` if it is
/// something else.
pub(crate) fn time_s(text: &str) -> Option<f64> {
    let parts: Vec<&str> = text.split(':').collect();
    let (seconds, larger) = parts.split_last()?;
    if larger.len() > 2 {
        return None;
    }
    let seconds: f64 = seconds.parse().ok()?;
    let is_valid = seconds >= 0.0 && (larger.is_empty() || seconds < 60.0);
    let mut minutes = 0;
    for part in larger {
        minutes = minutes * 60 + u64::from(part.parse::<u16>().ok()?);
    }
    (is_valid && seconds.is_finite()).then_some(minutes as f64 * 60.0 + seconds)
}

/// Parses a time like [`time_s`], into nanoseconds.
pub(crate) fn time_ns(text: &str) -> Result<u64, ValueError> {
    match time_s(text) {
        Some(time_s) if time_s < 1e9 => Ok((time_s * 1e9).round() as u64),
        _ => Err(ValueError(
            "seconds, MM:SS or HH:MM:SS, such as 90, 1:30 or 1:02:03.5",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_or_clock_times() {
        assert_eq!(time_s("12.5"), Some(12.5));
        assert_eq!(time_s("02:03.25"), Some(123.25));
        assert_eq!(time_s("01:02:03"), Some(3723.0));
        for wrong in ["", "-1", "1:60", "1:2:3:4", "NaN", "inf", "noon", "1:-2"] {
            assert_eq!(time_s(wrong), None, "{wrong}");
            assert!(time_ns(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        let is_fraction = |number: &f64| (0.0..=1.0).contains(number);
        assert_eq!(number("0.5", "0 to 1", is_fraction), Ok(0.5));
        for wrong in ["", "1.1", "NaN", "half"] {
            assert_eq!(
                number(wrong, "0 to 1", is_fraction),
                Err(ValueError("0 to 1"))
            );
        }
    }
}
