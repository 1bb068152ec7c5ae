// SPDX-License-Identifier: MPL-2.0

//! Times of the frames of a stream.

/// Assigns a time to each frame of a stream.
#[derive(Debug, Default)]
pub(crate) struct FrameTimes {
    /// Running time of the last frame that has one.
    last_running_time_ns: Option<u64>,
    /// Time that was assigned to the last frame.
    last_ns: Option<u64>,
}

/// The time of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameTime {
    pub ns: u64,
    /// Time since the last frame; `None` if this is the first frame, or if running time has gone
    /// back.
    pub since_last_ns: Option<u64>,
    /// `true` if running time has gone back.
    pub is_back: bool,
}

impl FrameTimes {
    /// Returns the time of the next frame, which is `running_time_ns`. If that is missing or equals
    /// the one of the last frame (GStreamer's GIF decoder gives all frames the same timestamp), the
    /// time is one frame duration, `frame_ns`, after the last frame.
    pub fn next(&mut self, running_time_ns: Option<u64>, frame_ns: u64) -> FrameTime {
        let last_running_time_ns = self.last_running_time_ns;
        self.last_running_time_ns = running_time_ns.or(last_running_time_ns);
        let is_back = running_time_ns.is_some() && running_time_ns < last_running_time_ns;
        let last_ns = self.last_ns.filter(|_| !is_back);
        let ns = match running_time_ns {
            Some(time_ns) if is_back || running_time_ns != last_running_time_ns => {
                // Assumed times may have run ahead of the running times.
                time_ns.max(last_ns.unwrap_or(0))
            }
            _ => last_ns.map_or(0, |last_ns| last_ns.saturating_add(frame_ns)),
        };
        // A time of GStreamer; assumed times may add up to more.
        let ns = ns.min(gst::ClockTime::MAX.nseconds());
        self.last_ns = Some(ns);
        FrameTime {
            ns,
            since_last_ns: last_ns.map(|last_ns| ns - last_ns),
            is_back,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the times of frames of 40 ns.
    fn times<const N: usize>(running_times_ns: [Option<u64>; N]) -> [u64; N] {
        let mut times = FrameTimes::default();
        running_times_ns.map(|running_time_ns| times.next(running_time_ns, 40).ns)
    }

    #[test]
    fn the_time_of_a_frame_is_its_running_time() {
        assert_eq!(times([Some(7), Some(50), Some(1000)]), [7, 50, 1000]);
    }

    #[test]
    fn frames_without_a_time_of_their_own_follow_the_last_frame_by_its_duration() {
        assert_eq!(times([None, None, None]), [0, 40, 80]);
        assert_eq!(times([Some(3), Some(3), Some(3)]), [3, 43, 83]);
        assert_eq!(
            times([Some(10), None, Some(30), Some(100)]),
            [10, 50, 50, 100]
        );
    }

    #[test]
    fn assumed_times_do_not_exceed_the_times_of_gstreamer() {
        let highest_ns = gst::ClockTime::MAX.nseconds();
        assert_eq!(times([Some(highest_ns - 5), None])[1], highest_ns);
    }

    #[test]
    fn running_time_that_goes_back_is_reported() {
        let mut times = FrameTimes::default();
        let mut next = |running_time_ns| times.next(Some(running_time_ns), 40);
        let first = next(500);
        assert_eq!((first.since_last_ns, first.is_back), (None, false));
        assert_eq!(next(540).since_last_ns, Some(40));
        let back = FrameTime {
            ns: 100,
            since_last_ns: None,
            is_back: true,
        };
        assert_eq!(next(100), back);
        assert!(!next(140).is_back);
    }
}
