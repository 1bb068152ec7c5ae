// SPDX-License-Identifier: MPL-2.0

//! The statistics of a study: for each alignment, the conditions and their comparisons.

use std::num::NonZeroUsize;

use attitude::statistics::permutation::holm;
use attitude::study::{
    ByMeasure, Comparison, ConditionMean, Epoch, EpochWindow, MeanPoint, Measure, Participant,
    compare, condition_mean, mean_series, participants,
};

use super::RecordingEntry;
use super::design::{START, Study};
use super::epochs::CheckedEpoch;
use crate::parallel;

/// Epochs that are aligned at the start of recordings, or at one kind of event.
#[derive(Clone, Debug)]
pub(super) struct Alignment {
    /// Name of the events, or [`START`].
    pub name: String,
    /// Bins of the averages.
    pub window: EpochWindow,
    /// `true` if values are differences from those before the event.
    pub is_corrected: bool,
    /// Conditions with epochs.
    pub conditions: Vec<ConditionResult>,
    /// Comparisons of each two conditions, by each measure.
    pub comparisons: Vec<ConditionComparison>,
}

impl Alignment {
    /// Returns the measures with data. A difference of changes against a baseline is that of the
    /// valence, and is left out.
    pub(super) fn measures(&self) -> impl Iterator<Item = Measure> {
        Measure::ALL.into_iter().filter(|&measure| {
            is_measured(measure, self.is_corrected)
                && self
                    .conditions
                    .iter()
                    .any(|condition| condition.means[measure].is_some())
        })
    }
}

/// Returns `true` if a measure says something that others do not.
fn is_measured(measure: Measure, is_corrected: bool) -> bool {
    !(is_corrected && measure == Measure::ValenceChange)
}

/// The result of a condition.
#[derive(Clone, Debug)]
pub(super) struct ConditionResult {
    /// Index of the condition in the study.
    pub condition: usize,
    pub recordings: usize,
    pub epochs: usize,
    pub participants: Vec<Participant>,
    pub means: ByMeasure<Option<ConditionMean>>,
    /// The p-value of each mean's test, corrected; `None` if values are not differences.
    pub p_holm: ByMeasure<Option<f64>>,
    pub series: ByMeasure<Vec<MeanPoint>>,
}

/// A comparison of two conditions.
#[derive(Clone, Debug)]
pub(super) struct ConditionComparison {
    pub measure: Measure,
    /// Indices of the conditions in the study; the difference is the first minus the second.
    pub conditions: [usize; 2],
    pub comparison: Comparison,
    pub p_holm: f64,
}

/// Computes all statistics from the recordings that could be read, in the order of the study.
pub(super) fn analyze(
    study: &Study,
    recordings: &[RecordingEntry],
    jobs: NonZeroUsize,
) -> Vec<Alignment> {
    let conditions = study.conditions();
    let names = std::iter::once(START).chain(study.events());
    let groups: Vec<Vec<Vec<&Epoch>>> = names
        .clone()
        .map(|name| {
            let of_condition = |condition| epochs(study, recordings, name, condition);
            conditions
                .iter()
                .map(|&condition| of_condition(condition))
                .collect()
        })
        .collect();
    // The averages over time take almost all of the time.
    let items: Vec<(usize, usize)> = groups
        .iter()
        .enumerate()
        .flat_map(|(alignment, conditions)| {
            (0..conditions.len()).map(move |condition| (alignment, condition))
        })
        .filter(|&(alignment, condition)| !groups[alignment][condition].is_empty())
        .collect();
    let is_corrected = |alignment: usize| alignment > 0 && study.settings.is_corrected;
    let mut states = vec![(); jobs.get().min(items.len())];
    let finished = parallel::run(&mut states, &items, |(), &(alignment, condition)| {
        let epochs = &groups[alignment][condition];
        let result = condition_result(study, condition, epochs, is_corrected(alignment));
        Ok::<_, std::convert::Infallible>((alignment, result))
    });
    let mut alignments: Vec<Alignment> = names
        .enumerate()
        .map(|(index, name)| Alignment {
            name: name.to_owned(),
            window: match index {
                0 => EpochWindow {
                    before: 0,
                    ..study.settings.window
                },
                _ => study.settings.window,
            },
            is_corrected: is_corrected(index),
            conditions: Vec::new(),
            comparisons: Vec::new(),
        })
        .collect();
    for (alignment, result) in finished.outputs.into_iter().flatten() {
        alignments[alignment].conditions.push(result);
    }
    for alignment in &mut alignments {
        alignment.comparisons = comparisons(study, alignment);
    }
    alignments.retain(|alignment| !alignment.conditions.is_empty());
    correct(&mut alignments);
    alignments
}

/// Returns the epochs of a condition that are used.
fn epochs<'a>(
    study: &Study,
    recordings: &'a [RecordingEntry],
    name: &str,
    condition: &str,
) -> Vec<&'a Epoch> {
    let used = |checked: &'a CheckedEpoch| checked.exclusion.is_none().then_some(&checked.epoch);
    let measured = study.recordings.iter().zip(recordings);
    let measured =
        measured.filter_map(|(recording, entry)| Some((recording, entry.measured.as_ref().ok()?)));
    measured
        .flat_map(|(recording, measured)| {
            let is_whole = name == START && recording.condition.as_deref() == Some(condition);
            let whole = is_whole.then(|| used(&measured.whole)).flatten();
            let events = recording.events.iter().zip(&measured.events);
            let events =
                events.filter(move |(event, _)| event.name == name && event.condition == condition);
            whole
                .into_iter()
                .chain(events.filter_map(move |(_, checked)| used(checked)))
        })
        .collect()
}

fn condition_result(
    study: &Study,
    condition: usize,
    epochs: &[&Epoch],
    is_corrected: bool,
) -> ConditionResult {
    let params = &study.settings.params;
    let mut recordings: Vec<usize> = epochs.iter().map(|epoch| epoch.recording).collect();
    recordings.dedup();
    let participants = participants(epochs, is_corrected);
    ConditionResult {
        condition,
        recordings: recordings.len(),
        epochs: epochs.len(),
        means: ByMeasure::from_fn(|measure| {
            condition_mean(&participants, measure, is_corrected, params)
        }),
        p_holm: ByMeasure::default(),
        series: ByMeasure::from_fn(|measure| mean_series(epochs, measure, is_corrected, params)),
        participants,
    }
}

/// Compares each two conditions.
fn comparisons(study: &Study, alignment: &Alignment) -> Vec<ConditionComparison> {
    let params = &study.settings.params;
    let conditions = &alignment.conditions;
    let mut comparisons = Vec::new();
    for measure in alignment.measures() {
        for (index, first) in conditions.iter().enumerate() {
            for second in &conditions[index + 1..] {
                let comparison =
                    compare(&first.participants, &second.participants, measure, params);
                comparisons.extend(comparison.map(|comparison| ConditionComparison {
                    measure,
                    conditions: [first.condition, second.condition],
                    p_holm: comparison.test.p,
                    comparison,
                }));
            }
        }
    }
    comparisons
}

/// Corrects p-values for the number of tests: of the comparisons by one measure, and of the changes of
/// one measure, each over all alignments.
fn correct(alignments: &mut [Alignment]) {
    for measure in Measure::ALL {
        let comparisons = alignments
            .iter_mut()
            .flat_map(|alignment| &mut alignment.comparisons);
        let mut comparisons: Vec<_> = comparisons.filter(|of| of.measure == measure).collect();
        let p_values: Vec<f64> = comparisons.iter().map(|of| of.comparison.test.p).collect();
        for (comparison, p) in comparisons.iter_mut().zip(holm(&p_values)) {
            comparison.p_holm = p;
        }
        let changes = alignments
            .iter_mut()
            .filter(|alignment| alignment.is_corrected);
        let changes = changes.flat_map(|alignment| &mut alignment.conditions);
        let mut changes: Vec<_> = changes
            .filter_map(|condition| Some((condition.means[measure]?.test.p, condition)))
            .collect();
        let p_values: Vec<f64> = changes.iter().map(|(p, _)| *p).collect();
        for ((_, condition), p) in changes.iter_mut().zip(holm(&p_values)) {
            condition.p_holm[measure] = Some(p);
        }
    }
}
