// SPDX-License-Identifier: MPL-2.0

//! An overlay onto the pixels of a frame.
//!
//! `gst_video_overlay_composition_blend` converts each row that a rectangle touches over the whole
//! width of the frame, which for the upright lines of a box is a hundred times what is drawn. Here
//! each rectangle is blended by `gst_video_blend` into the part of the frame around it alone.

use gst_video::prelude::*;
use gst_video::{VideoFlags, VideoFrameRef, VideoInfo, ffi};
use gst_video::{VideoOverlayComposition, VideoOverlayFormatFlags, VideoOverlayRectangle};

use super::part::{Area, Part};
use super::planes::check_planes;
use super::sprite::FORMAT;

/// Draws `composition`, which a [`Renderer`](super::Renderer) made for frames of this size, onto
/// `frame` of any raw format. The pixels are those that GStreamer's own blending gives.
///
/// # Errors
/// Where the frame's planes are shorter than they promise, or where GStreamer cannot map a picture
/// or blend it.
pub fn blend(
    composition: &VideoOverlayComposition,
    frame: &mut VideoFrameRef<&mut gst::BufferRef>,
) -> Result<(), glib::BoolError> {
    check_planes(frame).map_err(|error| glib::bool_error!("{error}"))?;
    composition
        .iter()
        .try_for_each(|rectangle| blend_rectangle(&rectangle, frame))
}

fn blend_rectangle(
    rectangle: &VideoOverlayRectangle,
    frame: &mut VideoFrameRef<&mut gst::BufferRef>,
) -> Result<(), glib::BoolError> {
    let (x, y, width, height) = rectangle.render_rectangle();
    let pixels = rectangle.pixels_unscaled_raw(VideoOverlayFormatFlags::PREMULTIPLIED_ALPHA);
    let info = VideoInfo::builder(FORMAT, width, height)
        .flags(VideoFlags::PREMULTIPLIED_ALPHA)
        .build()?;
    let picture = VideoFrameRef::from_buffer_ref_readable(&pixels, &info)?;
    let (right, bottom) = (
        x.saturating_add_unsigned(width),
        y.saturating_add_unsigned(height),
    );
    let area = Area::around([x, y, right, bottom], frame)
        .ok_or_else(|| glib::bool_error!("the picture lies beside the frame"))?;
    let mut part = Part::new(frame, area);
    let (x, y) = (x - part.area.columns.start, y - part.area.rows.start);

    // SAFETY: The part's planes hold its pixels, as the frame's were checked, and are borrowed for
    // writing; `source` describes the whole of `picture`, which stays mapped.
    let is_blended = unsafe {
        let mut source = *picture.as_ptr();
        ffi::gst_video_blend(part.as_mut_ptr(), &mut source, x, y, 1.0) != glib::ffi::GFALSE
    };
    if is_blended {
        Ok(())
    } else {
        Err(glib::bool_error!("GStreamer does not blend it"))
    }
}
