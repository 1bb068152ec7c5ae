// SPDX-License-Identifier: MPL-2.0

//! Blending of bitmaps into the pixels of a frame.
//!
//! `gst_video_overlay_composition_blend()` converts each row that a rectangle touches over the
//! whole width of the frame, and back. For the vertical lines of a box, this is a hundred times the
//! pixels that are drawn. Therefore the bitmaps are converted instead, once, if [`MaskFormat`]
//! supports the format of the frames. On other frames GStreamer blends, but only into the part of
//! the frame around each bitmap.

use gst_video::prelude::*;
use gst_video::{VideoFlags, VideoFrameRef, VideoInfo, ffi};

use super::bitmap::{Bitmap, FORMAT};
use super::mask::MaskFormat;
use super::part::{Area, Part};
use super::placement::PixelRect;
use super::{RenderError, Surface};
use crate::video::check_planes;
use crate::video::plane_bytes_mut;

/// Blends bitmaps into one frame.
pub(super) struct Canvas<'f, 'b> {
    frame: &'f mut VideoFrameRef<&'b mut gst::BufferRef>,
    mask_format: Option<MaskFormat>,
}

impl<'f, 'b> Canvas<'f, 'b> {
    /// Wraps a frame of any raw format.
    ///
    /// # Errors
    /// Returns an error if a plane of the frame is too short.
    pub(super) fn new(
        frame: &'f mut VideoFrameRef<&'b mut gst::BufferRef>,
    ) -> Result<Self, RenderError> {
        check_planes(frame)?;
        let mask_format = MaskFormat::of(frame.info());
        Ok(Self { frame, mask_format })
    }

    fn blend_by_gstreamer(&mut self, bitmap: &Bitmap, rect: PixelRect) -> Result<(), RenderError> {
        let size = rect.size();
        let info = VideoInfo::builder(FORMAT, size.width_px as u32, size.height_px as u32)
            .flags(VideoFlags::PREMULTIPLIED_ALPHA)
            .build()?;
        let pixels = bitmap.part(size)?;
        let picture = VideoFrameRef::from_buffer_ref_readable(&pixels, &info)?;
        let edges = [rect.left_px, rect.top_px, rect.right_px, rect.bottom_px];
        let area = Area::around(edges, self.frame)
            .ok_or_else(|| glib::bool_error!("the bitmap lies outside the frame"))?;
        let mut part = Part::new(self.frame, area);
        let x = rect.left_px - part.area.columns.start;
        let y = rect.top_px - part.area.rows.start;

        // SAFETY: The planes of the frame were checked, so those of the part hold its pixels; they
        // are borrowed for writing. `source` describes all of `picture`, which stays mapped.
        let is_blended = unsafe {
            let mut source = *picture.as_ptr();
            ffi::gst_video_blend(part.as_mut_ptr(), &mut source, x, y, 1.0) != glib::ffi::GFALSE
        };
        if is_blended {
            Ok(())
        } else {
            Err(glib::bool_error!("gst_video_blend() failed").into())
        }
    }
}

impl Surface for Canvas<'_, '_> {
    /// Blends the bitmap into the frame.
    ///
    /// # Errors
    /// Returns an error if `rect` does not lie in the frame, or GStreamer cannot map or blend the
    /// bitmap.
    fn add(&mut self, bitmap: &mut Bitmap, rect: PixelRect) -> Result<(), RenderError> {
        let Some(format) = self.mask_format else {
            return self.blend_by_gstreamer(bitmap, rect);
        };
        let mask = bitmap.mask(format, rect.position())?;
        for plane in 0..self.frame.n_planes() as usize {
            let stride = self.frame.plane_stride()[plane] as usize;
            mask.blend(plane, plane_bytes_mut(self.frame, plane), stride, rect)?;
        }
        Ok(())
    }
}
