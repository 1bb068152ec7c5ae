// SPDX-License-Identifier: MPL-2.0

//! Recent labels of a face or of the scene, for drawing.
//!
//! Running time is divided into slots of equal length. A history has a state for each of the latest
//! slots: the label at the last time that was recorded in it.

use std::collections::VecDeque;

use crate::Label;

/// The state of one slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SlotState {
    /// No face was visible.
    #[default]
    Absent,
    /// A face with this label was visible.
    Present(Label),
}

/// The states of the latest slots. Slots begin at multiples of their length, so that a drawing
/// advances by whole slots.
#[derive(Clone, Debug)]
pub struct History {
    slot_ns: u64,
    /// The states, oldest first.
    slots: VecDeque<SlotState>,
    capacity: usize,
    /// Index of the newest slot, from 0 at running time 0; `None` if there is none.
    newest_slot: Option<u64>,
}

impl History {
    /// Creates an empty history of at most `capacity` slots of `slot_ns` nanoseconds each. A value
    /// of 0 counts as 1.
    pub fn new(capacity: usize, slot_ns: u64) -> Self {
        let capacity = capacity.max(1);
        Self {
            slot_ns: slot_ns.max(1),
            slots: VecDeque::with_capacity(capacity),
            capacity,
            newest_slot: None,
        }
    }

    /// Records the state at the running time `time_ns`. It replaces an earlier state of the same
    /// slot; skipped slots become [`SlotState::Absent`]; times before the newest slot are ignored.
    pub fn push(&mut self, time_ns: u64, state: SlotState) {
        let slot = time_ns / self.slot_ns;
        let new_slots = match self.newest_slot {
            None => 1,
            Some(newest) if slot < newest => return,
            Some(newest) => slot - newest,
        };
        for _ in 0..new_slots.min(self.capacity as u64) {
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

    /// Returns the states of the latest slots, oldest first; fewer than
    /// [`capacity`](Self::capacity) until that number of slots has passed.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = SlotState> + ExactSizeIterator + '_ {
        self.slots.iter().copied()
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
        history.push(550, SlotState::Absent);
        assert!(history.iter().eq([SlotState::Absent]));
    }
}
