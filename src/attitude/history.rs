// SPDX-License-Identifier: MPL-2.0

//! Recent labels, for drawing: a ring buffer of fixed size.

use std::collections::VecDeque;

use crate::Label;

/// The state during one time slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SlotState {
    /// No face was visible.
    #[default]
    Absent,
    /// A face with this label was visible.
    Present(Label),
}

/// The most recent slots, one per time slot. Slots have equal length and are on a fixed grid of
/// running time, so that a drawing advances by whole slots.
#[derive(Clone, Debug)]
pub struct History {
    slot_ns: u64,
    /// Oldest first; the last entry is slot `newest_slot`.
    slots: VecDeque<SlotState>,
    capacity: usize,
    newest_slot: Option<u64>,
}

impl History {
    /// Creates an empty history of `slots` slots of `slot_ns` nanoseconds each; both are at least
    /// 1.
    pub fn new(slots: usize, slot_ns: u64) -> Self {
        Self {
            slot_ns: slot_ns.max(1),
            slots: VecDeque::with_capacity(slots.max(1)),
            capacity: slots.max(1),
            newest_slot: None,
        }
    }

    /// Records the state at `time_ns`. It replaces an earlier state of the same slot; skipped slots
    /// become [`SlotState::Absent`]; times before the newest slot are ignored.
    pub fn push(&mut self, time_ns: u64, state: SlotState) {
        let slot = time_ns / self.slot_ns;
        let passed = match self.newest_slot {
            None => 1,
            Some(newest) if slot < newest => return,
            Some(newest) => slot - newest,
        };
        for _ in 0..passed.min(self.capacity as u64) {
            if self.slots.len() == self.capacity {
                self.slots.pop_front();
            }
            self.slots.push_back(SlotState::Absent);
        }
        if let Some(last) = self.slots.back_mut() {
            *last = state;
        }
        self.newest_slot = Some(slot);
    }

    /// Returns the maximum number of slots.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Returns the recorded slots, oldest first; at the start fewer than
    /// [`capacity`](Self::capacity).
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = SlotState> + ExactSizeIterator + '_ {
        self.slots.iter().copied()
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
        let positive = SlotState::Present(Label::POSITIVE);
        let mut history = History::new(3, 100);
        history.push(0, positive);
        history.push(50, SlotState::Present(Label::Unknown));
        history.push(250, positive);
        assert!(history.iter().eq([
            SlotState::Present(Label::Unknown),
            SlotState::Absent,
            positive
        ]));
        history.push(320, positive);
        assert!(history.iter().eq([SlotState::Absent, positive, positive]));
        history.push(1_000_000, SlotState::Absent);
        assert!(history.iter().eq([SlotState::Absent; 3]));
    }

    #[test]
    fn time_that_goes_back_is_ignored() {
        let mut history = History::new(3, 100);
        history.push(500, SlotState::Present(Label::Unknown));
        history.push(100, SlotState::Absent);
        assert!(history.iter().eq([SlotState::Present(Label::Unknown)]));
        assert_eq!(history.newest_slot(), Some(5));
    }
}
