// SPDX-License-Identifier: MPL-2.0

//! The report of an evaluation, `evaluation.json`.

use std::collections::BTreeMap;

use attitude::Attitude;
use attitude::evaluation::{
    Bootstrap, ClassMetrics, Confusion, CoveragePoint, Estimates, LabeledPrediction, Tally,
    coverage_curve,
};
use attitude_inference::model::{ModelError, ModelSource};
use attitude_inference::provider::Provider;
use serde::Serialize;

use super::faces::{FaceOutcome, Located};
use super::results::{EvaluatedFace, Results};
use crate::numbers::count;

mod markdown;

/// Version of the fields and their meaning.
const SCHEMA: u32 = 1;

/// Minimum number of groups: with fewer, the resamples are too similar for useful intervals.
const MIN_GROUPS: usize = 10;

/// Content of the report.
#[derive(Serialize)]
pub(super) struct Report {
    schema: u32,
    /// Version of this program.
    version: &'static str,
    setup: Setup,
    pub data: DataReport,
    models: Vec<ModelReport>,
    /// Figures of each model except the first, minus those of the first.
    differences: Vec<Difference>,
    resamples: usize,
}

/// Labeled faces by label and by outcome.
#[derive(Default, Serialize)]
pub(super) struct DataReport {
    labels: BTreeMap<String, LabelCount>,
    faces: usize,
    /// Number of faces in the figures: those with predictions of all models and other programs.
    compared: usize,
    /// Number of groups of the compared faces.
    groups: usize,
    not_found: usize,
    #[serde(rename = "not_judged")]
    not_classifiable: usize,
    #[serde(rename = "no_scores")]
    invalid_scores: usize,
    /// Number of faces that were cropped by the labeled box, as the detector found no face there.
    by_box: usize,
    /// Number of faces that were found only with a smaller detector size than requested.
    at_smaller_size: usize,
    pub unreadable: usize,
    /// Number of classified faces without a prediction, by name of the other program.
    #[serde(rename = "unanswered")]
    without_prediction: BTreeMap<String, usize>,
    failed_segments: usize,
    #[serde(rename = "skipped_files")]
    other_files: usize,
    /// Attitudes that no compared face has as label.
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
    classes: BTreeMap<&'static str, ClassMetrics>,
    /// Rows are labels, columns are predictions, both in the order positive, neutral, negative.
    confusion: Confusion,
    coverage: Option<Vec<CoveragePoint>>,
}

#[derive(Serialize)]
struct Difference {
    name: String,
    #[serde(rename = "less")]
    baseline: String,
    figures: Estimates,
}

impl Report {
    /// Computes the figures of `results`. `other_files` is the number of files that are not
    /// pictures.
    pub(super) fn new(
        setup: Setup,
        results: &Results,
        bootstrap: &Bootstrap,
        other_files: usize,
        failed_segments: usize,
    ) -> Self {
        let predictions = results.labeled_predictions();
        let groups = results.groups();
        let comparison = bootstrap.compare(&predictions, &groups);
        let models = results
            .names
            .iter()
            .zip(&predictions)
            .zip(comparison.metrics);
        let others = results.names.iter().skip(1);
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            setup,
            data: DataReport {
                groups: groups.iter().max().map_or(0, |last| last + 1),
                other_files,
                failed_segments,
                ..DataReport::new(results)
            },
            models: models
                .map(|((name, predictions), figures)| ModelReport::new(name, predictions, figures))
                .collect(),
            differences: others
                .zip(comparison.differences)
                .map(|(name, figures)| Difference {
                    name: name.clone(),
                    baseline: results.names[0].clone(),
                    figures,
                })
                .collect(),
            resamples: bootstrap.resamples,
        }
    }
}

impl DataReport {
    fn new(results: &Results) -> Self {
        let count_faces = |is_counted: &dyn Fn(&FaceOutcome) -> bool| {
            let faces = results.faces.iter();
            faces.filter(|face| is_counted(&face.outcome)).count()
        };
        let count_located = |located: Located| {
            count_faces(
                &|outcome| matches!(outcome, FaceOutcome::Classified { located: way, .. } if *way == located),
            )
        };
        let mut labels: BTreeMap<String, LabelCount> = BTreeMap::new();
        let mut entry = |face: &EvaluatedFace, compared: usize| {
            let label = labels.entry(face.label.text.clone()).or_default();
            label.attitude = face.label.attitude.name();
            label.faces += 1 - compared;
            label.compared += compared;
        };
        results.faces.iter().for_each(|face| entry(face, 0));
        results.compared.iter().for_each(|c| entry(c.face, 1));
        let is_missing = |attitude: &Attitude| {
            let mut compared = results.compared.iter();
            compared.all(|c| c.face.label.attitude != *attitude)
        };
        let missing = Attitude::ALL.into_iter().filter(is_missing);
        Self {
            labels,
            faces: results.faces.len(),
            compared: results.compared.len(),
            not_found: count_faces(&|outcome| *outcome == FaceOutcome::NotFound),
            not_classifiable: count_faces(&|outcome| *outcome == FaceOutcome::NotClassifiable),
            invalid_scores: count_faces(&|outcome| *outcome == FaceOutcome::InvalidScores),
            by_box: count_located(Located::ByBox),
            at_smaller_size: count_located(Located::AtSmallerSize),
            unreadable: count_faces(&|outcome| matches!(outcome, FaceOutcome::Unreadable(_))),
            without_prediction: results.without_prediction.iter().cloned().collect(),
            missing: missing.map(Attitude::name).collect(),
            ..Self::default()
        }
    }

    /// Describes the limitations of the figures.
    pub(super) fn limitations(&self) -> Vec<String> {
        let gap = |attitude: &&str| {
            format!(
                "no compared face is labeled {attitude}: these data do not show how well it is \
                 recognized, and macro F1 counts it as 0"
            )
        };
        let few = (self.groups < MIN_GROUPS).then(|| {
            let groups = count(self.groups, "group");
            format!("only {groups}: the intervals are unreliable; at least {MIN_GROUPS} are needed")
        });
        self.missing.iter().map(gap).chain(few).collect()
    }

    /// Returns the reasons why faces are left out of the figures, or would not be classified by the
    /// element, with the number of faces of each.
    pub(super) fn left_out(&self) -> Vec<(String, usize)> {
        let always = [
            ("no face found", self.not_found),
            (
                "not classified, as they are cut off or turned away",
                self.not_classifiable,
            ),
        ];
        let rare = [
            (
                "not classified, as the output of a model is not a score",
                self.invalid_scores,
            ),
            ("pictures that cannot be read", self.unreadable),
            ("segments that failed", self.failed_segments),
            ("files that are not pictures", self.other_files),
        ];
        let rare = rare.into_iter().filter(|(_, number)| *number > 0);
        let named = always.into_iter().chain(rare);
        let mut counts: Vec<(String, usize)> = named
            .map(|(reason, number)| (reason.to_owned(), number))
            .collect();
        for (name, &number) in &self.without_prediction {
            if number > 0 {
                counts.push((format!("faces without a prediction of {name}"), number));
            }
        }
        if self.by_box > 0 {
            // These are in the figures, although the element would not classify them.
            let reason = "cropped by the labeled box, as the detector found no face there";
            counts.push((reason.to_owned(), self.by_box));
        }
        if self.at_smaller_size > 0 {
            // So are these; the element finds them with a smaller `detector-size`.
            let reason = "found only with a smaller detector size";
            counts.push((reason.to_owned(), self.at_smaller_size));
        }
        counts
    }
}

impl ModelReport {
    fn new(name: &str, predictions: &[LabeledPrediction], figures: Estimates) -> Self {
        let confusion = *Tally::of(predictions).confusion();
        Self {
            name: name.to_owned(),
            figures,
            classes: Attitude::ALL
                .map(|attitude| (attitude.name(), confusion.class(attitude)))
                .into(),
            confusion,
            coverage: coverage_curve(predictions),
        }
    }
}

/// Data and models of the evaluation.
#[derive(Serialize)]
pub(super) struct Setup {
    /// Paths, as the user wrote them.
    pub data: Vec<String>,
    pub mapping: Option<String>,
    /// `None` if no detector was used.
    pub detector: Option<NetworkFile>,
    pub detector_size: Option<u32>,
    pub models: Vec<ModelFile>,
}

#[derive(Serialize)]
pub(super) struct ModelFile {
    pub name: String,
    #[serde(flatten)]
    pub file: NetworkFile,
}

#[derive(Serialize)]
pub(super) struct NetworkFile {
    file: String,
    sha256: String,
}

impl NetworkFile {
    /// Describes the file that `provider` runs.
    pub(super) fn of(source: &ModelSource, provider: Provider) -> Result<Self, ModelError> {
        Ok(Self {
            file: source.name(),
            sha256: source.digest(provider)?,
        })
    }

    fn describe(&self) -> String {
        format!("{}, SHA-256 {}", self.file, self.sha256)
    }
}

impl Setup {
    /// Describes the setup, one item per line.
    fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .data
            .iter()
            .map(|path| format!("data: {path}"))
            .collect();
        lines.extend(
            self.mapping
                .iter()
                .map(|mapping| format!("mapping: {mapping}")),
        );
        lines.push(match (&self.detector, self.detector_size) {
            (Some(detector), Some(size)) => {
                format!("detector, of size {size}: {}", detector.describe())
            }
            _ => "detector: none".to_owned(),
        });
        let models = self.models.iter();
        lines
            .extend(models.map(|model| format!("model {}: {}", model.name, model.file.describe())));
        lines
    }
}
