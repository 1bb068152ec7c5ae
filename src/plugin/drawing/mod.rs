// SPDX-License-Identifier: MPL-2.0

//! The overlay: from the state of the faces to pictures on the video, which are blended into it or
//! put together for what is downstream to draw.
//!
//! Nothing is drawn on a canvas of the frame's size. Labels and histories are small pictures that
//! are drawn again only when they change, boxes are put together from pictures that never change,
//! and where a face moves its pictures are only shown elsewhere.

mod bitmap;
mod blending;
mod composing;
mod label;
mod mask;
mod outline;
mod part;
mod pixelation;
mod placement;
mod scale;
mod strips;
mod style;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use gst_video::{VideoFrameRef, VideoOverlayComposition};

use attitude::frame::FrameError;
use attitude::geometry::Rect;
use attitude::history::History;
use attitude::{Label, Scores};

use bitmap::Bitmap;
use blending::Canvas;
use composing::Composer;
use label::FaceLabel;
pub(crate) use label::load_fonts;
use outline::Outline;
pub use pixelation::Pixelator;
use placement::{PixelRect, Placement, outline_around, place};
use scale::{Scale, Size};
use strips::{Scene, Strip};
use style::Theme;
pub use style::{Colors, Style};

/// One face as it is drawn on a frame.
#[derive(Clone, Copy, Debug)]
pub struct FaceDrawing<'a> {
    /// Number of the face's track, or 0 if the face is not tracked.
    pub track: u32,
    /// Bounding box in frame pixels. A box without an area is not drawn.
    pub bbox_in_frame: Rect,
    /// The attitude.
    pub label: Label,
    /// Score of the label, 0 to 1.
    pub confidence: f32,
    /// Smoothed scores; `None` before the first classification.
    pub scores: Option<Scores>,
    /// Recent labels of the face, drawn as a strip; `None` to draw none.
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
    /// GStreamer did not take the pixels, or not blend them.
    #[error("cannot make an overlay of the pixels: {0}")]
    Buffer(#[from] glib::BoolError),
    /// The frame cannot be drawn on.
    #[error("cannot draw on the frame: {0}")]
    Frame(#[from] FrameError),
}

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
    theme: Theme,
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
            Some(pictures) if pictures.theme.scale == scale => pictures,
            _ => Pictures::new(Theme::new(&self.style, scale)),
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
        pictures.show(&mut |bitmap, place| composer.show(bitmap, place))?;
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
            .show(&mut |bitmap, place| canvas.show(bitmap, place))
    }
}

impl Pictures {
    fn new(theme: Theme) -> Self {
        Self {
            theme,
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
        let theme = &self.theme;
        let mut area = theme.scale.frame;
        match scene.filter(|_| theme.style.scene_history) {
            Some(history) => {
                let scene = match &mut self.scene {
                    Some(scene) => scene,
                    none => none.insert(Scene::new(theme)?),
                };
                scene.update(history, theme)?;
                area.height_px = scene.top_px();
            }
            None => self.scene = None,
        }
        let mut count = 0;
        for drawing in faces {
            let Some(outline) = outline_around(drawing.bbox_in_frame, &theme.scale) else {
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
            self.faces[count].update(&drawing, outline, area, theme)?;
            count += 1;
            if let Entry::Vacant(vacant) = self.outlines.entry(drawing.label)
                && theme.style.boxes
            {
                let color = theme.style.colors.of_label(drawing.label);
                vacant.insert(Outline::new(color, &theme.scale)?);
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
        } = self.theme.style;
        self.scene.is_some() || !self.faces.is_empty() && (boxes || labels || scores || history)
    }

    /// Shows each picture at its place in the frame, from back to front.
    fn show(
        &mut self,
        show: &mut impl FnMut(&mut Bitmap, PixelRect) -> Result<(), RenderError>,
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
        theme: &Theme,
    ) -> Result<(), RenderError> {
        let scale = &theme.scale;
        self.attitude = drawing.label;
        self.outline = outline;
        self.label.update(drawing, theme)?;
        match drawing.history.filter(|_| theme.style.history) {
            Some(history) => {
                let width_px = scale.strip_width_px(history.capacity());
                let size = Size::new(width_px, scale.strip_height_px);
                self.strip.update(history, size, theme)?;
            }
            None => self.strip = Strip::default(),
        }
        let size = |bitmap: Option<&mut Bitmap>| bitmap.map_or(Size::new(0, 0), |s| s.size());
        let (label, strip) = (size(self.label.picture()), size(self.strip.picture()));
        self.placement = place(outline, label, strip, area, scale);
        Ok(())
    }
}
