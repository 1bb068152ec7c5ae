// SPDX-License-Identifier: MPL-2.0

//! Mode `sync`: the frame's own thread analyses it, straight from the buffer's memory.

use std::sync::Arc;

use attitude::InferenceError;
use attitude::analyzer::{Analysis, Analyzer, Params};
use attitude::detection::Detection;
use attitude::epoch::Epoch;
use attitude::frame::Frame;
use attitude_inference::engine::Engine;

/// The engine that lends networks, and the stream's state.
pub(super) struct SyncWalk {
    engine: Arc<Engine>,
    analyzer: Analyzer,
    epoch: Epoch,
}

impl SyncWalk {
    pub fn new(engine: Arc<Engine>) -> Self {
        Self {
            engine,
            analyzer: Analyzer::default(),
            epoch: Epoch::default(),
        }
    }

    /// Replaces `analysis` by what is known after `frame`, shown at `time_ns` of running time, whose
    /// faces are `given`, or are found.
    pub fn analyze(
        &mut self,
        frame: &Frame,
        time_ns: u64,
        epoch: Epoch,
        given: Option<&[Detection]>,
        params: &Params,
        analysis: &mut Analysis,
    ) -> Result<(), InferenceError> {
        self.epoch.advance(epoch, &mut self.analyzer);
        let analyzer = &mut self.analyzer;
        self.engine
            .lease()?
            .analyze(analyzer, frame, time_ns, given, params, analysis)
    }
}
