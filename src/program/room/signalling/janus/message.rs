// SPDX-License-Identifier: MPL-2.0

//! Messages of Janus and of its plugin VideoRoom, as far as they are used.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::ParticipantId;

/// Errors of Janus and VideoRoom that mean that a secret is missing or wrong.
const UNAUTHORIZED: i64 = 403;
const NO_SUCH_ROOM: i64 = 426;
const MISSING_ELEMENT: i64 = 429;
const WRONG_PIN: i64 = 433;

/// Id of a room or a participant: a number, or text if the server is configured so.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Id {
    Number(u64),
    Text(String),
}

impl From<&Id> for ParticipantId {
    fn from(id: &Id) -> Self {
        match id {
            Id::Number(number) => Self(number.to_string()),
            Id::Text(text) => Self(text.clone()),
        }
    }
}

/// A message of the server.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Message {
    /// The kind of message.
    pub(super) janus: String,
    /// The request that it responds to; `None` for other events.
    pub(super) transaction: Option<String>,
    /// The handle that it comes from.
    pub(super) sender: Option<u64>,
    pub(super) data: Option<Created>,
    pub(super) plugindata: Option<PluginData>,
    pub(super) jsep: Option<Jsep>,
    pub(super) candidate: Option<Candidate>,
    pub(super) error: Option<JanusError>,
    pub(super) reason: Option<String>,
}

/// A created session or handle.
#[derive(Debug, Deserialize)]
pub(super) struct Created {
    pub(super) id: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct PluginData {
    pub(super) data: VideoRoom,
}

/// A session description.
#[derive(Debug, Deserialize)]
pub(super) struct Jsep {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) sdp: String,
}

/// An address of the server.
#[derive(Debug, Deserialize)]
pub(super) struct Candidate {
    #[serde(default)]
    pub(super) candidate: String,
    #[serde(default, rename = "sdpMLineIndex")]
    pub(super) media_index: u32,
}

#[derive(Debug, Deserialize)]
pub(super) struct JanusError {
    pub(super) code: i64,
    #[serde(default)]
    pub(super) reason: String,
}

/// A message of the plugin VideoRoom.
#[derive(Debug, Default, Deserialize)]
pub(super) struct VideoRoom {
    /// The kind of event.
    #[serde(default)]
    pub(super) videoroom: String,
    /// Participants that publish now, in addition to earlier ones or with other streams.
    #[serde(default)]
    pub(super) publishers: Vec<Publisher>,
    /// Participant that left; `"ok"` for this member.
    pub(super) leaving: Option<Id>,
    /// Participant that no longer publishes; `"ok"` for this member.
    pub(super) unpublished: Option<Id>,
    /// Participant that was removed.
    pub(super) kicked: Option<Id>,
    /// Proof for subscriptions that they are of this member.
    pub(super) private_id: Option<u64>,
    pub(super) reason: Option<String>,
    pub(super) error: Option<String>,
    pub(super) error_code: Option<i64>,
}

/// A participant that publishes.
#[derive(Debug, Deserialize)]
pub(super) struct Publisher {
    pub(super) id: Id,
    #[serde(default)]
    pub(super) display: String,
    #[serde(default)]
    pub(super) streams: Vec<Stream>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Stream {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    mid: String,
    #[serde(default)]
    disabled: bool,
}

impl Publisher {
    /// Returns the id of the first video that is sent; `None` if there is none.
    pub(super) fn video(&self) -> Option<&str> {
        let mut streams = self.streams.iter();
        let video = streams.find(|stream| stream.kind == "video" && !stream.disabled);
        video.map(|stream| stream.mid.as_str())
    }
}

/// The server refused a request.
#[derive(Debug)]
pub(super) enum Refusal {
    NoRoom,
    WrongPin(String),
    /// The API secret or the token is missing or wrong.
    Unauthorized(String),
    Other(String),
}

impl Message {
    /// Parses a message; `None` if it is not one of Janus.
    pub(super) fn parse(text: &str) -> Option<Self> {
        // Two steps, so that an unknown plugin's data or a strange field is no error.
        let value: Value = serde_json::from_str(text).ok()?;
        serde_json::from_value(value).ok()
    }

    /// Returns the message of VideoRoom in this one.
    pub(super) fn video_room(&self) -> Option<&VideoRoom> {
        self.plugindata.as_ref().map(|plugin| &plugin.data)
    }

    /// Returns why the request was refused; `None` if it was not.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        let (code, reason) = match (&self.error, self.video_room()) {
            (Some(error), _) => (error.code, error.reason.clone()),
            (None, Some(room)) => (room.error_code?, room.error.clone().unwrap_or_default()),
            (None, None) => return None,
        };
        Some(match code {
            NO_SUCH_ROOM => Refusal::NoRoom,
            WRONG_PIN => Refusal::WrongPin(reason),
            MISSING_ELEMENT if reason.contains("(pin)") => Refusal::WrongPin(reason),
            UNAUTHORIZED => Refusal::Unauthorized(reason),
            _ => Refusal::Other(format!("{reason} (error {code})")),
        })
    }
}

/// Describes why there is no session description in a response.
pub(super) fn describe_refusal(refusal: Option<Refusal>) -> String {
    match refusal {
        Some(Refusal::NoRoom) => "there is no such room".to_owned(),
        Some(
            Refusal::WrongPin(reason) | Refusal::Unauthorized(reason) | Refusal::Other(reason),
        ) => reason,
        None => "no session description in the response".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn publishers_are_read_with_numbers_and_text_as_ids() {
        let text = r#"{"janus":"event","sender":7,"session_id":1,"plugindata":{"plugin":"janus.plugin.videoroom","data":{
            "videoroom":"joined","room":42,"id":1,"private_id":2,"publishers":[
            {"id":3,"display":"alice","streams":[{"type":"audio","mid":"0"},{"type":"video","mid":"1","codec":"vp8"}]},
            {"id":"bob","streams":[{"type":"video","mid":"0","disabled":true}]}]}}}"#;
        let message = Message::parse(text).unwrap();
        let room = message.video_room().unwrap();
        let [alice, bob] = &room.publishers[..] else {
            panic!("{room:?}")
        };
        assert_eq!(alice.id, Id::Number(3));
        assert_eq!(alice.video(), Some("1"));
        assert_eq!(bob.id, Id::Text("bob".to_owned()));
        assert_eq!(bob.video(), None);
        assert!(message.refusal().is_none());
    }

    #[test]
    fn refusals_of_server_and_plugin_are_told_apart() {
        let refusal = |text: &str| Message::parse(text).unwrap().refusal();
        assert!(matches!(
            refusal(r#"{"janus":"error","error":{"code":403,"reason":"Unauthorized request"}}"#),
            Some(Refusal::Unauthorized(_))
        ));
        let plugin = |code| {
            refusal(&format!(
                r#"{{"janus":"event","plugindata":{{"data":{{"videoroom":"event","error_code":{code},"error":"x"}}}}}}"#
            ))
        };
        assert!(matches!(plugin(426), Some(Refusal::NoRoom)));
        assert!(matches!(plugin(433), Some(Refusal::WrongPin(_))));
        assert!(matches!(plugin(499), Some(Refusal::Other(reason)) if reason == "x (error 499)"));
    }

    #[test]
    fn other_text_is_no_message() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"janus":1}"#,
            r#"{"janus":"event","sender":-1}"#,
        ] {
            assert!(Message::parse(text).is_none(), "{text}");
        }
    }
}
