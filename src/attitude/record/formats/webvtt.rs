// SPDX-License-Identifier: MPL-2.0

//! WebVTT: <https://www.w3.org/TR/webvtt1>.

use std::borrow::Cow;

use super::{Format, RecordingFile};
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
    writer: |timing| Ok(Box::new(SubtitleWriter::new(&SYNTAX, timing))),
};

static SYNTAX: Syntax = Syntax {
    header: "WEBVTT\n\n",
    has_numbers: false,
    decimal_separator: '.',
    escape,
};

/// Escapes what would be read as a tag or the times of a cue.
fn escape(line: &str) -> Cow<'_, str> {
    if !line.contains(['&', '<', '>', '\0']) {
        return line.into();
    }
    let line = line.replace('&', "&amp;").replace('<', "&lt;");
    line.replace('>', "&gt;").replace('\0', "\u{FFFD}").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Label;
    use crate::record::formats::tests::written;
    use crate::record::tests::sample;

    #[test]
    fn a_cue_has_its_times_its_lines_and_an_empty_line() {
        let samples = [
            sample(3_661_234, &[Label::POSITIVE, Label::NEUTRAL]),
            sample(3_661_434, &[]),
        ];
        assert_eq!(
            String::from_utf8(written(&FORMAT, &samples)).unwrap(),
            "WEBVTT\n\n01:01:01.234 --> 01:01:01.434\n#1 positive\n#2 neutral\n\n"
        );
    }

    #[test]
    fn text_is_never_read_as_markup_or_times() {
        for (line, expected) in [
            ("Note: <b>a & b", "Note: &lt;b&gt;a &amp; b"),
            (
                "00:00:05.000 --> 00:00:06.000",
                "00:00:05.000 --&gt; 00:00:06.000",
            ),
            ("\0", "\u{FFFD}"),
        ] {
            assert_eq!(escape(line), expected);
        }
    }
}
