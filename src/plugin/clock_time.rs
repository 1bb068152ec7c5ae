// SPDX-License-Identifier: MPL-2.0

//! Conversion of nanoseconds to times of GStreamer.

/// Returns a time of `ns` nanoseconds, or `None` for `u64::MAX`, which GStreamer uses for "no
/// time". Sums of times saturate there.
pub(crate) fn clock_time(ns: u64) -> Option<gst::ClockTime> {
    (ns <= gst::ClockTime::MAX.nseconds()).then(|| gst::ClockTime::from_nseconds(ns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_number_is_no_time() {
        assert_eq!(clock_time(7), Some(gst::ClockTime::from_nseconds(7)));
        assert_eq!(clock_time(u64::MAX - 1), Some(gst::ClockTime::MAX));
        assert_eq!(clock_time(u64::MAX), None);
    }
}
