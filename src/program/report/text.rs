// SPDX-License-Identifier: MPL-2.0

//! Formats times, shares, scores and attitudes.

use std::fmt::{self, Display};
use std::time::SystemTime;

use attitude::Label;
use attitude::clock;
use maud::{Markup, html};

const S: u64 = 1_000_000_000;

/// Formats a duration of `ns` nanoseconds, such as `3 min 20 s`.
pub(crate) fn length(ns: u64) -> String {
    if ns < 60 * S {
        return format!("{} s", Decimal(ns as f64 / S as f64, 1));
    }
    let seconds = ns.saturating_add(S / 2) / S;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// Formats a position of `ns` nanoseconds for the script: seconds with at most three decimals.
pub(crate) fn seconds(ns: u64) -> Decimal {
    Decimal(ns as f64 / S as f64, 3)
}

/// Formats a time of day from 1970 to 9999, such as `2026-11-25 16:30:43 UTC`.
pub(crate) fn time_of_day(time: SystemTime) -> String {
    let time = humantime::format_rfc3339_seconds(time).to_string();
    time.replace('T', " ").replace('Z', " UTC")
}

/// Formats a share from 0 to 1, such as `23%`; small shares do not become `0%`.
pub(crate) fn percent(share: f64) -> String {
    match share * 100.0 {
        percent if percent > 0.0 && percent < 0.5 => "under 1%".to_owned(),
        percent => format!("{percent:.0}%"),
    }
}

/// Formats a number from 0 to 1.
pub(crate) fn score(value: f64) -> String {
    format!("{value:.2}")
}

/// Formats a valence, or a difference of valences, with its sign.
pub(crate) fn valence(value: f64) -> String {
    match format!("{:.2}", value.abs()) {
        zero if zero == "0.00" => zero,
        size if value < 0.0 => format!("−{size}"),
        size => format!("+{size}"),
    }
}

/// Returns the name of an attitude; the style sheet adds its color and sign.
pub(crate) fn named(attitude: Label) -> Markup {
    let name = attitude.name();
    html! { span class={ "attitude " (name) } { (name) } }
}

/// Returns a link that seeks the recording to a position.
pub(crate) fn moment(ns: u64) -> Markup {
    html! { a href={ "#t=" (seconds(ns)) } { (clock::position(ns)) } }
}

/// A number that is formatted with a maximum number of decimals.
pub(crate) struct Decimal(pub(crate) f64, pub(crate) usize);

impl Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let text = format!("{:.*}", self.1, self.0);
        f.write_str(match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.'),
            false => &text,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_have_three_decimals_at_most() {
        assert_eq!(seconds(12_340_000_000).to_string(), "12.34");
        assert_eq!(seconds(20_000_000_000).to_string(), "20");
    }

    #[test]
    fn lengths_have_at_most_two_units() {
        for (ns, expected) in [
            (0, "0 s"),
            (5_600_000_000, "5.6 s"),
            (60_000_000_000, "1 min 0 s"),
            (3_599_600_000_000, "1 h 0 min"),
            (7_260_000_000_000, "2 h 1 min"),
        ] {
            assert_eq!(length(ns), expected);
        }
    }

    #[test]
    fn numbers_are_rounded_and_small_shares_are_not_zero() {
        assert_eq!(percent(0.0), "0%");
        assert_eq!(percent(0.001), "under 1%");
        assert_eq!(percent(0.666), "67%");
        assert_eq!(valence(-0.001), "0.00");
        assert_eq!(valence(-1.5), "−1.50");
        assert_eq!(valence(0.25), "+0.25");
    }
}
