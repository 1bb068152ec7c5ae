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

macro_rules! file {
    ($name:literal, $media_type:literal) => {
        File {
            name: $name,
            media_type: $media_type,
            content: include_str!(concat!("page/", $name)),
        }
    };
}

/// What it takes from its folder.
pub const FILES: &[File] = &[file!("main.js", "text/javascript; charset=utf-8")];
