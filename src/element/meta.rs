// SPDX-License-Identifier: MPL-2.0

//! What is known of a frame's faces, attached to its buffer.
//!
//! Each face is a `GstVideoRegionOfInterestMeta` of type `face` with the params `detection`,
//! `object_id`, `classification_layer_name:attitude` and, where the classifier tells emotions,
//! `classification_layer_name:emotion`, by the names that DL Streamer's `gvawatermark` and
//! `gvametaconvert` read.

use crate::analysis::analyzer::Face;
use crate::analysis::attitude::{AttitudeClassifier, label_name};
use crate::analysis::geometry::Rect;
use gst_video::video_meta::VideoRegionOfInterestMeta;

/// The type of the region.
pub const ROI_TYPE: &str = "face";

/// The param that holds the attitude.
pub const ATTITUDE_PARAM: &str = "classification_layer_name:attitude";

/// The param that holds the emotions.
pub const EMOTION_PARAM: &str = "classification_layer_name:emotion";

/// What the classifier and what it tells are called in metadata.
#[derive(Clone, Debug)]
pub struct ModelNames {
    model: String,
    emotion_labels: Vec<String>,
    /// Of `emotion_labels`.
    emotion_fields: Vec<String>,
}

impl ModelNames {
    /// Those of `classifier`.
    pub fn of(classifier: &dyn AttitudeClassifier) -> Self {
        let labels = classifier.emotion_labels();
        Self {
            model: classifier.model_name().to_owned(),
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
pub struct Sighting<'a> {
    /// What is known.
    pub face: &'a Face,
    /// The box moved on to the frame.
    pub bbox_in_frame: Rect,
    /// Time from the sampled frame to this one.
    pub age_ns: u64,
    /// Whether this is the first frame that carries it.
    pub is_fresh: bool,
}

/// Attaches `sighting` to `buffer`, a frame of `width` by `height` pixels. A box that has left the
/// frame is not attached.
pub fn add_roi(
    buffer: &mut gst::BufferRef,
    (width, height): (u32, u32),
    sighting: &Sighting,
    model: &ModelNames,
) {
    let frame = Rect::new(0.0, 0.0, width as f32, height as f32);
    let visible = sighting.bbox_in_frame.intersection(&frame);
    if !visible.is_valid() {
        return;
    }
    let (left, top) = (visible.x.floor() as u32, visible.y.floor() as u32);
    let right = ((visible.x + visible.w).ceil() as u32).min(width);
    let bottom = ((visible.y + visible.h).ceil() as u32).min(height);
    let rect = (left, top, right - left, bottom - top);
    let mut roi = VideoRegionOfInterestMeta::add(buffer, ROI_TYPE, rect);
    roi.add_param(detection(sighting, &visible, &frame));
    roi.add_param(
        gst::Structure::builder("object_id")
            .field("id", sighting.face.track as i32)
            .build(),
    );
    roi.add_param(attitude(sighting, &model.model));
    if let Some(emotion) = emotion(sighting, model) {
        roi.add_param(emotion);
    }
}

fn detection(sighting: &Sighting, visible: &Rect, frame: &Rect) -> gst::Structure {
    let share = |value: f32, of: f32| f64::from(value / of);
    gst::Structure::builder("detection")
        .field("x_min", share(visible.x, frame.w))
        .field("x_max", share(visible.x + visible.w, frame.w))
        .field("y_min", share(visible.y, frame.h))
        .field("y_max", share(visible.y + visible.h, frame.h))
        .field("confidence", f64::from(sighting.face.detection_score))
        .field("label_id", 0i32)
        .build()
}

fn attitude(sighting: &Sighting, model_name: &str) -> gst::Structure {
    let face = sighting.face;
    let scores = face.scores.unwrap_or_default();
    let raw = face.raw_scores.unwrap_or_default();
    gst::Structure::builder(ATTITUDE_PARAM)
        .field("label", label_name(face.label))
        .field("label_id", face.label.map_or(-1, |label| label as i32))
        .field("confidence", f64::from(face.confidence()))
        .field("model_name", model_name)
        .field("tensor_id", 0i32)
        .field("attribute_name", "attitude")
        .field("type", "classification_result")
        .field("positive", f64::from(scores.positive))
        .field("neutral", f64::from(scores.neutral))
        .field("negative", f64::from(scores.negative))
        .field("raw-positive", f64::from(raw.positive))
        .field("raw-neutral", f64::from(raw.neutral))
        .field("raw-negative", f64::from(raw.negative))
        .field("age-ns", sighting.age_ns)
        .field("fresh", sighting.is_fresh)
        .build()
}

/// The face's emotions; `None` where the classifier tells none or has not told them yet.
fn emotion(sighting: &Sighting, model: &ModelNames) -> Option<gst::Structure> {
    let probabilities = sighting.face.emotions.as_slice();
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
