// SPDX-License-Identifier: MPL-2.0

//! Which frames are analysed: sampling in running time, so that every frame rate behaves alike.

/// Decides for each frame whether it is due.
#[derive(Clone, Debug, Default)]
pub struct Sampler {
    next_due_ns: Option<u64>,
}

impl Sampler {
    /// Whether the frame at `running_time_ns` is to be analysed at one sample per `interval_ns`;
    /// 0 means every frame. Due times lie on a grid that starts with the first frame, so the mean
    /// rate holds where the interval is no multiple of the frame's duration. A grid that has been
    /// left behind, or lies more than an interval ahead, starts anew.
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

    /// Forgets the grid: the next frame is due.
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
