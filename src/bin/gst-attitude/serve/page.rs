// SPDX-License-Identifier: MPL-2.0

//! The page's files, which are part of the program.

/// A file of the page.
pub struct File {
    pub name: &'static str,
    pub media_type: &'static str,
    pub content: &'static str,
}

/// The page itself.
pub const INDEX: File = File {
    name: "index.html",
    media_type: "text/html; charset=utf-8",
    content: include_str!("page/index.html"),
};

macro_rules! files {
    ($($name:literal: $media_type:expr,)*) => {
        &[$(File {
            name: $name,
            media_type: $media_type,
            content: include_str!(concat!("page/", $name)),
        },)*]
    };
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// What it takes from its folder.
pub const FILES: &[File] = files! {
    "attitudes.js": SCRIPT,
    "camera.js": SCRIPT,
    "connection.js": SCRIPT,
    "downloads.js": SCRIPT,
    "faces.js": SCRIPT,
    "facts.js": SCRIPT,
    "frames.js": SCRIPT,
    "history.js": SCRIPT,
    "main.js": SCRIPT,
    "notes.js": SCRIPT,
    "peer.js": SCRIPT,
    "server.js": SCRIPT,
    "session.js": SCRIPT,
    "stage.js": SCRIPT,
    "states.js": SCRIPT,
    "style.css": STYLE,
    "text.js": SCRIPT,
    "timeline.js": SCRIPT,
};
