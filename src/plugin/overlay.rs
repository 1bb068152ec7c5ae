// SPDX-License-Identifier: MPL-2.0

//! The overlay of an element: the histories that it shows, and how it gets onto the frame.

use std::collections::HashMap;

use gst_video::video_frame::VideoFrameRef;
use gst_video::video_overlay_composition::VideoOverlayComposition;
use gst_video::{VideoInfo, VideoOverlayCompositionMeta};

use super::drawing::{FaceDrawing, RenderError, Renderer, Style};
use attitude::history::{History, Moment};
use attitude::{Label, Scores};

/// Each face's history: 10 s.
const FACE_SLOTS: usize = 50;
/// The scene's history: one minute.
const SCENE_SLOTS: usize = 300;
const SLOT_NS: u64 = 200_000_000;

/// Draws the faces of one stream.
pub(super) struct Overlay {
    renderer: Renderer,
    faces: HashMap<u32, History>,
    scene: History,
}

impl Default for Overlay {
    fn default() -> Self {
        Self {
            renderer: Renderer::default(),
            faces: HashMap::new(),
            scene: History::new(SCENE_SLOTS, SLOT_NS),
        }
    }
}

impl Overlay {
    /// What is drawn from now on, and how.
    pub fn set_style(&mut self, style: &Style) {
        self.renderer.set_style(style);
    }

    /// Empties the histories: time may begin anew.
    pub fn clear(&mut self) {
        self.faces.clear();
        self.scene = History::new(SCENE_SLOTS, SLOT_NS);
    }

    /// Notes what the frame at `time_ns` of running time shows. The scene's attitude is that of the
    /// mean scores of the faces whose attitude is known. A face that is not followed has no history.
    pub fn push(&mut self, time_ns: u64, faces: &[FaceDrawing]) {
        let is_shown = |track: u32| faces.iter().any(|face| face.track == track);
        self.faces.retain(|&track, _| is_shown(track));
        for face in faces.iter().filter(|face| face.track > 0) {
            self.faces
                .entry(face.track)
                .or_insert_with(|| History::new(FACE_SLOTS, SLOT_NS))
                .push(time_ns, Moment::Present(face.label));
        }
        let moment = if faces.is_empty() {
            Moment::Absent
        } else {
            Moment::Present(scene_attitude(faces))
        };
        self.scene.push(time_ns, moment);
    }

    /// Draws `faces`, which were noted, onto `buffer`: attached to it where `is_attached`, which the
    /// sink then draws, else blended into its pixels.
    ///
    /// # Errors
    /// Where it cannot be drawn, or the buffer not written to.
    pub fn draw(
        &mut self,
        buffer: &mut gst::BufferRef,
        info: &VideoInfo,
        is_attached: bool,
        faces: &[FaceDrawing],
    ) -> Result<(), RenderError> {
        let drawings = faces.iter().map(|face| FaceDrawing {
            history: self.faces.get(&face.track),
            ..*face
        });
        let (width, height) = (info.width(), info.height());
        let drawn = self
            .renderer
            .draw(width, height, drawings, Some(&self.scene));
        let Some(overlay) = drawn? else {
            return Ok(());
        };
        if is_attached {
            if let Some(composition) = overlay.compose()? {
                attach(buffer, composition)?;
            }
            Ok(())
        } else {
            let mut frame = VideoFrameRef::from_buffer_ref_writable(buffer, info)?;
            overlay.blend(&mut frame)
        }
    }
}

/// Attaches `composition`, on top of one that is attached already.
fn attach(
    buffer: &mut gst::BufferRef,
    composition: VideoOverlayComposition,
) -> Result<(), glib::BoolError> {
    match buffer.meta_mut::<VideoOverlayCompositionMeta>() {
        Some(mut meta) => {
            // By reference: the bindings' collecting of rectangles by value leaks each of them.
            let rectangles: Vec<_> = meta.overlay().iter().chain(composition.iter()).collect();
            meta.set_overlay(&VideoOverlayComposition::new(&rectangles)?);
        }
        None => {
            VideoOverlayCompositionMeta::add(buffer, &composition);
        }
    }
    Ok(())
}

fn scene_attitude(faces: &[FaceDrawing]) -> Label {
    let known = faces.iter().filter(|face| face.label.is_known());
    Scores::mean(known.filter_map(|face| face.scores))
        .map_or(Label::Unknown, |scores| scores.best().into())
}
