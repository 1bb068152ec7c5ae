// SPDX-License-Identifier: MPL-2.0

//! Subtitles of samples: each stands until the next one.

use gstattitude::record::cue::{Cue, Span, WholeCues};
use gstattitude::record::{FaceRecord, Record, webvtt};

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

    pub fn write_header(file: &mut Vec<u8>) {
        file.extend_from_slice(webvtt::HEADER.as_bytes());
    }

    /// Takes the next sample; appends the cue that it ended.
    pub fn note(&mut self, record: &Record, file: &mut Vec<u8>) {
        // What has no time is no subtitle.
        let Some(time_ns) = record.stream_time_ns.or(record.pts_ns) else {
            return;
        };
        self.end_sample(Some(time_ns), file);
        self.last = Some((time_ns, record.faces.clone()));
    }

    /// Appends the cue that is open at the end.
    pub fn finish(&mut self, file: &mut Vec<u8>) {
        self.end_sample(None, file);
        write(self.cues.finish(), file);
    }

    /// The sample at hand ends when the next one is shown, if there is one.
    fn end_sample(&mut self, next_ns: Option<u64>, file: &mut Vec<u8>) {
        let Some((start_ns, faces)) = self.last.take() else {
            return;
        };
        let span_ns = match next_ns.map(|next_ns| next_ns.saturating_sub(start_ns)) {
            Some(span_ns) if span_ns <= self.max_span_ns => span_ns,
            Some(_) | None => self.usual_span_ns,
        };
        self.usual_span_ns = span_ns;
        let span = Span {
            start_ns,
            end_ns: start_ns.saturating_add(span_ns),
        };
        write(self.cues.note(span, &faces), file);
    }
}

fn write(cue: Option<Cue>, file: &mut Vec<u8>) {
    if let Some(cue) = cue {
        webvtt::write_cue(&cue, 0, file);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(interval_ms: u64, samples: &[(u64, &str)]) -> String {
        let mut subtitles = Subtitles::new(interval_ms * 1_000_000);
        let mut file = Vec::new();
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
            subtitles.note(&record, &mut file);
        }
        subtitles.finish(&mut file);
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
}
