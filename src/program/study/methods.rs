// SPDX-License-Identifier: MPL-2.0

//! The paragraphs about the methods, generated from what was done.

use std::collections::BTreeMap;

use attitude::statistics::group_bootstrap::MIN_UNITS;
use attitude::study::{ComparisonDesign, Measure};

use super::analysis::Alignment;
use super::results::RecordingResults;
use super::{RecordingEntry, StudyResults};
use crate::numbers::{count, grouped};
use crate::report::text::{Decimal, length, percent};

/// The text about the methods of a study.
pub(super) struct Methods {
    /// How the recordings were analyzed, and how the study was.
    pub paragraphs: Vec<String>,
    /// What the figures do not show.
    pub limits: String,
}

impl Methods {
    /// Returns the text as a file.
    pub(super) fn to_text(&self) -> String {
        let paragraphs = self.paragraphs.iter().chain([&self.limits]);
        paragraphs
            .map(|paragraph| format!("{paragraph}\n"))
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// Returns the text for a study.
pub(super) fn methods(results: &StudyResults) -> Methods {
    Methods {
        paragraphs: vec![material(results), averaging(results), statistics(results)],
        limits: limits(),
    }
}

/// Describes the recordings and their analysis.
fn material(results: &StudyResults) -> String {
    let study = &results.study;
    let analyzed: Vec<&RecordingResults> = results
        .recordings
        .iter()
        .filter(|entry| entry.measured.is_ok())
        .filter_map(|entry| entry.results.as_ref())
        .collect();
    let mut text = format!(
        "{} of {} in {} ({}) were analyzed. ",
        count(analyzed.len(), "recording"),
        count(study.participants().len(), "participant"),
        count(study.conditions().len(), "condition"),
        study.conditions().join(", ")
    );
    let mut variants: BTreeMap<String, usize> = BTreeMap::new();
    for results in &analyzed {
        *variants.entry(analysis(results)).or_default() += 1;
    }
    match &variants.into_iter().collect::<Vec<_>>()[..] {
        [(analysis, _)] => text += &format!("Faces were tracked and classified with {analysis}. "),
        several => {
            text += "Faces were tracked and classified in several ways: ";
            let described = several.iter().map(|(analysis, recordings)| {
                format!("{} with {analysis}", count(*recordings, "recording"))
            });
            text += &(described.collect::<Vec<_>>().join("; ") + ". ");
        }
    }
    let chosen = study
        .recordings
        .iter()
        .filter(|recording| recording.person.is_some())
        .count();
    text += "Faces are not recognized: the participant is the person of a recording who is visible longest";
    text += &match chosen {
        0 => ". ".to_owned(),
        chosen => format!(
            ", in {} the one named in the study's file. ",
            count(chosen, "recording")
        ),
    };
    let damaged = analyzed
        .iter()
        .filter(|results| results.file.damage.is_some())
        .count();
    if damaged > 0 {
        text += &format!(
            "{} of them could only be read in part. ",
            grouped(damaged as u64)
        );
    }
    let failed = results.recordings.len() - analyzed.len();
    if failed > 0 {
        text += &format!("{} could not be used. ", count(failed, "further recording"));
    }
    text.trim_end().to_owned()
}

/// Describes how a recording was analyzed.
fn analysis(results: &RecordingResults) -> String {
    let (file, analysis) = (&results.file, &results.file.analysis);
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("unknown").to_owned();
    let digest = |value: &serde_json::Value| text(value).chars().take(16).collect::<String>();
    let number = |key: &str| analysis.settings[key].as_f64().unwrap_or(f64::NAN);
    let sampling = match number("samples_per_second") {
        0.0 => "every frame".to_owned(),
        rate => format!("{} samples per second", Decimal(rate, 3)),
    };
    let mapping = analysis.settings["mapping"].as_str();
    let mapping = mapping.map_or(String::new(), |mapping| format!(", mapping '{mapping}'"));
    format!(
        "{} (classifier {}, SHA-256 {}…{mapping}; face detector SHA-256 {}…, input of {} px, at most {} faces; \
         execution provider {}) at {sampling}; an attitude is known from a confidence of {} on",
        file.program,
        text(&analysis.models["attitude"]),
        digest(&analysis.models["attitude_sha256"]),
        digest(&analysis.models["detector_sha256"]),
        analysis.detector_size,
        analysis.max_faces,
        analysis.provider,
        Decimal(number("min_confidence"), 3),
    )
}

/// Describes measures, bins, baselines and exclusions.
fn averaging(results: &StudyResults) -> String {
    let settings = &results.study.settings;
    let window = &settings.window;
    let duration = |bins: usize| length(bins as u64 * window.bin_ns);
    let mut text = format!(
        "Measures are the mean valence (positive minus negative score, −1 to 1) and the shares of the time seen with a \
         positive or negative attitude, averaged over time in bins of {}. ",
        length(window.bin_ns)
    );
    let mut measures = results.alignments.iter().flat_map(Alignment::measures);
    if measures.any(|measure| measure == Measure::ValenceChange) {
        text += "The valence was also compared with the participant's own baseline, the median valence that was \
                 computed for each recording. ";
    }
    let has_events = !results.study.events().is_empty();
    if has_events {
        text += &format!(
            "The response to an event is the mean from the event to {} after it",
            duration(window.after)
        );
        text += &match settings.is_corrected {
            true => format!(
                ", minus the mean of the {} before it (baseline). ",
                duration(window.before)
            ),
            false => ", without a baseline correction. ".to_owned(),
        };
    }
    text += &format!(
        "Epochs during which the participant was seen for less than {} of the time were left out: ",
        percent(settings.min_seen)
    );
    let measured: Vec<_> = results
        .study
        .recordings
        .iter()
        .zip(&results.recordings)
        .filter_map(|(recording, entry)| Some((recording, entry.measured.as_ref().ok()?)))
        .collect();
    let wholes = measured
        .iter()
        .filter(|(recording, _)| recording.condition.is_some());
    let excluded = wholes
        .clone()
        .filter(|(_, measured)| measured.whole.exclusion.is_some())
        .count();
    text += &format!(
        "{} of {}",
        grouped(excluded as u64),
        count(wholes.count(), "recording")
    );
    if has_events {
        let events = measured.iter().flat_map(|(_, measured)| &measured.events);
        let excluded = events
            .clone()
            .filter(|checked| checked.exclusion.is_some())
            .count();
        text += &format!(
            " and {} of {}",
            grouped(excluded as u64),
            count(events.count(), "event")
        );
    }
    let edited = results
        .study
        .recordings
        .iter()
        .filter(|recording| !recording.excluded.is_empty())
        .count();
    if edited > 0 {
        text += &format!(
            "; parts of {} were excluded by hand",
            count(edited, "recording")
        );
    }
    let is_corrected = |entry: &&RecordingEntry| {
        let corrections = entry.results.as_ref().map(|results| &results.corrections);
        corrections.is_some_and(|corrections| corrections.as_ref().is_ok_and(|it| !it.is_empty()))
    };
    let corrected = results.recordings.iter().filter(is_corrected).count();
    if corrected > 0 {
        text += &format!(
            "; persons, attitudes or times of {} were corrected by hand",
            count(corrected, "recording")
        );
    }
    text + ". Events were averaged within recordings, and recordings within participants."
}

/// Describes intervals, tests and effect sizes.
fn statistics(results: &StudyResults) -> String {
    let params = &results.study.settings.params;
    let mut text = format!(
        "95% intervals are percentile intervals of {} bootstrap resamples of participants, widened for small numbers of \
         participants (Hesterberg, 2015), for at least {MIN_UNITS} participants; those of averages over time hold at each \
         time alone. ",
        grouped(params.resamples as u64)
    );
    let comparisons = || {
        results
            .alignments
            .iter()
            .flat_map(|alignment| &alignment.comparisons)
    };
    let has = |design| comparisons().any(|of| of.comparison.design == design);
    if has(ComparisonDesign::Between) {
        text += "Different participants were compared by permuting them between conditions; effect sizes are Cohen's d, \
                 Hedges' g and Cliff's delta. ";
    }
    if has(ComparisonDesign::Within) {
        text += "The same participants were compared by changing the signs of their differences; effect sizes are d_z and \
                 Cliff's delta of pairs. ";
    }
    if results
        .alignments
        .iter()
        .any(|alignment| alignment.is_corrected)
    {
        text += "Changes after events were tested against 0 by changing their signs. ";
    }
    text += &format!(
        "Tests are two-sided, over all permutations if there are at most {0}, else over {0} random ones, and p-values are \
         corrected by Holm's method for all tests of the same measure and kind. The seed of the random numbers was {1}. \
         The study was computed with gst-attitude {2}.",
        grouped(params.permutations as u64),
        params.seed,
        env!("CARGO_PKG_VERSION")
    );
    text
}

fn limits() -> String {
    "The measures describe how a classifier labels the appearance of faces, not what people felt, and have no diagnostic \
     meaning. The classifier's errors on these recordings were not measured, are not part of the intervals, and may differ \
     between people and between recording conditions such as light, distance and glasses. A difference between conditions \
     is an effect of the conditions only if participants or their order were assigned at random."
        .to_owned()
}
