// SPDX-License-Identifier: MPL-2.0

//! From what frames show to pieces of text. Knows nothing of pads.

use super::{Format, Interval};
use attitude::record::cue::{Cue, CuePieces, Span, WholeCues};
use attitude::record::{FaceRecord, Record, csv, json, webvtt};

/// A piece of text, and what time it tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub span: Span,
    pub bytes: Vec<u8>,
}

/// Writes in one format.
#[derive(Debug)]
pub(super) enum Exporter {
    JsonLines,
    Csv {
        has_header: bool,
    },
    WebVtt {
        has_header: bool,
        cues: WholeCues,
        /// From timestamps to the position in the recording, which a file of subtitles goes by.
        shift_ns: i128,
    },
    Text(CuePieces),
}

impl Exporter {
    pub fn new(format: Format) -> Self {
        match format {
            Format::JsonLines => Self::JsonLines,
            Format::Csv => Self::Csv { has_header: false },
            Format::WebVtt => Self::WebVtt {
                has_header: false,
                cues: WholeCues::default(),
                shift_ns: 0,
            },
            Format::Text => Self::Text(CuePieces::default()),
        }
    }

    /// Takes what a frame shows; `is_told` where a record of it is to be written, `is_sample` where
    /// it brings a new sample. Appends what there is to tell to `texts`.
    pub fn note(
        &mut self,
        record: &Record,
        span: Span,
        is_told: bool,
        is_sample: bool,
        texts: &mut Vec<Text>,
    ) {
        match self {
            Self::JsonLines if is_told => {
                let mut bytes = Vec::new();
                json::write_line(record, &mut bytes);
                texts.push(Text { span, bytes });
            }
            Self::Csv { has_header } if is_told || !*has_header => {
                let mut bytes = Vec::new();
                if !std::mem::replace(has_header, true) {
                    csv::write_header(&mut bytes);
                }
                if is_told {
                    csv::write_rows(record, &mut bytes);
                }
                if !bytes.is_empty() {
                    texts.push(Text { span, bytes });
                }
            }
            Self::JsonLines | Self::Csv { .. } => {}
            Self::WebVtt {
                has_header,
                cues,
                shift_ns,
            } => {
                if !std::mem::replace(has_header, true) {
                    let bytes = webvtt::HEADER.into();
                    texts.push(Text { span, bytes });
                }
                let ended = cues.note(span, &record.faces);
                texts.extend(ended.map(|cue| in_webvtt(cue, *shift_ns)));
                let position_ns = record.stream_time_ns.unwrap_or(span.start_ns);
                *shift_ns = i128::from(position_ns) - i128::from(span.start_ns);
            }
            Self::Text(pieces) => {
                texts.extend(
                    pieces
                        .note(span, is_sample, &record.faces)
                        .map(in_plain_text),
                );
            }
        }
    }

    /// The stream, or a part of it, ends: appends what was open to `texts`.
    pub fn finish(&mut self, texts: &mut Vec<Text>) {
        match self {
            Self::WebVtt { cues, shift_ns, .. } => {
                texts.extend(cues.finish().map(|cue| in_webvtt(cue, *shift_ns)));
            }
            Self::Text(pieces) => pieces.forget(),
            Self::JsonLines | Self::Csv { .. } => {}
        }
    }

    /// Drops what is open. A header is written once all the same.
    pub fn forget(&mut self) {
        match self {
            Self::WebVtt { cues, .. } => cues.forget(),
            Self::Text(pieces) => pieces.forget(),
            Self::JsonLines | Self::Csv { .. } => {}
        }
    }

    /// Whether nothing will be told any more of the time until now: a gap in the text.
    pub fn is_up_to_date(&self) -> bool {
        match self {
            Self::WebVtt { cues, .. } => !cues.is_open(),
            // What is covered needs no gap, and a muxer that has to wait is told by pieces.
            Self::Text(_) => false,
            Self::JsonLines | Self::Csv { .. } => true,
        }
    }
}

fn in_webvtt(cue: Cue, shift_ns: i128) -> Text {
    let mut bytes = Vec::new();
    webvtt::write_cue(&cue, shift_ns, &mut bytes);
    Text {
        span: cue.span,
        bytes,
    }
}

fn in_plain_text(cue: Cue) -> Text {
    Text {
        span: cue.span,
        bytes: cue.text.into_bytes(),
    }
}

/// Notices which frames are to be told of.
#[derive(Debug, Default)]
pub(super) struct Chooser {
    /// Track and attitude of the faces last told of; `None` before the first.
    told: Option<Vec<(u32, String)>>,
}

impl Chooser {
    /// Whether `faces` are to be told of.
    pub fn chooses(&mut self, interval: Interval, is_sample: bool, faces: &[FaceRecord]) -> bool {
        match interval {
            Interval::Frame => true,
            Interval::Sample => is_sample,
            Interval::Change => {
                let now = faces
                    .iter()
                    .map(|face| (face.track, face.attitude.as_str()));
                let is_same = self.told.as_ref().is_some_and(|told| {
                    let told = told
                        .iter()
                        .map(|(track, attitude)| (*track, attitude.as_str()));
                    now.clone().eq(told)
                });
                // Nobody has come yet where a stream begins without a face.
                let is_first_without_face = self.told.is_none() && faces.is_empty();
                if is_same || is_first_without_face {
                    return false;
                }
                let owned = now.map(|(track, attitude)| (track, attitude.to_owned()));
                self.told = Some(owned.collect());
                true
            }
        }
    }

    /// Another stream begins.
    pub fn forget(&mut self) {
        self.told = None;
    }
}
