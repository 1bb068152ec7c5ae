// SPDX-License-Identifier: MPL-2.0

//! Overlay of an element: keeps the histories, draws the faces, and attaches the result to the
//! frame or blends it into the frame.

use std::collections::HashMap;

use gst_video::video_frame::VideoFrameRef;
use gst_video::video_overlay_composition::VideoOverlayComposition;
use gst_video::{VideoInfo, VideoOverlayCompositionMeta};

use super::drawing::{FaceDrawing, RenderError, Renderer, Style};
use super::negotiation::OverlayOutput;
use attitude::history::{History, SlotState};
use attitude::{Label, Scores};

/// Number of slots in the history of a face, which cover 10 s.
const FACE_SLOTS: usize = 50;
/// Number of slots in the history of the scene, which cover one minute.
const SCENE_SLOTS: usize = 300;
/// Duration of a slot.
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
    /// Sets the style of later frames.
    pub fn set_style(&mut self, style: &Style) {
        self.renderer.set_style(style);
    }

    /// Empties the histories; time may start again.
    pub fn clear(&mut self) {
        self.faces.clear();
        self.scene = History::new(SCENE_SLOTS, SLOT_NS);
    }

    /// Adds the faces of the frame at running time `time_ns` to the histories. The attitude of the
    /// scene is that of the mean scores of the faces with a known attitude. A face without a track
    /// has no history.
    pub fn push(&mut self, time_ns: u64, faces: &[FaceDrawing]) {
        let is_shown = |track: u32| faces.iter().any(|face| face.track == track);
        self.faces.retain(|&track, _| is_shown(track));
        for face in faces.iter().filter(|face| face.track > 0) {
            self.faces
                .entry(face.track)
                .or_insert_with(|| History::new(FACE_SLOTS, SLOT_NS))
                .push(time_ns, SlotState::Present(face.label));
        }
        let state = if faces.is_empty() {
            SlotState::Absent
        } else {
            SlotState::Present(scene_attitude(faces))
        };
        self.scene.push(time_ns, state);
    }

    /// Draws `faces`, which must have been pushed, to `output` of `buffer`.
    ///
    /// # Errors
    /// Returns an error if the overlay cannot be drawn or the buffer is not writable.
    pub fn draw(
        &mut self,
        buffer: &mut gst::BufferRef,
        info: &VideoInfo,
        output: OverlayOutput,
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
        match output {
            OverlayOutput::Composition => {
                if let Some(composition) = overlay.compose()? {
                    attach(buffer, composition)?;
                }
                Ok(())
            }
            OverlayOutput::Pixels => {
                let mut frame = VideoFrameRef::from_buffer_ref_writable(buffer, info)?;
                overlay.blend(&mut frame)
            }
        }
    }
}

/// Attaches `composition` on top of one that is already attached.
fn attach(
    buffer: &mut gst::BufferRef,
    composition: VideoOverlayComposition,
) -> Result<(), glib::BoolError> {
    match buffer.meta_mut::<VideoOverlayCompositionMeta>() {
        Some(mut meta) => {
            // By reference: the bindings leak rectangles that are collected by value.
            let rectangles: Vec<_> = meta.overlay().iter().chain(composition.iter()).collect();
            meta.set_overlay(&VideoOverlayComposition::new(&rectangles)?);
        }
        None => {
            VideoOverlayCompositionMeta::add(buffer, &composition);
        }
    }
    Ok(())
}

/// Returns the attitude of the mean scores of all faces with a known attitude.
fn scene_attitude(faces: &[FaceDrawing]) -> Label {
    let known = faces.iter().filter(|face| face.label.is_known());
    Scores::mean(known.filter_map(|face| face.scores))
        .map_or(Label::Unknown, |scores| scores.best().into())
}
