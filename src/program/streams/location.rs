// SPDX-License-Identifier: MPL-2.0

//! The location of a source: a file, URI or camera, and the elements that read it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use gst::prelude::*;

/// Time to wait for lost packets of a stream; other packets are not delayed.
const LATENCY_MS: u32 = 200;
/// Frame rate that is requested of cameras.
const FRAMES_PER_SECOND: i32 = 30;
/// Location of a source's video.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    address: Address,
    name: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Address {
    Uri(String),
    Camera(String),
    /// A file that describes RTP streams.
    SessionDescription(PathBuf),
}

/// The source cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LocationError {
    #[error("cannot use {name}")]
    Uri {
        name: String,
        #[source]
        error: glib::Error,
    },
    #[error("cannot open {0}")]
    Open(PathBuf, #[source] io::Error),
    #[error("cannot open {0}: the name is not valid UTF-8")]
    NotText(PathBuf),
    #[error("cannot open {0}: it is neither a file nor a camera")]
    Kind(PathBuf),
}

impl LocationError {
    /// Returns `true` if the location can never be used; otherwise it may exist later.
    pub(crate) fn is_permanent(&self) -> bool {
        matches!(self, Self::Uri { .. } | Self::NotText(_))
    }
}

impl Location {
    /// Returns the [name](Self::name) of a location that may not exist.
    pub(crate) fn name_of(text: &str) -> String {
        let path = Path::new(text);
        match path.file_name() {
            Some(name) if !text.contains("://") => name.to_string_lossy().into_owned(),
            _ => without_secrets(text),
        }
    }

    /// Parses a file name, URI or device and checks what can be checked without opening a stream or
    /// camera.
    pub(crate) fn parse(text: &str) -> Result<Self, LocationError> {
        if text.contains("://") && !text.starts_with("file://") {
            let name = without_secrets(text);
            gst::Element::make_from_uri(gst::URIType::Src, text, None).map_err(|error| {
                LocationError::Uri {
                    name: name.clone(),
                    error,
                }
            })?;
            return Ok(Self::new(Address::Uri(text.to_owned()), name));
        }
        let path = match text.starts_with("file://") {
            true => {
                let path = glib::filename_from_uri(text);
                let uri = |error| LocationError::Uri {
                    name: text.to_owned(),
                    error,
                };
                path.map_err(uri)?.0
            }
            false => text.into(),
        };
        Self::from_path(&path)
    }

    fn from_path(path: &Path) -> Result<Self, LocationError> {
        let open = |error| LocationError::Open(path.into(), error);
        let metadata = path.metadata().map_err(open)?;
        let name = path.file_name().unwrap_or(path.as_os_str());
        let name = name.to_string_lossy().into_owned();
        let kind = metadata.file_type();
        if kind.is_char_device() {
            let device = path.to_str();
            let device = device.ok_or_else(|| LocationError::NotText(path.into()))?;
            return Ok(Self::new(Address::Camera(device.to_owned()), name));
        }
        if !kind.is_file() {
            return Err(LocationError::Kind(path.into()));
        }
        File::open(path).map_err(open)?;
        if path.extension().is_some_and(|extension| extension == "sdp") {
            return Ok(Self::new(
                Address::SessionDescription(path.to_owned()),
                name,
            ));
        }
        let absolute = std::path::absolute(path).map_err(open)?;
        let uri = glib::filename_to_uri(absolute, None);
        let uri = uri.map_err(|error| LocationError::Uri {
            name: name.clone(),
            error,
        })?;
        Ok(Self::new(Address::Uri(uri.into()), name))
    }

    fn new(address: Address, name: String) -> Self {
        Self { address, name }
    }

    /// Returns the name for people: the file name, or the URI without secrets.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns true if this is a file of this machine.
    pub(crate) fn is_file(&self) -> bool {
        matches!(&self.address, Address::Uri(uri) if uri.starts_with("file:"))
    }

    /// Returns `true` if this is a stream of an RTSP server.
    pub(crate) fn is_rtsp(&self) -> bool {
        matches!(&self.address, Address::Uri(uri) if uri.starts_with("rtsp"))
    }

    /// Returns `true` if the address contains a user name and password.
    pub(crate) fn contains_password(&self) -> bool {
        let Address::Uri(uri) = &self.address else {
            return false;
        };
        let authority = uri.split_once("://").map(|(_, rest)| rest);
        let authority = authority.and_then(|rest| rest.rsplit_once('@'));
        authority.is_some_and(|(user, _)| user.contains(':'))
    }

    /// Adds the elements that read the source to `pipeline`; asks a camera for frames of `size`.
    /// Returns the element that adds a pad for the video: raw or, of a URI, with any of `caps`.
    pub(crate) fn add_to(
        &self,
        pipeline: &gst::Pipeline,
        caps: &str,
        size: (u32, u32),
    ) -> Result<gst::Element, glib::BoolError> {
        match &self.address {
            Address::Uri(uri) => {
                let decode = gst::ElementFactory::make("uridecodebin")
                    .property("uri", uri)
                    .property("caps", caps.parse::<gst::Caps>()?)
                    .property("expose-all-streams", false)
                    .build()?;
                decode.connect("source-setup", false, |values| {
                    if let Some(Ok(source)) = values.get(1).map(glib::Value::get::<gst::Element>) {
                        set_up(&source);
                    }
                    None
                });
                pipeline.add(&decode)?;
                Ok(decode)
            }
            Address::Camera(device) => {
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
            // In `uridecodebin`, the live elements for RTP would wait for each other forever.
            Address::SessionDescription(path) => {
                let source = gst::ElementFactory::make("filesrc")
                    .property("location", path)
                    .build()?;
                let demux = gst::ElementFactory::make("sdpdemux")
                    .property("latency", LATENCY_MS)
                    .build()?;
                let decode = gst::ElementFactory::make("decodebin").build()?;
                pipeline.add_many([&source, &demux, &decode])?;
                source.link(&demux)?;
                let input = decode.static_pad("sink");
                let input = input.ok_or_else(|| glib::bool_error!("decodebin has no sink pad"))?;
                let input = input.downgrade();
                demux.connect_pad_added(move |_, pad| {
                    let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
                    let media = caps
                        .structure(0)
                        .and_then(|caps| caps.get::<&str>("media").ok());
                    if media == Some("video")
                        && let Some(input) = input.upgrade()
                        && !input.is_linked()
                    {
                        // If this fails, the demuxer posts an error: its pad is not linked.
                        let _ = pad.link(&input);
                    }
                });
                Ok(decode)
            }
        }
    }

    /// Returns a sentence about an error that the pipeline posted, without secrets.
    pub(crate) fn problem(&self, error: &glib::Error, debug: Option<&str>) -> String {
        let text = match error.kind::<gst::ResourceError>() {
            Some(gst::ResourceError::NotFound) => "it does not exist",
            Some(gst::ResourceError::NotAuthorized) => {
                "it requires a user name and password, or different ones"
            }
            Some(gst::ResourceError::Busy) => "another program uses it",
            Some(gst::ResourceError::OpenRead | gst::ResourceError::OpenReadWrite) => {
                "it cannot be opened, or does not respond"
            }
            Some(gst::ResourceError::Read) => "reading failed",
            _ => match error.kind::<gst::StreamError>() {
                // Its message is for developers.
                Some(gst::StreamError::Failed) => "it cannot be read, or is damaged",
                _ => error.message().trim_end_matches('.'),
            },
        };
        // The first line is the position in GStreamer's source code.
        let details = debug.and_then(|debug| debug.split_once('\n'));
        let details = details.map(|(_, details)| details.trim());
        let details = details.and_then(|details| match details.split_once(":\n") {
            Some((list, items)) => Some(format!("{list}: {}", items.lines().next()?)),
            None => details.lines().next().map(str::to_owned),
        });
        let text = match details {
            Some(details) if !error.matches(gst::StreamError::Failed) => {
                format!("{text} ({details})")
            }
            _ => text.to_owned(),
        };
        let text = match &self.address {
            Address::Uri(uri) => text.replace(uri.as_str(), &self.name),
            Address::Camera(device) => text.replace(device.as_str(), &self.name),
            Address::SessionDescription(_) => text,
        };
        format!("{}: {text}", self.name)
    }
}

/// Sets the properties of the element that reads a URI.
fn set_up(source: &gst::Element) {
    let factory = source.factory();
    match factory.as_ref().map(|factory| factory.name()).as_deref() {
        Some("rtspsrc") => {
            source.set_property("latency", LATENCY_MS);
            source.set_property("add-reference-timestamp-meta", true);
        }
        Some("rtpsrc") => source.set_property("latency", LATENCY_MS),
        _ => (),
    }
}

/// Returns caps that prefer frames of `size`, and accept all others.
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

/// Returns a URI without user, password and query.
fn without_secrets(uri: &str) -> String {
    let uri = uri.split(['?', '#']).next().unwrap_or(uri);
    match uri.split_once("://") {
        // Up to the last @: passwords may contain a slash that should have been escaped.
        Some((scheme, rest)) => {
            let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
            format!("{scheme}://{host}")
        }
        None => uri.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_contain_no_secrets() {
        for (uri, name) in [
            ("rtsp://camera/stream", "rtsp://camera/stream"),
            (
                "rtsp://user:pass@camera:554/a?token=b",
                "rtsp://camera:554/a",
            ),
            ("rtsp://user:p/a@s@camera/a#b", "rtsp://camera/a"),
        ] {
            assert_eq!(without_secrets(uri), name);
        }
    }

    #[test]
    fn passwords_are_noticed() {
        for (uri, expected) in [
            ("rtsp://camera:554/stream", false),
            ("rtsp://user@camera/stream", false),
            ("rtsp://user:pass@camera/stream", true),
        ] {
            let location = Location::new(Address::Uri(uri.to_owned()), String::new());
            assert_eq!(location.contains_password(), expected, "{uri}");
        }
    }
}
