// SPDX-License-Identifier: MPL-2.0

//! Selection of the frames to analyze by running time, independently of the frame rate.

/// Selects frames at a sample interval.
#[derive(Clone, Debug, Default)]
pub struct Sampler {
    next_due_ns: Option<u64>,
}

impl Sampler {
    /// Returns `true` if the frame at `running_time_ns` is selected. Sample times are `interval_ns`
    /// apart, beginning with the first frame, and the first frame at or after each sample time is
    /// selected; thus the mean rate is correct even if the interval is not a multiple of the frame
    /// duration. With an interval of 0, every frame is selected. A frame that is more than an
    /// interval before or after the next sample time is selected, and sample times begin again with
    /// it.
    ///
    /// A frame that is shown for `duration_ns`, past a sample time for at least an interval, is
    /// selected although it begins before it: no other frame shows what is on the screen then.
    pub fn is_due(
        &mut self,
        running_time_ns: u64,
        duration_ns: Option<u64>,
        interval_ns: u64,
    ) -> bool {
        let due_ns = match self.next_due_ns {
            Some(due_ns) if due_ns <= running_time_ns.saturating_add(interval_ns) => due_ns,
            _ => running_time_ns,
        };
        let end_ns = running_time_ns.saturating_add(duration_ns.unwrap_or(0));
        let stands = interval_ns > 0 && end_ns >= due_ns.saturating_add(interval_ns);
        let is_due = running_time_ns >= due_ns || stands;
        self.next_due_ns = Some(if is_due {
            let next_ns = due_ns.saturating_add(interval_ns);
            if next_ns > running_time_ns {
                next_ns
            } else {
                running_time_ns.saturating_add(interval_ns)
            }
        } else {
            due_ns
        });
        is_due
    }

    /// Begins again: the next frame is selected.
    pub fn reset(&mut self) {
        self.next_due_ns = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::NS_PER_MS as MS;

    fn due_frames(frames_per_second: u64, interval_ns: u64, seconds: u64) -> Vec<u64> {
        let mut sampler = Sampler::default();
        (0..frames_per_second * seconds)
            .filter(|n| {
                sampler.is_due(
                    n * 1_000 * MS / frames_per_second,
                    Some(1_000 * MS / frames_per_second),
                    interval_ns,
                )
            })
            .collect()
    }

    #[test]
    fn five_samples_per_second_at_every_frame_rate() {
        for frames_per_second in [24, 25, 30, 50, 60, 240] {
            assert_eq!(due_frames(frames_per_second, 200 * MS, 10).len(), 50);
        }
        assert_eq!(due_frames(30, 200 * MS, 1), [0, 6, 12, 18, 24]);
    }

    #[test]
    fn an_interval_of_0_selects_every_frame_and_a_gap_is_followed_by_one_sample() {
        assert_eq!(due_frames(30, 0, 1).len(), 30);
        let mut sampler = Sampler::default();
        assert!(sampler.is_due(0, None, 200 * MS));
        assert!(sampler.is_due(5_000 * MS, None, 200 * MS));
        assert!(!sampler.is_due(5_033 * MS, None, 200 * MS));
    }

    #[test]
    fn a_frame_that_stands_is_selected() {
        let mut sampler = Sampler::default();
        let frames = [(0, 40), (40, 40), (80, 4_000), (4_080, 40), (4_120, 40)];
        let due = frames.map(|(start_ms, duration_ms)| {
            sampler.is_due(start_ms * MS, Some(duration_ms * MS), 200 * MS)
        });
        assert_eq!(due, [true, false, true, true, false]);
    }

    #[test]
    fn sample_times_begin_again_if_time_goes_back_or_the_interval_gets_shorter() {
        let mut sampler = Sampler::default();
        assert!(sampler.is_due(10_000 * MS, None, 1_000 * MS));
        assert!(sampler.is_due(100 * MS, None, 1_000 * MS));
        assert!(sampler.is_due(200 * MS, None, 10 * MS));
    }
}
