// SPDX-License-Identifier: MPL-2.0

//! Baselines of the persons in a recording, and their attitudes against them.
//!
//! A baseline is the median valence of a person over a part of the recording, over the whole of it,
//! or in another recording; see [`baseline`](crate::baseline).

use serde::{Deserialize, Serialize};

use super::segments::{self, Segment, Span};
use super::{Shares, TimedObservation, TimelineParams, rounded, shares};
use crate::baseline::{ValenceMedian, attitude_of_change};
use crate::clock::NS_PER_S;

/// Minimum time with a known attitude for a baseline.
pub const MIN_BASELINE_NS: u64 = NS_PER_S;

/// Selects the baselines of the persons in a recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BaselineSource {
    /// There are no baselines.
    #[default]
    Off,
    /// The median of each person over the recording.
    Auto,
    /// The median of each person over a part of the recording.
    Part(Span),
    /// The baseline of the person who is seen longest, from another recording; the others have
    /// none.
    Recording(KnownBaseline),
}

impl BaselineSource {
    /// Returns `true` if there are no baselines.
    pub fn is_off(&self) -> bool {
        *self == Self::Off
    }
}

/// A baseline and the time that it is based on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KnownBaseline {
    /// Median valence, −1 to 1.
    pub valence: f64,
    /// Time with a known attitude over which it is the median.
    pub learned_ns: u64,
}

impl KnownBaseline {
    /// Returns the baseline over `part`; `None` if the attitude is known in it for less than
    /// [`MIN_BASELINE_NS`].
    pub(crate) fn of(observations: &[TimedObservation], part: Option<Span>) -> Option<Self> {
        let is_in_part = |timed: &&TimedObservation| {
            part.is_none_or(|part| (part.start_ns..part.end_ns).contains(&timed.span.start_ns))
        };
        let mut median = ValenceMedian::default();
        let mut learned_ns = 0;
        for timed in observations.iter().filter(is_in_part) {
            if let Some(valence) = timed.observation.known_valence() {
                median.push(valence);
                learned_ns += timed.span.len_ns();
            }
        }
        let median = median.value().filter(|_| learned_ns >= MIN_BASELINE_NS)?;
        Some(Self {
            valence: rounded(median.into()),
            learned_ns,
        })
    }
}

/// The attitude of a person against the baseline, over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BaselineChange {
    /// The baseline.
    pub baseline: KnownBaseline,
    /// Mean valence minus the baseline; `None` if there is no time with scores.
    pub valence: Option<f64>,
    /// Fractions of the time seen, by the attitude of the change; `None` if that time is 0.
    pub shares: Option<Shares>,
    /// Segments of the attitude of the change, sorted by time. They have the minimum duration of
    /// other segments.
    pub segments: Vec<Segment>,
}

impl BaselineChange {
    /// Compares `observations`, whose mean valence is `mean`, with `baseline`.
    pub(crate) fn new(
        observations: &[TimedObservation],
        mean: Option<f64>,
        baseline: KnownBaseline,
        params: &TimelineParams,
    ) -> Self {
        let mut changed = observations.to_vec();
        for TimedObservation { observation, .. } in &mut changed {
            if let Some(scores) = observation.scores {
                let change = scores.valence() - baseline.valence as f32;
                observation.label = attitude_of_change(observation.label, change);
            }
        }
        Self {
            baseline,
            valence: mean.map(|mean| rounded(mean - baseline.valence)),
            shares: shares(&changed),
            segments: segments::of_labels(&changed, params),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::{Observation, with_spans};
    use crate::{Label, Scores};

    /// Returns one observation per second with these negative scores; the rest is neutral.
    fn observations(negative: &[f32]) -> Vec<TimedObservation> {
        let observation = |(index, &negative): (usize, &f32)| Observation {
            time_ns: index as u64 * NS_PER_S,
            scores: Some(Scores::from_array([0.0, 1.0 - negative, negative])),
            label: if negative > 0.5 {
                Label::NEGATIVE
            } else {
                Label::NEUTRAL
            },
            ..Observation::default()
        };
        let observations: Vec<_> = negative.iter().enumerate().map(observation).collect();
        with_spans(&observations, NS_PER_S, &TimelineParams::default())
    }

    #[test]
    fn a_person_who_looks_negative_throughout_is_neutral_against_the_baseline() {
        let observations = observations(&[[0.7; 20], [0.1; 20]].concat()[..30]);
        let baseline = KnownBaseline::of(&observations, None).unwrap();
        assert!((baseline.valence + 0.7).abs() < 0.02, "{baseline:?}");
        assert_eq!(baseline.learned_ns, 30 * NS_PER_S);
        let params = TimelineParams::default();
        let change = BaselineChange::new(&observations, Some(-0.5), baseline, &params);
        let shares = change.shares.unwrap();
        assert_eq!((shares.neutral, shares.positive), (0.6667, 0.3333));
        assert!(
            change
                .valence
                .is_some_and(|valence| (valence - 0.2).abs() < 0.02)
        );
        let segments = change.segments.iter();
        let found: Vec<_> = segments
            .map(|segment| (segment.span.start_ns / NS_PER_S, segment.attitude))
            .collect();
        assert_eq!(found, [(0, Label::NEUTRAL), (20, Label::POSITIVE)]);
    }

    #[test]
    fn a_baseline_is_that_of_the_part() {
        let observations = observations(&[[0.7; 20], [0.1; 20]].concat());
        let part = |start_s: u64, end_s: u64| Span {
            start_ns: start_s * NS_PER_S,
            end_ns: end_s * NS_PER_S,
        };
        let baseline = KnownBaseline::of(&observations, Some(part(25, 35))).unwrap();
        assert!((baseline.valence + 0.1).abs() < 0.02);
        assert_eq!(baseline.learned_ns, 10 * NS_PER_S);
        assert_eq!(KnownBaseline::of(&observations, Some(part(40, 50))), None);
    }
}
