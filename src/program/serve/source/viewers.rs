// SPDX-License-Identifier: MPL-2.0

//! The viewers of a reading, to which it sends its records and its end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};

use attitude::sync::lock;
use gst::prelude::*;

use super::super::analysis::RecordSink;
use super::super::channels::Channels;
use super::super::end::{End, Ending};

/// The viewers of a reading. Dropping its [`Subscriber`] removes a viewer.
#[derive(Default)]
pub(crate) struct Viewers {
    subscribers: Mutex<Vec<Weak<Subscriber>>>,
    /// Stops the analysis while its property `drop` is true.
    valve: Mutex<Option<glib::WeakRef<gst::Element>>>,
    /// Set if the analysis is wanted without viewers.
    is_always_wanted: AtomicBool,
}

/// A viewer, as the reading knows it.
pub(crate) struct Subscriber {
    pub(crate) channels: Arc<Channels>,
    pub(crate) end: End,
    /// Set while the page wants records.
    pub(crate) wants_records: Arc<AtomicBool>,
}

impl Viewers {
    /// Closes `valve` while no viewer wants records, unless they are always wanted.
    pub(crate) fn set_valve(&self, valve: &gst::Element, is_always_wanted: bool) {
        *lock(&self.valve) = Some(valve.downgrade());
        self.is_always_wanted
            .store(is_always_wanted, Ordering::Relaxed);
    }

    pub(crate) fn add(&self, subscriber: &Arc<Subscriber>) {
        let mut subscribers = lock(&self.subscribers);
        subscribers.retain(|subscriber| subscriber.strong_count() > 0);
        subscribers.push(Arc::downgrade(subscriber));
        drop(subscribers);
        self.update_valve();
    }

    /// Opens or closes the valve, after a viewer has joined, left, or switched the analysis.
    pub(crate) fn update_valve(&self) {
        let is_wanted = self.is_always_wanted.load(Ordering::Relaxed)
            || self
                .subscribers()
                .iter()
                .any(|subscriber| subscriber.wants_records.load(Ordering::Relaxed));
        let valve = lock(&self.valve);
        let valve = valve.as_ref().and_then(glib::WeakRef::upgrade);
        if let Some(valve) = valve {
            valve.set_property("drop", !is_wanted);
        }
    }

    /// Ends the sessions of all viewers.
    pub(crate) fn end(&self, ending: &Ending) {
        for subscriber in self.subscribers() {
            subscriber.end.end(ending.reason, &*ending.problem);
        }
    }

    fn subscribers(&self) -> Vec<Arc<Subscriber>> {
        let subscribers = lock(&self.subscribers);
        subscribers.iter().filter_map(Weak::upgrade).collect()
    }

    fn listeners(&self) -> impl Iterator<Item = Arc<Subscriber>> {
        let subscribers = self.subscribers().into_iter();
        subscribers.filter(|subscriber| subscriber.wants_records.load(Ordering::Relaxed))
    }
}

impl RecordSink for Viewers {
    fn sample(&self, record: &str) {
        self.listeners()
            .for_each(|subscriber| subscriber.channels.sample(record));
    }

    fn frame(&self, record: &str) {
        self.listeners()
            .for_each(|subscriber| subscriber.channels.frame(record));
    }
}
