// SPDX-License-Identifier: MPL-2.0

//! Faces in the `GstAnalyticsRelationMeta`.
//!
//! A face is a detection of type [`FACE`]. It contains a classification of length 1, the attitude.
//! This is the first classification that the detection relates to, as the overlays of GStreamer and
//! DL Streamer expect it. It relates to a second classification, which has the scores of all three
//! attitudes. The detection also relates to the tracking of the face.

use glib::Quark;
use gst_analytics::prelude::*;
use gst_analytics::{
    AnalyticsClassificationMtd, AnalyticsODMtd, AnalyticsRelationMeta, AnalyticsTrackingMtd,
    RelTypes,
};

use super::CarriedFace;
use super::region::{FACE, MIN_IOU, Visible};
use crate::clock_time::clock_time;
use crate::drawing::FaceDrawing;
use attitude::detection::Detection;
use attitude::geometry::Rect;
use attitude::record::FaceRecord;
use attitude::{Attitude, Label, Scores};

type Meta<'a> = gst::MetaRef<'a, AnalyticsRelationMeta>;

/// Adds the classification of `face` to the unclassified upstream detection of type `upstream_type`
/// of the same face, or to a new detection if there is none. Returns the id of the detection;
/// `None` if the meta is full.
pub(super) fn attach(
    buffer: &mut gst::BufferRef,
    visible: &Visible,
    face: &CarriedFace,
    upstream_type: Option<&str>,
) -> Option<u32> {
    let existing = upstream_type.and_then(|of_type| id_of(buffer, of_type, &visible.in_frame));
    if buffer.meta::<AnalyticsRelationMeta>().is_none() {
        AnalyticsRelationMeta::add(buffer);
    }
    let mut meta = buffer.meta_mut::<AnalyticsRelationMeta>()?;
    let face = face.state;
    let detection = match existing {
        Some(id) => id,
        None => {
            let (x, y, w, h) = visible.pixels;
            let [x, y, w, h] = [x, y, w, h].map(|px| i32::try_from(px).unwrap_or(i32::MAX));
            let face_type = Quark::from_str(FACE);
            let added = meta.add_od_mtd(face_type, x, y, w, h, face.detection_score);
            added.ok()?.id()
        }
    };
    let name = Quark::from_str(face.label.name());
    let winner = meta.add_one_cls_mtd(face.confidence(), name).ok()?.id();
    let contains = RelTypes::RELATE_TO | RelTypes::CONTAIN;
    meta.set_relation(contains, detection, winner).ok()?;
    meta.set_relation(RelTypes::IS_PART_OF, winner, detection)
        .ok()?;
    if let Some(scores) = face.scores {
        let names = Attitude::ALL.map(|attitude| Quark::from_str(attitude.name()));
        let all = meta.add_cls_mtd(&scores.to_array(), &names).ok()?.id();
        meta.set_relation(RelTypes::RELATE_TO, winner, all).ok()?;
    }
    let first_seen = clock_time(face.first_seen_ns)?;
    let tracking = meta.add_tracking_mtd(u64::from(face.track), first_seen);
    let tracking = tracking.ok()?.id();
    meta.set_relation(RelTypes::RELATE_TO, detection, tracking)
        .ok()?;
    Some(detection)
}

/// Returns the id of the unclassified detection of this type that overlaps `bbox_in_frame` most.
fn id_of(buffer: &gst::BufferRef, of_type: &str, bbox_in_frame: &Rect) -> Option<u32> {
    let meta = buffer.meta::<AnalyticsRelationMeta>()?;
    detections(&meta, Some(of_type))
        .filter(|(id, _)| classification(&meta, *id).is_none())
        .map(|(id, detection)| (id, detection.bbox.iou(bbox_in_frame)))
        .filter(|(_, iou)| *iou >= MIN_IOU)
        .max_by(|(_, a), (_, b)| a.total_cmp(b))
        .map(|(id, _)| id)
}

/// Returns the detections of this type, or all, with their ids.
fn detections<'a>(
    meta: &'a Meta<'a>,
    of_type: Option<&'a str>,
) -> impl Iterator<Item = (u32, Detection)> + 'a {
    meta.iter::<AnalyticsODMtd>().filter_map(move |found| {
        let is_of_type = |of_type: &str| {
            found
                .obj_type()
                .is_some_and(|obj_type| obj_type.as_str() == of_type)
        };
        if !of_type.is_none_or(is_of_type) {
            return None;
        }
        let location = found.location().ok()?;
        let [x, y, w, h] = [location.x, location.y, location.w, location.h].map(|px| px as f32);
        let detection = Detection {
            bbox: Rect::new(x, y, w, h),
            score: location.loc_conf_lvl.clamp(0.0, 1.0),
            landmarks: None,
        };
        Some((found.id(), detection))
    })
}

/// Adds the detections of this type to `faces`.
pub(super) fn read_detections(buffer: &gst::BufferRef, of_type: &str, faces: &mut Vec<Detection>) {
    if let Some(meta) = buffer.meta::<AnalyticsRelationMeta>() {
        faces.extend(detections(&meta, Some(of_type)).map(|(_, detection)| detection));
    }
}

/// Returns the classification of a detection: label, confidence, and the scores if the meta has
/// them.
fn classification(meta: &Meta, detection: u32) -> Option<(Label, f32, Option<Scores>)> {
    meta.iter_direct_related::<AnalyticsClassificationMtd>(detection, RelTypes::RELATE_TO)
        .find_map(|winner| {
            if winner.len() != 1 {
                return None;
            }
            let label = Label::from_name(winner.quark(0).as_str())?;
            let scores = meta
                .iter_direct_related::<AnalyticsClassificationMtd>(winner.id(), RelTypes::RELATE_TO)
                .find(|all| all.len() == Attitude::ALL.len())
                .map(|all| Scores::from_array(std::array::from_fn(|index| all.level(index))));
            Some((label, winner.level(0), scores))
        })
}

/// A detection with a classification.
pub(super) struct ClassifiedDetection {
    pub drawing: FaceDrawing<'static>,
    detection_score: f32,
}

/// Calls `read_face` with each classified detection of `buffer`.
pub(super) fn read(buffer: &gst::BufferRef, mut read_face: impl FnMut(ClassifiedDetection)) {
    let Some(meta) = buffer.meta::<AnalyticsRelationMeta>() else {
        return;
    };
    for (id, detection) in detections(&meta, None) {
        if let Some((label, confidence, scores)) = classification(&meta, id) {
            let tracking = meta
                .iter_direct_related::<AnalyticsTrackingMtd>(id, RelTypes::RELATE_TO)
                .next();
            let track = tracking.and_then(|tracking| u32::try_from(tracking.info().0).ok());
            read_face(ClassifiedDetection {
                drawing: FaceDrawing {
                    track: track.unwrap_or(0),
                    bbox_in_frame: detection.bbox,
                    label,
                    confidence,
                    scores,
                    history: None,
                },
                detection_score: detection.score,
            });
        }
    }
}

/// Returns `true` if `buffer` has a classified detection.
pub(super) fn is_classified(buffer: &gst::BufferRef) -> bool {
    let mut is_classified = false;
    read(buffer, |_| is_classified = true);
    is_classified
}

impl ClassifiedDetection {
    /// Returns the detection as a record; the meta has no landmarks, no head pose, no quality, no
    /// raw scores and no age.
    pub fn record(&self) -> FaceRecord {
        let face = &self.drawing;
        let Rect { x, y, w, h } = face.bbox_in_frame;
        FaceRecord {
            track: face.track,
            bbox: [x, y, w, h],
            detection: self.detection_score,
            attitude: face.label,
            confidence: face.confidence,
            scores: face.scores.unwrap_or_default(),
            valence: face.scores.map(|scores| scores.valence()),
            fresh: true,
            ..FaceRecord::default()
        }
    }
}
