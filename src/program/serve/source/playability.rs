// SPDX-License-Identifier: MPL-2.0

//! What browsers play of the source without transcoding.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::streams::Location;

/// Caps that browsers play without transcoding: H.264 of these profiles has no B-frames.
const PLAYABLE: &str = "video/x-raw(ANY); video/x-vp8; video/x-vp9, profile=(string)0; \
    video/x-h264, profile=(string){ constrained-baseline, baseline }";
/// Caps of live streams that browsers play, unless their H.264 has B-frames: see
/// [`Playability::transcode`].
const PLAYABLE_LIVE: &str = "video/x-raw(ANY); video/x-vp8; video/x-vp9; video/x-h264";
/// Caps if all video is decoded.
const RAW: &str = "video/x-raw(ANY)";

/// Remembers, across readings, whether browsers play the video unchanged.
#[derive(Debug, Default)]
pub(crate) struct Playability {
    /// Set once it has turned out that they do not.
    is_transcoded: AtomicBool,
}

impl Playability {
    /// Transcodes the video from the next reading on.
    pub(crate) fn transcode(&self) {
        self.is_transcoded.store(true, Ordering::Relaxed);
    }

    /// Returns `true` if the next reading transcodes the video.
    pub(crate) fn is_transcoded(&self) -> bool {
        self.is_transcoded.load(Ordering::Relaxed)
    }

    /// Returns the caps of the video at `location` that are not decoded.
    pub(crate) fn caps(&self, location: &Location) -> &'static str {
        match (self.is_transcoded(), location.is_rtsp()) {
            (true, _) => RAW,
            (false, true) => PLAYABLE_LIVE,
            (false, false) => PLAYABLE,
        }
    }
}
