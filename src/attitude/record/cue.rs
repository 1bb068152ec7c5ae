// SPDX-License-Identifier: MPL-2.0

//! Subtitles of the scene: the attitudes of its faces over time.
//!
//! A cue is about all faces together, and cues never overlap, as neither MP4 nor players support
//! subtitles that do.

use std::fmt::Write;

use super::FaceRecord;
use crate::timeline::Span;

/// One subtitle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cue {
    /// The time during which it is shown; never empty.
    pub span: Span,
    /// One line per face.
    pub text: String,
}

/// Replaces `text` by one line per face, such as `#1 positive`.
fn describe(faces: &[FaceRecord], text: &mut String) {
    text.clear();
    for (index, face) in faces.iter().enumerate() {
        let line_feed = if index > 0 { "\n" } else { "" };
        // Writing to memory does not fail.
        let _ = write!(text, "{line_feed}#{} {}", face.track, face.attitude);
    }
}

/// Whole cues, each as long as the scene stays the same, known when they end: for files.
#[derive(Debug, Default)]
pub struct WholeCues {
    open: Option<Span>,
    /// Text of the open cue.
    text: String,
    /// Text of the current frame.
    next_text: String,
}

impl WholeCues {
    /// Adds a frame. Returns the cue that it ends, if any: a frame ends the open cue if its text is
    /// another one, or if it begins more than half of its length after the frame before.
    pub fn push(&mut self, frame: Span, faces: &[FaceRecord]) -> Option<Cue> {
        describe(faces, &mut self.next_text);
        if let Some(open) = &mut self.open {
            let is_next = frame.start_ns <= open.end_ns.saturating_add(frame.len_ns() / 2);
            if is_next && self.text == self.next_text {
                open.end_ns = open.end_ns.max(frame.end_ns);
                return None;
            }
            if is_next {
                open.end_ns = frame.start_ns;
            }
        }
        let ended = self.finish();
        if !self.next_text.is_empty() {
            self.open = Some(frame);
            self.text.clone_from(&self.next_text);
        }
        ended
    }

    /// Ends and returns the open cue, at the end of the stream.
    pub fn finish(&mut self) -> Option<Cue> {
        let span = self.open.take().filter(|span| span.len_ns() > 0)?;
        let text = self.text.clone();
        Some(Cue { span, text })
    }

    /// Drops the open cue.
    pub fn reset(&mut self) {
        self.open = None;
    }

    /// Returns whether a cue is open, so that the time since it began is not yet written.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }
}

/// Cues in pieces that are known when they begin and follow each other without a gap: for muxers,
/// which hold the video back until they know its subtitles, and of which `mp4mux` waits forever at a
/// gap.
///
/// Attitudes change at samples. So a piece that begins with a sample is as long as the time between
/// the last two samples; any other is one frame long.
#[derive(Debug, Default)]
pub struct CuePieces {
    covered_until_ns: Option<u64>,
    sampled_ns: Option<u64>,
    spacing_ns: u64,
    text: String,
}

impl CuePieces {
    /// Adds a frame; `is_sample` says whether it brings a new sample. Returns the span and the text
    /// of the piece that begins with it, if any; the text is a blank if there is no face. A sample
    /// that comes before the last piece has ended begins its own at that end.
    pub fn push(
        &mut self,
        frame: Span,
        is_sample: bool,
        faces: &[FaceRecord],
    ) -> Option<(Span, &str)> {
        // Half a frame: timestamps are rounded.
        let tolerance_ns = frame.len_ns() / 2;
        let is_next = |end_ns: &u64| frame.start_ns <= end_ns.saturating_add(tolerance_ns);
        let covered_until_ns = self.covered_until_ns.filter(is_next);
        if covered_until_ns.is_none() {
            // A gap says nothing about the time between samples.
            self.sampled_ns = None;
        }
        if is_sample {
            let since_last_ns = self
                .sampled_ns
                .map(|last| frame.start_ns.saturating_sub(last));
            self.spacing_ns = since_last_ns.unwrap_or(0);
            self.sampled_ns = Some(frame.start_ns);
        }
        let start_ns = covered_until_ns.unwrap_or(frame.start_ns);
        let min_end_ns = if is_sample {
            frame.start_ns.saturating_add(self.spacing_ns)
        } else {
            0
        };
        let end_ns = frame.end_ns.max(min_end_ns);
        let is_covered = frame.end_ns <= start_ns.saturating_add(tolerance_ns) && !is_sample;
        if is_covered || end_ns <= start_ns {
            return None;
        }
        self.covered_until_ns = Some(end_ns);
        describe(faces, &mut self.text);
        if self.text.is_empty() {
            // Muxers drop an empty subtitle.
            self.text.push(' ');
        }
        Some((Span { start_ns, end_ns }, &self.text))
    }

    /// Begins again: the time of the next frame may be any.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Label;
    use crate::record::tests::faces;

    const FRAME_NS: u64 = 40_000_000;

    fn frame(number: u64) -> Span {
        Span {
            start_ns: number * FRAME_NS,
            end_ns: (number + 1) * FRAME_NS,
        }
    }

    /// Adds a frame; returns the piece as a cue.
    fn push(
        pieces: &mut CuePieces,
        frame: Span,
        is_sample: bool,
        faces: &[FaceRecord],
    ) -> Option<Cue> {
        let (span, text) = pieces.push(frame, is_sample, faces)?;
        let text = text.to_owned();
        Some(Cue { span, text })
    }

    fn cue(start: u64, end: u64, text: &str) -> Cue {
        Cue {
            span: Span {
                start_ns: start * FRAME_NS,
                end_ns: end * FRAME_NS,
            },
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_whole_cue_lasts_as_long_as_the_scene_stays_the_same() {
        let mut cues = WholeCues::default();
        let scene: [&[Label]; 8] = [
            &[],
            &[Label::NEUTRAL],
            &[Label::NEUTRAL],
            &[Label::NEUTRAL, Label::POSITIVE],
            &[Label::NEUTRAL, Label::POSITIVE],
            &[],
            &[Label::NEGATIVE],
            &[Label::NEGATIVE],
        ];
        let mut found = Vec::new();
        for (number, labels) in scene.iter().enumerate() {
            found.extend(cues.push(frame(number as u64), &faces(labels)));
        }
        assert!(cues.is_open());
        found.extend(cues.finish());
        assert_eq!(
            found,
            [
                cue(1, 3, "#1 neutral"),
                cue(3, 5, "#1 neutral\n#2 positive"),
                cue(6, 8, "#1 negative"),
            ]
        );
    }

    #[test]
    fn a_gap_in_the_video_ends_a_whole_cue() {
        let mut cues = WholeCues::default();
        let neutral = faces(&[Label::NEUTRAL]);
        assert_eq!(cues.push(frame(0), &neutral), None);
        assert_eq!(
            cues.push(frame(10), &neutral),
            Some(cue(0, 1, "#1 neutral"))
        );
        cues.reset();
        assert_eq!(cues.finish(), None);
    }

    #[test]
    fn pieces_follow_each_other_however_samples_are_spaced() {
        let mut pieces = CuePieces::default();
        let samples = [0, 5, 10, 14, 20, 25, 40];
        let mut found: Vec<Cue> = Vec::new();
        for number in 0..50 {
            let is_sample = samples.contains(&number);
            let shown = faces(if number < 12 { &[Label::NEUTRAL] } else { &[] });
            let piece = push(&mut pieces, frame(number), is_sample, &shown);
            let covered_ns = found.last().map_or(0, |last| last.span.end_ns);
            // When a frame begins, its subtitle is known.
            if let Some(piece) = piece {
                assert_eq!(piece.span.start_ns, covered_ns, "frame {number}");
                assert!(piece.span.len_ns() > 0);
                found.push(piece);
            } else {
                assert!(covered_ns >= frame(number).end_ns, "frame {number}");
            }
        }
        let neutral = found.iter().filter(|piece| piece.text == "#1 neutral");
        assert_eq!(
            neutral.map(|piece| piece.span.end_ns).max(),
            Some(15 * FRAME_NS)
        );
        assert!(found.iter().any(|piece| piece.text == " "));
        // Pieces are as long as samples are apart.
        assert!(found.contains(&cue(5, 10, "#1 neutral")));
    }

    #[test]
    fn a_gap_in_the_video_is_one_in_the_pieces() {
        let mut pieces = CuePieces::default();
        let neutral = faces(&[Label::NEUTRAL]);
        assert_eq!(
            push(&mut pieces, frame(0), true, &neutral),
            Some(cue(0, 1, "#1 neutral"))
        );
        assert_eq!(
            push(&mut pieces, frame(9), false, &neutral),
            Some(cue(9, 10, "#1 neutral"))
        );
    }

    #[test]
    fn after_a_gap_a_piece_is_no_longer_than_samples_are_apart() {
        let mut pieces = CuePieces::default();
        let neutral = faces(&[Label::NEUTRAL]);
        push(&mut pieces, frame(0), true, &neutral);
        let first = push(&mut pieces, frame(250), true, &neutral);
        assert_eq!(first, Some(cue(250, 251, "#1 neutral")));
    }

    #[test]
    fn rounded_timestamps_make_no_slivers() {
        let mut pieces = CuePieces::default();
        let neutral = faces(&[Label::NEUTRAL]);
        let mut covered_ns = 0;
        for number in 0..2000u64 {
            let start_ns = number * 1001 / 30 * 1_000_000;
            let end_ns = start_ns + 33_366_666;
            let shown = Span { start_ns, end_ns };
            if let Some(piece) = push(&mut pieces, shown, number % 6 == 0, &neutral) {
                assert_eq!(piece.span.start_ns, covered_ns, "frame {number}");
                assert!(piece.span.len_ns() > 16_000_000, "frame {number} {piece:?}");
                covered_ns = piece.span.end_ns;
            }
        }
    }
}
