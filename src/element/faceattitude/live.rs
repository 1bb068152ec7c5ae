// SPDX-License-Identifier: MPL-2.0

//! Mode `live`: a snapshot of a due frame goes to a worker, the frame passes at once.

use crate::analysis::analyzer::Params;
use crate::analysis::detection::Detection;
use crate::analysis::frame::Frame;
use crate::inference::engine::{Epoch, Job, Networks, Outcome, Worker};
use crate::record::FrameStamp;

/// The worker of one stream.
pub(super) struct LiveWalk {
    worker: Worker<FrameStamp>,
    takes_luma_only: bool,
}

impl LiveWalk {
    /// Starts the worker.
    pub fn start(networks: Networks) -> std::io::Result<Self> {
        Ok(Self {
            takes_luma_only: networks.take_luma_only(),
            worker: Worker::start(networks)?,
        })
    }

    /// Hands in a copy of `frame`, whose faces are `given`, or are to be found. Returns whether a due frame that waited gave way to it.
    pub fn submit(
        &self,
        frame: &Frame,
        time_ns: u64,
        epoch: Epoch,
        given: Option<&[Detection]>,
        params: &Params,
        stamp: FrameStamp,
    ) -> bool {
        let mut snapshot = self.worker.snapshot();
        snapshot.copy_from(frame, self.takes_luma_only);
        self.worker.submit(Job {
            snapshot,
            time_ns,
            given: given.map(<[_]>::to_vec),
            params: *params,
            epoch,
            context: stamp,
        })
    }

    /// The oldest outcome that was not taken yet.
    pub fn take_outcome(&self) -> Option<Outcome<FrameStamp>> {
        self.worker.take_outcome()
    }

    /// Waits for what is in flight.
    pub fn drain(&self) {
        self.worker.drain();
    }
}
