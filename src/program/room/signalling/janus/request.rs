// SPDX-License-Identifier: MPL-2.0

//! Requests to Janus and its plugin VideoRoom.

use serde_json::{Value, json};

use super::message::Id;

/// A room, as requests name it.
pub(super) struct RoomKey {
    pub(super) id: Id,
    pub(super) pin: Option<String>,
}

/// Creates a session.
pub(super) fn create() -> Value {
    json!({ "janus": "create" })
}

/// Keeps the session alive.
pub(super) fn keepalive() -> Value {
    json!({ "janus": "keepalive" })
}

/// Ends the session.
pub(super) fn destroy() -> Value {
    json!({ "janus": "destroy" })
}

/// Attaches a handle to VideoRoom.
pub(super) fn attach() -> Value {
    json!({ "janus": "attach", "plugin": "janus.plugin.videoroom" })
}

/// Ends a handle.
pub(super) fn detach(handle: u64) -> Value {
    json!({ "janus": "detach", "handle_id": handle })
}

/// Joins a room as a member with the name `display`.
pub(super) fn join(handle: u64, room: &RoomKey, display: &str) -> Value {
    let body = json!({ "request": "join", "ptype": "publisher", "display": display });
    plugin(handle, in_room(body, room))
}

/// Subscribes to the media `mid` of the participant `feed`. `private_id` is that of the member.
pub(super) fn subscribe(
    handle: u64,
    room: &RoomKey,
    private_id: Option<u64>,
    (feed, mid): (&Id, &str),
) -> Value {
    let streams = [json!({ "feed": feed, "mid": mid })];
    let mut body = json!({ "request": "join", "ptype": "subscriber", "streams": streams });
    if let Some(private_id) = private_id {
        body["private_id"] = private_id.into();
    }
    plugin(handle, in_room(body, room))
}

/// Answers the offer of a subscription.
pub(super) fn start(handle: u64, answer: &str) -> Value {
    let mut request = plugin(handle, json!({ "request": "start" }));
    request["jsep"] = json!({ "type": "answer", "sdp": answer });
    request
}

/// Offers media of the member.
pub(super) fn publish(handle: u64, offer: &str) -> Value {
    let mut request = plugin(handle, json!({ "request": "publish" }));
    request["jsep"] = json!({ "type": "offer", "sdp": offer });
    request
}

fn plugin(handle: u64, body: Value) -> Value {
    json!({ "janus": "message", "handle_id": handle, "body": body })
}

fn in_room(mut body: Value, room: &RoomKey) -> Value {
    body["room"] = json!(room.id);
    if let Some(pin) = &room.pin {
        body["pin"] = pin.as_str().into();
    }
    body
}
