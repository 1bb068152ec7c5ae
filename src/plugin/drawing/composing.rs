// SPDX-License-Identifier: MPL-2.0

//! An overlay as a composition for what is downstream to draw.
//!
//! What has not changed since the last composition is the same object as before, so that sinks
//! which keep it on a graphics card need not upload it again.

use gst_video::{VideoOverlayComposition, VideoOverlayFormatFlags, VideoOverlayRectangle};

use super::RenderError;
use super::bitmap::Bitmap;
use super::placement::PixelRect;

/// Puts compositions together.
#[derive(Debug, Default)]
pub(super) struct Composer {
    shown: Vec<Shown>,
    /// As many as `composition` consists of.
    last_shown: Vec<Shown>,
    composition: Option<VideoOverlayComposition>,
}

/// A picture, or the top left part of it, in a composition.
#[derive(Debug)]
struct Shown {
    /// Kept, so that no other picture takes its address.
    picture: gst::Buffer,
    part: gst::Buffer,
    place: PixelRect,
    rectangle: VideoOverlayRectangle,
}

impl Composer {
    /// Shows at `place` as much of the picture as fits, on top of what is shown already.
    pub(super) fn show(&mut self, bitmap: &Bitmap, place: PixelRect) -> Result<(), RenderError> {
        let picture = bitmap.pixels();
        // Most often it was shown in the same order before.
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
        self.shown.push(Shown {
            picture: picture.clone(),
            part,
            place,
            rectangle,
        });
        Ok(())
    }

    /// The composition of all that was shown since the last one; `None` where that is nothing, as
    /// GStreamer's elements do not expect an empty composition.
    pub(super) fn finish(&mut self) -> Option<VideoOverlayComposition> {
        let objects = |shown: &Shown| shown.rectangle.as_ptr();
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
