// SPDX-License-Identifier: MPL-2.0

//! Composition of bitmaps for downstream to draw.
//!
//! A rectangle that has not changed since the last composition is the same object as before, so that
//! sinks which keep it on a graphics card do not upload it again.

use gst_video::{VideoOverlayComposition, VideoOverlayFormatFlags, VideoOverlayRectangle};

use super::RenderError;
use super::bitmap::Bitmap;
use super::placement::PixelRect;

/// Builds compositions.
#[derive(Debug, Default)]
pub(super) struct Composer {
    shown: Vec<PlacedBitmap>,
    /// The bitmaps of `composition`.
    last_shown: Vec<PlacedBitmap>,
    composition: Option<VideoOverlayComposition>,
}

/// A bitmap, or the top left part of it, in a composition.
#[derive(Debug)]
struct PlacedBitmap {
    /// Keeps the buffer alive, so that no other bitmap gets its address.
    picture: gst::Buffer,
    part: gst::Buffer,
    place: PixelRect,
    rectangle: VideoOverlayRectangle,
}

impl Composer {
    /// Adds the part of the bitmap that fits into `place`, on top of those added before.
    pub(super) fn show(&mut self, bitmap: &Bitmap, place: PixelRect) -> Result<(), RenderError> {
        let picture = bitmap.pixels();
        // In most cases the order is the same as before.
        let likely = self.last_shown.get(self.shown.len()).into_iter();
        let before = likely
            .chain(&self.last_shown)
            .filter(|shown| shown.picture.as_ptr() == picture.as_ptr());
        let same_place = before.clone().find(|shown| shown.place == place);
        let (part, rectangle) = if let Some(shown) = same_place {
            (shown.part.clone(), shown.rectangle.clone())
        } else {
            let same_size = before
                .clone()
                .find(|shown| shown.place.size() == place.size());
            let part = match same_size {
                Some(shown) => shown.part.clone(),
                None if place.size() == bitmap.size() => picture.clone(),
                None => bitmap.part(place.size())?,
            };
            let rectangle = rectangle(&part, place);
            (part, rectangle)
        };
        self.shown.push(PlacedBitmap {
            picture: picture.clone(),
            part,
            place,
            rectangle,
        });
        Ok(())
    }

    /// Returns the composition of all bitmaps added since the last call; `None` if there are none, as
    /// GStreamer's elements do not expect an empty composition.
    pub(super) fn finish(&mut self) -> Option<VideoOverlayComposition> {
        let objects = |shown: &PlacedBitmap| shown.rectangle.as_ptr();
        let is_same = self
            .shown
            .iter()
            .map(objects)
            .eq(self.last_shown.iter().map(objects));
        std::mem::swap(&mut self.shown, &mut self.last_shown);
        self.shown.clear();
        if !is_same {
            let rectangles = || self.last_shown.iter().map(|shown| &shown.rectangle);
            self.composition = rectangles()
                .next()
                .is_some()
                .then(|| rectangles().collect());
        }
        self.composition.clone()
    }
}

fn rectangle(pixels: &gst::Buffer, place: PixelRect) -> VideoOverlayRectangle {
    VideoOverlayRectangle::new_raw(
        pixels,
        place.left,
        place.top,
        place.width_px() as u32,
        place.height_px() as u32,
        VideoOverlayFormatFlags::PREMULTIPLIED_ALPHA,
    )
}
