// SPDX-License-Identifier: MPL-2.0

//! Cues as WebVTT: <https://www.w3.org/TR/webvtt1>.

use std::borrow::Cow;
use std::io::Write;

use super::cue::Cue;

/// What a file begins with.
pub const HEADER: &str = "WEBVTT\n\n";

const NS_PER_MS: u64 = 1_000_000;

/// Appends `cue`, shown `shift_ns` later than it says, as long as a millisecond at least.
pub fn write_cue(cue: &Cue, shift_ns: i128, file: &mut Vec<u8>) {
    let shifted_ms = |ns: u64| {
        let ns = (i128::from(ns) + shift_ns).max(0);
        u64::try_from(ns).unwrap_or(u64::MAX) / NS_PER_MS
    };
    let start_ms = shifted_ms(cue.span.start_ns);
    let end_ms = shifted_ms(cue.span.end_ns).max(start_ms.saturating_add(1));
    let (start, end) = (timestamp(start_ms), timestamp(end_ms));
    // Writing to memory does not fail.
    let _ = writeln!(file, "{start} --> {end}");
    for line in lines(&cue.text) {
        let _ = writeln!(file, "{}", escaped(line));
    }
    file.push(b'\n');
}

/// The lines of a text but for those that are blank, which end a cue.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.split(['\n', '\r']);
    lines.filter(|line| !line.is_empty())
}

/// So that nothing is taken for a tag or for the times of a cue.
fn escaped(line: &str) -> Cow<'_, str> {
    if !line.contains(['&', '<', '>', '\0']) {
        return line.into();
    }
    let line = line.replace('&', "&amp;").replace('<', "&lt;");
    line.replace('>', "&gt;").replace('\0', "\u{FFFD}").into()
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

    fn written(start_ns: u64, end_ns: u64, shift_ns: i128) -> String {
        let cue = Cue {
            span: Span { start_ns, end_ns },
            text: "#1 positive\n#2 neutral".to_owned(),
        };
        let mut file = Vec::new();
        write_cue(&cue, shift_ns, &mut file);
        String::from_utf8(file).unwrap()
    }

    #[test]
    fn a_cue_has_its_times_its_lines_and_a_blank_line() {
        assert_eq!(
            written(62_234_567_890, 3_601_000_000_000, -1_000_000_000),
            "00:01:01.234 --> 01:00:00.000\n#1 positive\n#2 neutral\n\n"
        );
    }

    #[test]
    fn a_text_is_a_text_whatever_it_says() {
        let cue = Cue {
            span: Span {
                start_ns: 0,
                end_ns: 1_000_000_000,
            },
            text: "Note: <b>a & b\r\n\n00:00:05.000 --> 00:00:06.000\n".to_owned(),
        };
        let mut file = Vec::new();
        write_cue(&cue, 0, &mut file);
        assert_eq!(
            String::from_utf8(file).unwrap(),
            "00:00:00.000 --> 00:00:01.000\nNote: &lt;b&gt;a &amp; b\n\
             00:00:05.000 --&gt; 00:00:06.000\n\n"
        );
    }

    #[test]
    fn hours_grow_and_no_cue_is_empty() {
        assert!(
            written(400_000_000_000_000, 400_000_000_000_001, 0)
                .starts_with("111:06:40.000 --> 111:06:40.001\n")
        );
    }
}
