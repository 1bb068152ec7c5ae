// SPDX-License-Identifier: MPL-2.0

//! The tables of a study.

use attitude::data_table::{DataTable, DataValue, TableSchema};
use attitude::study::{Epoch, Measure};

use columns::{AVERAGES, COMPARISONS, CONDITIONS, EVENTS, PARTICIPANTS, RECORDINGS};

use super::StudyResults;
use super::analysis::Alignment;
use super::epochs::CheckedEpoch;

mod columns;

/// All tables.
pub(crate) static TABLES: [&TableSchema; 6] = [
    &RECORDINGS,
    &EVENTS,
    &PARTICIPANTS,
    &AVERAGES,
    &CONDITIONS,
    &COMPARISONS,
];

/// Returns all tables.
pub(super) fn tables(results: &StudyResults) -> Vec<DataTable> {
    vec![
        recordings(results),
        events(results),
        participants(results),
        averages(results),
        conditions(results),
        comparisons(results),
    ]
}

fn recordings(results: &StudyResults) -> DataTable {
    let mut table = DataTable::new(&RECORDINGS);
    for (recording, entry) in results.study.recordings.iter().zip(&results.recordings) {
        let measured = entry.measured.as_ref().ok();
        let (status, reason) = match &entry.measured {
            Ok(measured) => status(&measured.whole),
            Err(reason) => ("failed", Some(reason)),
        };
        let file = entry.results.as_ref();
        let folder = file.and_then(|results| results.folder.file_name());
        let mut row: Vec<DataValue> = vec![
            recording.file.as_str().into(),
            recording.participant.as_str().into(),
            recording.condition.as_deref().into(),
            status.into(),
            reason.map(String::as_str).into(),
            folder
                .map(|name| DataValue::Text(name.to_string_lossy().into_owned()))
                .into(),
            measured.map(|measured| u64::from(measured.person)).into(),
            measured.map(|measured| measured.persons).into(),
            file.and_then(|results| results.file.recording.video.duration_ns)
                .into(),
            measured.map(|measured| measured.seen_ns).into(),
        ];
        let value = |measure| measured.and_then(|measured| measured.whole.epoch.after[measure]);
        row.extend(Measure::ALL.map(|measure| value(measure).into()));
        table.push(row);
    }
    table
}

/// Returns the status of an epoch and its reason.
fn status(checked: &CheckedEpoch) -> (&'static str, Option<&String>) {
    match &checked.exclusion {
        None => ("used", None),
        Some(reason) => ("excluded", Some(reason)),
    }
}

fn events(results: &StudyResults) -> DataTable {
    let mut table = DataTable::new(&EVENTS);
    for (recording, entry) in results.study.recordings.iter().zip(&results.recordings) {
        let Ok(measured) = &entry.measured else {
            continue;
        };
        for (event, checked) in recording.events.iter().zip(&measured.events) {
            let Epoch {
                coverage,
                before,
                after,
                ..
            } = &checked.epoch;
            let (status, reason) = status(checked);
            let mut row: Vec<DataValue> = vec![
                recording.file.as_str().into(),
                recording.participant.as_str().into(),
                event.condition.as_str().into(),
                event.name.as_str().into(),
                event.start_ns.into(),
                status.into(),
                reason.map(String::as_str).into(),
                coverage.before.into(),
                coverage.after.into(),
            ];
            row.extend(
                Measure::ALL
                    .iter()
                    .flat_map(|&of| [before[of].into(), after[of].into()]),
            );
            table.push(row);
        }
    }
    table
}

fn participants(results: &StudyResults) -> DataTable {
    let mut table = DataTable::new(&PARTICIPANTS);
    let names = results.study.participants();
    for (alignment, result, condition) in results.conditions() {
        for participant in &result.participants {
            let mut row: Vec<DataValue> = vec![
                alignment.name.as_str().into(),
                condition.into(),
                names[participant.number].into(),
                participant.recordings.into(),
                participant.epochs.into(),
            ];
            row.extend(Measure::ALL.map(|measure| participant.values[measure].into()));
            table.push(row);
        }
    }
    table
}

fn averages(results: &StudyResults) -> DataTable {
    let mut table = DataTable::new(&AVERAGES);
    for (alignment, result, condition) in results.conditions() {
        for measure in alignment.measures() {
            for point in &result.series[measure] {
                table.push(vec![
                    alignment.name.as_str().into(),
                    condition.into(),
                    measure.name().into(),
                    alignment.window.time_s(point.bin).into(),
                    point.participants.into(),
                    point.mean.into(),
                    point.interval.map(|interval| interval.low).into(),
                    point.interval.map(|interval| interval.high).into(),
                ]);
            }
        }
    }
    table
}

fn conditions(results: &StudyResults) -> DataTable {
    let mut table = DataTable::new(&CONDITIONS);
    for (alignment, result, condition) in results.conditions() {
        for measure in alignment.measures() {
            let Some(mean) = result.means[measure] else {
                continue;
            };
            // Without a baseline, a mean of 0 has no special meaning.
            let change = alignment.is_corrected.then_some(mean);
            table.push(vec![
                alignment.name.as_str().into(),
                condition.into(),
                measure.name().into(),
                mean.participants.into(),
                result.recordings.into(),
                result.epochs.into(),
                mean.mean.into(),
                mean.deviation.into(),
                mean.interval.map(|interval| interval.low).into(),
                mean.interval.map(|interval| interval.high).into(),
                change.and_then(|mean| mean.d_z).into(),
                change.map(|mean| mean.test.p).into(),
                result.p_holm[measure].into(),
            ]);
        }
    }
    table
}

fn comparisons(results: &StudyResults) -> DataTable {
    use attitude::study::ComparisonDesign::{Between, Within};
    let mut table = DataTable::new(&COMPARISONS);
    let names = results.study.conditions();
    for Alignment {
        name, comparisons, ..
    } in &results.alignments
    {
        for of in comparisons {
            let comparison = &of.comparison;
            let effect_size = |design| {
                comparison
                    .effect_size
                    .filter(|_| comparison.design == design)
            };
            table.push(vec![
                name.as_str().into(),
                of.measure.name().into(),
                names[of.conditions[0]].into(),
                names[of.conditions[1]].into(),
                comparison.design.name().into(),
                comparison.participants[0].into(),
                comparison.participants[1].into(),
                comparison.left_out.into(),
                comparison.difference.into(),
                comparison.interval.map(|interval| interval.low).into(),
                comparison.interval.map(|interval| interval.high).into(),
                effect_size(Between).into(),
                comparison.hedges_g.into(),
                effect_size(Within).into(),
                comparison.cliffs_delta.into(),
                comparison.test.p.into(),
                of.p_holm.into(),
            ]);
        }
    }
    table
}
