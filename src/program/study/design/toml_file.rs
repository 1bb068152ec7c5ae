// SPDX-License-Identifier: MPL-2.0

//! A study as TOML.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use attitude::study::{EpochWindow, StudyParams};
use serde::Deserialize;
use toml::Spanned;

use super::values::{DurationValue, NameValue, RangeValue, TimeValue};
use super::{
    DesignMistake, MAX_BINS, Study, StudyEvent, StudyRecording, StudySettings, checked_event,
    checked_name, csv_file, title,
};
use crate::data_file::{DataError, Position, read_text};

/// Durations of a bin, in nanoseconds.
const BIN_NS: std::ops::RangeInclusive<u64> = 100_000_000..=3_600_000_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct StudyTable {
    title: Option<String>,
    results: Option<PathBuf>,
    bin: Option<DurationValue>,
    before: Option<DurationValue>,
    after: Option<DurationValue>,
    correct_baseline: Option<bool>,
    min_seen: Option<f64>,
    resamples: Option<usize>,
    permutations: Option<usize>,
    seed: Option<u64>,
    recordings: Option<PathBuf>,
    #[serde(default)]
    recording: Vec<Spanned<RecordingTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordingTable {
    file: String,
    participant: NameValue,
    condition: Option<NameValue>,
    person: Option<u32>,
    from: Option<TimeValue>,
    to: Option<TimeValue>,
    #[serde(default)]
    exclude: Vec<RangeValue>,
    #[serde(default)]
    events: Vec<EventTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventTable {
    name: NameValue,
    start: TimeValue,
    condition: Option<NameValue>,
}

/// Parses the text of the file at `path`.
///
/// # Errors
/// Returns the first mistake.
pub(super) fn parse(path: &Path, text: &str) -> Result<Study, DataError> {
    let table: StudyTable = toml::from_str(text).map_err(|error| {
        let problem = DesignMistake::Toml(error.message().replace('\n', ": "));
        match error.span() {
            Some(span) => Position::of_line(path, line(text, span.start)).error(problem),
            None => Position::of_file(path).error(problem),
        }
    })?;
    let settings = settings(&table).map_err(|mistake| Position::of_file(path).error(mistake))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut recordings = match &table.recordings {
        Some(file) => {
            let file = folder.join(file);
            csv_file::parse(&file, &read_text(&file)?)?
        }
        None => Vec::new(),
    };
    let mut files: HashSet<String> = recordings
        .iter()
        .map(|recording| recording.file.clone())
        .collect();
    for table in table.recording {
        let line = line(text, table.span().start);
        let recording = recording(table.into_inner(), folder)
            .and_then(|recording| match files.insert(recording.file.clone()) {
                true => Ok(recording),
                false => Err(DesignMistake::SecondRecording(recording.file)),
            })
            .map_err(|mistake| Position::of_line(path, line).error(mistake))?;
        recordings.push(recording);
    }
    Ok(Study {
        title: table.title.unwrap_or_else(|| title(path)),
        results: table.results.map(|results| folder.join(results)),
        settings,
        recordings,
    })
}

/// Returns the number of the line at `offset`, from 1.
fn line(text: &str, offset: usize) -> usize {
    let before = &text.as_bytes()[..offset.min(text.len())];
    before.iter().filter(|&&byte| byte == b'\n').count() + 1
}

fn settings(table: &StudyTable) -> Result<StudySettings, DesignMistake> {
    let default = StudySettings::default();
    let bin_ns = table.bin.map_or(default.window.bin_ns, |bin| bin.0);
    if !BIN_NS.contains(&bin_ns) {
        return Err(DesignMistake::Bin);
    }
    let bins = |duration: Option<DurationValue>, default: usize, name| {
        // The defaults are in seconds, those of bins.
        let default_ns = default as u64 * attitude::clock::NS_PER_S;
        let ns = duration.map_or(default_ns.next_multiple_of(bin_ns), |duration| duration.0);
        let is_valid = ns.is_multiple_of(bin_ns) && ns / bin_ns <= MAX_BINS;
        is_valid
            .then_some((ns / bin_ns) as usize)
            .ok_or(DesignMistake::Bins(name))
    };
    let window = EpochWindow {
        before: bins(table.before, default.window.before, "before")?,
        after: bins(table.after, default.window.after, "after")?,
        bin_ns,
    };
    let is_corrected = table.correct_baseline.unwrap_or(default.is_corrected);
    if window.after == 0 {
        return Err(DesignMistake::After);
    }
    if is_corrected && window.before == 0 {
        return Err(DesignMistake::Baseline);
    }
    let params = StudyParams {
        resamples: table.resamples.unwrap_or(default.params.resamples),
        permutations: table.permutations.unwrap_or(default.params.permutations),
        seed: table.seed.unwrap_or(default.params.seed),
    };
    let min_seen = table.min_seen.unwrap_or(default.min_seen);
    let checks = [
        ((0.0..=1.0).contains(&min_seen), "min-seen", "0 to 1"),
        (
            (100..=100_000).contains(&params.resamples),
            "resamples",
            "100 to 100000",
        ),
        (
            (100..=1_000_000).contains(&params.permutations),
            "permutations",
            "100 to 1000000",
        ),
    ];
    if let Some((_, name, range)) = checks.into_iter().find(|(is_valid, ..)| !is_valid) {
        return Err(DesignMistake::Range(name, range));
    }
    Ok(StudySettings {
        window,
        is_corrected,
        min_seen,
        params,
    })
}

fn recording(table: RecordingTable, folder: &Path) -> Result<StudyRecording, DesignMistake> {
    let condition = table
        .condition
        .map(|NameValue(name)| checked_name(&name, "condition"));
    let condition = condition.transpose()?;
    let event = |event: EventTable| {
        let own = event
            .condition
            .map(|NameValue(name)| checked_name(&name, "condition"));
        Ok(StudyEvent {
            name: checked_event(&event.name.0)?,
            start_ns: event.start.0,
            condition: match own {
                Some(own) => own?,
                None => condition.clone().ok_or(DesignMistake::NoCondition)?,
            },
        })
    };
    let from_ns = table.from.map_or(0, |from| from.0);
    let to_ns = table.to.map(|to| to.0);
    if to_ns.is_some_and(|to_ns| to_ns <= from_ns) {
        return Err(DesignMistake::EmptyRecording);
    }
    Ok(StudyRecording {
        path: folder.join(checked_name(&table.file, "file")?),
        file: table.file,
        participant: checked_name(&table.participant.0, "participant")?,
        person: table.person,
        from_ns,
        to_ns,
        excluded: table.exclude.iter().map(|range| range.0).collect(),
        events: table
            .events
            .into_iter()
            .map(event)
            .collect::<Result<_, _>>()?,
        condition,
    })
}
