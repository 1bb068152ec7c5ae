// SPDX-License-Identifier: MPL-2.0

//! The report: figures as data, and the files that they are written to.

use std::collections::BTreeMap;

use attitude::Attitude;
use attitude::evaluation::Answer;
use attitude::evaluation::bootstrap::{Bootstrap, Estimates};
use attitude::evaluation::confusion::{ClassFigures, Confusion};
use attitude::evaluation::coverage::{CoveragePoint, coverage};
use attitude::evaluation::tally::Tally;
use serde::Serialize;
use setup::Setup;

use super::faces::Outcome;
use super::results::{Judged, Results};

mod markdown;
pub mod setup;

/// The version of the fields of `evaluation.json` and their meaning.
const SCHEMA: u32 = 1;

/// Fewer groups than this are resampled into little else than themselves.
const FEW_GROUPS: usize = 10;

/// Everything that is told.
#[derive(Serialize)]
pub struct Report {
    schema: u32,
    /// Version of this program.
    version: &'static str,
    setup: Setup,
    pub data: DataReport,
    models: Vec<ModelReport>,
    /// Of each model but the first: its figures less those of the first.
    differences: Vec<Difference>,
    resamples: usize,
}

/// What was labelled, and what became of it.
#[derive(Default, Serialize)]
pub struct DataReport {
    labels: BTreeMap<String, LabelCount>,
    faces: usize,
    /// Faces about which everything has an answer: what the figures are of.
    compared: usize,
    /// Groups that they make up.
    groups: usize,
    not_found: usize,
    not_judged: usize,
    no_scores: usize,
    /// Faces where the detector found none, judged by the given box.
    by_box: usize,
    pub unreadable: usize,
    /// Faces that the models judged and something else has no answer about.
    unanswered: BTreeMap<String, usize>,
    failed_segments: usize,
    skipped_files: usize,
    /// Attitudes that no compared face is labelled as.
    missing: Vec<&'static str>,
}

#[derive(Default, Serialize)]
struct LabelCount {
    attitude: &'static str,
    faces: usize,
    compared: usize,
}

#[derive(Serialize)]
struct ModelReport {
    name: String,
    figures: Estimates,
    classes: BTreeMap<&'static str, ClassFigures>,
    /// Rows are labels, columns answers, both positive, neutral, negative.
    confusion: Confusion,
    coverage: Option<Vec<CoveragePoint>>,
}

#[derive(Serialize)]
struct Difference {
    name: String,
    less: String,
    figures: Estimates,
}

impl Report {
    pub fn new(
        setup: Setup,
        results: &Results,
        bootstrap: &Bootstrap,
        skipped: usize,
        failures: usize,
    ) -> Self {
        let answers = results.answers();
        let groups = results.groups();
        let comparison = bootstrap.compare(&answers, &groups);
        let models = results.names.iter().zip(&answers).zip(comparison.figures);
        let others = results.names.iter().skip(1);
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            setup,
            data: DataReport {
                groups: groups.iter().max().map_or(0, |last| last + 1),
                skipped_files: skipped,
                failed_segments: failures,
                ..DataReport::new(results)
            },
            models: models
                .map(|((name, answers), figures)| ModelReport::new(name, answers, figures))
                .collect(),
            differences: others
                .zip(comparison.differences)
                .map(|(name, figures)| Difference {
                    name: name.clone(),
                    less: results.names[0].clone(),
                    figures,
                })
                .collect(),
            resamples: bootstrap.resamples,
        }
    }
}

impl DataReport {
    fn new(results: &Results) -> Self {
        let count = |is_counted: &dyn Fn(&Outcome) -> bool| {
            let judged = results.judged.iter();
            judged.filter(|face| is_counted(&face.outcome)).count()
        };
        let mut labels: BTreeMap<String, LabelCount> = BTreeMap::new();
        let mut entry = |face: &Judged, compared: usize| {
            let label = labels.entry(face.label.text.clone()).or_default();
            label.attitude = face.label.attitude.name();
            label.faces += 1 - compared;
            label.compared += compared;
        };
        results.judged.iter().for_each(|face| entry(face, 0));
        results.compared.iter().for_each(|c| entry(c.face, 1));
        let is_missing = |attitude: &Attitude| {
            let mut compared = results.compared.iter();
            compared.all(|c| c.face.label.attitude != *attitude)
        };
        let missing = Attitude::ALL.into_iter().filter(is_missing);
        Self {
            labels,
            faces: results.judged.len(),
            compared: results.compared.len(),
            not_found: count(&|outcome| *outcome == Outcome::NotFound),
            not_judged: count(&|outcome| *outcome == Outcome::NotJudged),
            no_scores: count(&|outcome| *outcome == Outcome::NoScores),
            by_box: count(&|outcome| {
                matches!(
                    outcome,
                    Outcome::Judged {
                        is_by_box: true,
                        ..
                    }
                )
            }),
            unreadable: count(&|outcome| matches!(outcome, Outcome::Unreadable(_))),
            unanswered: results.unanswered.iter().cloned().collect(),
            missing: missing.map(Attitude::name).collect(),
            ..Self::default()
        }
    }

    /// What keeps the figures from saying much.
    pub fn gaps(&self) -> Vec<String> {
        let gap = |attitude: &&str| {
            format!(
                "no compared face is labelled {attitude}: how well that is recognised, these data \
                 do not tell, and macro F1 counts it as 0"
            )
        };
        let few = (self.groups < FEW_GROUPS)
            .then(|| format!("only {} groups: the intervals tell little", self.groups));
        self.missing.iter().map(gap).chain(few).collect()
    }

    /// What is not in the figures, or not as the element would have it, in words.
    pub fn left_out(&self) -> Vec<String> {
        let mut said = vec![
            format!("no face found: {}", self.not_found),
            format!(
                "not judged, being cut off or turned away: {}",
                self.not_judged
            ),
        ];
        let mut say = |what: &str, count: usize| {
            if count > 0 {
                said.push(format!("{what}: {count}"));
            }
        };
        say(
            "not judged, as what a model answers are no scores",
            self.no_scores,
        );
        say("pictures that cannot be read", self.unreadable);
        say("segments that failed", self.failed_segments);
        say("files that are no pictures", self.skipped_files);
        for (name, &count) in &self.unanswered {
            say(&format!("faces without an answer of {name}"), count);
        }
        // They are in the figures, and yet the element would not have judged them.
        say(
            "judged by the given box, as the detector found no face there",
            self.by_box,
        );
        said
    }
}

impl ModelReport {
    fn new(name: &str, answers: &[Answer], figures: Estimates) -> Self {
        let confusion = *Tally::of(answers).confusion();
        Self {
            name: name.to_owned(),
            figures,
            classes: Attitude::ALL
                .map(|attitude| (attitude.name(), confusion.class(attitude)))
                .into(),
            confusion,
            coverage: coverage(answers),
        }
    }
}
