// SPDX-License-Identifier: MPL-2.0

//! The overlay of the element: the histories that it shows, and how it gets onto the frame.

use std::collections::HashMap;

use gst_video::VideoOverlayCompositionMeta;
use gst_video::video_frame::VideoFrameRef;
use gst_video::video_overlay_composition::VideoOverlayComposition;

use super::stream::Video;
use crate::analysis::attitude::{Attitude, Scores};
use crate::analysis::history::{History, Moment};
use crate::element::drawing::{self, FaceDrawing, Renderer};
use crate::element::meta::Sighting;
use crate::element::video;

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
    /// Empties the histories: time may begin anew.
    pub fn forget(&mut self) {
        self.faces.clear();
        self.scene = History::new(SCENE_SLOTS, SLOT_NS);
    }

    /// Notes what the frame at `time_ns` shows. The scene's attitude is that of the mean scores of
    /// the faces whose attitude is known.
    pub fn note<'a>(
        &mut self,
        time_ns: u64,
        sightings: impl Iterator<Item = Sighting<'a>> + Clone,
    ) {
        let is_live = |track: u32| sightings.clone().any(|s| s.face.track == track);
        self.faces.retain(|&track, _| is_live(track));
        for sighting in sightings.clone() {
            self.faces
                .entry(sighting.face.track)
                .or_insert_with(|| History::new(FACE_SLOTS, SLOT_NS))
                .note(time_ns, Moment::Present(sighting.face.label));
        }
        let moment = if sightings.clone().next().is_some() {
            Moment::Present(scene_attitude(sightings))
        } else {
            Moment::Absent
        };
        self.scene.note(time_ns, moment);
    }

    /// Draws what was noted onto `buffer`: attached to it where `is_attached`, which the sink then
    /// draws, else blended into its pixels.
    ///
    /// # Errors
    /// Where it cannot be drawn, or the buffer not written to.
    pub fn draw<'a>(
        &mut self,
        buffer: &mut gst::BufferRef,
        video: &Video,
        is_attached: bool,
        sightings: impl Iterator<Item = Sighting<'a>>,
    ) -> Result<(), glib::BoolError> {
        let faces = sightings.map(|sighting| FaceDrawing {
            track: sighting.face.track,
            bbox_in_frame: sighting.bbox_in_frame,
            label: sighting.face.label,
            confidence: sighting.face.confidence(),
            scores: sighting.face.scores,
            history: self.faces.get(&sighting.face.track),
        });
        let composition = self
            .renderer
            .render(
                video.info.width(),
                video.info.height(),
                faces,
                Some(&self.scene),
            )
            .map_err(|error| glib::bool_error!("{error}"))?;
        match composition {
            Some(composition) if is_attached => attach(buffer, composition),
            Some(composition) => {
                let mut frame = VideoFrameRef::from_buffer_ref_writable(buffer, &video.info)?;
                // Blending trusts the frame's planes.
                video::view(&frame, &video.info, video.layout)
                    .map_err(|error| glib::bool_error!("{error}"))?;
                drawing::blend(&composition, &mut frame)
            }
            None => Ok(()),
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

fn scene_attitude<'a>(sightings: impl Iterator<Item = Sighting<'a>>) -> Option<Attitude> {
    let mut sums = [0.0; 3];
    let mut is_known = false;
    for scores in sightings
        .filter(|sighting| sighting.face.label.is_some())
        .filter_map(|sighting| sighting.face.scores)
    {
        is_known = true;
        for (sum, score) in sums.iter_mut().zip(scores.to_array()) {
            *sum += score;
        }
    }
    is_known.then(|| Scores::from_array(sums).best())
}
