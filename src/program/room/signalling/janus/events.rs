// SPDX-License-Identifier: MPL-2.0

//! What a member reports, and why it stops.

use tokio::sync::mpsc::Sender;
use tokio_tungstenite::tungstenite::Error;

use super::super::{RoomEnd, RoomEvent};

/// Why the task of a member stops.
pub(super) enum Stop {
    /// The membership ended.
    Ended(RoomEnd),
    /// The member leaves, or nobody waits for its events.
    Left,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Ended(RoomEnd::Lost(error.to_string()))
    }
}

/// Receives the events of a member.
pub(super) struct Events(pub(super) Sender<RoomEvent>);

impl Events {
    /// Reports an event; waits while there are many.
    pub(super) async fn report(&self, event: RoomEvent) -> Result<(), Stop> {
        self.0.send(event).await.map_err(|_| Stop::Left)
    }
}
