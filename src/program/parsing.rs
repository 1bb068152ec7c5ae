// SPDX-License-Identifier: MPL-2.0

//! Parses numbers and times on the command line and in data files.

use std::num::NonZeroUsize;
use std::str::FromStr;

use attitude::clock;

/// A text is not an accepted value. The field describes the accepted ones.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {0}")]
pub(crate) struct ValueError(pub(crate) &'static str);

/// Parses a number.
///
/// # Errors
/// Returns an error with the description `expected` if `text` is not a number, or `is_in_range`
/// returns `false` for it.
pub(crate) fn parse_number<T: FromStr>(
    text: &str,
    expected: &'static str,
    is_in_range: impl Fn(&T) -> bool,
) -> Result<T, ValueError> {
    let number = text.parse().ok().filter(is_in_range);
    number.ok_or(ValueError(expected))
}

/// Parses an integer of at least 1, such as a number of threads.
///
/// # Errors
/// Returns an error if `text` is something else.
pub(crate) fn parse_positive(text: &str) -> Result<NonZeroUsize, ValueError> {
    parse_number(text, "an integer of at least 1", |_| true)
}

/// Parses a time into seconds: `SECONDS`, `MM:SS` or `HH:MM:SS`, with or without a fraction of a
/// second; see [`clock::parse_s`].
///
/// # Errors
/// Returns an error if `text` is something else, or a time of 10^9 seconds or more.
pub(crate) fn parse_time_s(text: &str) -> Result<f64, ValueError> {
    clock::parse_s(text).ok_or(ValueError(
        "seconds, MM:SS or HH:MM:SS, such as 90, 1:30 or 1:02:03.5",
    ))
}

/// Parses a time like [`parse_time_s`], into nanoseconds.
///
/// # Errors
/// Returns the errors of [`parse_time_s`].
pub(crate) fn parse_time_ns(text: &str) -> Result<u64, ValueError> {
    parse_time_s(text).map(|time_s| (time_s * 1e9).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_or_clock_times() {
        assert_eq!(parse_time_s("12.5"), Ok(12.5));
        assert_eq!(parse_time_s("02:03.25"), Ok(123.25));
        assert_eq!(parse_time_s("01:02:03"), Ok(3723.0));
        assert_eq!(parse_time_s("90:00"), Ok(5400.0));
        assert_eq!(parse_time_ns("1:30"), Ok(90_000_000_000));
        let wrong = [
            "", "-1", "1:60", "1:75:00", "1:2:3:4", "NaN", "inf", "1e9", "noon", "1:-2", ":30",
        ];
        for wrong in wrong {
            assert!(parse_time_s(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        let is_fraction = |number: &f64| (0.0..=1.0).contains(number);
        assert_eq!(parse_number("0.5", "0 to 1", is_fraction), Ok(0.5));
        for wrong in ["", "1.1", "NaN", "half"] {
            assert_eq!(
                parse_number(wrong, "0 to 1", is_fraction),
                Err(ValueError("0 to 1"))
            );
        }
    }
}
