// SPDX-License-Identifier: MPL-2.0

//! Plays videos through the element, so that the evaluated results are those of `analyze`.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::Path;

use attitude::Scores;
use attitude::record::{FaceRecord, Record};

use super::data::LabeledSegment;
use super::faces::{FaceOutcome, Located};
use crate::exit::Interrupt;
use crate::playback::{self, PlaybackError, Progress, UriError};
use crate::worker::message::{AnalysisSettings, Part, Request};
use crate::worker::{Observer, PlaybackEnd, Player, WorkerError};

/// Maximum time that a segment may extend beyond the end of its video, as times are often rounded.
const MAX_OVERHANG_S: f64 = 1.0;

/// A sampled frame.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    /// Position in the video in seconds.
    pub time_s: f64,
    pub outcome: FaceOutcome,
}

/// A video that was played to its end.
#[derive(Debug)]
pub(super) struct Video {
    duration_s: Option<f64>,
    samples: Vec<Sample>,
    /// What a user should know about the video and how it was played.
    pub notes: Vec<String>,
}

/// A video cannot be evaluated.
#[derive(Debug, thiserror::Error)]
pub(super) enum VideoError {
    #[error("there is no such file; check the column 'file'")]
    NotFound,
    #[error(transparent)]
    Uri(#[from] UriError),
    #[error(transparent)]
    Playback(#[from] PlaybackError),
    #[error(transparent)]
    Worker(#[from] WorkerError),
    #[error("GStreamer cannot read it to its end: {0}")]
    Damaged(String),
}

/// A segment cannot be evaluated.
#[derive(Debug, thiserror::Error)]
pub(super) enum SegmentError {
    #[error(
        "the segment from {start_s} s to {end_s} s extends beyond the end of {file}, which is \
         {duration_s:.1} s long"
    )]
    BeyondEnd {
        file: String,
        start_s: f64,
        end_s: f64,
        duration_s: f64,
    },
    #[error("no sampled frame is in the segment; lower --sample-interval")]
    NoSample,
}

impl Video {
    /// Returns the samples in a segment.
    ///
    /// # Errors
    /// Returns an error if the segment is not in the video, or has no sample.
    pub(super) fn samples(&self, segment: &LabeledSegment) -> Result<Vec<Sample>, SegmentError> {
        let LabeledSegment { start_s, end_s, .. } = *segment;
        if let Some(duration_s) = self.duration_s
            && end_s > duration_s + MAX_OVERHANG_S
        {
            return Err(SegmentError::BeyondEnd {
                file: segment.file.clone(),
                start_s,
                end_s,
                duration_s,
            });
        }
        let is_inside = |sample: &&Sample| (start_s..end_s).contains(&sample.time_s);
        let samples: Vec<Sample> = self.samples.iter().filter(is_inside).cloned().collect();
        match samples.is_empty() {
            true => Err(SegmentError::NoSample),
            false => Ok(samples),
        }
    }
}

/// Plays the video at `path`. Its frames pass through each of `analyses`.
///
/// # Errors
/// Returns an error if the video cannot be played to its end.
pub(super) fn play(
    player: &mut Player,
    path: &Path,
    analyses: &[AnalysisSettings],
) -> Result<Video, VideoError> {
    if !path.is_file() {
        return Err(VideoError::NotFound);
    }
    let request = Request {
        patches: Vec::new(),
        uri: playback::file_uri(path)?,
        analyses: analyses.to_vec(),
        part: Part::default(),
        annotated: None,
    };
    let mut samples = Samples::default();
    let Ok(end) = player.play(&request, &Interrupt::default(), &mut samples);
    match end {
        PlaybackEnd::EndOfStream | PlaybackEnd::Interrupted => {}
        PlaybackEnd::Damaged(reason) | PlaybackEnd::Unwritable(reason) => {
            return Err(VideoError::Damaged(reason));
        }
        PlaybackEnd::Failed(error) => return Err(error.into()),
        PlaybackEnd::Lost(error) => return Err(error.into()),
    }
    Ok(samples.into_video(analyses.len()))
}

/// Collects the samples of a video.
#[derive(Default)]
struct Samples {
    /// The records of each sampled frame, in the order of the analyses.
    records: BTreeMap<u64, Vec<Record>>,
    duration_ns: Option<u64>,
    notes: Vec<String>,
}

impl Observer for Samples {
    type Error = Infallible;

    fn sample(&mut self, _analysis: usize, record: Record) -> Result<(), Infallible> {
        // A frame passes through one analysis after the other.
        self.records.entry(record.frame).or_default().push(record);
        Ok(())
    }

    fn progress(&mut self, progress: &Progress) {
        self.duration_ns = progress.duration_ns;
    }

    fn warning(&mut self, _text: &str) {}

    fn note(&mut self, text: String) {
        self.notes.push(text);
    }
}

impl Samples {
    fn into_video(self, models: usize) -> Video {
        let samples = self.records.into_values().filter_map(|of_models| {
            let time_ns = of_models.first()?.stream_time_ns?;
            Some(Sample {
                time_s: time_ns as f64 / 1e9,
                outcome: outcome(&of_models, models),
            })
        });
        Video {
            duration_s: self.duration_ns.map(|duration_ns| duration_ns as f64 / 1e9),
            samples: samples.collect(),
            notes: self.notes,
        }
    }
}

/// Returns the outcome of the largest face that each of `models` models classified in a frame.
fn outcome(of_models: &[Record], models: usize) -> FaceOutcome {
    let area = |face: &&FaceRecord| face.bbox[2] * face.bbox[3];
    let scores = |record: &Record| {
        let classified = record.faces.iter().filter(|face| face.fresh);
        let largest = classified.max_by(|a, b| area(a).total_cmp(&area(b)))?;
        let raw = largest.raw;
        Some(Scores::from_array([
            raw.positive,
            raw.neutral,
            raw.negative,
        ]))
    };
    let all: Option<Vec<Scores>> = of_models.iter().map(scores).collect();
    match all {
        Some(scores) if scores.len() == models => FaceOutcome::Classified {
            scores,
            located: Located::AsRequested,
        },
        _ if of_models.iter().all(|record| record.faces.is_empty()) => FaceOutcome::NotFound,
        _ => FaceOutcome::NotClassifiable,
    }
}
