// SPDX-License-Identifier: MPL-2.0

//! WebVTT: <https://www.w3.org/TR/webvtt1>.

use std::borrow::Cow;
use std::fmt::Write;

use super::{Format, RecordingFile};
use crate::clock::Timestamp;
use crate::record::subtitles::{SubtitleWriter, Syntax};

/// The format; see the [module](self).
pub static FORMAT: Format = Format {
    name: "webvtt",
    description: "WebVTT: a file of subtitles",
    caps: Some("application/x-subtitle-vtt"),
    file: Some(RecordingFile {
        name: "attitude.vtt",
        media_type: "text/vtt; charset=utf-8",
        is_default: true,
    }),
    writer: |timing| Ok(Box::new(SubtitleWriter::new(WebVtt, timing))),
};

struct WebVtt;

impl Syntax for WebVtt {
    const HEADER: &'static str = "WEBVTT\n\n";

    fn write_cue<'a>(
        &mut self,
        start_ms: u64,
        end_ms: u64,
        lines: impl Iterator<Item = &'a str>,
        text: &mut String,
    ) {
        let [start, end] = [start_ms, end_ms].map(|ms| Timestamp { ms, separator: '.' });
        // Writing to memory does not fail.
        let _ = writeln!(text, "{start} --> {end}");
        for line in lines {
            let _ = writeln!(text, "{}", escaped(line));
        }
        text.push('\n');
    }
}

/// Escapes what would be a tag or the times of a cue.
fn escaped(line: &str) -> Cow<'_, str> {
    if !line.contains(['&', '<', '>', '\0']) {
        return line.into();
    }
    let line = line.replace('&', "&amp;").replace('<', "&lt;");
    line.replace('>', "&gt;").replace('\0', "\u{FFFD}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(start_ms: u64, end_ms: u64, lines: &[&str]) -> String {
        let mut text = String::new();
        WebVtt.write_cue(start_ms, end_ms, lines.iter().copied(), &mut text);
        text
    }

    #[test]
    fn a_cue_has_its_times_its_lines_and_a_blank_line() {
        assert_eq!(
            written(61_234, 3_600_000, &["#1 positive", "#2 neutral"]),
            "00:01:01.234 --> 01:00:00.000\n#1 positive\n#2 neutral\n\n"
        );
    }

    #[test]
    fn text_is_never_taken_for_markup_or_times() {
        let lines = ["Note: <b>a & b", "00:00:05.000 --> 00:00:06.000"];
        assert_eq!(
            written(0, 1000, &lines),
            "00:00:00.000 --> 00:00:01.000\nNote: &lt;b&gt;a &amp; b\n\
             00:00:05.000 --&gt; 00:00:06.000\n\n"
        );
    }
}
