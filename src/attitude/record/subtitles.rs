// SPDX-License-Identifier: MPL-2.0

//! Subtitle files: the times of cues, their order and their syntax.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

use super::FaceRecord;
use super::cue::{Cue, WholeCues};
use super::note::TimedNote;
use super::writer::{Output, TimedRecord, Timing, Writer};
use crate::clock::{NS_PER_MS, NS_PER_S, Timestamp};
use crate::timeline::{RecordingEnd, Span, TimelineParams, are_consecutive};

/// Maximum time for which a sample is shown if every frame is a sample.
const MAX_FRAME_NS: u64 = NS_PER_S;

/// The syntax of a subtitle format. In every format, a cue consists of its number, if cues are
/// numbered, a line with the start and end time, the lines of the text, and an empty line.
pub(super) struct Syntax {
    /// The start of a file.
    pub header: &'static str,
    /// `true` if cues are numbered, from 1.
    pub has_numbers: bool,
    /// The character between seconds and milliseconds.
    pub decimal_separator: char,
    /// Escapes a line of text, so that no part of it is read as markup or as the times of a cue.
    pub escape: fn(&str) -> Cow<'_, str>,
}

/// Writes subtitles in a syntax.
pub(super) struct SubtitleWriter {
    syntax: &'static Syntax,
    cues: WholeCues,
    timing: CueTiming,
    /// Number of cues that have been written.
    cue_count: u64,
    /// Memory for the text of a cue.
    text: String,
}

/// The state from which the times of cues are computed; see [`Timing`].
enum CueTiming {
    Frames {
        /// Stream time minus presentation timestamp: subtitle files contain stream times.
        shift_ns: i128,
    },
    Samples(SampleSpans),
    Session {
        spans: SampleSpans,
        /// The cues and notes up to now.
        cues: Vec<Cue>,
    },
}

impl SubtitleWriter {
    /// Creates a writer of records with this timing.
    pub(super) fn new(syntax: &'static Syntax, timing: Timing) -> Self {
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
            cue_count: 0,
            text: String::new(),
        }
    }

    /// Writes `cue` with times that are `shift_ns` later, and a duration of at least 1 ms.
    fn write_cue(&mut self, cue: &Cue, shift_ns: i128, output: &mut Output) -> io::Result<()> {
        let shifted_ms = |ns: u64| {
            let ns = (i128::from(ns) + shift_ns).max(0);
            u64::try_from(ns).unwrap_or(u64::MAX) / NS_PER_MS
        };
        let start_ms = shifted_ms(cue.span.start_ns);
        let end_ms = shifted_ms(cue.span.end_ns).max(start_ms.saturating_add(1));
        let [start, end] = [start_ms, end_ms].map(|ms| Timestamp {
            ms,
            separator: self.syntax.decimal_separator,
        });
        self.cue_count += 1;
        self.text.clear();
        // Writing to a string does not fail.
        if self.syntax.has_numbers {
            let _ = writeln!(self.text, "{}", self.cue_count);
        }
        let _ = writeln!(self.text, "{start} --> {end}");
        // An empty line would end the cue.
        let lines = cue.text.split(['\n', '\r']);
        for line in lines.filter(|line| !line.is_empty()) {
            let _ = writeln!(self.text, "{}", (self.syntax.escape)(line));
        }
        self.text.push('\n');
        output.write_all(self.text.as_bytes())?;
        output.end_piece(cue.span);
        Ok(())
    }

    /// Writes the cues in `ended`; in a session, keeps them until it ends.
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

impl Writer for SubtitleWriter {
    fn begin(&mut self, span: Span, output: &mut Output) -> io::Result<()> {
        output.write_all(self.syntax.header.as_bytes())?;
        output.end_piece(span);
        Ok(())
    }

    fn write(&mut self, frame: &TimedRecord, output: &mut Output) -> io::Result<()> {
        let TimedRecord { record, span, .. } = frame;
        let ended = match &mut self.timing {
            CueTiming::Frames { .. } => self.cues.push(*span, &record.faces),
            CueTiming::Samples(spans) | CueTiming::Session { spans, .. } => {
                // A sample without a time is not shown.
                let sample = record
                    .time_ns()
                    .and_then(|time_ns| spans.push(time_ns, record.frame, &record.faces));
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

    fn write_note(&mut self, note: &TimedNote, output: &mut Output) -> io::Result<()> {
        self.write_cues(std::iter::once(note.cue()), output)
    }

    fn set_end(&mut self, end: RecordingEnd) {
        if let CueTiming::Samples(spans) | CueTiming::Session { spans, .. } = &mut self.timing {
            spans.end = end;
        }
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
            // Cues are added when they end, but players expect them in the order of their starts.
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

/// Computes the spans of samples: each is shown until the next one.
struct SampleSpans {
    current: Option<ShownSample>,
    /// Maximum time until the next sample if frames between them are missing; if that is later,
    /// there is a gap.
    max_span_ns: u64,
    end: RecordingEnd,
    /// Duration of the previous span, for which a sample before a gap, or the last one, is shown.
    previous_span_ns: u64,
}

/// A sample that is shown.
struct ShownSample {
    start_ns: u64,
    /// Number of the frame.
    frame: u64,
    faces: Vec<FaceRecord>,
}

impl SampleSpans {
    /// Creates spans of samples that are `interval_ns` apart; with 0, every frame is a sample.
    fn new(interval_ns: u64) -> Self {
        Self {
            current: None,
            max_span_ns: match interval_ns {
                0 => MAX_FRAME_NS,
                _ => interval_ns.saturating_mul(2),
            },
            end: RecordingEnd::default(),
            previous_span_ns: interval_ns,
        }
    }

    /// Creates spans of the samples of a live stream, some of which are missing or late.
    fn live(interval_ns: u64) -> Self {
        Self {
            max_span_ns: TimelineParams::default().max_interval_without_gap_ns(interval_ns),
            ..Self::new(interval_ns)
        }
    }

    /// Adds a sample. Returns the span and the faces of the previous sample, if there is one.
    fn push(
        &mut self,
        start_ns: u64,
        frame: u64,
        faces: &[FaceRecord],
    ) -> Option<(Span, Vec<FaceRecord>)> {
        let ended = self.end_sample(Some((start_ns, frame)));
        self.current = Some(ShownSample {
            start_ns,
            frame,
            faces: faces.to_vec(),
        });
        ended
    }

    /// Returns the span and the faces of the last sample, if there is one.
    fn finish(&mut self) -> Option<(Span, Vec<FaceRecord>)> {
        self.end_sample(None)
    }

    /// Ends the current sample: at the start of `next`, time and frame number of the next sample,
    /// if there is one and no gap; at the end of the last frame if there is none.
    fn end_sample(&mut self, next: Option<(u64, u64)>) -> Option<(Span, Vec<FaceRecord>)> {
        let ShownSample {
            start_ns,
            frame,
            faces,
        } = self.current.take()?;
        let shown_ns = match next {
            Some((next_ns, next_frame)) => {
                let span_ns = next_ns.saturating_sub(start_ns);
                // A frame stays on the screen until the next one.
                let is_shown = span_ns <= self.max_span_ns || are_consecutive(frame, next_frame);
                is_shown.then_some(span_ns)
            }
            None => {
                let end_ns = self.end.of_last_sample(start_ns, self.previous_span_ns);
                Some(end_ns - start_ns)
            }
        };
        let span_ns = shown_ns.unwrap_or(self.previous_span_ns);
        self.previous_span_ns = span_ns;
        let span = Span {
            start_ns,
            end_ns: start_ns.saturating_add(span_ns),
        };
        Some((span, faces))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Label;
    use crate::record::Record;
    use crate::record::tests::sample;

    const SYNTAX: Syntax = Syntax {
        header: "header\n",
        has_numbers: false,
        decimal_separator: '.',
        escape: |line| line.into(),
    };

    /// Returns the file of samples and notes, each with its time in milliseconds.
    fn written(timing: Timing, samples: &[(u64, Label)], notes: &[(u64, &str)]) -> String {
        let mut writer = SubtitleWriter::new(&SYNTAX, timing);
        let mut output = Output::default();
        writer.begin(Span::default(), &mut output).unwrap();
        for &(time_ms, label) in samples {
            let record = sample(time_ms, &[label]);
            writer
                .write(&TimedRecord::sample(&record), &mut output)
                .unwrap();
        }
        for (time_ms, text) in notes {
            let note = TimedNote {
                time_ns: time_ms * NS_PER_MS,
                text: (*text).to_owned(),
            };
            writer.write_note(&note, &mut output).unwrap();
        }
        writer.finish(&mut output).unwrap();
        String::from_utf8(output.into_bytes()).unwrap()
    }

    /// Returns a file of cues, each with its start and end in seconds.
    fn file(cues: &[(&str, &str, &str)]) -> String {
        let cue = |(start, end, text)| format!("00:00:{start} --> 00:00:{end}\n{text}\n\n");
        SYNTAX.header.to_owned() + &cues.iter().copied().map(cue).collect::<String>()
    }

    fn samples(interval_ms: u64) -> Timing {
        let interval_ns = interval_ms * NS_PER_MS;
        Timing::Samples { interval_ns }
    }

    fn session(interval_ms: u64) -> Timing {
        let interval_ns = interval_ms * NS_PER_MS;
        Timing::Session { interval_ns }
    }

    #[test]
    fn a_sample_is_shown_until_the_next_one() {
        let shown = [
            (0, Label::NEUTRAL),
            (200, Label::NEUTRAL),
            (440, Label::POSITIVE),
        ];
        assert_eq!(
            written(samples(200), &shown, &[]),
            file(&[
                ("00.000", "00.440", "#1 neutral"),
                ("00.440", "00.680", "#1 positive")
            ])
        );
    }

    #[test]
    fn a_gap_in_the_video_is_a_gap_in_the_subtitles() {
        let shown = [0, 40, 5000].map(|time_ms| (time_ms, Label::NEUTRAL));
        assert_eq!(
            written(samples(0), &shown, &[]),
            file(&[
                ("00.000", "00.080", "#1 neutral"),
                ("05.000", "05.040", "#1 neutral")
            ])
        );
    }

    #[test]
    fn a_frame_is_shown_until_the_next_frame_and_the_last_one_until_the_end() {
        let mut writer = SubtitleWriter::new(&SYNTAX, samples(200));
        let mut output = Output::default();
        for (frame, time_ms) in [(76, 3_000), (77, 7_000), (90, 9_000)] {
            let record = Record {
                frame,
                ..sample(time_ms, &[Label::NEUTRAL])
            };
            writer
                .write(&TimedRecord::sample(&record), &mut output)
                .unwrap();
        }
        writer.set_end(RecordingEnd {
            last_frame_ns: Some(9_500 * NS_PER_MS),
            limit_ns: None,
        });
        writer.finish(&mut output).unwrap();
        let text = String::from_utf8(output.into_bytes()).unwrap();
        let times: Vec<&str> = text.lines().filter(|line| line.contains("-->")).collect();
        assert_eq!(times, ["00:00:03.000 --> 00:00:11.000",], "{text}");
    }

    #[test]
    fn a_late_sample_makes_no_gap_in_a_live_session() {
        let shown = [0, 200, 900, 1100, 3000, 3200].map(|time_ms| (time_ms, Label::NEUTRAL));
        assert_eq!(
            written(session(200), &shown, &[]),
            file(&[
                ("00.000", "01.300", "#1 neutral"),
                ("03.000", "03.400", "#1 neutral")
            ])
        );
    }

    #[test]
    fn notes_of_a_session_are_among_the_cues_by_time() {
        let shown = [
            (0, Label::NEUTRAL),
            (200, Label::NEUTRAL),
            (400, Label::POSITIVE),
        ];
        assert_eq!(
            written(session(200), &shown, &[(500, "late"), (100, "early")]),
            file(&[
                ("00.000", "00.400", "#1 neutral"),
                ("00.100", "05.100", "Note: early"),
                ("00.400", "00.600", "#1 positive"),
                ("00.500", "05.500", "Note: late")
            ])
        );
    }

    #[test]
    fn cues_of_frames_have_stream_times_and_last_at_least_a_millisecond() {
        let mut writer = SubtitleWriter::new(&SYNTAX, Timing::Frames);
        let mut output = Output::default();
        let mut is_up_to_date = Vec::new();
        for (start_ms, label) in [(12_234, Label::NEUTRAL), (13_000, Label::POSITIVE)] {
            let record = sample(start_ms - 1000, &[label]);
            let start_ns = start_ms * NS_PER_MS + 567_890;
            let frame = TimedRecord {
                record: &record,
                span: Span {
                    start_ns,
                    end_ns: start_ns + 766_000_000,
                },
                is_sample: true,
                is_selected: false,
            };
            writer.write(&frame, &mut output).unwrap();
            is_up_to_date.push(writer.is_up_to_date());
        }
        assert_eq!(
            output.bytes(),
            b"00:00:11.234 --> 00:00:12.000\n#1 neutral\n\n"
        );
        assert_eq!(output.pieces().next().unwrap().0.start_ns, 12_234_567_890);
        assert_eq!(is_up_to_date, [false, false]);
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
        assert_eq!(output.bytes(), b"00:00:00.000 --> 00:00:00.001\na\nb\n\n");
    }
}
