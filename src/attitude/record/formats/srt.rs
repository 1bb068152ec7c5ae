// SPDX-License-Identifier: MPL-2.0

//! SubRip: numbered subtitles, which nearly all players and editors read.

use std::borrow::Cow;
use std::fmt::Write;

use super::{Format, RecordingFile};
use crate::clock::Timestamp;
use crate::record::subtitles::{SubtitleWriter, Syntax};

/// The format; see the [module](self).
pub static FORMAT: Format = Format {
    name: "srt",
    description: "SubRip: a file of subtitles",
    caps: Some("application/x-subtitle"),
    file: Some(RecordingFile {
        name: "attitude.srt",
        media_type: "application/x-subrip; charset=utf-8",
        is_default: false,
    }),
    writer: |timing| Ok(Box::new(SubtitleWriter::new(SubRip { cues: 0 }, timing))),
};

/// Invisible; stops players from reading what it separates as markup.
const WORD_JOINER: char = '\u{2060}';

struct SubRip {
    /// Number of cues so far.
    cues: u64,
}

impl Syntax for SubRip {
    fn write_cue<'a>(
        &mut self,
        start_ms: u64,
        end_ms: u64,
        lines: impl Iterator<Item = &'a str>,
        text: &mut String,
    ) {
        self.cues += 1;
        let [start, end] = [start_ms, end_ms].map(|ms| Timestamp { ms, separator: ',' });
        // Writing to memory does not fail.
        let _ = writeln!(text, "{}\n{start} --> {end}", self.cues);
        for line in lines {
            let _ = writeln!(text, "{}", escaped(line));
        }
        text.push('\n');
    }
}

/// Separates what would be a tag, an override code or the times of a cue: SubRip has no escape
/// sequences that all players know.
fn escaped(line: &str) -> Cow<'_, str> {
    if !line.contains(['<', '{', '>', '\0']) {
        return line.into();
    }
    let line = line.replace('<', &format!("<{WORD_JOINER}"));
    let line = line.replace('{', &format!("{{{WORD_JOINER}"));
    let line = line.replace("-->", &format!("--{WORD_JOINER}>"));
    line.replace('\0', "\u{FFFD}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cues_are_numbered_from_one_and_end_with_a_blank_line() {
        let mut syntax = SubRip { cues: 0 };
        let mut text = String::new();
        syntax.write_cue(
            0,
            61_234,
            ["#1 positive", "#2 neutral"].into_iter(),
            &mut text,
        );
        syntax.write_cue(61_234, 3_600_000, ["#1 neutral"].into_iter(), &mut text);
        assert_eq!(
            text,
            "1\n00:00:00,000 --> 00:01:01,234\n#1 positive\n#2 neutral\n\n\
             2\n00:01:01,234 --> 01:00:00,000\n#1 neutral\n\n"
        );
    }

    #[test]
    fn text_is_never_taken_for_markup_or_times() {
        for (line, expected) in [
            ("Note: a > b & c", "Note: a > b & c"),
            ("<i>a</i>", "<\u{2060}i>a<\u{2060}/i>"),
            ("{\\an8}a", "{\u{2060}\\an8}a"),
            (
                "00:00:05,000 --> 00:00:06,000",
                "00:00:05,000 --\u{2060}> 00:00:06,000",
            ),
            ("\0", "\u{FFFD}"),
        ] {
            assert_eq!(escaped(line), expected);
        }
    }
}
