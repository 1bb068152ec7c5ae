// SPDX-License-Identifier: MPL-2.0

//! Selection of the frames to analyze, by running time and thus independent of the frame rate.

/// Selects frames at a sample interval.
#[derive(Clone, Debug, Default)]
pub struct Sampler {
    next_due_ns: Option<u64>,
}

impl Sampler {
    /// Returns `true` if the frame at `running_time_ns` is to be analysed at one sample per
    /// `interval_ns`; with 0, every frame is. Sample times are on a grid that starts with the first
    /// frame, so that the mean rate is correct even if the interval is not a multiple of the frame
    /// duration. The grid starts again at a frame that is more than an interval after, or before,
    /// the next sample time.
    pub fn is_due(&mut self, running_time_ns: u64, interval_ns: u64) -> bool {
        let due_ns = match self.next_due_ns {
            Some(due_ns) if due_ns <= running_time_ns.saturating_add(interval_ns) => due_ns,
            _ => running_time_ns,
        };
        let is_due = running_time_ns >= due_ns;
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

    /// Discards the grid; the next frame is selected.
    pub fn reset(&mut self) {
        self.next_due_ns = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn due_frames(frames_per_second: u64, interval_ns: u64, seconds: u64) -> Vec<u64> {
        let mut sampler = Sampler::default();
        (0..frames_per_second * seconds)
            .filter(|n| sampler.is_due(n * 1_000 * MS / frames_per_second, interval_ns))
            .collect()
    }

    #[test]
    fn five_samples_a_second_at_every_frame_rate() {
        for frames_per_second in [24, 25, 30, 50, 60, 240] {
            assert_eq!(due_frames(frames_per_second, 200 * MS, 10).len(), 50);
        }
        assert_eq!(due_frames(30, 200 * MS, 1), [0, 6, 12, 18, 24]);
    }

    #[test]
    fn an_interval_of_zero_takes_every_frame_and_a_long_gap_is_caught_up_once() {
        assert_eq!(due_frames(30, 0, 1).len(), 30);
        let mut sampler = Sampler::default();
        assert!(sampler.is_due(0, 200 * MS));
        assert!(sampler.is_due(5_000 * MS, 200 * MS));
        assert!(!sampler.is_due(5_033 * MS, 200 * MS));
    }

    #[test]
    fn going_back_in_time_or_shortening_the_interval_starts_a_new_grid() {
        let mut sampler = Sampler::default();
        assert!(sampler.is_due(10_000 * MS, 1_000 * MS));
        assert!(sampler.is_due(100 * MS, 1_000 * MS));
        assert!(sampler.is_due(200 * MS, 10 * MS));
    }
}
