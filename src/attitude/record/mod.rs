// SPDX-License-Identifier: MPL-2.0

//! The results for frames as data, their formats, the summary of a recording, and its exports.
//!
//! A [`Record`] contains the results for one frame. [`formats`] lists the formats; each creates a
//! [`Writer`](formats::Writer), which appends bytes to an [`Output`](formats::Output):
//!
//! ```
//! use attitude::record::formats::{FORMATS, TimedRecord, Output, Timing};
//! use attitude::record::{FrameStamp, Record};
//!
//! let timing = Timing::Samples { interval_ns: 200_000_000 };
//! let format = FORMATS.iter().find(|format| format.name == "jsonl").expect("it is listed");
//! let mut writer = (format.writer)(timing)?;
//! let mut output = Output::default();
//! let record = Record::of_frame("camera", &FrameStamp::default(), Vec::new());
//! let sample = TimedRecord::sample(&record);
//! writer.begin(sample.span, &mut output)?;
//! writer.write(&sample, &mut output)?;
//! writer.finish(&mut output)?;
//! assert!(output.bytes().starts_with(br#"{"schema":1,"stream":"camera""#));
//! # Ok::<(), std::io::Error>(())
//! ```

pub mod change;
pub mod columns;
pub mod corrections;
pub mod cue;
pub mod exports;
pub mod formats;
pub mod note;
pub mod spreadsheet;
mod subtitles;
pub mod summary;
pub(crate) mod table;
pub mod tags;
mod writer;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::analyzer::{Analysis, Face};
use crate::baseline::BaselineState;
use crate::pose::HeadPose;
use crate::trend::Trend;
use crate::{Label, Scores};
use tags::Tags;

/// The version of the fields of records and their meaning.
pub const SCHEMA: u32 = 1;

/// Number, times and size of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameStamp {
    /// Number of frames before this one in the stream.
    pub frame: u64,
    /// Presentation timestamp; `None` if the buffer has none.
    pub pts_ns: Option<u64>,
    /// Running time; `None` if the frame is outside the GStreamer segment.
    pub running_time_ns: Option<u64>,
    /// Stream time; `None` if the frame is outside the GStreamer segment.
    pub stream_time_ns: Option<u64>,
    /// Time of day, as time since 1970 in UTC; `None` if the source does not provide it.
    pub utc_ns: Option<u64>,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// The results for one frame.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The schema version, [`SCHEMA`].
    pub schema: u32,
    /// Identifier of the stream, from its stream-start event.
    pub stream: String,
    /// Name that the user gave the source of the video; missing in JSON if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Tags that the user gave the source of the video; missing in JSON if there are none.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    /// Number of frames before this one in the stream.
    pub frame: u64,
    /// Presentation timestamp; `None` if the buffer has none.
    pub pts_ns: Option<u64>,
    /// Running time; `None` if the frame is outside the GStreamer segment.
    pub running_time_ns: Option<u64>,
    /// Stream time, the position in a recording; `None` if the frame is outside the GStreamer
    /// segment.
    pub stream_time_ns: Option<u64>,
    /// Time of day in UTC as ISO 8601; `None` if the source does not provide it.
    pub utc: Option<String>,
    /// Width of the frame in pixels.
    pub width: u32,
    /// Height of the frame in pixels.
    pub height: u32,
    /// Trend of the [scene](Analysis::scene_trend), in running time; missing in JSON if it is not
    /// known, and in metadata of frames without a new sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trend: Option<Trend>,
    /// The tracked faces, sorted by track id.
    pub faces: Vec<FaceRecord>,
}

/// The results for one tracked face in a frame.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FaceRecord {
    /// Track id, from 1.
    pub track: u32,
    /// Left, top, width and height of the box, in frame pixels; the box may extend beyond the
    /// frame.
    #[serde(rename = "box")]
    pub bbox: [f32; 4],
    /// Landmarks (x, y) in frame pixels, in the order of [`Landmarks`](crate::geometry::Landmarks);
    /// `None` if the detector does not detect them.
    pub landmarks: Option<[[f32; 2]; 5]>,
    /// Head pose at the last detection; `None` if the detector does not detect landmarks, and in
    /// older records.
    #[serde(default)]
    pub pose: Option<HeadPose>,
    /// Score of the last detection, 0 to 1.
    pub detection: f32,
    /// The attitude, after smoothing.
    pub attitude: Label,
    /// Smoothed score of the attitude times the quality, 0 to 1; 0 for `unknown`.
    pub confidence: f32,
    /// Smoothed scores, each 0 to 1; all 0 before the first classification, and after the track
    /// timeout without a classification.
    pub scores: Scores,
    /// Valence of the smoothed scores, −1 to 1, see [`Scores::valence`]; `None` if `scores` are all
    /// 0, and in older records.
    #[serde(default)]
    pub valence: Option<f32>,
    /// Smoothed [quality](crate::quality) of the face's picture, 0 to 1; `None` if `scores` are all
    /// 0, and in older records.
    #[serde(default)]
    pub quality: Option<f32>,
    /// Scores of the last classification, each 0 to 1, without smoothing; all 0 if `scores` are.
    pub raw: Scores,
    /// Smoothed probability of each emotion, 0 to 1, by name; empty if the classifier has no
    /// emotions, or `scores` are all 0.
    #[serde(default)]
    pub emotions: BTreeMap<String, f32>,
    /// [Trend](crate::trend) of the valence, in running time; missing in JSON if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trend: Option<Trend>,
    /// State of the [baseline](crate::baseline); missing in JSON if baselines are not computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BaselineState>,
    /// Valence minus the baseline, −2 to 2; missing in JSON if one of them is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valence_change: Option<f32>,
    /// Attitude of `valence_change`; see
    /// [`attitude_of_change`](crate::baseline::attitude_of_change). Missing in JSON with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attitude_change: Option<Label>,
    /// `true` if the face was classified in this frame or, in metadata of a live pipeline, if this
    /// is the first frame that carries the classification.
    pub fresh: bool,
    /// Time since the last classification or, if `scores` are all 0, since the last detection.
    pub age_ns: u64,
}

impl Record {
    /// Returns the time on the scale of summaries and subtitles: the stream time or, if there is
    /// none, the presentation timestamp or the running time.
    pub fn time_ns(&self) -> Option<u64> {
        let time_ns = self.stream_time_ns.or(self.pts_ns);
        time_ns.or(self.running_time_ns)
    }

    /// Creates the record of the sample of `analysis`. `emotion_labels` are those of the
    /// classifier.
    pub fn new(
        stream: &str,
        stamp: &FrameStamp,
        analysis: &Analysis,
        emotion_labels: &[String],
    ) -> Self {
        let faces = analysis.faces.iter();
        let faces = faces.map(|face| FaceRecord::new(face, analysis.time_ns, emotion_labels));
        Self {
            trend: analysis.scene_trend,
            ..Self::of_frame(stream, stamp, faces.collect())
        }
    }

    /// Creates the record of a frame with `faces`.
    pub fn of_frame(stream: &str, stamp: &FrameStamp, faces: Vec<FaceRecord>) -> Self {
        let mut record = Self {
            stream: stream.to_owned(),
            faces,
            ..Self::default()
        };
        record.set_stamp(stamp);
        record
    }

    /// Sets the schema version and the fields of `stamp`.
    pub fn set_stamp(&mut self, stamp: &FrameStamp) {
        self.schema = SCHEMA;
        self.frame = stamp.frame;
        self.pts_ns = stamp.pts_ns;
        self.running_time_ns = stamp.running_time_ns;
        self.stream_time_ns = stamp.stream_time_ns;
        self.utc = stamp.utc_ns.map(iso_8601);
        self.width = stamp.width;
        self.height = stamp.height;
    }
}

/// Formats a time since 1970 such as `2026-11-25T06:20:50.123456789Z`.
fn iso_8601(utc_ns: u64) -> String {
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_nanos(utc_ns);
    humantime::format_rfc3339_nanos(time).to_string()
}

impl FaceRecord {
    /// Creates the record of `face` at the running time `time_ns`; the box and the landmarks are
    /// extrapolated to this time.
    pub fn new(face: &Face, time_ns: u64, emotion_labels: &[String]) -> Self {
        let bbox = face.bbox_at(time_ns);
        let age_ns = time_ns.saturating_sub(face.updated_ns());
        Self {
            track: face.track,
            bbox: [bbox.x, bbox.y, bbox.w, bbox.h],
            landmarks: face
                .landmarks_at(time_ns)
                .map(|landmarks| landmarks.map(|p| [p.x, p.y])),
            pose: face.head_pose,
            detection: face.detection_score,
            attitude: face.label,
            confidence: face.confidence(),
            scores: face.scores.unwrap_or_default(),
            valence: face.valence(),
            quality: face.quality,
            raw: face.raw_scores.unwrap_or_default(),
            emotions: std::iter::zip(emotion_labels, face.emotions.as_slice())
                .map(|(label, &probability)| (label.clone(), probability))
                .collect(),
            trend: face.trend,
            baseline: face.baseline,
            valence_change: face.valence_change,
            attitude_change: face.attitude_change(),
            fresh: face.is_classified_at(time_ns),
            age_ns,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
