// SPDX-License-Identifier: MPL-2.0

//! What receives the records of all streams.

use std::sync::Arc;

use attitude::record::Record;

use crate::publishing::Publishing;

/// Receives the records of streams.
pub(crate) trait RecordConsumer: Send + Sync {
    /// Receives the record of a sample. Must not block: it is called while the video waits.
    fn push(&self, record: &Record);
}

/// All consumers, which the streams share.
pub(crate) type Consumers = Arc<[Arc<dyn RecordConsumer>]>;

impl RecordConsumer for Publishing {
    fn push(&self, record: &Record) {
        self.publish_as_is(record);
    }
}
