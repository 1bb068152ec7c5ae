// SPDX-License-Identifier: MPL-2.0

//! Attaches the faces to pixelate to the frames, from the file in which the first pass of `--blur` wrote
//! them.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Lines};
use std::path::Path;
use std::sync::Mutex;

use attitude::sync::lock;
use gst::prelude::*;
use gst_video::VideoRegionOfInterestMeta;

use crate::worker::message::HiddenFaces;

/// Type of the regions of interest.
pub(super) const TYPE: &str = "hidden-face";

/// Attaches the faces in the file at `path` to the frames at the source pad `pad`. A frame without its
/// faces does not pass: if the file cannot be read, an error is posted.
///
/// # Errors
/// Returns an error if the file cannot be opened.
pub(super) fn attach(pad: &gst::Pad, path: &Path) -> Result<(), glib::BoolError> {
    let file = File::open(path)
        .map_err(|error| glib::bool_error!("cannot open {}: {error}", path.display()))?;
    let faces = Mutex::new(FacesByTime {
        lines: BufReader::new(file).lines(),
        next: None,
    });
    pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        let Some(buffer) = info.buffer_mut() else {
            return gst::PadProbeReturn::Ok;
        };
        let Some(pts) = buffer.pts() else {
            return gst::PadProbeReturn::Ok;
        };
        match lock(&faces).at(pts.nseconds()) {
            Ok(boxes) => {
                let buffer = buffer.make_mut();
                for bbox in boxes {
                    add_region(buffer, bbox);
                }
                gst::PadProbeReturn::Ok
            }
            Err(error) => {
                if let Some(element) = pad.parent_element() {
                    gst::element_error!(
                        element,
                        gst::ResourceError::Read,
                        ("cannot read the faces to hide: {error}")
                    );
                }
                gst::PadProbeReturn::Drop
            }
        }
    });
    Ok(())
}

/// Reads the faces of frames in the order of their times.
struct FacesByTime {
    lines: Lines<BufReader<File>>,
    /// The next frame with faces.
    next: Option<HiddenFaces>,
}

impl FacesByTime {
    /// Returns the boxes of the frame with this timestamp, which is not before that of the last call.
    fn at(&mut self, pts_ns: u64) -> io::Result<Vec<[f32; 4]>> {
        while self.next.as_ref().is_none_or(|next| next.pts_ns < pts_ns) {
            let Some(line) = self.lines.next() else {
                return Ok(Vec::new());
            };
            self.next = Some(serde_json::from_str(&line?)?);
        }
        let is_current = |next: &mut HiddenFaces| next.pts_ns == pts_ns;
        Ok(self
            .next
            .take_if(is_current)
            .map_or_else(Vec::new, |next| next.boxes))
    }
}

/// Attaches the region of a box, which may extend beyond the frame to the left and the top.
fn add_region(buffer: &mut gst::BufferRef, [x, y, w, h]: [f32; 4]) {
    let [left, top] = [x, y].map(|edge| edge.max(0.0).floor() as u32);
    let [right, bottom] = [x + w, y + h].map(|edge| edge.max(0.0).ceil() as u32);
    let size = (right.saturating_sub(left), bottom.saturating_sub(top));
    if size.0 > 0 && size.1 > 0 {
        VideoRegionOfInterestMeta::add(buffer, TYPE, (left, top, size.0, size.1));
    }
}
