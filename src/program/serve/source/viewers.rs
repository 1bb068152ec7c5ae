// SPDX-License-Identifier: MPL-2.0

//! All who look at a reading.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};

use gst::prelude::*;

use super::super::channels::Channels;
use super::super::ending::Ending;
use super::super::results::Results;
use super::super::session::End;
use attitude::sync::lock;

/// Those who look; each is gone from here when its seat is.
#[derive(Default)]
pub struct Viewers {
    seats: Mutex<Vec<Weak<Seat>>>,
    /// Lets nothing through to the analysis while its property `drop` is true.
    valve: Mutex<Option<glib::WeakRef<gst::Element>>>,
}

/// One who looks.
pub struct Seat {
    pub channels: Arc<Channels>,
    pub end: End,
    /// Whether the page wants records.
    pub wants_records: Arc<AtomicBool>,
}

impl Viewers {
    /// Has `valve` closed while nobody wants records.
    pub fn set_valve(&self, valve: &gst::Element) {
        *lock(&self.valve) = Some(valve.downgrade());
    }

    pub fn add(&self, seat: &Arc<Seat>) {
        let mut seats = lock(&self.seats);
        seats.retain(|seat| seat.strong_count() > 0);
        seats.push(Arc::downgrade(seat));
        drop(seats);
        self.turn_valve();
    }

    /// Analyses, or not, after somebody has changed their mind or left.
    pub fn turn_valve(&self) {
        let is_wanted = self
            .seats()
            .iter()
            .any(|seat| seat.wants_records.load(Ordering::Relaxed));
        let valve = lock(&self.valve);
        let valve = valve.as_ref().and_then(glib::WeakRef::upgrade);
        if let Some(valve) = valve {
            valve.set_property("drop", !is_wanted);
        }
    }

    /// Ends all their sessions.
    pub fn end(&self, ending: &Ending) {
        for seat in self.seats() {
            seat.end.end(ending.reason, &*ending.problem);
        }
    }

    fn seats(&self) -> Vec<Arc<Seat>> {
        let seats = lock(&self.seats);
        seats.iter().filter_map(Weak::upgrade).collect()
    }

    fn listeners(&self) -> impl Iterator<Item = Arc<Seat>> {
        let seats = self.seats().into_iter();
        seats.filter(|seat| seat.wants_records.load(Ordering::Relaxed))
    }
}

impl Results for Viewers {
    fn sample(&self, record: &str) {
        self.listeners()
            .for_each(|seat| seat.channels.sample(record));
    }

    fn frame(&self, record: &str) {
        self.listeners()
            .for_each(|seat| seat.channels.frame(record));
    }
}
