// SPDX-License-Identifier: MPL-2.0

//! The streams of the process.

use std::sync::{Arc, Mutex};

use attitude::sync::lock;

use super::stream::{Status, Stream};

/// The streams that metrics and health report. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Registry(Arc<Mutex<Vec<Arc<Stream>>>>);

impl Registry {
    /// Adds a stream.
    pub(crate) fn add(&self, stream: &Arc<Stream>) {
        lock(&self.0).push(stream.clone());
    }

    /// Removes a stream.
    pub(crate) fn remove(&self, stream: &Arc<Stream>) {
        lock(&self.0).retain(|other| !Arc::ptr_eq(other, stream));
    }

    /// Returns the condition of each stream, sorted by source.
    pub(crate) fn statuses(&self) -> Vec<Status> {
        let mut statuses: Vec<_> = lock(&self.0).iter().map(|stream| stream.status()).collect();
        statuses.sort_by(|a, b| a.source.cmp(&b.source));
        statuses
    }

    /// Returns the problems of the streams without video, such as `door: stalled; hall: no video
    /// yet`; `None` if all have video.
    pub(crate) fn problems(&self) -> Option<String> {
        let problems: Vec<_> = self
            .statuses()
            .into_iter()
            .filter_map(|status| Some(format!("{}: {}", status.source, status.problem?)))
            .collect();
        (!problems.is_empty()).then(|| problems.join("; "))
    }
}
