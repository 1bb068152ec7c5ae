// SPDX-License-Identifier: MPL-2.0

//! Configuration files of `watch`.

use gst_attitude::fuzzing::configuration;

/// Parses the file. It has options, or a mistake in one of its lines.
pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match configuration(text) {
        Ok(options) => assert!(options.iter().all(|option| option.starts_with("--"))),
        Err((line, problem)) => {
            assert!(
                (1..=text.matches('\n').count() + 1).contains(&line),
                "{line}"
            );
            assert!(!problem.is_empty() && !problem.contains('\n'), "{problem}");
        }
    }
}
