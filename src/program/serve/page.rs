// SPDX-License-Identifier: MPL-2.0

//! The page's files, which are part of the program.

use std::borrow::Cow;
use std::sync::LazyLock;

use crate::look;

/// A file of the page.
pub struct File {
    pub name: &'static str,
    pub media_type: &'static str,
    pub content: Cow<'static, str>,
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

macro_rules! file {
    ($name:literal, $media_type:expr) => {
        File {
            name: $name,
            media_type: $media_type,
            content: Cow::Borrowed(include_str!(concat!("page/", $name))),
        }
    };
}

/// The page itself.
pub const INDEX: File = file!("index.html", "text/html; charset=utf-8");

/// What it takes from `/page/`.
pub static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
    let look = File {
        name: "look.css",
        media_type: STYLE,
        content: look::style().into(),
    };
    vec![
        look,
        file!("attitudes.js", SCRIPT),
        file!("camera.js", SCRIPT),
        file!("connection.js", SCRIPT),
        file!("downloads.js", SCRIPT),
        file!("faces.js", SCRIPT),
        file!("facts.js", SCRIPT),
        file!("frames.js", SCRIPT),
        file!("history.js", SCRIPT),
        file!("main.js", SCRIPT),
        file!("notes.js", SCRIPT),
        file!("peer.js", SCRIPT),
        file!("server.js", SCRIPT),
        file!("session.js", SCRIPT),
        file!("stage.js", SCRIPT),
        file!("states.js", SCRIPT),
        file!("style.css", STYLE),
        file!("text.js", SCRIPT),
        file!("timeline.js", SCRIPT),
    ]
});
