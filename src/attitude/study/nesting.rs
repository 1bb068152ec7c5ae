// SPDX-License-Identifier: MPL-2.0

//! Averages epochs within recordings, and recordings within participants.

use std::collections::BTreeMap;

use super::{ByMeasure, Epoch, Measure};

/// A participant in one condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Participant {
    /// Number of the participant.
    pub number: usize,
    /// Number of recordings with epochs.
    pub recordings: usize,
    /// Number of epochs.
    pub epochs: usize,
    /// Mean of each measure; `None` without data.
    pub values: ByMeasure<Option<f64>>,
}

/// Returns the participants of `epochs`, sorted by number. If `is_corrected`, values are differences
/// from those before the onset.
pub fn participants(epochs: &[&Epoch], is_corrected: bool) -> Vec<Participant> {
    let participant = |(number, recordings): (usize, Recordings)| Participant {
        number,
        recordings: recordings.len(),
        epochs: recordings.values().map(Vec::len).sum(),
        values: ByMeasure::from_fn(|measure| {
            nested_mean(&recordings, |epoch| epoch.value(measure, is_corrected))
        }),
    };
    by_participant(epochs)
        .into_iter()
        .map(participant)
        .collect()
}

/// Returns the values of each participant of `epochs`, in the order of [`participants`], in the bin
/// at `index`; NaN without data.
pub(super) fn bins(
    groups: &BTreeMap<usize, Recordings>,
    index: usize,
    measure: Measure,
    is_corrected: bool,
) -> Vec<f64> {
    let value = |recordings: &Recordings| {
        let bin = |epoch: &Epoch| {
            let value = epoch.bin(index, measure, is_corrected);
            (!value.is_nan()).then_some(value)
        };
        nested_mean(recordings, bin).unwrap_or(f64::NAN)
    };
    groups.values().map(value).collect()
}

/// The epochs of a participant, by recording.
pub(super) type Recordings<'a> = BTreeMap<usize, Vec<&'a Epoch>>;

/// Returns the epochs of each participant.
pub(super) fn by_participant<'a>(epochs: &[&'a Epoch]) -> BTreeMap<usize, Recordings<'a>> {
    let mut groups = BTreeMap::<usize, Recordings>::new();
    for epoch in epochs {
        let recordings = groups.entry(epoch.participant).or_default();
        recordings.entry(epoch.recording).or_default().push(epoch);
    }
    groups
}

/// Returns the mean over recordings of the mean over their epochs.
fn nested_mean(recordings: &Recordings, value: impl Fn(&Epoch) -> Option<f64>) -> Option<f64> {
    let mean_of_epochs =
        |epochs: &Vec<&Epoch>| mean(epochs.iter().filter_map(|epoch| value(epoch)));
    mean(recordings.values().filter_map(mean_of_epochs))
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0);
    for value in values {
        sum += value;
        count += 1;
    }
    (count > 0).then(|| sum / f64::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::epoch::tests::epoch;

    #[test]
    fn recordings_count_once_and_participants_count_once() {
        let epochs = [
            epoch(7, 0, 0.0, 0.2),
            epoch(7, 0, 0.0, 0.4),
            epoch(7, 1, 0.0, 0.9),
            epoch(3, 2, 0.5, 0.25),
        ];
        let epochs: Vec<&Epoch> = epochs.iter().collect();
        let found = participants(&epochs, false);
        let facts = |p: &Participant| (p.number, p.recordings, p.epochs);
        assert_eq!(
            found.iter().map(facts).collect::<Vec<_>>(),
            [(3, 1, 1), (7, 2, 3)]
        );
        assert_eq!(found[0].values[Measure::Valence], Some(0.25));
        assert!((found[1].values[Measure::Valence].unwrap() - 0.6).abs() < 1e-12);
        let changes = participants(&epochs, true);
        assert_eq!(changes[0].values[Measure::Valence], Some(-0.25));
    }

    #[test]
    fn missing_values_do_not_count() {
        let mut missing = epoch(1, 0, 0.0, 0.0);
        missing.after = ByMeasure::default();
        let seen = epoch(1, 1, 0.0, 0.5);
        let found = participants(&[&missing, &seen], false);
        assert_eq!(found[0].values[Measure::Valence], Some(0.5));
        let found = participants(&[&missing], false);
        assert_eq!(found[0].values[Measure::Valence], None);
    }

    #[test]
    fn bins_are_averaged_in_the_same_way() {
        let epochs = [
            epoch(1, 0, 0.0, 0.25),
            epoch(1, 0, 0.0, 0.75),
            epoch(1, 1, 0.0, 1.0),
        ];
        let epochs: Vec<&Epoch> = epochs.iter().collect();
        let groups = by_participant(&epochs);
        assert_eq!(bins(&groups, 1, Measure::Valence, false), [0.75]);
        assert!(bins(&groups, 2, Measure::Valence, false)[0].is_nan());
    }
}
