// SPDX-License-Identifier: MPL-2.0

//! Drawing of the overlay: renders the state of the faces to bitmaps, and blends them into the
//! frame or composes them for downstream to draw.
//!
//! There is no canvas of the frame's size. Labels and history strips are small bitmaps that are
//! drawn again only when they change. Boxes consist of bitmaps that never change. When a face
//! moves, only the positions of its bitmaps change.

mod bitmap;
mod blending;
mod composing;
mod history_strip;
mod label;
mod mask;
mod outline;
mod part;
mod pixelation;
mod placement;
mod scale;
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
use history_strip::{HistoryStrip, SceneHistory};
use label::FaceLabel;
pub(crate) use label::load_fonts;
use outline::Outline;
pub use pixelation::Pixelator;
use placement::{PixelRect, Placement, outline_around, place_label_and_strip};
use scale::{Scale, Size};
use style::Theme;
pub use style::{DEFAULT_COLORS, Style};

/// A face as it is drawn on a frame.
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
    /// Recent labels of the face, drawn as a history strip; `None` to draw none.
    pub history: Option<&'a History>,
}

/// Error of drawing an overlay.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// Cairo failed.
    #[error("cannot draw the overlay: {0}")]
    Drawing(#[from] cairo::Error),
    /// Cairo still uses the pixels.
    #[error("cannot access the pixels of the overlay: {0}")]
    Pixels(#[from] cairo::BorrowError),
    /// GStreamer cannot wrap, map or blend the pixels.
    #[error("cannot pass the overlay to GStreamer: {0}")]
    Buffer(#[from] glib::BoolError),
    /// The frame cannot be drawn on.
    #[error("cannot draw on the frame: {0}")]
    Frame(#[from] FrameError),
}

/// Draws the faces of a stream of frames, and keeps the bitmaps for the next frame.
#[derive(Debug, Default)]
pub struct Renderer {
    style: Style,
    bitmaps: Option<Bitmaps>,
    composer: Composer,
}

/// Takes the bitmaps of an overlay.
trait Surface {
    /// Adds the top left part of `bitmap` that fits into `rect`, on top of the bitmaps added
    /// before.
    fn add(&mut self, bitmap: &mut Bitmap, rect: PixelRect) -> Result<(), RenderError>;
}

/// The overlay of one frame.
#[derive(Debug)]
pub struct Drawn<'a> {
    bitmaps: &'a mut Bitmaps,
    composer: &'a mut Composer,
}

/// Bitmaps for one frame size.
#[derive(Debug)]
struct Bitmaps {
    theme: Theme,
    scene: Option<SceneHistory>,
    outlines: HashMap<Label, Outline>,
    /// Faces of the last frame, in its order.
    faces: Vec<FaceBitmaps>,
}

/// Bitmaps of one face.
#[derive(Debug, Default)]
struct FaceBitmaps {
    track: u32,
    label: Label,
    outline: PixelRect,
    label_bitmap: FaceLabel,
    strip: HistoryStrip,
    placement: Placement,
}

impl Renderer {
    /// Creates a renderer with a style.
    pub fn new(style: Style) -> Self {
        Self {
            style,
            ..Self::default()
        }
    }

    /// Sets the style. If it has changed, all bitmaps are drawn again.
    pub fn set_style(&mut self, style: &Style) {
        if self.style != *style {
            self.style.clone_from(style);
            self.bitmaps = None;
        }
    }

    /// Draws `faces` and the history of the `scene` for a frame of this size. Returns `None` if
    /// there is nothing to draw or the frame is too small to draw on.
    ///
    /// # Errors
    /// Returns an error if a bitmap cannot be drawn, for example for lack of memory.
    pub fn draw<'a>(
        &mut self,
        frame_width: u32,
        frame_height: u32,
        faces: impl Iterator<Item = FaceDrawing<'a>>,
        scene: Option<&History>,
    ) -> Result<Option<Drawn<'_>>, RenderError> {
        let scale = Scale::for_frame(frame_width, frame_height);
        self.bitmaps = scale.map(|scale| match self.bitmaps.take() {
            Some(bitmaps) if bitmaps.theme.scale == scale => bitmaps,
            _ => Bitmaps::new(Theme::new(&self.style, scale)),
        });
        let Some(bitmaps) = &mut self.bitmaps else {
            return Ok(None);
        };
        bitmaps.update(faces, scene)?;
        Ok(bitmaps.has_content().then_some(Drawn {
            bitmaps,
            composer: &mut self.composer,
        }))
    }
}

impl Drawn<'_> {
    /// Returns the overlay as a composition for downstream to draw. It is the same object as the
    /// last one if nothing has changed.
    ///
    /// # Errors
    /// Returns an error if GStreamer cannot wrap a bitmap.
    pub fn compose(self) -> Result<Option<VideoOverlayComposition>, RenderError> {
        let Self { bitmaps, composer } = self;
        bitmaps.draw_on(composer)?;
        Ok(composer.finish())
    }

    /// Blends the overlay into `frame`, which may have any raw format and has the size that the
    /// overlay was drawn for.
    ///
    /// # Errors
    /// Returns an error if the frame is smaller, its planes are too short, or GStreamer cannot
    /// blend a bitmap.
    pub fn blend(self, frame: &mut VideoFrameRef<&mut gst::BufferRef>) -> Result<(), RenderError> {
        self.bitmaps.draw_on(&mut Canvas::new(frame)?)
    }
}

impl Bitmaps {
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
                    none => none.insert(SceneHistory::new(theme)?),
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
            // The faces before `count` belong to this frame already: a track may occur twice.
            let known = self.faces[count..].iter();
            match known
                .map(|face| face.track)
                .position(|track| track == drawing.track)
            {
                Some(position) => self.faces.swap(count, count + position),
                None => {
                    let track = drawing.track;
                    let face = FaceBitmaps {
                        track,
                        ..FaceBitmaps::default()
                    };
                    self.faces.insert(count, face);
                }
            }
            self.faces[count].update(&drawing, outline, area, theme)?;
            count += 1;
            if let Entry::Vacant(vacant) = self.outlines.entry(drawing.label)
                && theme.style.boxes
            {
                let color = theme.style.color(drawing.label);
                vacant.insert(Outline::new(color, &theme.scale)?);
            }
        }
        self.faces.truncate(count);
        Ok(())
    }

    /// Returns `true` if there is a bitmap to draw.
    fn has_content(&self) -> bool {
        let Style {
            boxes,
            labels,
            scores,
            history,
            ..
        } = self.theme.style;
        self.scene.is_some() || !self.faces.is_empty() && (boxes || labels || scores || history)
    }

    /// Draws all bitmaps on `surface`, from back to front.
    fn draw_on(&mut self, surface: &mut impl Surface) -> Result<(), RenderError> {
        if let Some(scene) = &mut self.scene {
            scene.draw_on(surface)?;
        }
        for face in &self.faces {
            if let Some(outline) = self.outlines.get_mut(&face.label) {
                outline.draw_on(surface, face.outline)?;
            }
        }
        for face in &mut self.faces {
            if let Some(strip) = face.strip.bitmap() {
                let rect = PixelRect::new(face.placement.strip, strip.size());
                surface.add(strip, rect)?;
            }
        }
        for face in &mut self.faces {
            if let Some(label) = face.label_bitmap.bitmap() {
                let rect = PixelRect::new(face.placement.label, label.size());
                surface.add(label, rect)?;
            }
        }
        Ok(())
    }
}

impl FaceBitmaps {
    fn update(
        &mut self,
        drawing: &FaceDrawing<'_>,
        outline: PixelRect,
        area: Size,
        theme: &Theme,
    ) -> Result<(), RenderError> {
        let scale = &theme.scale;
        self.label = drawing.label;
        self.outline = outline;
        self.label_bitmap.update(drawing, theme)?;
        match drawing.history.filter(|_| theme.style.history) {
            Some(history) => {
                let width_px = scale.face_strip_width_px(history.capacity());
                let size = Size::new(width_px, scale.face_strip_height_px);
                self.strip.update(history, size, theme)?;
            }
            None => self.strip = HistoryStrip::default(),
        }
        let size =
            |bitmap: Option<&mut Bitmap>| bitmap.map_or(Size::new(0, 0), |bitmap| bitmap.size());
        let (label, strip) = (size(self.label_bitmap.bitmap()), size(self.strip.bitmap()));
        self.placement = place_label_and_strip(outline, label, strip, area, scale);
        Ok(())
    }
}
