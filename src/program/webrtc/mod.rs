// SPDX-License-Identifier: MPL-2.0

//! Connections by WebRTC: what a `webrtcbin` needs beside the media, for browsers and servers.

pub(crate) mod network;
pub(crate) mod peer;
mod sdp;
pub(crate) mod sdp_answer;
pub(crate) mod sdp_offer;

pub(crate) use sdp::{SdpError, candidate};
