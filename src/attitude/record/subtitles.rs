// SPDX-License-Identifier: MPL-2.0

//! Files of subtitles, whatever their syntax: when each cue begins and ends, and in which order they
//! are written.

use std::io::{self, Write};

use super::FaceRecord;
use super::cue::{Cue, Span, WholeCues};

use super::note::PlacedNote;
use super::writer::{Frame, Output, Timing, Writer};
use crate::timeline::Rules;

/// Maximum time for which a sample is shown if every frame is one.
const MAX_FRAME_NS: u64 = 1_000_000_000;

const NS_PER_MS: u64 = 1_000_000;

/// The syntax of a format of subtitles.
pub trait Syntax: Send {
    /// What a file begins with.
    const HEADER: &'static str = "";

    /// Appends a cue to `text`. `end_ms` is after `start_ms`; `lines` are not empty.
    fn write_cue<'a>(
        &mut self,
        start_ms: u64,
        end_ms: u64,
        lines: impl Iterator<Item = &'a str>,
        text: &mut String,
    );
}

/// Writes subtitles in the syntax `S`.
pub struct SubtitleWriter<S> {
    syntax: S,
    cues: WholeCues,
    timing: CueTiming,
    /// The cue that is written, for reuse of its memory.
    text: String,
}

/// The way to find out how long frames are shown; see [`Timing`].
enum CueTiming {
    Frames {
        /// From presentation timestamps to positions in the recording, which files of subtitles use.
        shift_ns: i128,
    },
    Samples(SampleSpans),
    Session {
        spans: SampleSpans,
        cues: Vec<Cue>,
    },
}

impl<S: Syntax> SubtitleWriter<S> {
    /// Creates a writer of frames that are shown as long as `timing` says.
    pub fn new(syntax: S, timing: Timing) -> Self {
        Self {
            syntax,
            cues: WholeCues::default(),
            timing: match timing {
                Timing::Frames => CueTiming::Frames { shift_ns: 0 },
                Timing::Samples { interval_ns } => {
                    CueTiming::Samples(SampleSpans::new(interval_ns))
                }
                Timing::Session { interval_ns } => CueTiming::Session {
                    spans: SampleSpans::live(interval_ns),
                    cues: Vec::new(),
                },
            },
            text: String::new(),
        }
    }

    /// Writes `cue`, shown `shift_ns` later than it says, for at least a millisecond.
    fn write_cue(&mut self, cue: &Cue, shift_ns: i128, output: &mut Output) -> io::Result<()> {
        let shifted_ms = |ns: u64| {
            let ns = (i128::from(ns) + shift_ns).max(0);
            u64::try_from(ns).unwrap_or(u64::MAX) / NS_PER_MS
        };
        let start_ms = shifted_ms(cue.span.start_ns);
        let end_ms = shifted_ms(cue.span.end_ns).max(start_ms.saturating_add(1));
        // A blank line would end the cue.
        let lines = cue.text.split(['\n', '\r']);
        let lines = lines.filter(|line| !line.is_empty());
        self.text.clear();
        self.syntax
            .write_cue(start_ms, end_ms, lines, &mut self.text);
        output.write_all(self.text.as_bytes())?;
        output.end_piece(cue.span);
        Ok(())
    }

    /// Writes the cues, or keeps them until the session ends.
    fn write_cues(
        &mut self,
        ended: impl Iterator<Item = Cue>,
        output: &mut Output,
    ) -> io::Result<()> {
        let shift_ns = match &mut self.timing {
            CueTiming::Session { cues, .. } => {
                cues.extend(ended);
                return Ok(());
            }
            CueTiming::Samples(_) => 0,
            CueTiming::Frames { shift_ns } => *shift_ns,
        };
        for cue in ended {
            self.write_cue(&cue, shift_ns, output)?;
        }
        Ok(())
    }
}

impl<S: Syntax> Writer for SubtitleWriter<S> {
    fn begin(&mut self, span: Span, output: &mut Output) -> io::Result<()> {
        output.write_all(S::HEADER.as_bytes())?;
        output.end_piece(span);
        Ok(())
    }

    fn write(&mut self, frame: &Frame, output: &mut Output) -> io::Result<()> {
        let Frame { record, span, .. } = frame;
        let ended = match &mut self.timing {
            CueTiming::Frames { .. } => self.cues.push(*span, &record.faces),
            CueTiming::Samples(spans) | CueTiming::Session { spans, .. } => {
                // A sample without a time is not shown.
                let sample = record
                    .time_ns()
                    .and_then(|time_ns| spans.push(time_ns, &record.faces));
                sample.and_then(|(span, faces)| self.cues.push(span, &faces))
            }
        };
        self.write_cues(ended.into_iter(), output)?;
        if let CueTiming::Frames { shift_ns } = &mut self.timing {
            let position_ns = record.stream_time_ns.unwrap_or(span.start_ns);
            *shift_ns = i128::from(position_ns) - i128::from(span.start_ns);
        }
        Ok(())
    }

    fn write_note(&mut self, note: &PlacedNote, output: &mut Output) -> io::Result<()> {
        self.write_cues(std::iter::once(note.cue()), output)
    }

    fn finish(&mut self, output: &mut Output) -> io::Result<()> {
        let last = match &mut self.timing {
            CueTiming::Frames { .. } => None,
            CueTiming::Samples(spans) | CueTiming::Session { spans, .. } => spans.finish(),
        };
        let ended = last.and_then(|(span, faces)| self.cues.push(span, &faces));
        let ended = ended.into_iter().chain(self.cues.finish());
        self.write_cues(ended, output)?;
        if let CueTiming::Session { cues, .. } = &mut self.timing {
            // A cue is known when it ends; players want them by their beginning.
            let mut cues = std::mem::take(cues);
            cues.sort_by_key(|cue| cue.span.start_ns);
            for cue in &cues {
                self.write_cue(cue, 0, output)?;
            }
        }
        Ok(())
    }

    fn reset(&mut self) {
        self.cues.reset();
    }

    fn is_up_to_date(&self) -> bool {
        !self.cues.is_open()
    }
}

/// Finds the spans of samples: each is shown until the next one.
struct SampleSpans {
    /// The current sample and its time.
    last: Option<(u64, Vec<FaceRecord>)>,
    /// Maximum time for which a sample is shown: after it there is a gap in the video.
    max_span_ns: u64,
    /// Time for which the last sample is shown.
    usual_span_ns: u64,
}

impl SampleSpans {
    /// Takes samples that are `interval_ns` apart; 0 if every frame is one.
    fn new(interval_ns: u64) -> Self {
        Self {
            last: None,
            max_span_ns: match interval_ns {
                0 => MAX_FRAME_NS,
                _ => interval_ns.saturating_mul(2),
            },
            usual_span_ns: interval_ns,
        }
    }

    /// Takes samples of a live stream, some of which are missing or late.
    fn live(interval_ns: u64) -> Self {
        Self {
            max_span_ns: Rules::default().gap_from_ns(interval_ns),
            ..Self::new(interval_ns)
        }
    }

    /// Adds a sample. Returns the span and the faces of the sample before.
    fn push(&mut self, time_ns: u64, faces: &[FaceRecord]) -> Option<(Span, Vec<FaceRecord>)> {
        let ended = self.end_sample(Some(time_ns));
        self.last = Some((time_ns, faces.to_vec()));
        ended
    }

    /// Returns the span and the faces of the last sample.
    fn finish(&mut self) -> Option<(Span, Vec<FaceRecord>)> {
        self.end_sample(None)
    }

    /// Ends the current sample at `next_ns`, when the next one is shown.
    fn end_sample(&mut self, next_ns: Option<u64>) -> Option<(Span, Vec<FaceRecord>)> {
        let (start_ns, faces) = self.last.take()?;
        let span_ns = match next_ns.map(|next_ns| next_ns.saturating_sub(start_ns)) {
            Some(span_ns) if span_ns <= self.max_span_ns => span_ns,
            Some(_) | None => self.usual_span_ns,
        };
        self.usual_span_ns = span_ns;
        let span = Span {
            start_ns,
            end_ns: start_ns.saturating_add(span_ns),
        };
        Some((span, faces))
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::record::Record;

    /// A syntax of one line: start, end, text.
    struct Plain;

    impl Syntax for Plain {
        const HEADER: &'static str = "plain\n";

        fn write_cue<'a>(
            &mut self,
            start_ms: u64,
            end_ms: u64,
            lines: impl Iterator<Item = &'a str>,
            text: &mut String,
        ) {
            let lines = lines.collect::<Vec<_>>().join("|");
            writeln!(text, "{start_ms}-{end_ms} {lines}").unwrap();
        }
    }

    fn record(time_ms: u64, attitude: &str) -> Record {
        let face = FaceRecord {
            track: 1,
            attitude: attitude.to_owned(),
            ..FaceRecord::default()
        };
        Record {
            stream_time_ns: Some(time_ms * NS_PER_MS),
            faces: vec![face],
            ..Record::default()
        }
    }

    fn written(timing: Timing, samples: &[(u64, &str)], notes: &[PlacedNote]) -> String {
        let mut writer = SubtitleWriter::new(Plain, timing);
        let mut output = Output::default();
        writer.begin(Span::default(), &mut output).unwrap();
        for &(time_ms, attitude) in samples {
            let record = record(time_ms, attitude);
            writer.write(&Frame::sample(&record), &mut output).unwrap();
        }
        for note in notes {
            writer.write_note(note, &mut output).unwrap();
        }
        writer.finish(&mut output).unwrap();
        String::from_utf8(output.into_bytes()).unwrap()
    }

    fn samples(interval_ms: u64) -> Timing {
        let interval_ns = interval_ms * NS_PER_MS;
        Timing::Samples { interval_ns }
    }

    #[test]
    fn a_sample_is_shown_until_the_next_one() {
        let shown = [(0, "neutral"), (200, "neutral"), (440, "positive")];
        assert_eq!(
            written(samples(200), &shown, &[]),
            "plain\n0-440 #1 neutral\n440-680 #1 positive\n"
        );
    }

    #[test]
    fn a_gap_in_the_video_is_one_in_the_subtitles() {
        let shown = [(0, "neutral"), (40, "neutral"), (5000, "neutral")];
        assert_eq!(
            written(samples(0), &shown, &[]),
            "plain\n0-80 #1 neutral\n5000-5040 #1 neutral\n"
        );
    }

    #[test]
    fn a_late_sample_makes_no_gap_in_a_live_session() {
        let interval_ns = 200 * NS_PER_MS;
        let shown = [0, 200, 900, 1100, 3000, 3200].map(|time_ms| (time_ms, "neutral"));
        assert_eq!(
            written(Timing::Session { interval_ns }, &shown, &[]),
            "plain\n0-1300 #1 neutral\n3000-3400 #1 neutral\n"
        );
    }

    #[test]
    fn notes_of_a_session_are_among_the_cues_by_time() {
        let note = |time_ms, text: &str| PlacedNote {
            time_ns: time_ms * NS_PER_MS,
            text: text.to_owned(),
        };
        let interval_ns = 200 * NS_PER_MS;
        let shown = [(0, "neutral"), (200, "neutral"), (400, "positive")];
        assert_eq!(
            written(
                Timing::Session { interval_ns },
                &shown,
                &[note(500, "late"), note(100, "early")]
            ),
            "plain\n0-400 #1 neutral\n100-5100 Note: early\n400-600 #1 positive\n\
             500-5500 Note: late\n"
        );
    }

    #[test]
    fn frames_have_positions_in_the_recording_and_last_a_millisecond() {
        let mut writer = SubtitleWriter::new(Plain, Timing::Frames);
        let mut output = Output::default();
        let mut texts = Vec::new();
        for (start_ms, attitude) in [(62_234, "neutral"), (63_000, "positive")] {
            let record = record(start_ms - 1000, attitude);
            let start_ns = start_ms * NS_PER_MS + 567_890;
            let frame = Frame {
                record: &record,
                span: Span {
                    start_ns,
                    end_ns: start_ns + 766_000_000,
                },
                is_sample: true,
                is_selected: false,
            };
            writer.write(&frame, &mut output).unwrap();
            texts.push(writer.is_up_to_date());
        }
        assert_eq!(output.bytes(), b"61234-62000 #1 neutral\n");
        assert_eq!(output.pieces().next().unwrap().0.start_ns, 62_234_567_890);
        assert_eq!(texts, [false, false]);
        writer.reset();
        assert!(writer.is_up_to_date());
        output.clear();
        let cue = Cue {
            span: Span {
                start_ns: 0,
                end_ns: 1,
            },
            text: "a\r\n\nb".to_owned(),
        };
        writer.write_cue(&cue, 0, &mut output).unwrap();
        assert_eq!(output.bytes(), b"0-1 a|b\n");
    }
}
