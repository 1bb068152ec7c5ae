// SPDX-License-Identifier: MPL-2.0

//! Formats the report as Markdown.

use std::fmt::Display;

use attitude::Attitude;
use attitude::evaluation::{Estimate, Estimates, Metric};

use super::{ModelReport, Report};
use crate::numbers::count;

/// Limits of all evaluations.
const CAVEAT: &str = "\
Labels of expressions are opinions of the annotators, not what people felt. Figures on these faces do \
not show how the models perform with other people, cameras and occasions, or for whom they fail more \
often.";

/// A table to which rows are added.
struct Rows(String);

impl Rows {
    /// Creates a table; its first column has text, the others have numbers.
    fn new<T: Display>(header: impl IntoIterator<Item = T>) -> Self {
        let mut rows = Self(String::new());
        let columns = rows.push(header);
        rows.0
            .push_str(&format!("|---|{}\n", "--:|".repeat(columns - 1)));
        rows
    }

    /// Adds a row, and returns its number of cells.
    fn push<T: Display>(&mut self, cells: impl IntoIterator<Item = T>) -> usize {
        let mut count = 0;
        for cell in cells {
            // A bar in a name would start another cell.
            let cell = cell.to_string().replace('|', "\\|");
            self.0.push_str(&format!("| {cell} "));
            count += 1;
        }
        self.0.push_str("|\n");
        count
    }
}

impl Report {
    /// Formats the report.
    pub(in crate::evaluate) fn to_markdown(&self) -> String {
        let mut sections = vec![
            "# Evaluation".to_owned(),
            self.setup(),
            self.data(),
            self.figures(),
        ];
        if !self.differences.is_empty() {
            sections.push(self.comparison());
        }
        sections.extend(self.models.iter().map(ModelReport::section));
        sections.push(CAVEAT.to_owned());
        sections.join("\n\n") + "\n"
    }

    fn setup(&self) -> String {
        let lines = self.setup.lines().into_iter();
        let lines: Vec<String> = lines.map(|line| format!("- {line}")).collect();
        lines.join("\n")
    }

    fn data(&self) -> String {
        let data = &self.data;
        let mut rows = Rows::new(["label", "attitude", "faces", "compared"]);
        for (label, counts) in &data.labels {
            let [faces, compared] = [counts.faces, counts.compared].map(|count| count.to_string());
            rows.push([label.as_str(), counts.attitude, &faces, &compared]);
        }
        let left_out: Vec<String> = data
            .left_out()
            .into_iter()
            .map(|(reason, number)| format!("- {reason}: {number}"))
            .collect();
        let limitations: Vec<String> = data
            .limitations()
            .into_iter()
            .map(|limitation| format!("- **{limitation}**"))
            .collect();
        format!(
            "## Data\n\n{}; the figures are of {}, in {} (faces of a group, such as one person's, are not \
             independent).\n\n{}\n{}",
            count(data.faces, "labeled face"),
            data.compared,
            count(data.groups, "group"),
            rows.0,
            [left_out, limitations].concat().join("\n"),
        )
    }

    fn figures(&self) -> String {
        let of_models: Vec<&Estimates> = self.models.iter().map(|model| &model.figures).collect();
        let names = self.models.iter().map(|model| model.name.clone());
        format!(
            "## Figures\n\nThe interval in brackets contains 95% of {} resamples of the groups.\n\n{}\n\n\
             Chance alone raises the calibration error, in resamples more than in the faces: its \
             interval may be above it.",
            self.resamples,
            table(names, &of_models, false),
        )
    }

    fn comparison(&self) -> String {
        let figures: Vec<&Estimates> = self.differences.iter().map(|d| &d.figures).collect();
        let names = self
            .differences
            .iter()
            .map(|d| format!("{} − {}", d.name, d.baseline));
        format!(
            "## Differences\n\nOn the same faces and the same resamples. An interval that contains 0 \
             does not show a difference.\n\n{}",
            table(names, &figures, true),
        )
    }
}

/// Formats one row per figure.
fn table(names: impl Iterator<Item = String>, columns: &[&Estimates], is_signed: bool) -> String {
    let mut rows = Rows::new([String::new()].into_iter().chain(names));
    for figure in Metric::ALL {
        let cell = |estimates: &&Estimates| match estimates.get(&figure) {
            Some(Estimate { value, low, high }) if is_signed => {
                format!("{value:+.3} [{low:+.3}, {high:+.3}]")
            }
            Some(Estimate { value, low, high }) => format!("{value:.3} [{low:.3}, {high:.3}]"),
            None => "–".to_owned(),
        };
        let cells = columns.iter().map(cell);
        rows.push([figure.name().to_owned()].into_iter().chain(cells));
    }
    rows.0.trim_end().to_owned()
}

impl ModelReport {
    fn section(&self) -> String {
        let parts = [
            Some(format!("## {}", self.name)),
            Some(self.per_class()),
            Some(self.confusion()),
            self.coverage(),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        parts.join("\n\n")
    }

    fn per_class(&self) -> String {
        let mut rows = Rows::new(["attitude", "precision", "recall", "F1", "faces"]);
        for attitude in Attitude::ALL.map(Attitude::name) {
            let class = &self.classes[attitude];
            let figures = [class.precision, class.recall, class.f1];
            let [precision, recall, f1] = figures.map(|figure| format!("{figure:.3}"));
            rows.push([
                attitude,
                &precision,
                &recall,
                &f1,
                &class.support.to_string(),
            ]);
        }
        rows.0.trim_end().to_owned()
    }

    fn confusion(&self) -> String {
        let names = Attitude::ALL.map(Attitude::name);
        let mut rows = Rows::new(["label \\ prediction", names[0], names[1], names[2]]);
        for (name, counts) in names.into_iter().zip(&self.confusion.counts) {
            let cells = counts.iter().map(u64::to_string);
            rows.push([name.to_owned()].into_iter().chain(cells));
        }
        rows.0.trim_end().to_owned()
    }

    /// Formats the accuracy without uncertain predictions.
    fn coverage(&self) -> Option<String> {
        let mut rows = Rows::new(["minimum confidence", "share of faces", "accuracy"]);
        for point in self.coverage.as_ref()? {
            rows.push([
                format!("{:.2}", point.threshold),
                format!("{:.3}", point.coverage),
                point
                    .accuracy
                    .map_or("–".to_owned(), |accuracy| format!("{accuracy:.3}")),
            ]);
        }
        Some(rows.0.trim_end().to_owned())
    }
}
