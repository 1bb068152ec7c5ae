// SPDX-License-Identifier: MPL-2.0

//! Small bitmaps that are drawn once and added to many frames.

use gst_video::{VideoFormat, VideoFrameFlags, VideoMeta};

use super::RenderError;
use super::mask::{Mask, MaskFormat};
use super::scale::Size;
use super::style::Color;

/// Format of bitmaps: Cairo's ARGB32, a native-endian word, named by byte order.
pub(super) const FORMAT: VideoFormat = if cfg!(target_endian = "little") {
    VideoFormat::Bgra
} else {
    VideoFormat::Argb
};
/// Bytes per pixel of a row; Cairo's rows of ARGB32 have no padding.
const BYTES_PER_PIXEL: i32 = 4;

/// A bitmap, together with its last conversion to the format of the frames.
#[derive(Debug)]
pub(super) struct Bitmap {
    pixels: gst::Buffer,
    size: Size,
    mask: Option<Mask>,
}

impl Bitmap {
    /// Creates a bitmap of this size, at least one pixel, drawn by `draw` on a transparent
    /// background.
    ///
    /// # Errors
    /// Returns an error if Cairo cannot draw the bitmap, for example for lack of memory.
    pub(super) fn draw(
        size: Size,
        draw: impl FnOnce(&cairo::Context) -> Result<(), cairo::Error>,
    ) -> Result<Self, RenderError> {
        let surface =
            cairo::ImageSurface::create(cairo::Format::ARgb32, size.width_px, size.height_px)?;
        draw(&cairo::Context::new(&surface)?)?;
        let pixels = gst::Buffer::from_slice(surface.take_data()?);
        Ok(Self {
            pixels: with_video_meta(pixels, size, size)?,
            size,
            mask: None,
        })
    }

    pub(super) const fn size(&self) -> Size {
        self.size
    }

    /// Returns the pixels of the whole bitmap.
    pub(super) const fn pixels(&self) -> &gst::Buffer {
        &self.pixels
    }

    /// Returns the top left part of this size. It shares the memory of the bitmap.
    pub(super) fn part(&self, size: Size) -> Result<gst::Buffer, RenderError> {
        let memory = gst::BufferCopyFlags::MEMORY;
        let part = self.pixels.copy_region(memory, ..)?;
        with_video_meta(part, size, self.size)
    }

    /// Returns the bitmap converted to `format`, for positions in the frame with the parity of
    /// `position`, x and y in pixels.
    ///
    /// # Errors
    /// Returns an error if the bitmap cannot be mapped.
    pub(super) fn mask(
        &mut self,
        format: MaskFormat,
        position: (i32, i32),
    ) -> Result<&Mask, RenderError> {
        let mask = self.mask.take();
        let mask = match mask.filter(|mask| mask.is_for(format, position)) {
            Some(mask) => mask,
            None => {
                let pixels = self.pixels.map_readable()?;
                Mask::new(format, position, pixels.as_chunks().0, self.size)
            }
        };
        Ok(self.mask.insert(mask))
    }
}

/// Attaches a meta that describes the top left part, of this size, of `pixels`, which are a bitmap
/// of size `whole`.
fn with_video_meta(
    mut pixels: gst::Buffer,
    size: Size,
    whole: Size,
) -> Result<gst::Buffer, RenderError> {
    VideoMeta::add_full(
        pixels.make_mut(),
        VideoFrameFlags::empty(),
        FORMAT,
        size.width_px as u32,
        size.height_px as u32,
        &[0],
        &[whole.width_px * BYTES_PER_PIXEL],
    )?;
    Ok(pixels)
}

/// Sets the path of `cr` to a rectangle with round corners.
pub(super) fn rounded_path(
    cr: &cairo::Context,
    (x, y): (f64, f64),
    (width, height): (f64, f64),
    radius: f64,
) {
    use std::f64::consts::{FRAC_PI_2, PI};

    let (left, top) = (x + radius, y + radius);
    let (right, bottom) = (x + width - radius, y + height - radius);
    cr.new_path();
    cr.arc(left, top, radius, PI, PI + FRAC_PI_2);
    cr.arc(right, top, radius, -FRAC_PI_2, 0.0);
    cr.arc(right, bottom, radius, 0.0, FRAC_PI_2);
    cr.arc(left, bottom, radius, FRAC_PI_2, PI);
    cr.close_path();
}

/// Fills a bitmap of this size with a rectangle with round corners, as a background.
pub(super) fn fill_plate(
    cr: &cairo::Context,
    size: Size,
    radius_px: i32,
    color: Color,
) -> Result<(), cairo::Error> {
    let extent = (f64::from(size.width_px), f64::from(size.height_px));
    rounded_path(cr, (0.0, 0.0), extent, f64::from(radius_px));
    color.select(cr);
    cr.fill()
}
