// SPDX-License-Identifier: MPL-2.0

//! Which files are video, by their first bytes and their names.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// As much as GStreamer's own element looks at.
const HEAD_BYTES: u64 = 128 * 1024;

/// Media types of video that do not say so.
const CONTAINERS: [&str; 5] = [
    "application/mxf",
    "application/ogg",
    "application/vnd.rn-realmedia",
    "application/x-3gp",
    "image/gif",
];

/// Why a file is passed over; `None` if it is video, or its name says so: that it cannot be read is
/// to be told.
pub fn no_video(path: &Path) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD_BYTES).read_to_end(&mut head)?;
    let extension = path.extension().and_then(|extension| extension.to_str());
    let found = media_type(&head);
    if found.as_deref().is_some_and(is_video) || extension.is_some_and(is_of_video) {
        return Ok(None);
    }
    Ok(Some(match found {
        Some(media_type) => format!("it is {media_type}"),
        None => "GStreamer does not know its type".to_owned(),
    }))
}

fn media_type(head: &[u8]) -> Option<String> {
    let (caps, _) = gst_base::type_find_helper_for_data(gst::Object::NONE, head).ok()?;
    Some(caps.structure(0)?.name().to_string())
}

fn is_video(media_type: &str) -> bool {
    media_type.starts_with("video/") || CONTAINERS.contains(&media_type)
}

/// Whether GStreamer expects video in files of this name.
fn is_of_video(extension: &str) -> bool {
    gst::TypeFindFactory::factories().iter().any(|factory| {
        let expects = factory.extensions();
        let is_of = expects
            .iter()
            .any(|expected| expected.eq_ignore_ascii_case(extension));
        let is_video = factory
            .caps()
            .and_then(|caps| Some(caps.structure(0)?.name().starts_with("video/")));
        is_of && is_video == Some(true)
    })
}
