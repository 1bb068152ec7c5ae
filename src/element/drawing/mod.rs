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
mod look;
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
mod style;
mod text;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use gst_video::{VideoOverlayComposition, VideoOverlayRectangle};

use crate::analysis::attitude::{Attitude, Scores};
use crate::analysis::geometry::Rect;
use crate::analysis::history::History;

pub use blending::blend;
use label::Label;
use look::Look;
use outline::Outline;
pub use pixelation::Pixelator;
use placement::{PixelRect, outline_around, place};
pub use planes::check_planes;
use scale::{Scale, Size};
use scene::Scene;
use sprite::Sprite;
use strip::Strip;
pub use style::{Colors, Style};
pub use text::load_fonts;

/// One face as it is drawn on a frame.
#[derive(Clone, Copy, Debug)]
pub struct FaceDrawing<'a> {
    /// The number that the face is followed by, 0 for one that is not followed.
    pub track: u32,
    /// Where it is, in pixels of the frame. A box that is no box is not drawn.
    pub bbox_in_frame: Rect,
    /// Its attitude, `None` where that is unknown.
    pub label: Option<Attitude>,
    /// How sure the label is, 0 to 1.
    pub confidence: f32,
    /// The scores of its attitudes, where they are known.
    pub scores: Option<Scores>,
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
    style: Style,
    pictures: Option<Pictures>,
    layers: Layers,
    last: Option<VideoOverlayComposition>,
}

/// What is kept for one size of frame.
#[derive(Debug)]
struct Pictures {
    look: Look,
    scene: Option<Scene>,
    outlines: HashMap<Option<Attitude>, Outline>,
    /// By track, and by how many faces of that track came before on the frame.
    faces: HashMap<(u32, u32), Face>,
}

/// What is kept for one face.
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
    /// A renderer of that style that has drawn nothing yet.
    pub fn new(style: Style) -> Self {
        Self {
            style,
            ..Self::default()
        }
    }

    /// Draws in that style from now on. Where it is another than before, all pictures are drawn
    /// anew.
    pub fn set_style(&mut self, style: &Style) {
        if self.style != *style {
            self.style.clone_from(style);
            self.pictures = None;
        }
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
            Some(pictures) if pictures.look.scale == scale => pictures,
            _ => Pictures::new(Look::new(&self.style, scale)),
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
    fn new(look: Look) -> Self {
        Self {
            look,
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
        let mut area = self.look.scale.frame;
        if let Some(history) = scene.filter(|_| self.look.style.scene_history) {
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
            none => none.insert(Scene::new(&self.look)?),
        };
        scene.push(history, &self.look, &mut layers.scene)
    }

    fn push_face(
        &mut self,
        drawing: &FaceDrawing<'_>,
        area: Size,
        layers: &mut Layers,
    ) -> Result<(), RenderError> {
        let look = &self.look;
        let Some(outline) = outline_around(drawing.bbox_in_frame, &look.scale) else {
            return Ok(());
        };
        let mut key = (drawing.track, 0);
        while self.faces.get(&key).is_some_and(|face| face.is_in_frame) {
            key.1 += 1;
        }
        let face = self.faces.entry(key).or_default();
        face.is_in_frame = true;
        if look.style.boxes {
            let parts = match self.outlines.entry(drawing.label) {
                Entry::Occupied(parts) => parts.into_mut(),
                Entry::Vacant(vacant) => {
                    let color = look.style.colors.of_label(drawing.label);
                    vacant.insert(Outline::new(color, &look.scale)?)
                }
            };
            face.push_outline(outline, drawing.label, parts, layers)?;
        }
        face.push_details(drawing, outline, area, look, layers)
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
        look: &Look,
        layers: &mut Layers,
    ) -> Result<(), RenderError> {
        let scale = &look.scale;
        let label = self.label.picture(drawing, look)?;
        let strip = match drawing.history.filter(|_| look.style.history) {
            Some(history) => {
                let width_px = scale.strip_width_px(history.capacity());
                let size = Size::new(width_px, scale.strip_height_px);
                Some(self.strip.picture(history, size, look)?)
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
