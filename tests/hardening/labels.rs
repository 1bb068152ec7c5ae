// SPDX-License-Identifier: MPL-2.0

//! Labels and predictions, which people write in spreadsheets and other programs export.

use attitude::geometry::Point;
use attitude::mapping::Mapping;
use gst_attitude::fuzzing::{LabelFormat, labels, predictions};

/// Parses the text as labels in both formats and as predictions, with a mapping and without. What
/// is returned has valid numbers, and an error says in which file it is.
pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mapping: Mapping = "positive=happy;neutral=calm"
        .parse()
        .expect("the mapping is valid");
    for mapping in [None, Some(&mapping)] {
        for format in [LabelFormat::Csv, LabelFormat::JsonLines] {
            match labels(format, text, mapping) {
                Ok(file) => {
                    for (bbox, landmarks) in file.faces {
                        assert!(bbox.is_none_or(|bbox| bbox.is_valid()), "{bbox:?}");
                        let mut points = landmarks.iter().flatten();
                        assert!(points.all(Point::is_valid), "{landmarks:?}");
                    }
                    for (start_s, end_s) in file.segments_s {
                        assert!(0.0 <= start_s && start_s < end_s && end_s.is_finite());
                    }
                }
                Err(error) => assert!(error.starts_with("labels."), "{error}"),
            }
        }
        match predictions(text, mapping) {
            Ok(scores) => assert!(scores.iter().all(|scores| scores.is_valid()), "{scores:?}"),
            Err(error) => assert!(error.starts_with("predictions.csv"), "{error}"),
        }
    }
}
