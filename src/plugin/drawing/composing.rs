// SPDX-License-Identifier: MPL-2.0

//! Composition of bitmaps for downstream to draw.
//!
//! A rectangle that has not changed since the last composition is the same object as before, so
//! that sinks which keep it on a graphics card do not upload it again.

use gst_video::{VideoOverlayComposition, VideoOverlayFormatFlags, VideoOverlayRectangle};

use super::bitmap::Bitmap;
use super::placement::PixelRect;
use super::{RenderError, Surface};

/// Builds compositions.
#[derive(Debug, Default)]
pub(super) struct Composer {
    /// Bitmaps of the next composition.
    next: Vec<PlacedBitmap>,
    /// Bitmaps of `composition`.
    last: Vec<PlacedBitmap>,
    composition: Option<VideoOverlayComposition>,
}

/// A bitmap, or the top left part of it, in a composition.
#[derive(Debug)]
struct PlacedBitmap {
    /// The whole bitmap. Keeps the buffer alive, so that no other bitmap gets its address.
    pixels: gst::Buffer,
    part: gst::Buffer,
    rect: PixelRect,
    rectangle: VideoOverlayRectangle,
}

impl Surface for Composer {
    /// Adds the bitmap to the next composition.
    ///
    /// # Errors
    /// Returns an error if GStreamer cannot wrap the bitmap.
    fn add(&mut self, bitmap: &mut Bitmap, rect: PixelRect) -> Result<(), RenderError> {
        let pixels = bitmap.pixels();
        // In most cases the order is that of the last composition.
        let likely = self.last.get(self.next.len()).into_iter();
        let same_pixels = likely
            .chain(&self.last)
            .filter(|placed| placed.pixels.as_ptr() == pixels.as_ptr());
        let same_rect = same_pixels.clone().find(|placed| placed.rect == rect);
        let (part, rectangle) = if let Some(placed) = same_rect {
            (placed.part.clone(), placed.rectangle.clone())
        } else {
            let same_size = same_pixels
                .clone()
                .find(|placed| placed.rect.size() == rect.size());
            let part = match same_size {
                Some(placed) => placed.part.clone(),
                None if rect.size() == bitmap.size() => pixels.clone(),
                None => bitmap.part(rect.size())?,
            };
            let rectangle = overlay_rectangle(&part, rect);
            (part, rectangle)
        };
        self.next.push(PlacedBitmap {
            pixels: pixels.clone(),
            part,
            rect,
            rectangle,
        });
        Ok(())
    }
}

impl Composer {
    /// Returns the composition of all bitmaps added since the last call; `None` if there are none,
    /// as GStreamer's elements do not expect an empty composition.
    pub(super) fn finish(&mut self) -> Option<VideoOverlayComposition> {
        let objects = |placed: &PlacedBitmap| placed.rectangle.as_ptr();
        let is_same = self
            .next
            .iter()
            .map(objects)
            .eq(self.last.iter().map(objects));
        std::mem::swap(&mut self.next, &mut self.last);
        self.next.clear();
        if !is_same {
            let rectangles = || self.last.iter().map(|placed| &placed.rectangle);
            self.composition = rectangles()
                .next()
                .is_some()
                .then(|| rectangles().collect());
        }
        self.composition.clone()
    }
}

fn overlay_rectangle(pixels: &gst::Buffer, rect: PixelRect) -> VideoOverlayRectangle {
    VideoOverlayRectangle::new_raw(
        pixels,
        rect.left_px,
        rect.top_px,
        rect.width_px() as u32,
        rect.height_px() as u32,
        VideoOverlayFormatFlags::PREMULTIPLIED_ALPHA,
    )
}
