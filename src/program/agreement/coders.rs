// SPDX-License-Identifier: MPL-2.0

//! Compares coders in units of time.

use attitude::agreement::{labels_of_units, nominal_alpha};
use attitude::evaluation::Confusion;
use attitude::timeline::Span;
use attitude::{Attitude, clock};

use super::annotations::Coding;

/// Coders and their labels in the same units.
#[derive(Clone, Debug)]
pub(super) struct Coders {
    pub names: Vec<String>,
    /// Labels of each coder.
    labels: Vec<Vec<Option<Attitude>>>,
    pub unit_ns: u64,
}

/// The agreement of two coders.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pair {
    /// Indices of the coders.
    pub coders: [usize; 2],
    /// Units that both have labeled; rows are the labels of the first coder.
    pub confusion: Confusion,
    /// Krippendorff's alpha; `None` if it is not defined.
    pub alpha: Option<f64>,
}

/// A time at which two coders disagree about the same labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Disagreement {
    pub coders: [usize; 2],
    pub span: Span,
    pub labels: [Attitude; 2],
}

impl Coders {
    /// Creates coders from the program's labels and those of people, up to the end of the last one.
    pub(super) fn new(codings: &[Coding], unit_ns: u64) -> Self {
        let spans = codings.iter().flat_map(|coding| &coding.spans);
        let end_ns = spans.map(|coded| coded.span.end_ns).max().unwrap_or(0);
        let count = usize::try_from(end_ns.div_ceil(unit_ns)).unwrap_or(0);
        Self {
            names: codings.iter().map(|coding| coding.coder.clone()).collect(),
            labels: codings
                .iter()
                .map(|coding| labels_of_units(&coding.spans, unit_ns, count))
                .collect(),
            unit_ns,
        }
    }

    /// Returns the number of units.
    pub(super) fn units(&self) -> usize {
        self.labels.first().map_or(0, Vec::len)
    }

    /// Returns the agreement of each two coders.
    pub(super) fn pairs(&self) -> Vec<Pair> {
        let pair = |(first, second): (usize, usize)| {
            let mut confusion = Confusion::default();
            for labels in self.labels[first].iter().zip(&self.labels[second]) {
                if let (Some(first), Some(second)) = labels {
                    confusion.add(*first, *second, 1);
                }
            }
            Pair {
                coders: [first, second],
                confusion,
                alpha: self.alpha([first, second].into_iter()),
            }
        };
        self.indices_of_pairs().map(pair).collect()
    }

    /// Returns Krippendorff's alpha of some coders; `None` if it is not defined.
    pub(super) fn alpha(&self, coders: impl Iterator<Item = usize>) -> Option<f64> {
        let numbers = |coder: usize| -> Vec<Option<usize>> {
            let labels = self.labels[coder].iter();
            labels
                .map(|label| label.map(|attitude| attitude as usize))
                .collect()
        };
        let labels: Vec<_> = coders.map(numbers).collect();
        nominal_alpha(&labels, Attitude::ALL.len())
    }

    /// Returns the disagreements of each two coders; consecutive units with the same labels are one.
    pub(super) fn disagreements(&self) -> Vec<Disagreement> {
        let mut all: Vec<Disagreement> = Vec::new();
        for (first, second) in self.indices_of_pairs() {
            let coders = [first, second];
            for (unit, labels) in self.labels[first]
                .iter()
                .zip(&self.labels[second])
                .enumerate()
            {
                let (Some(a), Some(b)) = labels else { continue };
                if a == b {
                    continue;
                }
                let span = self.span(unit, unit + 1);
                match all.last_mut() {
                    Some(last)
                        if last.coders == coders
                            && last.labels == [*a, *b]
                            && last.span.end_ns == span.start_ns =>
                    {
                        last.span.end_ns = span.end_ns;
                    }
                    _ => all.push(Disagreement {
                        coders,
                        span,
                        labels: [*a, *b],
                    }),
                }
            }
        }
        all.sort_by_key(|disagreement| (disagreement.span.start_ns, disagreement.coders));
        all
    }

    /// Returns the consecutive units of a coder with the same label, as spans.
    pub(super) fn runs(&self, coder: usize) -> Vec<(Span, Attitude)> {
        let mut runs = Vec::new();
        let mut unit = 0;
        for run in self.labels[coder].chunk_by(|a, b| a == b) {
            if let Some(attitude) = run[0] {
                runs.push((self.span(unit, unit + run.len()), attitude));
            }
            unit += run.len();
        }
        runs
    }

    fn span(&self, first: usize, end: usize) -> Span {
        Span {
            start_ns: first as u64 * self.unit_ns,
            end_ns: end as u64 * self.unit_ns,
        }
    }

    fn indices_of_pairs(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let count = self.names.len();
        (0..count).flat_map(move |first| (first + 1..count).map(move |second| (first, second)))
    }
}

impl Disagreement {
    /// Returns the time as text, such as `0:12.0–0:14.0`.
    pub(super) fn time(&self) -> String {
        let Span { start_ns, end_ns } = self.span;
        format!("{}–{}", clock::position(start_ns), clock::position(end_ns))
    }
}

#[cfg(test)]
mod tests {
    use attitude::Attitude::{Negative, Neutral, Positive};
    use attitude::agreement::CodedSpan;

    use super::*;

    const S: u64 = clock::NS_PER_S;

    fn coding(coder: &str, spans: &[(u64, u64, Attitude)]) -> Coding {
        let coded = |&(start_s, end_s, label)| CodedSpan {
            span: Span {
                start_ns: start_s * S,
                end_ns: end_s * S,
            },
            label,
        };
        Coding {
            coder: coder.to_owned(),
            spans: spans.iter().map(coded).collect(),
        }
    }

    fn coders() -> Coders {
        let program = coding("gst-attitude", &[(0, 4, Neutral), (4, 10, Positive)]);
        let person = coding(
            "Ann",
            &[(0, 5, Neutral), (6, 8, Positive), (8, 9, Negative)],
        );
        Coders::new(&[program, person], S)
    }

    #[test]
    fn units_that_both_label_are_compared() {
        let coders = coders();
        assert_eq!(coders.units(), 10);
        let [pair] = coders.pairs()[..] else { panic!() };
        assert_eq!(pair.confusion.total(), 8);
        assert_eq!(pair.confusion.accuracy(), 0.75);
        assert_eq!(pair.confusion.counts, [[2, 1, 1], [0, 4, 0], [0, 0, 0]]);
        assert!(pair.alpha.unwrap() > 0.5);
    }

    #[test]
    fn disagreements_are_spans_with_the_same_labels() {
        let disagreements = coders().disagreements();
        let facts: Vec<_> = disagreements
            .iter()
            .map(|of| (of.time(), of.labels))
            .collect();
        assert_eq!(
            facts,
            [
                ("0:04.0–0:05.0".to_owned(), [Positive, Neutral]),
                ("0:08.0–0:09.0".to_owned(), [Positive, Negative]),
            ]
        );
        let longer = Coders::new(
            &[
                coding("a", &[(0, 3, Neutral)]),
                coding("b", &[(1, 3, Positive)]),
            ],
            S / 2,
        );
        assert_eq!(longer.disagreements().len(), 1);
        assert_eq!(longer.disagreements()[0].time(), "0:01.0–0:03.0");
    }

    #[test]
    fn runs_are_consecutive_units() {
        let runs = coders().runs(1);
        let facts: Vec<_> = runs
            .iter()
            .map(|(span, label)| (span.start_ns / S, span.end_ns / S, *label))
            .collect();
        assert_eq!(facts, [(0, 5, Neutral), (6, 8, Positive), (8, 9, Negative)]);
    }
}
