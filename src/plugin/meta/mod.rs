// SPDX-License-Identifier: MPL-2.0

//! Metadata of the faces of a frame: attaches them to the buffer and reads them back.
//!
//! * Each face is a `GstVideoRegionOfInterestMeta` of type [`FACE`] with the params
//!   [`ATTITUDE_PARAM`], [`EMOTION_PARAM`] and [`GEOMETRY_PARAM`], besides `detection` and
//!   `object_id`.
//! * With the cargo feature `analytics`, each face is in the `GstAnalyticsRelationMeta` of the
//!   frame too.
//! * The first frame that carries the result of a sample also has the custom meta [`SAMPLE_META`],
//!   as a sample may have found no face. Its field `age-ns` is the time from the sampled frame to
//!   the one that carries the result; its other fields are the trend of the scene, if it is known.
//!
//! ```
//! use gstattitude::meta;
//!
//! fn on_buffer(buffer: &gst::BufferRef) {
//!     let mut faces = Vec::new();
//!     meta::read_records(buffer, &mut faces);
//!     for face in &faces {
//!         println!("face {} at {:?} is {}", face.track, face.bbox, face.attitude);
//!     }
//! }
//! ```

#[cfg(feature = "analytics")]
mod analytics;
mod region;
pub(crate) mod stripped;
mod trend;

use gst::meta::CustomMeta;

use crate::drawing::FaceDrawing;
use attitude::analyzer::Face;
use attitude::detection::Detection;
use attitude::geometry::{Landmarks, Point, Rect};
use attitude::record::FaceRecord;
use attitude::trend::Trend;

pub use region::{ATTITUDE_PARAM, EMOTION_PARAM, FACE, GEOMETRY_PARAM};

/// Names of the classifier and its emotions in the metadata.
#[derive(Clone, Debug)]
pub(crate) struct ModelNames {
    model: String,
    emotion_labels: Vec<String>,
    /// Field names of `emotion_labels`.
    emotion_fields: Vec<String>,
}

impl ModelNames {
    /// Names a classifier `model` with the emotions `labels`.
    pub(crate) fn new(model: &str, labels: &[String]) -> Self {
        Self {
            model: model.to_owned(),
            emotion_labels: labels.to_vec(),
            emotion_fields: labels.iter().map(|label| field_name(label)).collect(),
        }
    }

    /// Returns the model's names of the emotions.
    pub(crate) fn emotion_labels(&self) -> &[String] {
        &self.emotion_labels
    }
}

/// Returns `label` as the name of a structure field. Replaces characters that would prevent parsing
/// of the serialized structure by dashes.
pub(crate) fn field_name(label: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_+/:.".contains(c);
    label.replace(|c| !is_plain(c), "-")
}

/// A face of the last sample in the frame that carries it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CarriedFace<'a> {
    /// State of the face after the last sample.
    pub state: &'a Face,
    /// Box extrapolated to the frame.
    pub bbox_in_frame: Rect,
    /// Time from the sampled frame to this frame.
    pub age_ns: u64,
    /// Whether this is the first frame that carries the result.
    pub is_fresh: bool,
}

impl CarriedFace<'_> {
    /// Returns the landmarks moved along with the box.
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

/// Kinds of metadata that are attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MetaKinds {
    /// Regions of interest.
    pub regions: bool,
    /// The analytics relation meta; no effect without the cargo feature.
    pub analytics: bool,
}

/// Attaches `faces` to `buffer`, a frame of `size` (width, height) pixels. Skips boxes outside the
/// frame. If upstream has attached a region or detection of type `upstream_type` of the same face,
/// extends it instead of attaching another one.
pub(crate) fn attach<'a>(
    buffer: &mut gst::BufferRef,
    size: (u32, u32),
    faces: impl Iterator<Item = CarriedFace<'a>>,
    model: &ModelNames,
    kinds: MetaKinds,
    upstream_type: Option<&str>,
) {
    for face in faces {
        let Some(visible) = region::Visible::of(face.bbox_in_frame, size) else {
            continue;
        };
        #[cfg(feature = "analytics")]
        let id = kinds
            .analytics
            .then(|| analytics::attach(buffer, &visible, &face, upstream_type))
            .flatten();
        #[cfg(not(feature = "analytics"))]
        let id = None;
        if kinds.regions {
            region::attach(buffer, &visible, &face, model, id, upstream_type);
        }
    }
}

/// Replaces the contents of `faces` with the classified faces of `buffer`, for drawing. Reads the
/// regions of interest or, if none has an attitude, the analytics meta.
pub fn read_drawings(buffer: &gst::BufferRef, faces: &mut Vec<FaceDrawing<'static>>) {
    faces.clear();
    faces.extend(region::iter(buffer).map(|face| face.drawing()));
    #[cfg(feature = "analytics")]
    if faces.is_empty() {
        analytics::read(buffer, |face| faces.push(face.drawing));
    }
}

/// Replaces the contents of `faces` with the classified faces of `buffer`, as records; boxes and
/// landmarks are in frame pixels. Values that the metadata lack are 0, empty or `None`. Metadata of
/// other elements count as fresh.
pub fn read_records(buffer: &gst::BufferRef, faces: &mut Vec<FaceRecord>) {
    faces.clear();
    faces.extend(region::iter(buffer).map(|face| face.record()));
    #[cfg(feature = "analytics")]
    if faces.is_empty() {
        analytics::read(buffer, |face| faces.push(face.record()));
    }
}

/// Returns `true` if any face has an attitude.
fn is_classified(buffer: &gst::BufferRef) -> bool {
    #[cfg(feature = "analytics")]
    if analytics::is_classified(buffer) {
        return true;
    }
    region::iter(buffer).next().is_some()
}

/// Replaces the contents of `faces` with the regions of interest and detections of type `face_type`
/// of `buffer`, in frame pixels and without landmarks.
pub(crate) fn read_detections(
    buffer: &gst::BufferRef,
    face_type: &str,
    faces: &mut Vec<Detection>,
) {
    faces.clear();
    faces.extend(region::detections(buffer, face_type));
    #[cfg(feature = "analytics")]
    analytics::read_detections(buffer, face_type, faces);
}

/// Name of the custom meta, for `gst_buffer_get_custom_meta()`.
pub const SAMPLE_META: &str = "GstFaceAttitudeSample";

/// Registers the custom meta; has no effect the second time.
pub(crate) fn register() {
    if !CustomMeta::is_registered(SAMPLE_META) {
        // Without tags, so that elements which change the pixels copy the meta.
        CustomMeta::register(SAMPLE_META, &[]);
    }
}

/// Marks `buffer` as the first that carries the result of a sample taken `age_ns` before it, at
/// which the scene had the trend `scene_trend`.
pub(crate) fn mark_sample(buffer: &mut gst::BufferRef, age_ns: u64, scene_trend: Option<Trend>) {
    // Adding succeeds, as the meta is registered.
    if let Ok(mut meta) = CustomMeta::add(buffer, SAMPLE_META) {
        let structure = meta.mut_structure();
        structure.set("age-ns", age_ns);
        trend::set(structure, scene_trend);
    }
}

/// Returns the trend of the scene; `None` if `buffer` is not the first that carries the result of a
/// sample, or the trend is not known.
pub fn scene_trend(buffer: &gst::BufferRef) -> Option<Trend> {
    let meta = CustomMeta::from_buffer(buffer, SAMPLE_META).ok()?;
    trend::get(meta.structure())
}

/// Returns `true` if `buffer` is the first that carries the result of a sample.
pub fn is_sample(buffer: &gst::BufferRef) -> bool {
    CustomMeta::from_buffer(buffer, SAMPLE_META).is_ok()
}
