// SPDX-License-Identifier: MPL-2.0

//! Subtitles with the attitudes of the faces.
//!
//! A cue contains all faces. Cues do not overlap, since neither MP4 nor all players support this.

use std::fmt::Write;

use super::FaceRecord;
use crate::timeline::Span;

/// One subtitle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cue {
    /// The time during which the subtitle is shown; not empty.
    pub span: Span,
    /// The text; one line per face, or a note.
    pub text: String,
}

/// Replaces `text` with one line per face, such as `#1 positive`.
fn format_faces(faces: &[FaceRecord], text: &mut String) {
    text.clear();
    for (index, face) in faces.iter().enumerate() {
        let line_feed = if index > 0 { "\n" } else { "" };
        // Writing to a string does not fail.
        let _ = write!(text, "{line_feed}#{} {}", face.track, face.attitude);
    }
}

/// Computes cues for files. A cue lasts as long as tracks and labels stay the same; it is returned
/// when it ends.
#[derive(Debug, Default)]
pub struct WholeCues {
    /// Time span of the open cue, up to now.
    open: Option<Span>,
    /// Text of the open cue.
    text: String,
    /// Text of the current frame.
    next_text: String,
}

impl WholeCues {
    /// Adds a frame with its time span. Returns the open cue if the frame ends it: if its text
    /// differs, or if the frame starts more than half of its duration after the end of the cue.
    pub fn push(&mut self, frame: Span, faces: &[FaceRecord]) -> Option<Cue> {
        format_faces(faces, &mut self.next_text);
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

    /// Ends and returns the open cue, if there is one, at the end of the stream.
    pub fn finish(&mut self) -> Option<Cue> {
        let span = self.open.take().filter(|span| span.len_ns() > 0)?;
        let text = self.text.clone();
        Some(Cue { span, text })
    }

    /// Discards the open cue.
    pub fn reset(&mut self) {
        self.open = None;
    }

    /// Returns `true` if there is an open cue.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }
}

/// Computes cues for muxers, which wait for the subtitles of each video frame; at a gap in the
/// subtitles, `mp4mux` would wait forever. Therefore, a cue is divided into pieces that are
/// returned when they start, and that follow each other without a gap.
///
/// Labels change only at samples. Thus a piece that starts with a sample lasts as long as the last
/// interval between samples; any other piece lasts one frame.
#[derive(Debug, Default)]
pub struct CuePieces {
    /// End of the last piece.
    covered_until_ns: Option<u64>,
    /// Start of the last frame with a new sample.
    sampled_ns: Option<u64>,
    /// Time between the last two samples; 0 if there is only one.
    last_interval_ns: u64,
    /// Memory for the text of a piece.
    text: String,
}

impl CuePieces {
    /// Adds a frame with its time span; `carries_sample` is `true` if the frame carries a new
    /// sample. Returns the time span and the text of the piece that starts with the frame, if there
    /// is one; the text is a space if there are no faces. If a sample arrives before the end of the
    /// last piece, its piece starts at that end.
    pub fn push(
        &mut self,
        frame: Span,
        carries_sample: bool,
        faces: &[FaceRecord],
    ) -> Option<(Span, &str)> {
        // Half a frame of tolerance, since timestamps are rounded.
        let tolerance_ns = frame.len_ns() / 2;
        let is_next = |end_ns: &u64| frame.start_ns <= end_ns.saturating_add(tolerance_ns);
        let covered_until_ns = self.covered_until_ns.filter(is_next);
        if covered_until_ns.is_none() {
            // The interval between samples does not include a gap.
            self.sampled_ns = None;
        }
        if carries_sample {
            let since_last_ns = self
                .sampled_ns
                .map(|last| frame.start_ns.saturating_sub(last));
            self.last_interval_ns = since_last_ns.unwrap_or(0);
            self.sampled_ns = Some(frame.start_ns);
        }
        let start_ns = covered_until_ns.unwrap_or(frame.start_ns);
        let min_end_ns = if carries_sample {
            frame.start_ns.saturating_add(self.last_interval_ns)
        } else {
            0
        };
        let end_ns = frame.end_ns.max(min_end_ns);
        let is_covered = frame.end_ns <= start_ns.saturating_add(tolerance_ns) && !carries_sample;
        if is_covered || end_ns <= start_ns {
            return None;
        }
        self.covered_until_ns = Some(end_ns);
        format_faces(faces, &mut self.text);
        if self.text.is_empty() {
            // Muxers drop empty subtitles.
            self.text.push(' ');
        }
        Some((Span { start_ns, end_ns }, &self.text))
    }

    /// Discards the state; the next frame may have any time.
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
        carries_sample: bool,
        faces: &[FaceRecord],
    ) -> Option<Cue> {
        let (span, text) = pieces.push(frame, carries_sample, faces)?;
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
    fn a_whole_cue_lasts_as_long_as_the_labels_stay_the_same() {
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
    fn pieces_follow_each_other_at_any_interval_between_samples() {
        let mut pieces = CuePieces::default();
        let samples = [0, 5, 10, 14, 20, 25, 40];
        let mut found: Vec<Cue> = Vec::new();
        for number in 0..50 {
            let carries_sample = samples.contains(&number);
            let shown = faces(if number < 12 { &[Label::NEUTRAL] } else { &[] });
            let piece = push(&mut pieces, frame(number), carries_sample, &shown);
            let covered_ns = found.last().map_or(0, |last| last.span.end_ns);
            // The subtitle of a frame is returned when the frame starts.
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
        // Pieces last as long as the interval between samples.
        assert!(found.contains(&cue(5, 10, "#1 neutral")));
    }

    #[test]
    fn a_gap_in_the_video_is_a_gap_in_the_pieces() {
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
    fn the_first_piece_after_a_gap_lasts_one_frame() {
        let mut pieces = CuePieces::default();
        let neutral = faces(&[Label::NEUTRAL]);
        push(&mut pieces, frame(0), true, &neutral);
        let first = push(&mut pieces, frame(250), true, &neutral);
        assert_eq!(first, Some(cue(250, 251, "#1 neutral")));
    }

    #[test]
    fn rounded_timestamps_make_no_short_pieces() {
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
