// SPDX-License-Identifier: MPL-2.0

//! Faces as `GstVideoRegionOfInterestMeta`.
//!
//! Each face is a region of type [`FACE`] with the params `detection`, `object_id`,
//! [`ATTITUDE_PARAM`] and, if the classifier has emotions, [`EMOTION_PARAM`]. DL Streamer's
//! `gvawatermark` and `gvametaconvert` read these names. A region has whole pixels and is clipped
//! to the frame; [`GEOMETRY_PARAM`] has the exact box, the landmarks and the head pose.

use std::collections::BTreeMap;

use gst_video::video_meta::VideoRegionOfInterestMeta;

use super::{CarriedFace, ModelNames, trend};
use crate::drawing::FaceDrawing;
use attitude::baseline::BaselineState;
use attitude::detection::Detection;
use attitude::geometry::{Landmarks, Point, Rect};
use attitude::pose::HeadPose;
use attitude::record::FaceRecord;
use attitude::{Label, Scores};

/// Type of a region or detection that is a face.
pub const FACE: &str = "face";

/// Name of the param with the attitude.
pub const ATTITUDE_PARAM: &str = "classification_layer_name:attitude";

/// Name of the param with the emotions.
pub const EMOTION_PARAM: &str = "classification_layer_name:emotion";

/// Name of the param with the exact box and the landmarks, relative to the region's top left corner
/// and size, so that they stay correct if an element moves or scales the region; and with the head
/// pose in degrees.
pub const GEOMETRY_PARAM: &str = "geometry";

/// Fields of the smoothed scores, in the order of [`attitude::Attitude::ALL`].
const SCORE_FIELDS: [&str; 3] = ["positive", "neutral", "negative"];
/// Fields of the scores of the last sample, in the same order.
const RAW_SCORE_FIELDS: [&str; 3] = ["raw-positive", "raw-neutral", "raw-negative"];

/// Minimum intersection over union of a face and the upstream region of the same face.
pub(super) const MIN_IOU: f32 = 0.3;

/// The part of a face's box that lies in the frame; not empty.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visible {
    /// Box in frame pixels.
    pub in_frame: Rect,
    /// The box grown to whole pixels: left, top, width, height.
    pub pixels: (u32, u32, u32, u32),
    frame: Rect,
}

impl Visible {
    /// Clips `bbox_in_frame` to a frame of this width and height in pixels; `None` if the box lies
    /// outside the frame.
    pub fn of(bbox_in_frame: Rect, (width, height): (u32, u32)) -> Option<Self> {
        let frame = Rect::new(0.0, 0.0, width as f32, height as f32);
        let in_frame = bbox_in_frame.intersection(&frame);
        if !in_frame.is_valid() {
            return None;
        }
        let (left, top) = (in_frame.x.floor() as u32, in_frame.y.floor() as u32);
        let right = ((in_frame.x + in_frame.w).ceil() as u32).min(width);
        let bottom = ((in_frame.y + in_frame.h).ceil() as u32).min(height);
        Some(Self {
            in_frame,
            pixels: (left, top, right - left, bottom - top),
            frame,
        })
    }
}

/// Adds the params of `face` to the unclassified upstream region of type `upstream_type` of the
/// same face. If there is none, adds a region with the id `id`.
pub(super) fn attach(
    buffer: &mut gst::BufferRef,
    visible: &Visible,
    face: &CarriedFace,
    model: &ModelNames,
    id: Option<u32>,
    upstream_type: Option<&str>,
) {
    let index = upstream_type.and_then(|of_type| index_of(buffer, of_type, &visible.in_frame));
    let existing = index.and_then(|index| {
        let mut regions = buffer.iter_meta_mut::<VideoRegionOfInterestMeta>();
        regions.nth(index)
    });
    if let Some(mut region) = existing {
        if region.param("detection").is_none() {
            region.add_param(detection(face, visible));
        }
        add_params(&mut region, face, model);
        return;
    }
    let mut region = VideoRegionOfInterestMeta::add(buffer, FACE, visible.pixels);
    if let Some(id) = id {
        region.set_id(id as i32);
    }
    region.add_param(detection(face, visible));
    add_params(&mut region, face, model);
}

/// Returns the index of the unclassified region of this type that overlaps `bbox_in_frame` most.
fn index_of(buffer: &gst::BufferRef, of_type: &str, bbox_in_frame: &Rect) -> Option<usize> {
    buffer
        .iter_meta::<VideoRegionOfInterestMeta>()
        .enumerate()
        .filter(|(_, region)| region.roi_type() == of_type)
        .filter(|(_, region)| region.param(ATTITUDE_PARAM).is_none())
        .map(|(index, region)| (index, rect(&region).iou(bbox_in_frame)))
        .filter(|(_, iou)| *iou >= MIN_IOU)
        .max_by(|(_, a), (_, b)| a.total_cmp(b))
        .map(|(index, _)| index)
}

fn rect(region: &VideoRegionOfInterestMeta) -> Rect {
    let (x, y, w, h) = region.rect();
    Rect::new(x as f32, y as f32, w as f32, h as f32)
}

/// Returns the regions of this type; the score of a region without a confidence is 1.
pub(super) fn detections(
    buffer: &gst::BufferRef,
    of_type: &str,
) -> impl Iterator<Item = Detection> {
    buffer
        .iter_meta::<VideoRegionOfInterestMeta>()
        .filter(move |region| region.roi_type() == of_type)
        .map(|region| {
            let detection = region.param("detection");
            let score = detection.and_then(|p| p.get::<f64>("confidence").ok());
            Detection {
                bbox: rect(&region),
                score: score.map_or(1.0, |score| score.clamp(0.0, 1.0) as f32),
                landmarks: None,
            }
        })
}

/// Returns `true` if a region of type [`FACE`] has no params.
pub(super) fn has_bare_face(buffer: &gst::BufferRef) -> bool {
    let mut regions = buffer.iter_meta::<VideoRegionOfInterestMeta>();
    regions.any(|region| region.roi_type() == FACE && region.params().next().is_none())
}

fn add_params(region: &mut VideoRegionOfInterestMeta, face: &CarriedFace, model: &ModelNames) {
    region.add_param(
        gst::Structure::builder("object_id")
            .field("id", face.state.track as i32)
            .build(),
    );
    region.add_param(attitude(face, &model.model));
    if let Some(emotion) = emotion(face, model) {
        region.add_param(emotion);
    }
    let geometry = geometry(face, rect(region));
    region.add_param(geometry);
}

fn detection(face: &CarriedFace, visible: &Visible) -> gst::Structure {
    let fraction = |value: f32, whole: f32| f64::from(value / whole);
    let (visible, frame) = (&visible.in_frame, &visible.frame);
    gst::Structure::builder("detection")
        .field("x_min", fraction(visible.x, frame.w))
        .field("x_max", fraction(visible.x + visible.w, frame.w))
        .field("y_min", fraction(visible.y, frame.h))
        .field("y_max", fraction(visible.y + visible.h, frame.h))
        .field("confidence", f64::from(face.state.detection_score))
        .field("label_id", 0i32)
        .build()
}

fn attitude(face: &CarriedFace, model_name: &str) -> gst::Structure {
    let state = face.state;
    let scores = state.scores.unwrap_or_default();
    let raw = state.raw_scores.unwrap_or_default();
    let mut attitude = gst::Structure::builder(ATTITUDE_PARAM)
        .field("label", state.label.name())
        .field(
            "label_id",
            state
                .label
                .attitude()
                .map_or(-1, |attitude| attitude as i32),
        )
        .field("confidence", f64::from(state.confidence()))
        .field("model_name", model_name)
        .field("tensor_id", 0i32)
        .field("attribute_name", "attitude")
        .field("type", "classification_result")
        .field(SCORE_FIELDS[0], f64::from(scores.positive))
        .field(SCORE_FIELDS[1], f64::from(scores.neutral))
        .field(SCORE_FIELDS[2], f64::from(scores.negative))
        .field_if_some("valence", state.valence().map(f64::from))
        .field_if_some("quality", state.quality.map(f64::from))
        .field(RAW_SCORE_FIELDS[0], f64::from(raw.positive))
        .field(RAW_SCORE_FIELDS[1], f64::from(raw.neutral))
        .field(RAW_SCORE_FIELDS[2], f64::from(raw.negative))
        .field_if_some("baseline", state.baseline.map(BaselineState::name))
        .field_if_some("valence-change", state.valence_change.map(f64::from))
        .field_if_some(
            "attitude-change",
            state.attitude_change().map(|label| label.name()),
        )
        .field("age-ns", face.age_ns)
        .field("fresh", face.is_fresh)
        .build();
    trend::set(&mut attitude, state.trend);
    attitude
}

/// Returns the emotion param; `None` if the classifier has no emotions or has not run yet.
fn emotion(face: &CarriedFace, model: &ModelNames) -> Option<gst::Structure> {
    let probabilities = face.state.emotions.as_slice();
    let (best, &confidence) = probabilities
        .iter()
        .enumerate()
        .max_by(|a, b| a.1.total_cmp(b.1))?;
    let mut structure = gst::Structure::builder(EMOTION_PARAM)
        .field("label", model.emotion_labels.get(best)?)
        .field("label_id", best as i32)
        .field("confidence", f64::from(confidence))
        .field("model_name", &model.model)
        .field("tensor_id", 1i32)
        .field("attribute_name", "emotion")
        .field("type", "classification_result")
        .build();
    for (field, &probability) in model.emotion_fields.iter().zip(probabilities) {
        structure.set(field, f64::from(probability));
    }
    Some(structure)
}

fn geometry(face: &CarriedFace, region: Rect) -> gst::Structure {
    let relative_x = |x: f32| (f64::from(x) - f64::from(region.x)) / f64::from(region.w);
    let relative_y = |y: f32| (f64::from(y) - f64::from(region.y)) / f64::from(region.h);
    let Rect { x, y, w, h } = face.bbox_in_frame;
    let mut geometry = gst::Structure::builder(GEOMETRY_PARAM)
        .field("x", relative_x(x))
        .field("y", relative_y(y))
        .field("w", f64::from(w) / f64::from(region.w))
        .field("h", f64::from(h) / f64::from(region.h))
        .build();
    if let Some(landmarks) = face.landmarks_in_frame() {
        let values = landmarks
            .iter()
            .flat_map(|p| [relative_x(p.x), relative_y(p.y)]);
        geometry.set("landmarks", gst::Array::new(values));
    }
    if let Some(pose) = face.state.head_pose {
        geometry.set("yaw", f64::from(pose.yaw));
        geometry.set("pitch", f64::from(pose.pitch));
        geometry.set("roll", f64::from(pose.roll));
    }
    geometry
}

/// A region with an attitude, which may be `unknown`.
pub(super) struct ClassifiedRegion<'a> {
    region: gst::MetaRef<'a, VideoRegionOfInterestMeta>,
}

/// Returns the classified regions of `buffer`, of any type.
pub(super) fn iter(buffer: &gst::BufferRef) -> impl Iterator<Item = ClassifiedRegion<'_>> {
    buffer
        .iter_meta::<VideoRegionOfInterestMeta>()
        .filter(|region| region.param(ATTITUDE_PARAM).is_some())
        .map(|region| ClassifiedRegion { region })
}

impl ClassifiedRegion<'_> {
    /// Returns the last param with this name, because later elements append their params.
    fn param(&self, name: &str) -> Option<&gst::StructureRef> {
        self.region.params().filter(|p| p.name() == name).last()
    }

    /// Returns a number in a param; `None` if it is missing.
    fn optional_number(&self, param: &str, field: &str) -> Option<f32> {
        let number = self.param(param)?.get::<f64>(field).ok()?;
        Some(number as f32)
    }

    /// Returns a number in a param; 0 if it is missing.
    fn number(&self, param: &str, field: &str) -> f32 {
        self.optional_number(param, field).unwrap_or(0.0)
    }

    /// Returns the track number; 0 if the face is not tracked.
    fn track(&self) -> u32 {
        let id = self
            .param("object_id")
            .and_then(|p| p.get::<i32>("id").ok());
        id.and_then(|id| u32::try_from(id).ok()).unwrap_or(0)
    }

    fn label(&self) -> Label {
        let name = self.attitude_text("label");
        name.and_then(Label::from_name).unwrap_or_default()
    }

    /// Returns a text in the attitude param; `None` if it is missing.
    fn attitude_text(&self, field: &str) -> Option<&str> {
        self.param(ATTITUDE_PARAM)?.get(field).ok()
    }

    /// Returns the scores in these fields; `None` before the first classification.
    fn scores(&self, fields: [&str; 3]) -> Option<Scores> {
        let scores = fields.map(|field| self.number(ATTITUDE_PARAM, field));
        (scores != [0.0; 3]).then(|| Scores::from_array(scores))
    }

    /// Returns the exact box, or that of the region if there is none.
    fn bbox_in_frame(&self) -> Rect {
        let region = rect(&self.region);
        let Some(geometry) = self.param(GEOMETRY_PARAM) else {
            return region;
        };
        let fraction = |field: &str| geometry.get::<f64>(field).ok();
        match (fraction("x"), fraction("y"), fraction("w"), fraction("h")) {
            (Some(x), Some(y), Some(w), Some(h)) => {
                let Point { x, y } = point_in_frame(&region, x, y);
                let (w, h) = (w * f64::from(region.w), h * f64::from(region.h));
                Rect::new(x, y, w as f32, h as f32)
            }
            _ => region,
        }
    }

    fn landmarks_in_frame(&self) -> Option<Landmarks> {
        let array: gst::ArrayRef = self.param(GEOMETRY_PARAM)?.get("landmarks").ok()?;
        let region = rect(&self.region);
        let mut values = array.iter().map(|value| value.get::<f64>().ok());
        let mut landmarks = Landmarks::default();
        for landmark in &mut landmarks {
            *landmark = point_in_frame(&region, values.next()??, values.next()??);
        }
        Some(landmarks)
    }

    fn pose(&self) -> Option<HeadPose> {
        let angle = |field| self.optional_number(GEOMETRY_PARAM, field);
        Some(HeadPose {
            yaw: angle("yaw")?,
            pitch: angle("pitch")?,
            roll: angle("roll")?,
        })
    }

    fn emotions(&self) -> BTreeMap<String, f32> {
        let fields = self.param(EMOTION_PARAM).into_iter().flat_map(|p| p.iter());
        fields
            // The only other number of type double.
            .filter(|(field, _)| field.as_str() != "confidence")
            .filter_map(|(field, value)| Some((field.to_string(), value.get::<f64>().ok()? as f32)))
            .collect()
    }

    /// Returns the face as it is drawn.
    pub fn drawing(&self) -> FaceDrawing<'static> {
        FaceDrawing {
            track: self.track(),
            bbox_in_frame: self.bbox_in_frame(),
            label: self.label(),
            confidence: self.number(ATTITUDE_PARAM, "confidence"),
            scores: self.scores(SCORE_FIELDS),
            history: None,
        }
    }

    /// Returns the face as a record.
    pub fn record(&self) -> FaceRecord {
        let Rect { x, y, w, h } = self.bbox_in_frame();
        let attitude = self.param(ATTITUDE_PARAM);
        let field = |name| attitude.and_then(|p| p.value(name).ok());
        FaceRecord {
            track: self.track(),
            bbox: [x, y, w, h],
            landmarks: self
                .landmarks_in_frame()
                .map(|landmarks| landmarks.map(|p| [p.x, p.y])),
            pose: self.pose(),
            detection: self.number("detection", "confidence"),
            attitude: self.label(),
            confidence: self.number(ATTITUDE_PARAM, "confidence"),
            scores: self.scores(SCORE_FIELDS).unwrap_or_default(),
            valence: self.optional_number(ATTITUDE_PARAM, "valence"),
            quality: self.optional_number(ATTITUDE_PARAM, "quality"),
            raw: self.scores(RAW_SCORE_FIELDS).unwrap_or_default(),
            emotions: self.emotions(),
            trend: attitude.and_then(trend::get),
            baseline: self
                .attitude_text("baseline")
                .and_then(BaselineState::from_name),
            valence_change: self.optional_number(ATTITUDE_PARAM, "valence-change"),
            attitude_change: self
                .attitude_text("attitude-change")
                .and_then(Label::from_name),
            fresh: field("fresh").and_then(|v| v.get().ok()).unwrap_or(true),
            age_ns: field("age-ns").and_then(|v| v.get().ok()).unwrap_or(0),
        }
    }
}

/// Converts a point relative to `region` to frame pixels.
fn point_in_frame(region: &Rect, x: f64, y: f64) -> Point {
    let along = |start: f32, len: f32, fraction: f64| f64::from(start) + fraction * f64::from(len);
    Point::new(
        along(region.x, region.w, x) as f32,
        along(region.y, region.h, y) as f32,
    )
}
