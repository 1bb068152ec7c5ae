// SPDX-License-Identifier: MPL-2.0

//! What is known of a frame's faces, attached to its buffer, and read back.
//!
//! * Each face is a `GstVideoRegionOfInterestMeta` of type `face`: [`region`] has its params.
//! * With the feature `analytics` it is in the frame's `GstAnalyticsRelationMeta` too.
//! * The first frame that carries what a sample has found carries a custom meta of its own:
//!   [`sample`] tells why.

#[cfg(feature = "analytics")]
mod analytics;
mod region;

use gst::meta::CustomMeta;

use crate::drawing::FaceDrawing;
use attitude::analyzer::Face;
use attitude::detection::Detection;
use attitude::geometry::{Landmarks, Point, Rect};
use attitude::record::FaceRecord;

pub use region::{ATTITUDE_PARAM, EMOTION_PARAM, FACE, GEOMETRY_PARAM};

/// What the classifier and what it tells are called in metadata.
#[derive(Clone, Debug)]
pub struct ModelNames {
    model: String,
    emotion_labels: Vec<String>,
    /// Of `emotion_labels`.
    emotion_fields: Vec<String>,
}

impl ModelNames {
    /// Of a classifier that is called `model` and calls its emotions `labels`.
    pub fn new(model: &str, labels: &[String]) -> Self {
        Self {
            model: model.to_owned(),
            emotion_labels: labels.to_vec(),
            emotion_fields: labels.iter().map(|label| field_name(label)).collect(),
        }
    }

    /// The emotions, by the model's own names.
    pub fn emotion_labels(&self) -> &[String] {
        &self.emotion_labels
    }
}

/// `label` as the name of a structure's field: what a written structure could not be read back with
/// is a dash.
pub fn field_name(label: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_+/:.".contains(c);
    label.replace(|c| !is_plain(c), "-")
}

/// How a frame shows a face: where, and how old what is known of its attitude is.
#[derive(Clone, Copy, Debug)]
pub struct CarriedFace<'a> {
    /// What is known.
    pub state: &'a Face,
    /// The box moved on to the frame.
    pub bbox_in_frame: Rect,
    /// Time from the sampled frame to this one.
    pub age_ns: u64,
    /// Whether this is the first frame that carries it.
    pub is_fresh: bool,
}

impl CarriedFace<'_> {
    /// The landmarks moved along with the box.
    fn landmarks_in_frame(&self) -> Option<Landmarks> {
        let (from, to) = (self.state.bbox_in_frame, self.bbox_in_frame);
        let moved = |p: Point| Point::new(p.x + (to.x - from.x), p.y + (to.y - from.y));
        self.state
            .landmarks_in_frame
            .map(|points| points.map(moved))
    }
}

impl From<&CarriedFace<'_>> for FaceDrawing<'static> {
    fn from(face: &CarriedFace) -> Self {
        Self {
            track: face.state.track,
            bbox_in_frame: face.bbox_in_frame,
            label: face.state.label,
            confidence: face.state.confidence(),
            scores: face.state.scores,
            history: None,
        }
    }
}

/// In which forms faces are attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forms {
    /// As regions of interest.
    pub regions: bool,
    /// In the analytics relation meta; nothing without the feature.
    pub analytics: bool,
}

/// Attaches `faces` to `buffer`, a frame of `size` (width, height) pixels. Boxes that have left
/// the frame are not attached. A region of type `adopted` that upstream has attached and that shows
/// the same face is added to instead of attaching another one.
pub fn attach<'a>(
    buffer: &mut gst::BufferRef,
    size: (u32, u32),
    faces: impl Iterator<Item = CarriedFace<'a>>,
    model: &ModelNames,
    forms: Forms,
    adopted: Option<&str>,
) {
    for face in faces {
        let Some(visible) = region::Visible::of(face.bbox_in_frame, size) else {
            continue;
        };
        #[cfg(feature = "analytics")]
        let id = forms
            .analytics
            .then(|| analytics::attach(buffer, &visible, &face, adopted))
            .flatten();
        #[cfg(not(feature = "analytics"))]
        let id = None;
        if forms.regions {
            region::attach(buffer, &visible, &face, model, id, adopted);
        }
    }
}

/// Replaces the contents of `faces` by what `buffer` shows: by its regions of interest that have an
/// attitude or, where there are none, by its analytics meta.
pub fn read_drawings(buffer: &gst::BufferRef, faces: &mut Vec<FaceDrawing<'static>>) {
    faces.clear();
    faces.extend(region::iter(buffer).map(|face| face.drawing()));
    #[cfg(feature = "analytics")]
    if faces.is_empty() {
        analytics::read(buffer, |face| faces.push(face.drawing));
    }
}

/// The same as records, with all that the metadata tells. What it does not tell is 0, empty or
/// `None`; what another stack has attached to a frame is fresh.
pub fn read_records(buffer: &gst::BufferRef, faces: &mut Vec<FaceRecord>) {
    faces.clear();
    faces.extend(region::iter(buffer).map(|face| face.record()));
    #[cfg(feature = "analytics")]
    if faces.is_empty() {
        analytics::read(buffer, |face| faces.push(face.record()));
    }
}

/// Why [`is_stripped`] is worth a warning, and what to do.
pub(super) const STRIPPED: &str = "an element in between has dropped what was known of the faces, as \
    GStreamer's converters do: put this element before it, right behind faceattitude";

/// Whether `buffer` brings a sample whose faces are still there as regions of interest, but not what
/// was known of them.
pub fn is_stripped(buffer: &gst::BufferRef) -> bool {
    is_sample(buffer) && region::has_bare_face(buffer) && !is_classified(buffer)
}

/// Whether the attitude of any face is told.
fn is_classified(buffer: &gst::BufferRef) -> bool {
    #[cfg(feature = "analytics")]
    if analytics::is_classified(buffer) {
        return true;
    }
    region::iter(buffer).next().is_some()
}

/// Replaces the contents of `faces` by those that upstream has attached to `buffer`: the regions of
/// interest and the detections of type `face_type`, in pixels of the frame, without landmarks.
pub fn read_detections(buffer: &gst::BufferRef, face_type: &str, faces: &mut Vec<Detection>) {
    faces.clear();
    faces.extend(region::detections(buffer, face_type));
    #[cfg(feature = "analytics")]
    analytics::read_detections(buffer, face_type, faces);
}

/// Name of the meta, by which `gst_buffer_get_custom_meta` finds it.
pub const SAMPLE_META: &str = "GstFaceAttitudeSample";

/// Makes the meta known; once a process.
pub(crate) fn register() {
    if !CustomMeta::is_registered(SAMPLE_META) {
        // Without tags it survives what copies a frame's metadata, whatever becomes of its pixels.
        CustomMeta::register(SAMPLE_META, &[]);
    }
}

/// Marks `buffer` as the first that carries what a sample has found, `age_ns` before it.
pub fn mark_sample(buffer: &mut gst::BufferRef, age_ns: u64) {
    // It is registered, so it can be added.
    if let Ok(mut meta) = CustomMeta::add(buffer, SAMPLE_META) {
        meta.mut_structure().set("age-ns", age_ns);
    }
}

/// Whether `buffer` is marked.
pub fn is_sample(buffer: &gst::BufferRef) -> bool {
    CustomMeta::from_buffer(buffer, SAMPLE_META).is_ok()
}
