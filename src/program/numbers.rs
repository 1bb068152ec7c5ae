// SPDX-License-Identifier: MPL-2.0

//! Formats numbers for messages, reports and pages.

/// Formats a number of things, such as `1 track` or `12,345 tracks`.
pub(crate) fn count(number: impl TryInto<u64>, thing: &str) -> String {
    // No number of things exceeds the range.
    let number = number.try_into().unwrap_or(u64::MAX);
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", grouped(number))
}

/// Formats an integer with thousands separators.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats a speed as a multiple of real time, such as `0.4` or `25`; never `0`.
pub(crate) fn times_real_time(speed: f64) -> String {
    match speed {
        speed if speed < 0.1 => "under 0.1".to_owned(),
        speed if speed < 9.95 => format!("{speed:.1}"),
        speed => format!("{speed:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_has_no_plural() {
        assert_eq!(count(0_u64, "track"), "0 tracks");
        assert_eq!(count(1_usize, "track"), "1 track");
        assert_eq!(count(12_345_u64, "track"), "12,345 tracks");
    }

    #[test]
    fn thousands_are_separated() {
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000_000), "1,000,000");
    }

    #[test]
    fn a_slow_analysis_has_a_speed_too() {
        for (speed, expected) in [(0.001, "under 0.1"), (0.44, "0.4"), (9.97, "10")] {
            assert_eq!(times_real_time(speed), expected);
        }
    }
}
