// SPDX-License-Identifier: MPL-2.0

//! SubRip: numbered subtitles, which nearly all players and editors read.

use std::borrow::Cow;

use super::{Format, RecordingFile};
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
    writer: |timing| Ok(Box::new(SubtitleWriter::new(&SYNTAX, timing))),
};

static SYNTAX: Syntax = Syntax {
    header: "",
    has_numbers: true,
    decimal_separator: ',',
    escape,
};

/// An invisible character.
const WORD_JOINER: char = '\u{2060}';

/// Inserts an invisible character into what would be read as a tag, an override code or the times
/// of a cue: SubRip has no escape sequences that all players support.
fn escape(line: &str) -> Cow<'_, str> {
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
    use crate::Label;
    use crate::record::formats::tests::written;
    use crate::record::tests::sample;

    #[test]
    fn cues_are_numbered_from_1_and_end_with_an_empty_line() {
        let samples = [
            sample(0, &[Label::POSITIVE, Label::NEUTRAL]),
            sample(200, &[Label::NEUTRAL]),
            sample(3_600_000, &[]),
        ];
        assert_eq!(
            String::from_utf8(written(&FORMAT, &samples)).unwrap(),
            "1\n00:00:00,000 --> 00:00:00,200\n#1 positive\n#2 neutral\n\n\
             2\n00:00:00,200 --> 00:00:00,400\n#1 neutral\n\n"
        );
    }

    #[test]
    fn text_is_never_read_as_markup_or_times() {
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
            assert_eq!(escape(line), expected);
        }
    }
}
