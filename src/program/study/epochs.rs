// SPDX-License-Identifier: MPL-2.0

//! Reads the epochs of a recording from its records.

use std::fs::File;
use std::io::BufReader;

use attitude::record::summary::{Person, Summarized, SummaryBuilder};
use attitude::study::{Epoch, EpochWindow};
use attitude::timeline::{RecordingEnd, TimelineParams};

use super::design::{StudyRecording, StudySettings};
use super::results::RecordingResults;
use crate::console;
use crate::report::records::{self, Entry};
use crate::report::text::percent;

/// Name of the file with the records.
const RECORDS: &str = "records.jsonl";

/// Maximum number of bins from the start of a recording.
const MAX_BINS: u64 = 1_000_000;

/// An epoch, and the reason why it is left out.
#[derive(Clone, Debug)]
pub(super) struct CheckedEpoch {
    pub epoch: Epoch,
    /// `None` if it is used.
    pub exclusion: Option<String>,
}

/// The measures of the participant in a recording.
#[derive(Clone, Debug)]
pub(super) struct MeasuredRecording {
    /// Number of the person in the results.
    pub person: u32,
    /// Number of persons in the results.
    pub persons: usize,
    /// Time during which the person was seen.
    pub seen_ns: u64,
    /// The analyzed part.
    pub whole: CheckedEpoch,
    /// The epoch of each event.
    pub events: Vec<CheckedEpoch>,
}

/// Reads a recording; `participant` and `number` are the numbers of its participant and its own.
///
/// # Errors
/// Returns the reason why it cannot be used.
pub(super) fn read(
    recording: &StudyRecording,
    results: &RecordingResults,
    settings: &StudySettings,
    participant: usize,
    number: usize,
) -> Result<MeasuredRecording, String> {
    let summarized = summarize(results)?;
    let (index, person) = person(recording, &summarized)?;
    let duration_ns = results.file.recording.video.duration_ns;
    let end_ns = recording
        .to_ns
        .or(duration_ns)
        .unwrap_or(summarized.end_ns());
    let baseline = person.baseline_change.as_ref();
    let baseline = baseline.map(|change| change.baseline.valence);
    let checked = |window: &EpochWindow, start_ns| {
        let totals = summarized.person_totals(index, &window.bins(start_ns), &recording.excluded);
        let epoch = Epoch::new(participant, number, window, &totals, baseline);
        CheckedEpoch {
            exclusion: exclusion(&epoch, settings, window.before > 0),
            epoch,
        }
    };
    let bin_ns = settings.window.bin_ns;
    let bins = end_ns.saturating_sub(recording.from_ns).div_ceil(bin_ns);
    if bins > MAX_BINS {
        return Err(format!(
            "it has more than {MAX_BINS} bins; choose a longer 'bin', or set 'to'"
        ));
    }
    let whole = EpochWindow {
        before: 0,
        after: bins as usize,
        bin_ns,
    };
    Ok(MeasuredRecording {
        person: person.id,
        persons: summarized.summary.persons.len(),
        seen_ns: person.timeline.seen_ns,
        whole: checked(&whole, recording.from_ns),
        events: recording
            .events
            .iter()
            .map(|event| checked(&settings.window, event.start_ns))
            .collect(),
    })
}

/// Computes the summary from the records, with the rules of the analysis.
fn summarize(results: &RecordingResults) -> Result<Summarized, String> {
    let path = results.folder.join(RECORDS);
    let file = File::open(&path).map_err(|error| {
        let path = path.display();
        format!(
            "cannot read {path}: {error}; analyze it again with '{RECORDS}' among the --formats"
        )
    })?;
    let mut builder = SummaryBuilder::default();
    let read = records::for_each(BufReader::with_capacity(1 << 20, file), |entry| {
        if let Entry::Record(record) = entry {
            builder.add(&record);
        }
        Ok(())
    });
    read.map_err(|error| format!("{}: {}", path.display(), console::chain(&error)))?;
    builder.set_end(RecordingEnd {
        last_frame_ns: None,
        limit_ns: results.file.recording.video.duration_ns,
    });
    let params = TimelineParams {
        // Intervals of recordings are not used.
        resamples: 0,
        ..results.file.summary.params
    };
    Ok(builder.finish_corrected(&params, results.corrections.as_ref()?))
}

/// Returns the participant's index and data: the person of this number, else the one that a
/// correction assigns to the participant, else the one seen longest.
fn person<'a>(
    recording: &StudyRecording,
    summarized: &'a Summarized,
) -> Result<(usize, &'a Person), String> {
    let summary = &summarized.summary;
    let is_participant =
        |person: &&Person| person.participant.as_ref() == Some(&recording.participant);
    let assigned = || summary.persons.iter().find(is_participant);
    let chosen = || assigned().or(summary.seen_longest());
    let number = recording.person.or(chosen().map(|person| person.id));
    let mut persons = summary.persons.iter().enumerate();
    persons
        .find(|(_, person)| Some(person.id) == number)
        .ok_or_else(|| match recording.person {
            Some(number) => format!(
                "there is no person {number}; the report of the recording shows {}",
                crate::numbers::count(summarized.summary.persons.len(), "person")
            ),
            None => "no face was found in it".to_owned(),
        })
}

/// Returns the reason why an epoch is not used.
fn exclusion(epoch: &Epoch, settings: &StudySettings, is_event: bool) -> Option<String> {
    let too_little = |seen: f64, when: &str| {
        (seen < settings.min_seen || seen == 0.0).then(|| {
            let (seen, min) = (percent(seen), percent(settings.min_seen));
            format!("seen for {seen} of the time{when}, less than min-seen, {min}")
        })
    };
    let (before, after) = match is_event {
        true => (" before the event", " after the event"),
        false => ("", ""),
    };
    let of_baseline = || match settings.is_corrected {
        true => too_little(epoch.coverage.before, before),
        false => None,
    };
    too_little(epoch.coverage.after, after).or_else(of_baseline)
}
