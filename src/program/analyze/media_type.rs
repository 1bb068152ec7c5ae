// SPDX-License-Identifier: MPL-2.0

//! Distinguishes videos from other files, by their content and their names.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Number of bytes by which the type of a file is detected, as in GStreamer's element `typefind`.
const HEAD_BYTES: u64 = 128 * 1024;

/// Media types of video that do not begin with `video/`.
const CONTAINERS: [&str; 9] = [
    "application/dash+xml",
    "application/gxf",
    "application/mxf",
    "application/ogg",
    "application/vnd.rn-realmedia",
    "application/x-3gp",
    "application/x-hls",
    "application/x-yuv4mpeg",
    "image/gif",
];

/// Start of the media types of containers that only FFmpeg demuxes, such as NUT. Those that have
/// sound only are ignored later, as they have no video.
const FFMPEG_CONTAINER: &str = "application/x-gst-av-";

/// Extensions of streams of JPEG pictures, whose content looks like a single one.
const JPEG_STREAMS: [&str; 2] = ["mjpeg", "mjpg"];

/// Returns the reason why a file is not video; `None` if its content or its name is that of video,
/// so that a damaged video is not ignored.
///
/// # Errors
/// Returns an error if the file cannot be read.
pub(super) fn reason_to_ignore(path: &Path) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD_BYTES).read_to_end(&mut head)?;
    let extension = path.extension().and_then(|extension| extension.to_str());
    let found = media_type(&head);
    if found.as_deref().is_some_and(is_video) || extension.is_some_and(is_video_extension) {
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
    media_type.starts_with("video/")
        || media_type.starts_with(FFMPEG_CONTAINER)
        || CONTAINERS.contains(&media_type)
}

/// Returns `true` if GStreamer expects video in files with this extension.
fn is_video_extension(extension: &str) -> bool {
    if JPEG_STREAMS
        .iter()
        .any(|stream| extension.eq_ignore_ascii_case(stream))
    {
        return true;
    }
    gst::TypeFindFactory::factories().iter().any(|factory| {
        let extensions = factory.extensions();
        let has_extension = extensions
            .iter()
            .any(|expected| expected.eq_ignore_ascii_case(extension));
        let is_video = factory
            .caps()
            .and_then(|caps| Some(caps.structure(0)?.name().starts_with("video/")));
        has_extension && is_video == Some(true)
    })
}
