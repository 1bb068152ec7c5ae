// SPDX-License-Identifier: MPL-2.0

//! The summary of a recording: its persons, when they were seen, and their attitudes over time.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::corrections::{AppliedCorrections, Corrections};
use super::{FaceRecord, Record};
use crate::Scores;
use crate::settings::MIN_CONFIDENCE;
use crate::study::{Bins, Totals};
use crate::timeline::baseline::{BaselineChange, BaselineSource, KnownBaseline};
use crate::timeline::persons::{self, FacePosition, FrameSize, TrackEnds};
use crate::timeline::{
    self, Observation, RecordingEnd, SampleTimes, Series, Span, TimedObservation, Timeline,
    TimelineParams,
};

use correction::CorrectedPersons;

mod correction;

/// The version of the fields of summaries and their meaning.
pub const SCHEMA: u32 = 1;

/// Minimum confidence of a known attitude of the scene, the default minimum confidence of a face.
pub const MIN_SCENE_CONFIDENCE: f32 = MIN_CONFIDENCE.default;

/// JSON Schema of a [`Summary`]. It allows additional fields.
pub const JSON_SCHEMA: &str = include_str!("../summary.schema.json");

/// The summary of a recording. To add fields, flatten it into another struct.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The schema version, [`SCHEMA`].
    pub schema: u32,
    /// Number of samples, with and without faces.
    pub samples: u64,
    /// Number of samples that contain a face.
    pub samples_with_faces: u64,
    /// Number of records that all other fields ignore, because they have no time, or their time is
    /// not after that of the previous sample.
    pub samples_left_out: u64,
    /// Sum of the numbers of faces in all samples.
    pub faces: u64,
    /// Time of the first sample; `None` if there is none.
    pub first_ns: Option<u64>,
    /// Time of the last sample; `None` if there is none.
    pub last_ns: Option<u64>,
    /// Median time between samples; `None` if there are fewer than two.
    pub spacing_ns: Option<u64>,
    /// Parameters of the timelines.
    #[serde(rename = "rules")]
    pub params: TimelineParams,
    /// Timeline of all faces together. The scores and the quality of a sample are the means over
    /// its faces with scores; its attitude is the one with the highest mean score if that score
    /// times the mean quality is at least [`MIN_SCENE_CONFIDENCE`] and the attitude of at least one
    /// face is known.
    pub scene: Timeline,
    /// The persons, sorted by the time of their first sample.
    pub persons: Vec<Person>,
    /// The corrections by a person that this summary contains; `None` if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrections: Option<AppliedCorrections>,
}

impl Summary {
    /// Returns the person who was seen longest, the first one if several were; `None` if there is
    /// none.
    pub fn seen_longest(&self) -> Option<&Person> {
        let persons = self.persons.iter().rev();
        persons.max_by_key(|person| person.timeline.seen_ns)
    }
}

/// A person: tracks that are joined by position and time, without face recognition; see
/// [`timeline`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Person {
    /// Number of the person, from 1.
    pub id: u32,
    /// Name from the corrections; `None` if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Id of the participant from the corrections; `None` if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participant: Option<String>,
    /// Center of the face in the first sample, as fractions of the width and the height of the
    /// frame; `None` in older summaries, and if the person begins in the middle of a track.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_center: Option<[f32; 2]>,
    /// The joined tracks, sorted by time.
    pub tracks: Vec<TrackSpan>,
    /// The attitudes of the person over time.
    #[serde(flatten)]
    pub timeline: Timeline,
    /// The attitudes against the person's baseline; missing in JSON without a baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_change: Option<BaselineChange>,
}

impl Person {
    /// Returns the name in the report and in exports.
    pub fn name(&self) -> String {
        match &self.name {
            Some(name) => name.clone(),
            None => format!("Person {}", self.id),
        }
    }
}

/// The time span of a track.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackSpan {
    /// Track id in the records.
    pub track: u32,
    /// Time of its first sample.
    pub first_ns: u64,
    /// Time of its last sample.
    pub last_ns: u64,
}

/// A summary and its samples.
#[derive(Clone, Debug, Default)]
pub struct Summarized {
    /// The summary.
    pub summary: Summary,
    /// Observations of the scene.
    scene: Vec<TimedObservation>,
    /// Observations of each person, in the order of the summary.
    persons: Vec<Vec<TimedObservation>>,
    /// End of the last sample; 0 if there is none.
    end_ns: u64,
}

impl Summarized {
    /// Returns the scores of the scene for a chart, in at most `max_bins` bins from the start of the
    /// first sample to the end of the last one.
    pub fn scene_series(&self, max_bins: usize) -> Series {
        self.series(&self.scene, max_bins)
    }

    /// Returns the scores of the person with this index in the summary, in the same bins as those
    /// of the scene. The bins are empty if there is no such person.
    pub fn person_series(&self, index: usize, max_bins: usize) -> Series {
        let observations = self.persons.get(index);
        self.series(observations.map_or(&[], Vec::as_slice), max_bins)
    }

    /// Returns the baseline of the person who is seen longest, for
    /// [`BaselineSource::Recording`]; `None` if nobody is seen with a known attitude for long
    /// enough.
    pub fn baseline(&self) -> Option<KnownBaseline> {
        let persons = self.summary.persons.iter().zip(&self.persons);
        let longest = persons
            .rev()
            .max_by_key(|(person, _)| person.timeline.seen_ns);
        KnownBaseline::of(longest?.1, None)
    }

    /// Returns the sums of the measures of the person with this index in the summary, in each of
    /// `bins`, without the `excluded` times, which are sorted and do not overlap. The sums are 0 if
    /// there is no such person.
    pub fn person_totals(&self, index: usize, bins: &Bins, excluded: &[Span]) -> Vec<Totals> {
        let observations = self.persons.get(index);
        bins.totals(observations.map_or(&[], Vec::as_slice), excluded)
    }

    /// Returns the observations of the scene, then those of each person.
    pub(crate) fn observations(&self) -> impl Iterator<Item = &[TimedObservation]> {
        let persons = self.persons.iter().map(Vec::as_slice);
        std::iter::once(self.scene.as_slice()).chain(persons)
    }

    /// Creates a summary with made observations.
    #[cfg(test)]
    pub(crate) fn with_observations(
        summary: Summary,
        scene: Vec<TimedObservation>,
        persons: Vec<Vec<TimedObservation>>,
    ) -> Self {
        Self {
            summary,
            scene,
            persons,
            end_ns: 0,
        }
    }

    /// Returns the time until which the last sample is shown; 0 if there is none.
    pub fn end_ns(&self) -> u64 {
        self.end_ns
    }

    fn series(&self, observations: &[TimedObservation], max_bins: usize) -> Series {
        let summary = &self.summary;
        let spacing_ns = summary.spacing_ns.unwrap_or(0);
        let span = Span {
            start_ns: summary.first_ns.unwrap_or(0),
            end_ns: self.end_ns,
        };
        Series::new(observations, span, spacing_ns, max_bins)
    }
}

/// Computes a summary from records. Stores 32 bytes per face and sample.
#[derive(Clone, Debug, Default)]
pub struct SummaryBuilder {
    stream: String,
    /// Times of all samples.
    times_ns: Vec<u64>,
    /// Numbers of their frames.
    frames: Vec<u64>,
    end: RecordingEnd,
    samples_left_out: u64,
    scene: Vec<Observation>,
    /// The tracks, sorted by the time of their first sample.
    tracks: Vec<TrackSamples>,
    /// Index in `tracks`, by track id in the current stream.
    index_of_track: HashMap<u32, usize>,
}

/// The samples of a track.
#[derive(Clone, Debug)]
struct TrackSamples {
    id: u32,
    first: FacePosition,
    last: FacePosition,
    /// The observations, sorted by time; not empty.
    samples: Vec<Observation>,
}

impl SummaryBuilder {
    /// Adds a sample. The same track id in another stream is another track.
    pub fn add(&mut self, record: &Record) {
        let is_next = |time_ns: &u64| self.times_ns.last().is_none_or(|last_ns| time_ns > last_ns);
        let Some(time_ns) = record.time_ns().filter(is_next) else {
            self.samples_left_out += 1;
            return;
        };
        self.times_ns.push(time_ns);
        self.frames.push(record.frame);
        if record.stream != self.stream {
            self.stream.clone_from(&record.stream);
            self.index_of_track.clear();
        }
        for face in &record.faces {
            self.add_face(face, time_ns, FrameSize::of(record));
        }
        if !record.faces.is_empty() {
            let faces = record.faces.iter().map(|face| observation(face, time_ns));
            let faces: Vec<Observation> = faces.collect();
            self.scene.push(scene_sample(&faces, time_ns));
        }
    }

    /// Sets the end, until which the last sample is shown.
    pub fn set_end(&mut self, end: RecordingEnd) {
        self.end = end;
    }

    fn add_face(&mut self, face: &FaceRecord, time_ns: u64, size: FrameSize) {
        let position = FacePosition::new(face.bbox, size);
        let index = *self.index_of_track.entry(face.track).or_insert_with(|| {
            self.tracks.push(TrackSamples {
                id: face.track,
                first: position,
                last: position,
                samples: Vec::new(),
            });
            self.tracks.len() - 1
        });
        let track = &mut self.tracks[index];
        track.last = position;
        track.samples.push(observation(face, time_ns));
    }

    /// Computes the summary of the added samples.
    pub fn finish(self, params: &TimelineParams) -> Summarized {
        self.finish_corrected(params, &Corrections::default())
    }

    /// Computes the summary of the added samples with `corrections`, which are
    /// [checked](Corrections::check).
    pub fn finish_corrected(
        mut self,
        params: &TimelineParams,
        corrections: &Corrections,
    ) -> Summarized {
        let spacing_ns = timeline::spacing_ns(self.times_ns.iter().copied());
        let known_spacing_ns = spacing_ns.unwrap_or(0);
        let times = SampleTimes::new(
            &self.times_ns,
            &self.frames,
            self.end,
            known_spacing_ns,
            params,
        );
        let samples_with_faces = self.scene.len() as u64;
        let faces = self.tracks.iter().map(|track| track.samples.len() as u64);
        let faces = faces.sum();
        let ends = self.tracks.iter().map(|track| track.ends(&times));
        let ends: Vec<TrackEnds> = ends.collect();
        let joined = persons::join(&ends, known_spacing_ns, params);
        let corrected = CorrectedPersons::new(&joined, &self.tracks, &ends, corrections);
        let scene = match corrected.change_the_scene() {
            true => corrected.scene(&times),
            false => times.with_spans(&std::mem::take(&mut self.scene)),
        };
        let mut persons = Vec::new();
        let mut observations_of_persons = Vec::new();
        for person in corrected.included() {
            let tracks = person.parts.iter().map(|part| TrackSpan {
                track: self.tracks[part.track].id,
                first_ns: part.first_ns(&self.tracks),
                last_ns: part.last_ns(&self.tracks),
            });
            let first = person.parts.first().filter(|part| part.is_start());
            let first = first.map(|part| ends[part.track].first.relative_center());
            let observations = corrected.observations(person, &times);
            persons.push(Person {
                id: person.number,
                name: person.name.clone(),
                participant: person.participant.clone(),
                first_center: first.map(|center| center.map(rounded_center)),
                tracks: tracks.collect(),
                timeline: Timeline::new(&observations, params),
                baseline_change: None,
            });
            observations_of_persons.push(observations);
        }
        compare_with_baselines(&mut persons, &observations_of_persons, params);
        let summary = Summary {
            schema: SCHEMA,
            samples: self.times_ns.len() as u64,
            samples_with_faces,
            samples_left_out: self.samples_left_out,
            faces,
            first_ns: self.times_ns.first().copied(),
            last_ns: self.times_ns.last().copied(),
            spacing_ns,
            params: *params,
            scene: Timeline::new(&scene, params),
            persons,
            corrections: (!corrections.is_empty()).then_some(corrected.applied),
        };
        Summarized {
            summary,
            scene,
            persons: observations_of_persons,
            end_ns: times.last_end_ns().unwrap_or(0),
        }
    }
}

/// Compares the persons with their baselines, if they have some.
fn compare_with_baselines(
    persons: &mut [Person],
    observations: &[Vec<TimedObservation>],
    params: &TimelineParams,
) {
    let longest_ns = persons.iter().map(|person| person.timeline.seen_ns).max();
    let mut is_assigned = false;
    for (person, observations) in persons.iter_mut().zip(observations) {
        let seen_ns = Some(person.timeline.seen_ns);
        let baseline = match params.baseline {
            BaselineSource::Off => None,
            BaselineSource::Auto => KnownBaseline::of(observations, None),
            BaselineSource::Part(part) => KnownBaseline::of(observations, Some(part)),
            BaselineSource::Recording(known) if seen_ns == longest_ns && !is_assigned => {
                is_assigned = true;
                Some(known)
            }
            BaselineSource::Recording(_) => None,
        };
        let mean = person.timeline.valence;
        person.baseline_change =
            baseline.map(|baseline| BaselineChange::new(observations, mean, baseline, params));
    }
}

/// Returns `value` rounded to four decimals.
fn rounded_center(value: f32) -> f32 {
    (value * 1e4).round() / 1e4
}

impl TrackSamples {
    /// Returns the times and boxes of the first and the last sample.
    fn ends(&self, times: &SampleTimes) -> TrackEnds {
        let time_ns = |sample: Option<&Observation>| sample.map_or(0, |sample| sample.time_ns);
        let last_ns = time_ns(self.samples.last());
        TrackEnds {
            first_ns: time_ns(self.samples.first()),
            last_ns,
            end_ns: times.end_ns(last_ns),
            first: self.first,
            last: self.last,
        }
    }
}

/// Returns the quality of a face; 1 if the record has none, or not a number from 0 to 1.
fn quality(face: &FaceRecord) -> f32 {
    let is_valid = |quality: &f32| (0.0..=1.0).contains(quality);
    face.quality.filter(is_valid).unwrap_or(1.0)
}

/// Returns the observation of a face in a sample.
fn observation(face: &FaceRecord, time_ns: u64) -> Observation {
    Observation {
        time_ns,
        scores: face.scores.classified(),
        quality: quality(face),
        label: face.attitude,
        is_corrected: false,
    }
}

/// Returns the observation of the scene in a sample of `faces`. If a person corrected the attitude
/// of all faces to the same, it is that of the scene.
fn scene_sample(faces: &[Observation], time_ns: u64) -> Observation {
    if let Some(first) = faces.first()
        && faces
            .iter()
            .all(|face| face.is_corrected && face.label == first.label)
    {
        return Observation { time_ns, ..*first };
    }
    let classified = || faces.iter().filter(|face| face.scores.is_some());
    let scores = Scores::mean(classified().filter_map(|face| face.scores));
    let quality = classified().map(|face| face.quality);
    let quality = quality.sum::<f32>() / classified().count().max(1) as f32;
    Observation {
        time_ns,
        scores,
        quality,
        label: scores
            .filter(|_| faces.iter().any(|face| face.label.is_known()))
            .map(|scores| (scores.best(), scores))
            .filter(|(best, scores)| scores[*best] * quality >= MIN_SCENE_CONFIDENCE)
            .map(|(best, _)| best)
            .into(),
        is_corrected: false,
    }
}

#[cfg(test)]
mod tests;
