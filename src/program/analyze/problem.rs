// SPDX-License-Identifier: MPL-2.0

//! What GStreamer complains of, in a line for people.

use std::fmt::{self, Display, Formatter};

use gst::message::{Element, Error};

/// What an error says.
pub fn problem(error: &Error) -> String {
    let (text, debug) = (error.error().to_string(), error.debug());
    // The place in GStreamer's code, a line break, and what there is to know.
    let details = debug.as_deref().and_then(|debug| {
        let (_, details) = debug.split_once('\n')?;
        Some(one_line(details))
    });
    match details {
        Some(details) if !details.is_empty() => format!("{} ({details})", one_line(&text)),
        _ => one_line(&text),
    }
}

pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What is not installed.
pub struct Missing {
    name: String,
    packages: &'static str,
    /// Whether it is for sound alone.
    pub is_sound: bool,
}

impl Missing {
    /// What `message` tells of, if it tells of such.
    pub fn of(message: &Element) -> Option<Self> {
        let structure = message.structure()?;
        if structure.name() != "missing-plugin" {
            return None;
        }
        let kind: String = structure.get("type").ok()?;
        let detail: Option<gst::Caps> = structure.get("detail").ok();
        let media_type = detail.and_then(|caps| Some(caps.structure(0)?.name().to_string()));
        Some(Self {
            name: structure.get("name").ok()?,
            packages: match kind.as_str() {
                "decoder" => "gstreamer1.0-libav, gstreamer1.0-plugins-good, -bad or -ugly",
                "urisource" => "gstreamer1.0-plugins-good",
                _ => "gstreamer1.0-plugins-base, -good, -bad or -ugly",
            },
            is_sound: media_type.is_some_and(|media_type| media_type.starts_with("audio/")),
        })
    }
}

impl Display for Missing {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let Self { name, packages, .. } = self;
        write!(f, "GStreamer has no {name}; Debian has it in {packages}")
    }
}
