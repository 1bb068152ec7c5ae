// SPDX-License-Identifier: MPL-2.0

//! What SOURCE is, and what reads it.

use std::fs::File;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use gst::prelude::*;

/// How long lost packets of a stream are waited for; packets that are there are not held up.
const LATENCY_MS: u32 = 200;
/// What cameras are asked for in a second.
const FRAMES_PER_SECOND: i32 = 30;
/// What a browser takes as it is: H.264 of these profiles has no frames that lean on later ones.
const PASSED: &str = "video/x-raw(ANY); video/x-vp8; video/x-vp9, profile=(string)0; \
    video/x-h264, profile=(string){ constrained-baseline, baseline }";
/// The same of a live stream.
const PASSED_LIVE: &str = "video/x-raw(ANY); video/x-vp8; video/x-vp9; video/x-h264";
/// What is decoded.
const DECODED: &str = "video/x-raw(ANY)";

/// A video to show.
#[derive(Debug)]
pub struct Input {
    place: Place,
    name: String,
    /// Whether it has proved to be what browsers do not take.
    is_decoded: AtomicBool,
}

#[derive(Debug)]
enum Place {
    Uri(String),
    Camera(String),
}

impl Input {
    /// What is written on the command line, as far as can be told without opening it.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.contains("://") && !text.starts_with("file://") {
            let name = without_secrets(text);
            gst::Element::make_from_uri(gst::URIType::Src, text, None)
                .map_err(|error| format!("{name}: {}", error.message()))?;
            let place = Place::Uri(text.to_owned());
            return Ok(Self::at(place, name));
        }
        let path = match text.starts_with("file://") {
            true => {
                let path = glib::filename_from_uri(text);
                path.map_err(|error| format!("{text}: {}", error.message()))?
                    .0
            }
            false => text.into(),
        };
        Self::of_path(&path).map_err(|problem| format!("{}: {problem}", path.display()))
    }

    fn of_path(path: &Path) -> Result<Self, String> {
        let metadata = path.metadata().map_err(|error| error.to_string())?;
        let name = path.file_name().unwrap_or(path.as_os_str());
        let name = name.to_string_lossy().into_owned();
        let kind = metadata.file_type();
        if kind.is_char_device() {
            let path = path.to_str().ok_or("its name is not text")?;
            let place = Place::Camera(path.to_owned());
            return Ok(Self::at(place, name));
        }
        if !kind.is_file() {
            return Err("it is neither a file nor a camera".to_owned());
        }
        File::open(path).map_err(|error| error.to_string())?;
        let absolute = std::path::absolute(path).map_err(|error| error.to_string())?;
        let uri = glib::filename_to_uri(absolute, None);
        let uri = uri.map_err(|error| error.message().to_owned())?;
        let place = Place::Uri(uri.into());
        Ok(Self::at(place, name))
    }

    fn at(place: Place, name: String) -> Self {
        Self {
            place,
            name,
            is_decoded: AtomicBool::new(false),
        }
    }

    /// What visitors may know of it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Has it decoded from the next reading on.
    pub fn decode(&self) {
        self.is_decoded.store(true, Ordering::Relaxed);
    }

    /// Whether it is decoded from the next reading on.
    pub fn is_decoded(&self) -> bool {
        self.is_decoded.load(Ordering::Relaxed)
    }

    /// Adds to `pipeline` what reads it; a camera is asked for pictures of `size`. Returns the element
    /// that adds a pad for its video, raw or as browsers take it.
    pub fn add_to(
        &self,
        pipeline: &gst::Pipeline,
        size: (u32, u32),
    ) -> Result<gst::Element, glib::BoolError> {
        match &self.place {
            Place::Uri(uri) => {
                let is_live = uri.starts_with("rtsp");
                let passed = match (self.is_decoded(), is_live) {
                    (true, _) => DECODED,
                    (false, true) => PASSED_LIVE,
                    (false, false) => PASSED,
                };
                let decode = gst::ElementFactory::make("uridecodebin")
                    .property("uri", uri)
                    .property("caps", passed.parse::<gst::Caps>()?)
                    .property("expose-all-streams", false)
                    .build()?;
                decode.connect("source-setup", false, |values| {
                    if let Some(Ok(source)) = values.get(1).map(glib::Value::get::<gst::Element>)
                        && source
                            .factory()
                            .is_some_and(|factory| factory.name() == "rtspsrc")
                    {
                        source.set_property("latency", LATENCY_MS);
                        source.set_property("add-reference-timestamp-meta", true);
                    }
                    None
                });
                pipeline.add(&decode)?;
                Ok(decode)
            }
            Place::Camera(device) => {
                let source = gst::ElementFactory::make("v4l2src")
                    .property("device", device)
                    .build()?;
                let filter = gst::ElementFactory::make("capsfilter")
                    .property("caps", camera_caps(size))
                    .build()?;
                let decode = gst::ElementFactory::make("decodebin").build()?;
                pipeline.add_many([&source, &filter, &decode])?;
                gst::Element::link_many([&source, &filter, &decode])?;
                Ok(decode)
            }
        }
    }

    /// What went wrong with it, in a sentence for visitors.
    pub fn problem(&self, error: &glib::Error, debug: Option<&str>) -> String {
        let told = match error.kind::<gst::ResourceError>() {
            Some(gst::ResourceError::NotFound) => "there is no such thing",
            Some(gst::ResourceError::NotAuthorized) => "it wants a user and a password, or others",
            Some(gst::ResourceError::Busy) => "another program uses it",
            Some(gst::ResourceError::OpenRead | gst::ResourceError::OpenReadWrite) => {
                "it cannot be opened, or nobody answers there"
            }
            Some(gst::ResourceError::Read) => "no more can be read from it",
            _ => match error.kind::<gst::StreamError>() {
                // What follows are words of programmers.
                Some(gst::StreamError::Failed) => "it cannot be read, or is damaged",
                _ => error.message().trim_end_matches('.'),
            },
        };
        // After the place in GStreamer's code comes what there is to know.
        let details = debug.and_then(|debug| debug.split_once('\n'));
        let details = details.and_then(|(_, details)| details.trim().lines().next());
        let told = match details {
            Some(details) if !error.matches(gst::StreamError::Failed) => {
                format!("{told} ({details})")
            }
            _ => told.to_owned(),
        };
        let told = match &self.place {
            Place::Uri(uri) => told.replace(uri.as_str(), &self.name),
            Place::Camera(device) => told.replace(device.as_str(), &self.name),
        };
        format!("{}: {told}", self.name)
    }
}

/// Pictures of `size` at best, whatever there is at worst.
fn camera_caps((width, height): (u32, u32)) -> gst::Caps {
    let (width, height) = (width.cast_signed(), height.cast_signed());
    let mut caps = gst::Caps::new_empty();
    for name in ["video/x-raw", "image/jpeg"] {
        caps.merge(
            gst::Caps::builder(name)
                .field("width", width)
                .field("height", height)
                .field("framerate", gst::Fraction::new(FRAMES_PER_SECOND, 1))
                .build(),
        );
    }
    for name in ["video/x-raw", "image/jpeg"] {
        caps.merge(gst::Caps::new_empty_simple(name));
    }
    caps
}

/// An address without user, password and query.
fn without_secrets(uri: &str) -> String {
    let uri = uri.split(['?', '#']).next().unwrap_or(uri);
    match uri.split_once("://") {
        // Passwords may hold a slash where nobody has escaped it.
        Some((scheme, rest)) => {
            let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
            format!("{scheme}://{place}")
        }
        None => uri.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_of_an_address_gives_no_secret_away() {
        for (uri, told) in [
            ("rtsp://camera/stream", "rtsp://camera/stream"),
            (
                "rtsp://user:pass@camera:554/a?token=b",
                "rtsp://camera:554/a",
            ),
            ("rtsp://user:p/a@s@camera/a#b", "rtsp://camera/a"),
        ] {
            assert_eq!(without_secrets(uri), told);
        }
    }
}
