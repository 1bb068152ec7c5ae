// SPDX-License-Identifier: MPL-2.0

//! Cues of a recording's samples: each sample stands until the next one.

use super::cue::{Cue, Span, WholeCues};
use super::{FaceRecord, Record};
use crate::timeline::rules::Rules;

/// Longest that a sample stands, where every frame is one.
const MAX_FRAME_NS: u64 = 1_000_000_000;

/// From samples to cues.
#[derive(Debug)]
pub struct Subtitles {
    cues: WholeCues,
    /// The sample at hand, and when it was shown.
    last: Option<(u64, Vec<FaceRecord>)>,
    /// Longest that a sample stands: after it there is a hole in the video.
    max_span_ns: u64,
    /// How long the last one stands.
    usual_span_ns: u64,
}

impl Subtitles {
    /// For samples that are so far apart; 0 = every frame.
    pub fn new(interval_ns: u64) -> Self {
        Self {
            cues: WholeCues::default(),
            last: None,
            max_span_ns: match interval_ns {
                0 => MAX_FRAME_NS,
                _ => interval_ns.saturating_mul(2),
            },
            usual_span_ns: interval_ns,
        }
    }

    /// For samples of a live stream, which are that far apart but where some are skipped or late.
    pub fn live(interval_ns: u64) -> Self {
        Self {
            max_span_ns: Rules::default().gap_from_ns(interval_ns),
            ..Self::new(interval_ns)
        }
    }

    /// Takes the next sample. Returns the cue that it ended, if it ended one.
    pub fn note(&mut self, record: &Record) -> Option<Cue> {
        // What has no time is no subtitle.
        let time_ns = record.time_ns()?;
        let ended = self.end_sample(Some(time_ns));
        self.last = Some((time_ns, record.faces.clone()));
        ended
    }

    /// The cues that the end of the recording ends.
    pub fn finish(mut self) -> impl Iterator<Item = Cue> {
        let ended = self.end_sample(None);
        ended.into_iter().chain(self.cues.finish())
    }

    /// The sample at hand ends when the next one is shown, if there is one.
    fn end_sample(&mut self, next_ns: Option<u64>) -> Option<Cue> {
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
        self.cues.note(span, &faces)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::webvtt;

    fn written(interval_ms: u64, samples: &[(u64, &str)]) -> String {
        let mut subtitles = Subtitles::new(interval_ms * 1_000_000);
        let mut cues = Vec::new();
        for &(time_ms, attitude) in samples {
            let face = FaceRecord {
                track: 1,
                attitude: attitude.to_owned(),
                ..FaceRecord::default()
            };
            let record = Record {
                stream_time_ns: Some(time_ms * 1_000_000),
                faces: vec![face],
                ..Record::default()
            };
            cues.extend(subtitles.note(&record));
        }
        cues.extend(subtitles.finish());
        let mut file = Vec::new();
        for cue in &cues {
            webvtt::write_cue(cue, 0, &mut file);
        }
        String::from_utf8(file).unwrap()
    }

    #[test]
    fn a_sample_stands_until_the_next_one() {
        let samples = [(0, "neutral"), (200, "neutral"), (440, "positive")];
        assert_eq!(
            written(200, &samples),
            "00:00:00.000 --> 00:00:00.440\n#1 neutral\n\n\
             00:00:00.440 --> 00:00:00.680\n#1 positive\n\n"
        );
    }

    #[test]
    fn a_hole_in_the_video_is_one_in_the_subtitles() {
        let samples = [(0, "neutral"), (40, "neutral"), (5000, "neutral")];
        assert_eq!(
            written(0, &samples),
            "00:00:00.000 --> 00:00:00.080\n#1 neutral\n\n\
             00:00:05.000 --> 00:00:05.040\n#1 neutral\n\n"
        );
    }

    #[test]
    fn a_sample_that_is_late_leaves_no_hole_in_a_live_stream() {
        let mut subtitles = Subtitles::live(200_000_000);
        let record = |time_ms: u64| Record {
            stream_time_ns: Some(time_ms * 1_000_000),
            faces: vec![FaceRecord::default()],
            ..Record::default()
        };
        let times_ms = [0, 200, 900, 1100, 3000, 3200];
        let mut cues: Vec<Cue> = Vec::new();
        for time_ms in times_ms {
            cues.extend(subtitles.note(&record(time_ms)));
        }
        cues.extend(subtitles.finish());
        let spans_ms = cues.iter().map(|cue| {
            let Span { start_ns, end_ns } = cue.span;
            (start_ns / 1_000_000, end_ns / 1_000_000)
        });
        assert_eq!(spans_ms.collect::<Vec<_>>(), [(0, 1300), (3000, 3400)]);
    }
}
