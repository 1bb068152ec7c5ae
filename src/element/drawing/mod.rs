// SPDX-License-Identifier: MPL-2.0

//! The overlay: from the state of the faces to rectangles that GStreamer blends onto the video.
//!
//! Nothing is drawn on a canvas of the frame's size. Labels and histories are small pictures that
//! are drawn again only when they change, boxes are put together from pictures that never change,
//! and a face that moves only moves the rectangles that show them. Where nothing has changed at
//! all, the very same composition is handed out again, so that sinks which keep it on a graphics
//! card need not upload anything.

mod blending;
mod label;
mod outline;
mod palette;
mod part;
mod pixelation;
mod placement;
mod planes;
mod scale;
mod scene;
mod sprite;
mod strip;
mod text;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use gst_video::{VideoOverlayComposition, VideoOverlayRectangle};

use crate::analysis::attitude::Attitude;
use crate::analysis::geometry::Rect;
use crate::analysis::history::History;

pub use blending::blend;
use label::Label;
use outline::Outline;
use palette::Color;
pub use pixelation::Pixelator;
use placement::{PixelRect, outline_around, place};
pub use planes::check_planes;
use scale::{Scale, Size};
use scene::Scene;
use sprite::Sprite;
use strip::Strip;
pub use text::load_fonts;

/// One face as it is drawn on a frame.
#[derive(Clone, Copy, Debug)]
pub struct FaceDrawing<'a> {
    /// The number that the face is followed by, one of a kind on a frame.
    pub track: u32,
    /// Where it is, in pixels of the frame. A box that is no box is not drawn.
    pub bbox_in_frame: Rect,
    /// Its attitude, `None` where that is unknown.
    pub label: Option<Attitude>,
    /// How sure the label is, 0 to 1.
    pub confidence: f32,
    /// Its recent past, if that is to be drawn.
    pub history: Option<&'a History>,
}

/// Why an overlay could not be drawn.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// Cairo failed.
    #[error("cannot draw the overlay: {0}")]
    Drawing(#[from] cairo::Error),
    /// Cairo did not give the pixels away.
    #[error("cannot take the overlay's pixels: {0}")]
    Pixels(#[from] cairo::BorrowError),
    /// GStreamer did not take the pixels.
    #[error("cannot make an overlay of the pixels: {0}")]
    Buffer(#[from] glib::BoolError),
}

/// Draws the faces of a stream of frames and keeps what can be used again for the next one.
#[derive(Debug, Default)]
pub struct Renderer {
    pictures: Option<Pictures>,
    layers: Layers,
    last: Option<VideoOverlayComposition>,
}

/// What is kept for one size of frame.
#[derive(Debug)]
struct Pictures {
    scale: Scale,
    scene: Option<Scene>,
    outlines: HashMap<Option<Attitude>, Outline>,
    faces: HashMap<u32, Face>,
}

/// What is kept for one track.
#[derive(Debug, Default)]
struct Face {
    outline: Option<(PixelRect, Option<Attitude>)>,
    outline_rectangles: Vec<VideoOverlayRectangle>,
    label: Label,
    strip: Strip,
    is_in_frame: bool,
}

/// The rectangles of one frame, from back to front.
#[derive(Debug, Default)]
struct Layers {
    scene: Vec<VideoOverlayRectangle>,
    boxes: Vec<VideoOverlayRectangle>,
    strips: Vec<VideoOverlayRectangle>,
    labels: Vec<VideoOverlayRectangle>,
}

impl Renderer {
    /// A renderer that has drawn nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Draws `faces`, and the history of the whole `scene` where there is one, for a frame of that
    /// size. `None` where there is nothing to draw or the frame is too small to draw on.
    ///
    /// # Errors
    /// Where a picture cannot be drawn, for want of memory for instance.
    pub fn render<'a>(
        &mut self,
        frame_width: u32,
        frame_height: u32,
        faces: impl Iterator<Item = FaceDrawing<'a>>,
        scene: Option<&History>,
    ) -> Result<Option<VideoOverlayComposition>, RenderError> {
        self.layers.clear();
        let scale = Scale::for_frame(frame_width, frame_height);
        self.pictures = scale.map(|scale| match self.pictures.take() {
            Some(pictures) if pictures.scale == scale => pictures,
            _ => Pictures::new(scale),
        });
        if let Some(pictures) = &mut self.pictures {
            pictures.fill(&mut self.layers, faces, scene)?;
        }
        let is_unchanged = |last: &VideoOverlayComposition| self.layers.are_in(last);
        if !self.last.as_ref().is_some_and(is_unchanged) {
            self.last = self.layers.compose();
        }
        Ok(self.last.clone())
    }
}

impl Pictures {
    fn new(scale: Scale) -> Self {
        Self {
            scale,
            scene: None,
            outlines: HashMap::new(),
            faces: HashMap::new(),
        }
    }

    fn fill<'a>(
        &mut self,
        layers: &mut Layers,
        faces: impl Iterator<Item = FaceDrawing<'a>>,
        scene: Option<&History>,
    ) -> Result<(), RenderError> {
        let mut area = self.scale.frame;
        if let Some(history) = scene {
            area.height_px = self.push_scene(history, layers)?;
        }
        for drawing in faces {
            self.push_face(&drawing, area, layers)?;
        }
        self.faces
            .retain(|_, face| std::mem::take(&mut face.is_in_frame));
        Ok(())
    }

    fn push_scene(&mut self, history: &History, layers: &mut Layers) -> Result<i32, RenderError> {
        let scene = match &mut self.scene {
            Some(scene) => scene,
            none => none.insert(Scene::new(&self.scale)?),
        };
        scene.push(history, &self.scale, &mut layers.scene)
    }

    fn push_face(
        &mut self,
        drawing: &FaceDrawing<'_>,
        area: Size,
        layers: &mut Layers,
    ) -> Result<(), RenderError> {
        let scale = &self.scale;
        let Some(outline) = outline_around(drawing.bbox_in_frame, scale) else {
            return Ok(());
        };
        let parts = match self.outlines.entry(drawing.label) {
            Entry::Occupied(parts) => parts.into_mut(),
            Entry::Vacant(vacant) => {
                vacant.insert(Outline::new(Color::of_label(drawing.label), scale)?)
            }
        };
        let face = self.faces.entry(drawing.track).or_default();
        face.is_in_frame = true;
        face.push_outline(outline, drawing.label, parts, layers)?;
        face.push_details(drawing, outline, area, scale, layers)
    }
}

impl Face {
    fn push_outline(
        &mut self,
        outline: PixelRect,
        label: Option<Attitude>,
        parts: &Outline,
        layers: &mut Layers,
    ) -> Result<(), RenderError> {
        if self.outline != Some((outline, label)) {
            self.outline = None;
            self.outline_rectangles.clear();
            parts.push_box(outline, &mut self.outline_rectangles)?;
            self.outline = Some((outline, label));
        }
        layers.boxes.extend_from_slice(&self.outline_rectangles);
        Ok(())
    }

    fn push_details(
        &mut self,
        drawing: &FaceDrawing<'_>,
        outline: PixelRect,
        area: Size,
        scale: &Scale,
        layers: &mut Layers,
    ) -> Result<(), RenderError> {
        let label = self
            .label
            .picture(drawing.track, drawing.label, drawing.confidence, scale)?;
        let strip = match drawing.history {
            Some(history) => {
                let width_px = scale.strip_width_px(history.capacity());
                let size = Size::new(width_px, scale.strip_height_px);
                Some(self.strip.picture(history, size, scale.halo_px)?)
            }
            None => None,
        };
        let size = |sprite: Option<&Sprite>| sprite.map_or(Size::new(0, 0), Sprite::size);
        let placement = place(
            outline,
            size(label.as_deref()),
            size(strip.as_deref()),
            area,
            scale,
        );
        layers
            .labels
            .extend(label.map(|label| label.at(placement.label.0, placement.label.1)));
        layers
            .strips
            .extend(strip.map(|strip| strip.at(placement.strip.0, placement.strip.1)));
        Ok(())
    }
}

impl Layers {
    fn clear(&mut self) {
        for layer in [
            &mut self.scene,
            &mut self.boxes,
            &mut self.strips,
            &mut self.labels,
        ] {
            layer.clear();
        }
    }

    fn iter(&self) -> impl Iterator<Item = &VideoOverlayRectangle> {
        [&self.scene, &self.boxes, &self.strips, &self.labels]
            .into_iter()
            .flatten()
    }

    /// Whether `composition` consists of these very rectangles.
    fn are_in(&self, composition: &VideoOverlayComposition) -> bool {
        let addresses = self.iter().map(|rectangle| rectangle.as_ptr());
        addresses.eq(composition.iter().map(|rectangle| rectangle.as_ptr()))
    }

    /// `None` for no rectangles: GStreamer's elements do not expect an empty composition.
    fn compose(&self) -> Option<VideoOverlayComposition> {
        self.iter().next()?;
        Some(self.iter().collect())
    }
}
