// SPDX-License-Identifier: MPL-2.0

//! Agreement of coders who labeled the same units, such as the seconds of a recording.
//!
//! For two coders, [`Confusion`](crate::evaluation::Confusion) has Cohen's kappa; for any number of
//! coders, of whom each may have left out units, [`nominal_alpha`] is Krippendorff's alpha.
//! Consecutive units of a recording are not independent: neither figure has a meaningful interval
//! from a single recording.

use crate::timeline::Span;

/// A label over a span of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodedSpan<L> {
    /// The span.
    pub span: Span,
    /// The label.
    pub label: L,
}

/// Returns the label at the middle of each of `count` units of `unit_ns` nanoseconds from time 0
/// on; `None` where `spans`, which are sorted by their start, have none. Of spans that overlap, the
/// one that began last counts.
pub fn labels_of_units<L: Copy>(
    spans: &[CodedSpan<L>],
    unit_ns: u64,
    count: usize,
) -> Vec<Option<L>> {
    let mut labels = vec![None; count];
    for CodedSpan { span, label } in spans {
        // The first unit whose middle is not before `ns`.
        let first_from = |ns: u64| {
            let units = ns.saturating_sub(unit_ns / 2).div_ceil(unit_ns.max(1));
            usize::try_from(units).map_or(count, |units| units.min(count))
        };
        let (first, end) = (first_from(span.start_ns), first_from(span.end_ns));
        labels[first..end.max(first)].fill(Some(*label));
    }
    labels
}

/// Returns Krippendorff's alpha for nominal data (Krippendorff, "Content Analysis", 2004, chapter
/// 11): 1 for perfect agreement, 0 for that of chance. `coders` contains the labels of each coder
/// for the same units, as numbers less than `categories`; `None` is missing. Returns `None` if no
/// unit has two labels, or all are the same, so that chance is not defined.
///
/// # Panics
/// Panics if a label is not less than `categories`, or the numbers of units differ.
pub fn nominal_alpha(coders: &[Vec<Option<usize>>], categories: usize) -> Option<f64> {
    let units = coders.first()?.len();
    assert!(coders.iter().all(|labels| labels.len() == units));
    // Numbers of pairable labels, in total and by category, and of pairs that agree within their
    // units, each divided by the number of labels of the unit minus 1.
    let mut totals = vec![0.0; categories];
    let mut agreeing = 0.0;
    let mut of_unit = vec![0_u64; categories];
    for unit in 0..units {
        of_unit.fill(0);
        for label in coders.iter().filter_map(|labels| labels[unit]) {
            of_unit[label] += 1;
        }
        let count: u64 = of_unit.iter().sum();
        if count < 2 {
            continue;
        }
        for (total, &labels) in totals.iter_mut().zip(&of_unit) {
            *total += labels as f64;
            agreeing += (labels * labels.saturating_sub(1)) as f64 / (count - 1) as f64;
        }
    }
    let n: f64 = totals.iter().sum();
    let expected: f64 = totals.iter().map(|total| total * (total - 1.0)).sum();
    let all_pairs = n * (n - 1.0);
    (expected < all_pairs).then(|| ((n - 1.0) * agreeing - expected) / (all_pairs - expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coded(start_ns: u64, end_ns: u64, label: char) -> CodedSpan<char> {
        CodedSpan {
            span: Span { start_ns, end_ns },
            label,
        }
    }

    #[test]
    fn a_unit_has_the_label_at_its_middle() {
        let spans = [coded(0, 14, 'a'), coded(16, 25, 'b'), coded(40, 44, 'c')];
        let labels = labels_of_units(&spans, 10, 6);
        let expected = [Some('a'), None, None, None, None, None];
        assert_eq!(labels[..1], expected[..1]);
        assert_eq!(labels, [Some('a'), None, None, None, None, None]);
        let spans = [coded(0, 16, 'a'), coded(15, 26, 'b'), coded(44, 46, 'c')];
        let labels = labels_of_units(&spans, 10, 5);
        assert_eq!(labels, [Some('a'), Some('b'), Some('b'), None, Some('c')]);
        assert_eq!(labels_of_units(&spans, 10, 0), []);
        let endless = [coded(5, u64::MAX, 'a')];
        assert_eq!(labels_of_units(&endless, 10, 2), [Some('a'); 2]);
    }

    /// Parses the labels of a coder: digits from 1 on, and dots for missing ones.
    fn coder(labels: &str) -> Vec<Option<usize>> {
        let digits = labels.chars().map(|c| c.to_digit(10));
        digits.map(|digit| Some(digit? as usize - 1)).collect()
    }

    #[test]
    fn alpha_is_that_of_krippendorffs_example() {
        // Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011, section C: 4 observers,
        // 12 units, 5 categories. The Python package krippendorff 0.9.0 gives the same.
        let coders = [
            "123321412...",
            "1233224125.3",
            ".3332342251.",
            "12332441251.",
        ]
        .map(coder);
        let alpha = nominal_alpha(&coders, 5).unwrap();
        assert!((alpha - 0.743_421_052_631_579).abs() < 1e-12, "{alpha}");
    }

    #[test]
    fn alpha_of_two_coders_is_that_of_another_program() {
        // The Python package krippendorff 0.9.0.
        let coders = ["1233221312", "1223321311"].map(coder);
        let alpha = nominal_alpha(&coders, 3).unwrap();
        assert!((alpha - 0.5714285714285714).abs() < 1e-12, "{alpha}");
        let same = ["112223322"; 2].map(coder);
        assert_eq!(nominal_alpha(&same, 3), Some(1.0));
    }

    #[test]
    fn alpha_needs_two_labels_of_a_unit_and_two_categories() {
        assert_eq!(nominal_alpha(&[coder("12.."), coder("..12")], 2), None);
        assert_eq!(nominal_alpha(&[coder("111"), coder("111")], 2), None);
        assert_eq!(nominal_alpha(&[], 2), None);
        let opposite = nominal_alpha(&[coder("1212"), coder("2121")], 2).unwrap();
        assert!(opposite < 0.0, "{opposite}");
    }
}
