// SPDX-License-Identifier: MPL-2.0

//! The recent past of an attitude, for drawing: a ring of fixed memory.

use std::collections::VecDeque;

use crate::Label;

/// What was known of an attitude during one slot of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Moment {
    /// There was no face.
    #[default]
    Absent,
    /// There was a face with this label.
    Present(Label),
}

/// The last moments, in slots of equal length that lie on a fixed grid of running time, so that a
/// drawing of it moves on by whole slots.
#[derive(Clone, Debug)]
pub struct History {
    slot_ns: u64,
    /// Oldest first; the last one is the slot `newest_slot`.
    moments: VecDeque<Moment>,
    capacity: usize,
    newest_slot: Option<u64>,
}

impl History {
    /// An empty history of `slots` slots of `slot_ns` nanoseconds each, both at least one.
    pub fn new(slots: usize, slot_ns: u64) -> Self {
        Self {
            slot_ns: slot_ns.max(1),
            moments: VecDeque::with_capacity(slots.max(1)),
            capacity: slots.max(1),
            newest_slot: None,
        }
    }

    /// Notes what holds at `time_ns`. The last note in a slot stands; slots passed over since the
    /// last note are [`Moment::Absent`]; a time before the newest slot is ignored.
    pub fn note(&mut self, time_ns: u64, moment: Moment) {
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

    /// How many slots fit.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The noted moments, oldest first; fewer than [`capacity`](Self::capacity) at the start.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Moment> + ExactSizeIterator + '_ {
        self.moments.iter().copied()
    }

    /// The number of the slot that the last moment belongs to, counted from running time 0.
    pub fn newest_slot(&self) -> Option<u64> {
        self.newest_slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipped_slots_are_absent_and_old_ones_fall_out() {
        let positive = Moment::Present(Label::POSITIVE);
        let mut history = History::new(3, 100);
        history.note(0, positive);
        history.note(50, Moment::Present(Label::Unknown));
        history.note(250, positive);
        assert!(
            history
                .iter()
                .eq([Moment::Present(Label::Unknown), Moment::Absent, positive])
        );
        history.note(320, positive);
        assert!(history.iter().eq([Moment::Absent, positive, positive]));
        history.note(1_000_000, Moment::Absent);
        assert!(history.iter().eq([Moment::Absent; 3]));
    }

    #[test]
    fn time_that_goes_back_is_ignored() {
        let mut history = History::new(3, 100);
        history.note(500, Moment::Present(Label::Unknown));
        history.note(100, Moment::Absent);
        assert!(history.iter().eq([Moment::Present(Label::Unknown)]));
        assert_eq!(history.newest_slot(), Some(5));
    }
}
