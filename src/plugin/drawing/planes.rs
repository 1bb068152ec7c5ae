// SPDX-License-Identifier: MPL-2.0

//! Whether a mapped frame holds what it promises.

use gst_video::prelude::*;
use gst_video::{VideoFrameRef, VideoInfo};

use crate::video::plane_bytes;
use attitude::frame::FrameError;

/// 256 colours of four bytes.
const PALETTE_BYTES: u64 = 256 * 4;

/// Checks that the mapped planes of `frame`, of any raw format, hold the pixels that its format,
/// size and strides promise. A `GstVideoMeta` says where the planes lie, and may lie.
///
/// # Errors
/// Where a plane is too short or stored upside down, or where the frame has no pixels.
pub fn check_planes(frame: &VideoFrameRef<&gst::BufferRef>) -> Result<(), FrameError> {
    let format = frame.format_info();
    let (width, height) = (frame.width(), frame.height());
    // GStreamer's functions for packed chroma handle whole samples of it, for which its own rows
    // of an odd width may be too short.
    let sample_px = 1 << format.w_sub().iter().copied().max().unwrap_or(0);
    let standard = width
        .checked_next_multiple_of(sample_px)
        .and_then(|width| {
            VideoInfo::builder(frame.format(), width, height)
                .build()
                .ok()
        })
        .filter(|_| width > 0 && height > 0)
        .ok_or(FrameError::Empty {
            width: width as usize,
            height: height as usize,
        })?;
    for plane in 0..frame.n_planes() as usize {
        let stride = u32::try_from(frame.plane_stride()[plane])
            .map_err(|_| FrameError::UpsideDown { plane })?;
        let needed = bytes_needed(&standard, width, plane, stride);
        let found = plane_bytes(frame, plane).len();
        if (found as u64) < needed {
            let needed = usize::try_from(needed).unwrap_or(usize::MAX);
            return Err(FrameError::ShortPlane {
                plane,
                found,
                needed,
            });
        }
    }
    Ok(())
}

/// The bytes that a plane of that `stride` needs in frames of that width, where GStreamer would lay
/// it out as in `standard`.
fn bytes_needed(standard: &VideoInfo, width: u32, plane: usize, stride: u32) -> u64 {
    let format = standard.format_info();
    if format.is_tiled() {
        bytes_of_tiles(standard, plane, stride)
    } else if format.has_palette() && plane == 1 {
        PALETTE_BYTES
    } else {
        (0..format.n_components() as u8)
            .filter(|&component| format.plane()[usize::from(component)] as usize == plane)
            .map(|component| bytes_of_rows(standard, width, component, stride))
            .max()
            .unwrap_or(0)
    }
}

fn bytes_of_rows(standard: &VideoInfo, width: u32, component: u8, stride: u32) -> u64 {
    let format = standard.format_info();
    let row = match format.pixel_stride()[usize::from(component)] {
        // Pixels share bytes; GStreamer's own rows end with a whole group of them.
        0 => standard.comp_stride(component) as u64,
        bytes => u64::from(format.scale_width(component, width)) * bytes as u64,
    };
    let rows = u64::from(format.scale_height(component, standard.height()));
    rows.saturating_sub(1) * u64::from(stride).max(row) + row
}

/// The stride of tiles is how many there are in either direction.
fn bytes_of_tiles(standard: &VideoInfo, plane: usize, stride: u32) -> u64 {
    let tiles = |stride: u32| (u64::from(stride & 0xFFFF), u64::from(stride >> 16));
    let (columns, rows) = tiles(stride);
    let (least_columns, least_rows) = tiles(standard.stride()[plane] as u32);
    let starts = standard.offset();
    let end = starts.get(plane + 1).copied().unwrap_or(standard.size());
    let tile = (end - starts[plane]) as u64 / (least_columns * least_rows).max(1);
    columns.max(least_columns) * rows.max(least_rows) * tile
}
