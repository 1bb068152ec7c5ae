// SPDX-License-Identifier: MPL-2.0

//! Cues as WebVTT: <https://www.w3.org/TR/webvtt1>.

use std::io::Write;

use super::cue::Cue;

/// What a file begins with.
pub const HEADER: &str = "WEBVTT\n\n";

const NS_PER_MS: u64 = 1_000_000;

/// Appends `cue`, as long as a millisecond at least.
pub fn write_cue(cue: &Cue, file: &mut Vec<u8>) {
    let start_ms = cue.span.start_ns / NS_PER_MS;
    let end_ms = (cue.span.end_ns / NS_PER_MS).max(start_ms.saturating_add(1));
    // Its lines are names and numbers: nothing to escape.
    let (start, end) = (timestamp(start_ms), timestamp(end_ms));
    // Writing to memory does not fail.
    let _ = write!(file, "{start} --> {end}\n{}\n\n", cue.text);
}

fn timestamp(ms: u64) -> String {
    let (seconds, ms) = (ms / 1000, ms % 1000);
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}.{ms:03}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::cue::Span;

    fn written(start_ns: u64, end_ns: u64) -> String {
        let cue = Cue {
            span: Span { start_ns, end_ns },
            text: "#1 positive\n#2 neutral".to_owned(),
        };
        let mut file = Vec::new();
        write_cue(&cue, &mut file);
        String::from_utf8(file).unwrap()
    }

    #[test]
    fn a_cue_has_its_times_its_lines_and_a_blank_line() {
        assert_eq!(
            written(61_234_567_890, 3_600_000_000_000),
            "00:01:01.234 --> 01:00:00.000\n#1 positive\n#2 neutral\n\n"
        );
    }

    #[test]
    fn hours_grow_and_no_cue_is_empty() {
        assert!(
            written(400_000_000_000_000, 400_000_000_000_001)
                .starts_with("111:06:40.000 --> 111:06:40.001\n")
        );
    }
}
