// SPDX-License-Identifier: MPL-2.0

//! The messages of live pipelines, which are handled as they are posted, and the end of these pipelines.

use gst::prelude::*;

/// Calls `handle` with each message of `pipeline` in the thread that posts it, which it must not block.
/// Keeps no message, and updates the latency of the pipeline if that of an element changes.
pub(crate) fn handle_messages(
    pipeline: &gst::Pipeline,
    handle: impl Fn(&gst::Message) + Send + Sync + 'static,
) {
    let Some(bus) = pipeline.bus() else {
        return;
    };
    let pipeline = pipeline.downgrade();
    bus.set_sync_handler(move |_, message| {
        if message.type_() == gst::MessageType::Latency
            && let Some(pipeline) = pipeline.upgrade()
        {
            // In another thread: this one may hold locks that the query needs.
            pipeline.call_async(|pipeline| {
                // Fails if the pipeline is stopped meanwhile.
                let _ = pipeline.recalculate_latency();
            });
        }
        handle(message);
        gst::BusSyncReply::Drop
    });
}

/// Stops `pipeline`, whose messages are no longer handled. Blocks until its streaming threads have ended.
pub(crate) fn stop(pipeline: &gst::Pipeline) {
    pipeline.bus().inspect(|bus| bus.unset_sync_handler());
    // Changing to a lower state does not fail.
    let _ = pipeline.set_state(gst::State::Null);
}
