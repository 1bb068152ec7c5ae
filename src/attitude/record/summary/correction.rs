// SPDX-License-Identifier: MPL-2.0

//! Applies [corrections](crate::record::corrections) to the persons of a recording.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::{TrackSamples, scene_sample};
use crate::Label;
use crate::record::corrections::{
    AppliedCorrections, Corrections, ExcludedPerson, ExcludedSpan, FirstSeen, Position, rounded_ms,
};
use crate::timeline::persons::TrackEnds;
use crate::timeline::{Observation, SampleTimes, TimedObservation};

/// Maximum difference of the time at which a person is first seen in two analyses.
const MAX_SHIFT_MS: u64 = 2000;

/// Maximum distance of the face then, as a fraction of the width or the height of the frame.
const MAX_DISTANCE: f32 = 0.1;

/// A person, after persons were split and merged.
pub(super) struct CorrectedPerson {
    pub(super) number: u32,
    pub(super) name: Option<String>,
    pub(super) participant: Option<String>,
    is_excluded: bool,
    /// The tracks, sorted by time; none if the person was merged into another.
    pub(super) parts: Vec<TrackPart>,
}

/// A part of a track.
#[derive(Clone)]
pub(super) struct TrackPart {
    /// Index of the track.
    pub(super) track: usize,
    /// Indices of its samples; not empty.
    pub(super) samples: Range<usize>,
}

/// The persons of a recording, and what was corrected.
pub(super) struct CorrectedPersons<'a> {
    corrections: &'a Corrections,
    tracks: &'a [TrackSamples],
    persons: Vec<CorrectedPerson>,
    /// Index in `persons` by number; a person may have several numbers.
    index_of: HashMap<u32, usize>,
    pub(super) applied: AppliedCorrections,
}

/// What the corrections say about a sample.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Unchanged,
    Excluded,
    Attitude(Label),
}

impl<'a> CorrectedPersons<'a> {
    /// Applies the corrections that concern persons to those of the analysis, which are lists of
    /// indices into `tracks`.
    pub(super) fn new(
        joined: &[Vec<usize>],
        tracks: &'a [TrackSamples],
        ends: &[TrackEnds],
        corrections: &'a Corrections,
    ) -> Self {
        let person = |(indices, number): (&Vec<usize>, u32)| CorrectedPerson {
            number,
            name: None,
            participant: None,
            is_excluded: false,
            parts: indices
                .iter()
                .map(|&track| TrackPart {
                    track,
                    samples: 0..tracks[track].samples.len(),
                })
                .collect(),
        };
        let mut persons = Self {
            corrections,
            tracks,
            persons: joined.iter().zip(1..).map(person).collect(),
            index_of: HashMap::new(),
            applied: AppliedCorrections::new(corrections),
        };
        persons.find_again(ends);
        persons.split();
        persons.merge();
        persons.name();
        persons
    }

    /// Numbers the persons. A person that the file describes has its number there; all others keep
    /// theirs, unless another person has it.
    fn find_again(&mut self, ends: &[TrackEnds]) {
        let described = self.corrections.persons.iter();
        let described = described.filter_map(|entry| Some((entry.number, entry.seen?)));
        let described: Vec<(u32, FirstSeen)> = described.collect();
        let mut numbers: HashMap<usize, u32> = HashMap::new();
        for &(number, seen) in &described {
            match self.nearest(seen, ends) {
                Some(index) => {
                    self.index_of.insert(number, index);
                    numbers.entry(index).or_insert(number);
                }
                None => {
                    let problem = format!("person {number} is not found at {}", seen.time);
                    self.applied.not_applied.push(problem);
                }
            }
        }
        let splits = self.corrections.splits.iter().map(|split| split.number);
        let mut taken: HashSet<u32> = described.iter().map(|(number, _)| *number).collect();
        taken.extend(splits);
        let highest = taken.iter().copied().max().unwrap_or(0);
        let mut unused = highest.max(self.persons.len() as u32).saturating_add(1)..;
        for (index, person) in self.persons.iter_mut().enumerate() {
            let number = numbers.get(&index).copied();
            let number = number.or(Some(person.number).filter(|number| !taken.contains(number)));
            person.number = number.or_else(|| unused.next()).unwrap_or(u32::MAX);
            self.index_of.insert(person.number, index);
        }
    }

    /// Returns the index of the person whose face was first seen next to `seen`.
    fn nearest(&self, seen: FirstSeen, ends: &[TrackEnds]) -> Option<usize> {
        let distance = |part: &TrackPart| {
            let ends = &ends[part.track];
            let shift_ms = rounded_ms(ends.first_ns).abs_diff(seen.time.ms());
            let [x, y] = ends.first.relative_center();
            let distance = (x - seen.x).abs().max((y - seen.y).abs());
            let is_near = shift_ms <= MAX_SHIFT_MS && distance <= MAX_DISTANCE;
            is_near.then_some(distance + shift_ms as f32 / MAX_SHIFT_MS as f32)
        };
        let persons = self.persons.iter().enumerate();
        let distances = persons.filter_map(|(index, person)| {
            let parts = person.parts.iter().filter_map(distance);
            Some((index, parts.min_by(f32::total_cmp)?))
        });
        let nearest = distances.min_by(|a, b| a.1.total_cmp(&b.1))?;
        Some(nearest.0)
    }

    /// Returns the index of the person with this number; if there is none, adds that to what was not
    /// applied.
    fn find(&mut self, number: u32, correction: &str) -> Option<usize> {
        let index = self.index_of.get(&number).copied();
        if index.is_none() {
            let problem = format!("{correction}: there is no person {number}");
            self.applied.not_applied.push(problem);
        }
        index
    }

    fn split(&mut self) {
        for split in &self.corrections.splits {
            let correction = format!("split of person {} at {}", split.person, split.time);
            let Some(index) = self.find(split.person, &correction) else {
                continue;
            };
            let parts = std::mem::take(&mut self.persons[index].parts);
            let (mut before, mut after) = (Vec::new(), Vec::new());
            for part in parts {
                let samples = &self.tracks[part.track].samples[part.samples.clone()];
                let count = samples.partition_point(|sample| is_before(sample, split.time));
                let middle = part.samples.start + count;
                for (samples, parts) in [
                    (part.samples.start..middle, &mut before),
                    (middle..part.samples.end, &mut after),
                ] {
                    if !samples.is_empty() {
                        parts.push(TrackPart {
                            track: part.track,
                            samples,
                        });
                    }
                }
            }
            if before.is_empty() || after.is_empty() {
                let problem = format!("{correction}: the person is seen on one side of it only");
                self.applied.not_applied.push(problem);
                before.append(&mut after);
                self.persons[index].parts = before;
                continue;
            }
            self.persons[index].parts = before;
            self.index_of.insert(split.number, self.persons.len());
            self.persons.push(CorrectedPerson {
                number: split.number,
                name: None,
                participant: None,
                is_excluded: false,
                parts: after,
            });
        }
    }

    fn merge(&mut self) {
        for merge in &self.corrections.merges {
            let correction = format!("merge with person {}", merge.person);
            let Some(index) = self.find(merge.person, &correction) else {
                continue;
            };
            for &number in &merge.with {
                let Some(other) = self.find(number, &correction) else {
                    continue;
                };
                if other == index {
                    continue;
                }
                let mut parts = std::mem::take(&mut self.persons[other].parts);
                self.persons[index].parts.append(&mut parts);
                for target in self.index_of.values_mut().filter(|it| **it == other) {
                    *target = index;
                }
            }
        }
        for person in &mut self.persons {
            let tracks = self.tracks;
            person.parts.sort_by_key(|part| part.first_ns(tracks));
        }
    }

    fn name(&mut self) {
        for entry in &self.corrections.persons {
            // Reported as not found.
            if entry.seen.is_some() && !self.index_of.contains_key(&entry.number) {
                continue;
            }
            let correction = format!("person {}", entry.number);
            let Some(index) = self.find(entry.number, &correction) else {
                continue;
            };
            let person = &mut self.persons[index];
            person.name = entry.name.clone().or(person.name.take());
            person.participant = entry.participant.clone().or(person.participant.take());
            person.is_excluded |= entry.excluded;
        }
        let excluded = self.persons.iter().filter(|person| person.is_excluded);
        self.applied.excluded_persons = excluded
            .map(|person| ExcludedPerson {
                id: person.number,
                name: person.name.clone(),
            })
            .collect();
        for exclusion in &self.corrections.exclusions {
            let correction = format!("exclusion from {}", exclusion.start);
            let index = exclusion
                .person
                .map(|number| self.find(number, &correction));
            let person = match index {
                None => None,
                Some(Some(index)) => Some(self.persons[index].number),
                Some(None) => continue,
            };
            let excluded = ExcludedSpan::new(exclusion, person);
            self.applied.excluded.push(excluded);
        }
        for attitude in &self.corrections.attitudes {
            let correction = format!("attitude from {}", attitude.start);
            if let Some(number) = attitude.person {
                self.find(number, &correction);
            }
        }
    }

    /// Returns the persons that are not excluded, sorted by the time of their first sample.
    pub(super) fn included(&self) -> Vec<&CorrectedPerson> {
        let is_included =
            |person: &&CorrectedPerson| !person.is_excluded && !person.parts.is_empty();
        let mut included: Vec<_> = self.persons.iter().filter(is_included).collect();
        included.sort_by_key(|person| (person.parts[0].first_ns(self.tracks), person.number));
        included
    }

    /// Returns the corrected observations of a person.
    pub(super) fn observations(
        &self,
        person: &CorrectedPerson,
        times: &SampleTimes,
    ) -> Vec<TimedObservation> {
        let observations = person.observations(self.tracks);
        let marks = self.marks(&observations, Some(person));
        let timed = times.with_spans(&observations).into_iter();
        let corrected = timed.zip(marks).filter_map(|(timed, mark)| {
            Some(TimedObservation {
                observation: mark.applied_to(timed.observation)?,
                span: timed.span,
            })
        });
        corrected.collect()
    }

    /// Returns `true` if the corrections change the scene.
    pub(super) fn change_the_scene(&self) -> bool {
        let corrections = self.corrections;
        let is_excluded = |person: &CorrectedPerson| person.is_excluded;
        !corrections.exclusions.is_empty()
            || !corrections.attitudes.is_empty()
            || self.persons.iter().any(is_excluded)
    }

    /// Returns the corrected observations of the scene: those of all persons that count then.
    pub(super) fn scene(&self, times: &SampleTimes) -> Vec<TimedObservation> {
        let mut faces: Vec<(u64, Option<Observation>)> = Vec::new();
        for person in self.included() {
            let observations = person.observations(self.tracks);
            let marks = self.marks(&observations, Some(person));
            let corrected = observations.iter().zip(marks);
            faces.extend(
                corrected.map(|(observation, mark)| {
                    (observation.time_ns, mark.applied_to(*observation))
                }),
            );
        }
        faces.sort_by_key(|(time_ns, _)| *time_ns);
        let samples: Vec<&[_]> = faces.chunk_by(|a, b| a.0 == b.0).collect();
        let observations = samples.iter().map(|sample| Observation {
            time_ns: sample[0].0,
            ..Observation::default()
        });
        let observations: Vec<Observation> = observations.collect();
        let marks = self.marks(&observations, None);
        let timed = times.with_spans(&observations).into_iter();
        let corrected = timed
            .zip(samples)
            .zip(marks)
            .filter_map(|((timed, sample), mark)| {
                let faces: Vec<Observation> = sample.iter().filter_map(|(_, face)| *face).collect();
                let scene = scene_sample(&faces, timed.observation.time_ns);
                let is_seen = !faces.is_empty();
                Some(TimedObservation {
                    observation: mark.applied_to(scene).filter(|_| is_seen)?,
                    span: timed.span,
                })
            });
        corrected.collect()
    }

    /// Returns what the corrections say about each of the observations of a person, or of the scene.
    fn marks(&self, observations: &[Observation], person: Option<&CorrectedPerson>) -> Vec<Mark> {
        let mut marks = vec![Mark::Unchanged; observations.len()];
        let within = |start: Position, end: Position| {
            let index = |time| observations.partition_point(|sample| is_before(sample, time));
            index(start)..index(end)
        };
        let is_of = |number: u32| {
            let index = self.index_of.get(&number);
            let other = index.map(|&index| self.persons[index].number);
            person.is_some_and(|person| Some(person.number) == other)
        };
        for entry in &self.corrections.attitudes {
            if entry.person.map_or(person.is_none(), is_of) {
                marks[within(entry.start, entry.end)].fill(Mark::Attitude(entry.attitude));
            }
        }
        for entry in &self.corrections.exclusions {
            if entry.person.is_none_or(is_of) {
                marks[within(entry.start, entry.end)].fill(Mark::Excluded);
            }
        }
        marks
    }
}

impl CorrectedPerson {
    /// Returns the samples of all tracks, sorted by time. Of several at a time, which a person has
    /// after a merge, the one of the track that began first counts.
    fn observations(&self, tracks: &[TrackSamples]) -> Vec<Observation> {
        let parts = self.parts.iter();
        let parts: Vec<&[Observation]> = parts
            .map(|part| &tracks[part.track].samples[part.samples.clone()])
            .collect();
        let mut observations = parts.concat();
        observations.sort_by_key(|observation| observation.time_ns);
        observations.dedup_by_key(|observation| observation.time_ns);
        observations
    }
}

impl TrackPart {
    /// Returns `true` if the track begins with this part.
    pub(super) fn is_start(&self) -> bool {
        self.samples.start == 0
    }

    /// Returns the time of the first sample.
    pub(super) fn first_ns(&self, tracks: &[TrackSamples]) -> u64 {
        self.time_ns(tracks, self.samples.start)
    }

    /// Returns the time of the last sample.
    pub(super) fn last_ns(&self, tracks: &[TrackSamples]) -> u64 {
        self.time_ns(tracks, self.samples.end.saturating_sub(1))
    }

    fn time_ns(&self, tracks: &[TrackSamples], index: usize) -> u64 {
        let sample = tracks[self.track].samples.get(index);
        sample.map_or(0, |sample| sample.time_ns)
    }
}

impl Mark {
    /// Returns the corrected observation; `None` if it is excluded.
    fn applied_to(self, observation: Observation) -> Option<Observation> {
        match self {
            Self::Unchanged => Some(observation),
            Self::Excluded => None,
            // The scores are those of the model, which a person found wrong.
            Self::Attitude(label) => Some(Observation {
                scores: None,
                quality: 1.0,
                label,
                is_corrected: true,
                ..observation
            }),
        }
    }
}

fn is_before(sample: &Observation, time: Position) -> bool {
    rounded_ms(sample.time_ns) < time.ms()
}

#[cfg(test)]
mod tests;
