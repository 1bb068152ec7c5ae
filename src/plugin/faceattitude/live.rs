// SPDX-License-Identifier: MPL-2.0

//! Mode `live`: a snapshot of a due frame goes to the engine, the frame passes at once.

use std::sync::Arc;

use attitude::analyzer::Params;
use attitude::detection::Detection;
use attitude::epoch::Epoch;
use attitude::frame::Frame;
use attitude::record::FrameStamp;
use attitude_inference::engine::{Engine, InFlight, Job, LiveStream, Outcome};

/// One stream of the engine.
pub(super) struct LiveWalk {
    stream: LiveStream<FrameStamp>,
}

impl LiveWalk {
    /// Opens the stream.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn open(engine: &Arc<Engine>) -> std::io::Result<Self> {
        let stream = engine.open_stream()?;
        Ok(Self { stream })
    }

    /// What the engine is working at.
    pub fn in_flight(&self) -> InFlight {
        self.stream.in_flight()
    }

    /// Hands in a copy of `frame`, whose faces are `given`, or are to be found. Returns whether a
    /// due frame that waited gave way to it.
    pub fn submit(
        &self,
        frame: &Frame,
        time_ns: u64,
        epoch: Epoch,
        given: Option<&[Detection]>,
        params: &Params,
        stamp: FrameStamp,
    ) -> bool {
        let mut snapshot = self.stream.snapshot();
        snapshot.copy_from(frame, self.stream.engine().facts().take_luma_only);
        self.stream.submit(Job {
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
        self.stream.take_outcome()
    }

    /// Waits for what is in flight.
    pub fn drain(&self) {
        self.stream.drain();
    }
}
