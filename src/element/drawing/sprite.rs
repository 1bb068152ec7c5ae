// SPDX-License-Identifier: MPL-2.0

//! Small pictures that are drawn once and shown many times.

use gst_video::{VideoFormat, VideoFrameFlags, VideoMeta};
use gst_video::{VideoOverlayFormatFlags, VideoOverlayRectangle};

use super::RenderError;
use super::palette::Color;
use super::scale::Size;

/// Cairo's ARGB32, a native-endian word, in the order of its bytes.
pub(super) const FORMAT: VideoFormat = if cfg!(target_endian = "little") {
    VideoFormat::Bgra
} else {
    VideoFormat::Argb
};
const BYTES_PER_PIXEL: i32 = 4;

/// A picture, and the rectangle that shows it at the place where it was last asked for.
#[derive(Debug)]
pub(super) struct Sprite {
    pixels: gst::Buffer,
    size: Size,
    stride: i32,
    placed: Option<(i32, i32, VideoOverlayRectangle)>,
}

impl Sprite {
    /// A picture of that size, at least one pixel, drawn by `draw` on transparent ground.
    pub(super) fn draw(
        size: Size,
        draw: impl FnOnce(&cairo::Context) -> Result<(), cairo::Error>,
    ) -> Result<Self, RenderError> {
        let surface =
            cairo::ImageSurface::create(cairo::Format::ARgb32, size.width_px, size.height_px)?;
        draw(&cairo::Context::new(&surface)?)?;
        let stride = surface.stride();
        let pixels = gst::Buffer::from_slice(surface.take_data()?);
        Ok(Self {
            pixels: with_video_meta(pixels, size, stride)?,
            size,
            stride,
            placed: None,
        })
    }

    pub(super) const fn size(&self) -> Size {
        self.size
    }

    /// The whole picture with its top left corner at (`x`, `y`) of the frame; the same rectangle
    /// as the last time if the place is the same.
    pub(super) fn at(&mut self, x: i32, y: i32) -> VideoOverlayRectangle {
        match &self.placed {
            Some((placed_x, placed_y, rectangle)) if (*placed_x, *placed_y) == (x, y) => {
                rectangle.clone()
            }
            _ => {
                let rectangle = rectangle(&self.pixels, self.size, x, y);
                self.placed = Some((x, y, rectangle.clone()));
                rectangle
            }
        }
    }

    /// The part of the picture of `size` from (`from_x`, `from_y`) on, at (`x`, `y`) of the frame.
    /// It shares the picture's memory.
    pub(super) fn part_at(
        &self,
        (from_x, from_y): (i32, i32),
        size: Size,
        (x, y): (i32, i32),
    ) -> Result<VideoOverlayRectangle, RenderError> {
        let offset = (from_y * self.stride + from_x * BYTES_PER_PIXEL) as usize;
        let part = self
            .pixels
            .copy_region(gst::BufferCopyFlags::MEMORY, offset..)?;
        let part = with_video_meta(part, size, self.stride)?;
        Ok(rectangle(&part, size, x, y))
    }
}

fn with_video_meta(
    mut pixels: gst::Buffer,
    size: Size,
    stride: i32,
) -> Result<gst::Buffer, RenderError> {
    VideoMeta::add_full(
        pixels.make_mut(),
        VideoFrameFlags::empty(),
        FORMAT,
        size.width_px as u32,
        size.height_px as u32,
        &[0],
        &[stride],
    )?;
    Ok(pixels)
}

fn rectangle(pixels: &gst::Buffer, size: Size, x: i32, y: i32) -> VideoOverlayRectangle {
    VideoOverlayRectangle::new_raw(
        pixels,
        x,
        y,
        size.width_px as u32,
        size.height_px as u32,
        VideoOverlayFormatFlags::PREMULTIPLIED_ALPHA,
    )
}

/// A rectangle with round corners as the path of `cr`.
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

/// Fills a picture of `size` as a plate to write on.
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
