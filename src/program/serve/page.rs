// SPDX-License-Identifier: MPL-2.0

//! The files of the page, which are embedded in the program.

use std::borrow::Cow;
use std::sync::LazyLock;

use crate::style;

/// A file of the page.
pub(crate) struct File {
    pub(crate) name: &'static str,
    pub(crate) media_type: &'static str,
    pub(crate) content: Cow<'static, str>,
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

/// The document itself.
pub(crate) const INDEX: File = file!("index.html", "text/html; charset=utf-8");

/// The files that the document loads from `/page/`.
pub(crate) static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
    let common_style = File {
        name: "common.css",
        media_type: STYLE,
        content: style::common_style().into(),
    };
    vec![
        common_style,
        file!("attitudes.js", SCRIPT),
        file!("capture.js", SCRIPT),
        file!("connection.js", SCRIPT),
        file!("discard-dialog.js", SCRIPT),
        file!("dom.js", SCRIPT),
        file!("downloads.js", SCRIPT),
        file!("faces.js", SCRIPT),
        file!("frames.js", SCRIPT),
        file!("history.js", SCRIPT),
        file!("layout.css", STYLE),
        file!("main.js", SCRIPT),
        file!("notes.js", SCRIPT),
        file!("page-state.js", SCRIPT),
        file!("page.css", STYLE),
        file!("peer.js", SCRIPT),
        file!("persons.js", SCRIPT),
        file!("recent-timeline.js", SCRIPT),
        file!("results.js", SCRIPT),
        file!("server.js", SCRIPT),
        file!("session-log.js", SCRIPT),
        file!("session-timeline.js", SCRIPT),
        file!("statistics.js", SCRIPT),
        file!("text.js", SCRIPT),
        file!("timeline-canvas.js", SCRIPT),
        file!("trend.js", SCRIPT),
        file!("video-view.js", SCRIPT),
    ]
});

#[cfg(test)]
mod tests {
    use super::*;
    use attitude::record::summary::MIN_SCENE_CONFIDENCE;

    #[test]
    fn the_attitude_of_the_scene_has_the_minimum_confidence_of_a_report() {
        let script = FILES.iter().find(|file| file.name == "attitudes.js");
        let constant = format!("const MIN_SCENE_CONFIDENCE = {MIN_SCENE_CONFIDENCE};");
        assert!(script.unwrap().content.contains(&constant), "{constant}");
    }
}
