// SPDX-License-Identifier: MPL-2.0

//! Times in a recording, as people write them.

/// Seconds, MM:SS or HH:MM:SS, each with or without a fraction.
pub fn parse_time_s(text: &str) -> Option<f64> {
    let parts: Vec<&str> = text.split(':').collect();
    let (seconds, larger) = parts.split_last()?;
    if larger.len() > 2 {
        return None;
    }
    let seconds: f64 = seconds.parse().ok()?;
    let is_sensible = seconds >= 0.0 && (larger.is_empty() || seconds < 60.0);
    let mut minutes = 0;
    for part in larger {
        minutes = minutes * 60 + u64::from(part.parse::<u16>().ok()?);
    }
    (is_sensible && seconds.is_finite()).then_some(minutes as f64 * 60.0 + seconds)
}

#[cfg(test)]
mod tests {
    use super::parse_time_s;

    #[test]
    fn times_are_seconds_or_clock_readings() {
        assert_eq!(parse_time_s("12.5"), Some(12.5));
        assert_eq!(parse_time_s("02:03.25"), Some(123.25));
        assert_eq!(parse_time_s("01:02:03"), Some(3723.0));
        for wrong in ["", "-1", "1:60", "1:2:3:4", "NaN", "inf", "noon", "1:-2"] {
            assert_eq!(parse_time_s(wrong), None, "{wrong}");
        }
    }
}
