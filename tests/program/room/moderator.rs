// SPDX-License-Identifier: MPL-2.0

//! What moderators of rooms and administrators of the server do.

use serde_json::{Value, json};

use super::janus::{ADMINISTRATOR, Janus, MODERATOR, ROOM};
use crate::serve::client::{self, Request};
use crate::support::wait_until;

impl Janus {
    /// Creates a room.
    pub(super) fn create(&self, room: &str) {
        self.moderate(room, json!({ "request": "create", "secret": MODERATOR }));
    }

    /// Closes a room.
    pub(super) fn close(&self, room: &str) {
        self.moderate(room, json!({ "request": "destroy", "secret": MODERATOR }));
    }

    /// Removes the member of this name from the room.
    pub(super) fn kick(&self, name: &str) {
        let members = self.moderate(ROOM, json!({ "request": "listparticipants" }));
        let mut members = members["participants"].as_array().unwrap().iter();
        let member = members.find(|member| member["display"] == name).unwrap();
        let kick = json!({ "request": "kick", "secret": MODERATOR, "id": member["id"] });
        self.moderate(ROOM, kick);
    }

    /// Ends the connections by which members receive the video of the participant of this name.
    pub(super) fn hang_up(&self, name: &str) {
        let ids = |list: &Value| list.as_array().unwrap().clone();
        let sessions = self.administrate("/admin", json!({ "janus": "list_sessions" }));
        for session in ids(&sessions["sessions"]) {
            let session = format!("/admin/{session}");
            let handles = self.administrate(&session, json!({ "janus": "list_handles" }));
            for handle in ids(&handles["handles"]) {
                let handle = format!("{session}/{handle}");
                let info = self.administrate(&handle, json!({ "janus": "handle_info" }));
                if info["info"]["plugin_specific"]["streams"][0]["feed_display"] == name {
                    self.administrate(&handle, json!({ "janus": "hangup_webrtc" }));
                }
            }
        }
    }

    /// Adds a token to those that the server accepts.
    pub(super) fn add_token(&self, token: &str) {
        self.administrate("/admin", json!({ "janus": "add_token", "token": token }));
    }

    /// Sends a request to VideoRoom. Returns its response.
    fn moderate(&self, room: &str, mut body: Value) -> Value {
        body["room"] = room.parse::<u64>().unwrap().into();
        let post = |path: &str, request| post(self.http_port, path, request);
        let created = post("/janus", json!({ "janus": "create" }));
        let session = format!("/janus/{}", created["data"]["id"]);
        let attach = json!({ "janus": "attach", "plugin": "janus.plugin.videoroom" });
        let handle = format!("{session}/{}", post(&session, attach)["data"]["id"]);
        let response = post(&handle, json!({ "janus": "message", "body": body }));
        let response = response["plugindata"]["data"].clone();
        assert!(response.get("error").is_none(), "{response}");
        response
    }

    /// Sends a request to the API for administrators. Returns its response.
    fn administrate(&self, path: &str, mut request: Value) -> Value {
        request["admin_secret"] = ADMINISTRATOR.into();
        post(self.admin_port, path, request)
    }
}

/// Sends a request to Janus. Returns its response.
fn post(port: u16, path: &str, mut request: Value) -> Value {
    wait_until("Janus listens", || {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    request["transaction"] = "transaction".into();
    let address = ([127, 0, 0, 1], port).into();
    let response = client::send(address, &Request::new("POST", path).json(&request)).json();
    assert_eq!(response["janus"], "success", "{response}");
    response
}
