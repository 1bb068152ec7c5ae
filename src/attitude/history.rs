// SPDX-License-Identifier: MPL-2.0

//! Recent labels, for drawing: a ring buffer of fixed size.

use std::collections::VecDeque;

use crate::Label;

/// The state during one time slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Moment {
    /// No face was visible.
    #[default]
    Absent,
    /// A face with this label was visible.
    Present(Label),
}

/// The most recent moments, one per time slot. Slots have equal length and are on a fixed grid of
/// running time, so that a drawing advances by whole slots.
#[derive(Clone, Debug)]
pub struct History {
    slot_ns: u64,
    /// Oldest first; the last entry is slot `newest_slot`.
    moments: VecDeque<Moment>,
    capacity: usize,
    newest_slot: Option<u64>,
}

impl History {
    /// Creates an empty history of `slots` slots of `slot_ns` nanoseconds each; both are at least
    /// 1.
    pub fn new(slots: usize, slot_ns: u64) -> Self {
        Self {
            slot_ns: slot_ns.max(1),
            moments: VecDeque::with_capacity(slots.max(1)),
            capacity: slots.max(1),
            newest_slot: None,
        }
    }

    /// Records the state at `time_ns`. It replaces an earlier state of the same slot; skipped slots
    /// become [`Moment::Absent`]; times before the newest slot are ignored.
    pub fn push(&mut self, time_ns: u64, moment: Moment) {
        let slot = time_ns / self.slot_ns;
        let passed = match self.newest_slot {
            None => 1,
            Some(newest) if slot < newest => return,
            Some(newest) => slot - newest,
        };
        for _ in 0..passed.min(self.capacity as u64) {
            if self.moments.len() == self.capacity {
                self.moments.pop_front();
            }
            self.moments.push_back(Moment::Absent);
        }
        if let Some(last) = self.moments.back_mut() {
            *last = moment;
        }
        self.newest_slot = Some(slot);
    }

    /// Returns the maximum number of slots.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Returns the recorded moments, oldest first; at the start fewer than
    /// [`capacity`](Self::capacity).
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Moment> + ExactSizeIterator + '_ {
        self.moments.iter().copied()
    }

    /// Returns the index of the newest slot, counted from running time 0.
    pub fn newest_slot(&self) -> Option<u64> {
        self.newest_slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipped_slots_are_absent_and_old_slots_are_dropped() {
        let positive = Moment::Present(Label::POSITIVE);
        let mut history = History::new(3, 100);
        history.push(0, positive);
        history.push(50, Moment::Present(Label::Unknown));
        history.push(250, positive);
        assert!(
            history
                .iter()
                .eq([Moment::Present(Label::Unknown), Moment::Absent, positive])
        );
        history.push(320, positive);
        assert!(history.iter().eq([Moment::Absent, positive, positive]));
        history.push(1_000_000, Moment::Absent);
        assert!(history.iter().eq([Moment::Absent; 3]));
    }

    #[test]
    fn time_that_goes_back_is_ignored() {
        let mut history = History::new(3, 100);
        history.push(500, Moment::Present(Label::Unknown));
        history.push(100, Moment::Absent);
        assert!(history.iter().eq([Moment::Present(Label::Unknown)]));
        assert_eq!(history.newest_slot(), Some(5));
    }
}
