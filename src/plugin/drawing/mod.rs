// SPDX-License-Identifier: MPL-2.0

//! The overlay: from the state of the faces to pictures on the video, which are blended into it or
//! put together for what is downstream to draw.
//!
//! Nothing is drawn on a canvas of the frame's size. Labels and histories are small pictures that
//! are drawn again only when they change, boxes are put together from pictures that never change,
//! and where a face moves its pictures are only shown elsewhere.

mod blending;
mod composing;
mod error;
mod face;
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
mod stencil;
mod strip;
mod style;
mod text;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use gst_video::{VideoFrameRef, VideoOverlayComposition};

use attitude::Label;
use attitude::history::History;

use blending::Canvas;
use composing::Composer;
pub use error::RenderError;
pub use face::FaceDrawing;
use label::FaceLabel;
use look::Look;
use outline::Outline;
pub use pixelation::Pixelator;
use placement::{PixelRect, Placement, outline_around, place};
pub use planes::check_planes;
use scale::{Scale, Size};
use scene::Scene;
use sprite::Sprite;
use strip::Strip;
pub use style::{Colors, Style};
pub use text::load_fonts;

/// Draws the faces of a stream of frames and keeps what can be used again for the next one.
#[derive(Debug, Default)]
pub struct Renderer {
    style: Style,
    pictures: Option<Pictures>,
    composer: Composer,
}

/// The overlay of one frame.
#[derive(Debug)]
pub struct Drawn<'a> {
    pictures: &'a mut Pictures,
    composer: &'a mut Composer,
}

/// What is kept for one size of frame.
#[derive(Debug)]
struct Pictures {
    look: Look,
    scene: Option<Scene>,
    outlines: HashMap<Label, Outline>,
    /// Those of the last frame, in its order.
    faces: Vec<FacePictures>,
}

/// What is kept for one face.
#[derive(Debug, Default)]
struct FacePictures {
    track: u32,
    attitude: Label,
    outline: PixelRect,
    label: FaceLabel,
    strip: Strip,
    placement: Placement,
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
    pub fn draw<'a>(
        &mut self,
        frame_width: u32,
        frame_height: u32,
        faces: impl Iterator<Item = FaceDrawing<'a>>,
        scene: Option<&History>,
    ) -> Result<Option<Drawn<'_>>, RenderError> {
        let scale = Scale::for_frame(frame_width, frame_height);
        self.pictures = scale.map(|scale| match self.pictures.take() {
            Some(pictures) if pictures.look.scale == scale => pictures,
            _ => Pictures::new(Look::new(&self.style, scale)),
        });
        let Some(pictures) = &mut self.pictures else {
            return Ok(None);
        };
        pictures.update(faces, scene)?;
        Ok(pictures.is_anything_shown().then_some(Drawn {
            pictures,
            composer: &mut self.composer,
        }))
    }
}

impl Drawn<'_> {
    /// As a composition for what is downstream. Where nothing has changed since the last one it is
    /// the very same.
    ///
    /// # Errors
    /// Where GStreamer does not take a picture.
    pub fn compose(self) -> Result<Option<VideoOverlayComposition>, RenderError> {
        let Self { pictures, composer } = self;
        pictures.show(&mut |sprite, place| composer.show(sprite, place))?;
        Ok(composer.finish())
    }

    /// Onto `frame`, of any raw format and of the size that it was drawn for.
    ///
    /// # Errors
    /// Where the frame is smaller or its planes are shorter than they promise, or where GStreamer
    /// does not blend a picture.
    pub fn blend(self, frame: &mut VideoFrameRef<&mut gst::BufferRef>) -> Result<(), RenderError> {
        let mut canvas = Canvas::new(frame)?;
        self.pictures
            .show(&mut |sprite, place| canvas.show(sprite, place))
    }
}

impl Pictures {
    fn new(look: Look) -> Self {
        Self {
            look,
            scene: None,
            outlines: HashMap::new(),
            faces: Vec::new(),
        }
    }

    fn update<'a>(
        &mut self,
        faces: impl Iterator<Item = FaceDrawing<'a>>,
        scene: Option<&History>,
    ) -> Result<(), RenderError> {
        let look = &self.look;
        let mut area = look.scale.frame;
        match scene.filter(|_| look.style.scene_history) {
            Some(history) => {
                let scene = match &mut self.scene {
                    Some(scene) => scene,
                    none => none.insert(Scene::new(look)?),
                };
                scene.update(history, look)?;
                area.height_px = scene.top_px();
            }
            None => self.scene = None,
        }
        let mut count = 0;
        for drawing in faces {
            let Some(outline) = outline_around(drawing.bbox_in_frame, &look.scale) else {
                continue;
            };
            // Those before are of this frame already: tracks may come more than once.
            let known = self.faces[count..].iter();
            match known
                .map(|face| face.track)
                .position(|track| track == drawing.track)
            {
                Some(position) => self.faces.swap(count, count + position),
                None => {
                    let track = drawing.track;
                    let face = FacePictures {
                        track,
                        ..FacePictures::default()
                    };
                    self.faces.insert(count, face);
                }
            }
            self.faces[count].update(&drawing, outline, area, look)?;
            count += 1;
            if let Entry::Vacant(vacant) = self.outlines.entry(drawing.label)
                && look.style.boxes
            {
                let color = look.style.colors.of_label(drawing.label);
                vacant.insert(Outline::new(color, &look.scale)?);
            }
        }
        self.faces.truncate(count);
        Ok(())
    }

    fn is_anything_shown(&self) -> bool {
        let Style {
            boxes,
            labels,
            scores,
            history,
            ..
        } = self.look.style;
        self.scene.is_some() || !self.faces.is_empty() && (boxes || labels || scores || history)
    }

    /// Shows each picture at its place in the frame, from back to front.
    fn show(
        &mut self,
        show: &mut impl FnMut(&mut Sprite, PixelRect) -> Result<(), RenderError>,
    ) -> Result<(), RenderError> {
        if let Some(scene) = &mut self.scene {
            scene.show(show)?;
        }
        for face in &self.faces {
            if let Some(outline) = self.outlines.get_mut(&face.attitude) {
                outline.show(face.outline, show)?;
            }
        }
        for face in &mut self.faces {
            if let Some(strip) = face.strip.picture() {
                show(strip, PixelRect::at(face.placement.strip, strip.size()))?;
            }
        }
        for face in &mut self.faces {
            if let Some(label) = face.label.picture() {
                show(label, PixelRect::at(face.placement.label, label.size()))?;
            }
        }
        Ok(())
    }
}

impl FacePictures {
    fn update(
        &mut self,
        drawing: &FaceDrawing<'_>,
        outline: PixelRect,
        area: Size,
        look: &Look,
    ) -> Result<(), RenderError> {
        let scale = &look.scale;
        self.attitude = drawing.label;
        self.outline = outline;
        self.label.update(drawing, look)?;
        match drawing.history.filter(|_| look.style.history) {
            Some(history) => {
                let width_px = scale.strip_width_px(history.capacity());
                let size = Size::new(width_px, scale.strip_height_px);
                self.strip.update(history, size, look)?;
            }
            None => self.strip = Strip::default(),
        }
        let size = |sprite: Option<&mut Sprite>| sprite.map_or(Size::new(0, 0), |s| s.size());
        let (label, strip) = (size(self.label.picture()), size(self.strip.picture()));
        self.placement = place(outline, label, strip, area, scale);
        Ok(())
    }
}
