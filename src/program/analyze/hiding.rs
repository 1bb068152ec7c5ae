// SPDX-License-Identifier: MPL-2.0

//! The faces to pixelate in each frame of a recording.
//!
//! A first pass finds the faces of all frames. A face is also hidden where it is expected: before it
//! was first found, after it was last found, and between, while the person was lost. Only a cut ends
//! this. A second pass pixelates the faces.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::Path;

use attitude::clock::{self, NS_PER_S};
use attitude::geometry::Rect;
use attitude::record::summary::SummaryBuilder;
use attitude::record::{FaceRecord, Record};
use attitude::timeline::TimelineParams;

use crate::numbers::count;
use crate::worker::message::HiddenFaces;

/// Time for which a face is hidden before it was first found, and after it was last found.
const EXTENSION_NS: u64 = NS_PER_S;

/// Growth of a box on each side, relative to its size, at the end of that time.
const MAX_GROWTH: f32 = 0.5;

/// Number of samples after which the tracker keeps a track without a detection.
const MIN_OBSERVATIONS: usize = 3;

/// Number of samples from which the velocity of a track at its start is computed.
const VELOCITY_SAMPLES: usize = 5;

/// Maximum number of times in the description.
const MAX_LISTED: usize = 3;

/// Collects the faces of the first pass. There may be several analyses of each frame, such as at
/// several sizes of the detector's input; the first one is that of the results.
#[derive(Default)]
pub(super) struct FoundFaces {
    frames: Vec<Frame>,
    analyses: Vec<Tracks>,
}

/// A frame.
struct Frame {
    pts_ns: u64,
    /// Position in the recording.
    time_ns: Option<u64>,
}

/// The tracks of an analysis.
#[derive(Default)]
struct Tracks {
    summary: SummaryBuilder,
    /// By id.
    tracks: BTreeMap<u32, Track>,
    /// Tracks in the latest frame.
    latest: Vec<FaceRecord>,
    /// Indices of the first frames after cuts.
    cuts: Vec<usize>,
}

/// The boxes of a face in consecutive frames.
struct Track {
    /// Index of the first frame.
    first: usize,
    samples: Vec<TrackSample>,
}

#[derive(Clone, Copy)]
struct TrackSample {
    bbox: Rect,
    /// Set if the face was not found in this frame, and its box is extrapolated.
    is_held: bool,
}

impl Track {
    /// Returns the index after that of the last frame.
    fn end(&self) -> usize {
        self.first + self.samples.len()
    }

    /// Returns the first box, `frames` frames earlier.
    fn before(&self, frames: usize) -> Rect {
        let first = self.samples[0].bbox;
        let last = self.samples.len().min(VELOCITY_SAMPLES) - 1;
        let later = self.samples[last].bbox;
        let share = frames as f32 / last.max(1) as f32;
        Rect {
            x: first.x - (later.x - first.x) * share,
            y: first.y - (later.y - first.y) * share,
            ..first
        }
    }
}

impl FoundFaces {
    /// Adds the sample of a frame by the analysis with this index.
    pub(super) fn add(&mut self, analysis: usize, record: &Record) {
        let Some(pts_ns) = record.pts_ns else {
            return;
        };
        if self
            .frames
            .last()
            .is_none_or(|frame| frame.pts_ns != pts_ns)
        {
            self.frames.push(Frame {
                pts_ns,
                time_ns: record.time_ns(),
            });
        }
        if self.analyses.len() <= analysis {
            self.analyses.resize_with(analysis + 1, Tracks::default);
        }
        self.analyses[analysis].add(self.frames.len() - 1, record);
    }

    /// Returns the faces to hide.
    pub(super) fn into_hidden(self, params: &TimelineParams) -> Hidden {
        let mut hidden = Hidden::of(self.frames);
        for (index, tracks) in self.analyses.into_iter().enumerate() {
            tracks.hide(params, &mut hidden);
            if index == 0 {
                hidden.count_uncertain();
            }
        }
        hidden
    }
}

impl Tracks {
    fn add(&mut self, frame: usize, record: &Record) {
        self.summary.add(record);
        let is_known =
            |face: &FaceRecord| record.faces.iter().any(|other| other.track == face.track);
        // A lost track ends later than in the frame after its last detection, except at a cut.
        let ends_found = |face: &FaceRecord| {
            let track = self.tracks.get(&face.track);
            face.fresh && track.is_some_and(|track| track.samples.len() >= MIN_OBSERVATIONS)
        };
        if !self.latest.iter().any(is_known) && self.latest.iter().any(ends_found) {
            self.cuts.push(frame);
        }
        for face in &record.faces {
            let [x, y, w, h] = face.bbox;
            let earlier = self.latest.iter().find(|other| other.track == face.track);
            // An extrapolated box has the score of the last detection.
            let is_held =
                !face.fresh && earlier.is_some_and(|other| other.detection == face.detection);
            let track = self.tracks.entry(face.track).or_insert_with(|| Track {
                first: frame,
                samples: Vec::new(),
            });
            let sample = TrackSample {
                bbox: Rect { x, y, w, h },
                is_held,
            };
            // Frames whose analysis failed are between the samples.
            let len = frame + 1 - track.first;
            track.samples.resize(len, sample);
        }
        self.latest.clone_from(&record.faces);
    }

    /// Adds the faces to hide to `hidden`.
    fn hide(mut self, params: &TimelineParams, hidden: &mut Hidden) {
        for track in self.tracks.values() {
            for (index, sample) in track.samples.iter().enumerate() {
                hidden.add(track.first + index, sample.bbox);
                if sample.is_held {
                    hidden.is_lost[track.first + index] = true;
                }
            }
        }
        let params = TimelineParams {
            // Only the persons are needed.
            resamples: 0,
            ..*params
        };
        let summary = std::mem::take(&mut self.summary).finish(&params).summary;
        for person in summary.persons {
            let tracks = person
                .tracks
                .iter()
                .filter_map(|span| self.tracks.get(&span.track));
            let tracks: Vec<&Track> = tracks.collect();
            for pair in tracks.windows(2) {
                hide_between(pair[0], pair[1], hidden);
            }
            if let [first, ..] = tracks[..] {
                self.hide_before(first, hidden);
            }
            if let [.., last] = tracks[..] {
                self.hide_after(last, hidden);
            }
        }
    }

    /// Hides a face before it was first found.
    fn hide_before(&self, track: &Track, hidden: &mut Hidden) {
        let cut = self.cuts.iter().rev().find(|&&cut| cut <= track.first);
        let earliest = cut.copied().unwrap_or(0);
        for frame in (earliest..track.first).rev() {
            let Some(share) = hidden.share_of_extension(frame, track.first) else {
                break;
            };
            hidden.add(frame, grown(track.before(track.first - frame), share));
            hidden.is_before[frame] = true;
        }
    }

    /// Hides a face after it was last found, unless the tracker has done so.
    fn hide_after(&self, track: &Track, hidden: &mut Hidden) {
        let Some(last) = track.samples.last() else {
            return;
        };
        if track.samples.len() >= MIN_OBSERVATIONS {
            return;
        }
        let cut = self.cuts.iter().find(|&&cut| cut >= track.end());
        let end = cut.copied().unwrap_or(hidden.frames.len());
        for frame in track.end()..end {
            let Some(share) = hidden.share_of_extension(track.end() - 1, frame) else {
                break;
            };
            hidden.add(frame, grown(last.bbox, share));
        }
    }
}

/// Hides a person between two tracks.
fn hide_between(earlier: &Track, later: &Track, hidden: &mut Hidden) {
    let (Some(from), Some(to)) = (earlier.samples.last(), later.samples.first()) else {
        return;
    };
    let frames = earlier.end()..later.first;
    let steps = (frames.len() + 1) as f32;
    for (index, frame) in frames.enumerate() {
        let share = (index + 1) as f32 / steps;
        let between = |from: f32, to: f32| from + (to - from) * share;
        let bbox = Rect {
            x: between(from.bbox.x, to.bbox.x),
            y: between(from.bbox.y, to.bbox.y),
            w: between(from.bbox.w, to.bbox.w),
            h: between(from.bbox.h, to.bbox.h),
        };
        // The position is least certain in the middle.
        hidden.add(frame, grown(bbox, 1.0 - (2.0 * share - 1.0).abs()));
        hidden.is_lost[frame] = true;
    }
}

/// Returns a box that is larger on each side, by this share of the maximum.
fn grown(bbox: Rect, share: f32) -> Rect {
    let (x, y) = (bbox.w * MAX_GROWTH * share, bbox.h * MAX_GROWTH * share);
    Rect {
        x: bbox.x - x,
        y: bbox.y - y,
        w: bbox.w + 2.0 * x,
        h: bbox.h + 2.0 * y,
    }
}

/// The faces to hide.
pub(super) struct Hidden {
    frames: Vec<Frame>,
    /// Boxes in each frame.
    boxes: Vec<Vec<Rect>>,
    /// Set for frames in which a person was not found who was found before and after, or before.
    is_lost: Vec<bool>,
    /// Set for frames before one in which a face was first found.
    is_before: Vec<bool>,
    /// Description of these frames, from the first analysis.
    uncertain: String,
}

impl Hidden {
    fn of(frames: Vec<Frame>) -> Self {
        let len = frames.len();
        Self {
            frames,
            boxes: vec![Vec::new(); len],
            is_lost: vec![false; len],
            is_before: vec![false; len],
            uncertain: String::new(),
        }
    }

    fn add(&mut self, frame: usize, bbox: Rect) {
        self.boxes[frame].push(bbox);
    }

    /// Returns the time between two frames as a share of the maximum; `None` if it is longer.
    fn share_of_extension(&self, earlier: usize, later: usize) -> Option<f32> {
        let times = self.frames[later].time_ns.zip(self.frames[earlier].time_ns);
        let duration_ns = times.map_or(0, |(later, earlier)| later.saturating_sub(earlier));
        (duration_ns <= EXTENSION_NS).then(|| duration_ns as f32 / EXTENSION_NS as f32)
    }

    /// Writes the frames with faces to a file, one per line.
    ///
    /// # Errors
    /// Returns an error if the file cannot be written.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let mut file = BufWriter::new(std::fs::File::create(path)?);
        for (frame, boxes) in self.frames.iter().zip(&self.boxes) {
            if boxes.is_empty() {
                continue;
            }
            let boxes = boxes.iter().map(|bbox| [bbox.x, bbox.y, bbox.w, bbox.h]);
            let line = HiddenFaces {
                pts_ns: frame.pts_ns,
                boxes: boxes.collect(),
            };
            serde_json::to_writer(&mut file, &line)?;
            file.write_all(b"\n")?;
        }
        file.flush()
    }

    /// Describes in which frames faces may be visible.
    pub(super) fn note(&self) -> String {
        let with_faces = self.boxes.iter().filter(|boxes| !boxes.is_empty()).count();
        format!(
            "faces are hidden in {with_faces} of {}; {}; a face that was never found stays visible",
            count(self.frames.len() as u64, "frame"),
            self.uncertain
        )
    }

    /// Describes in which frames faces are hidden without having been found.
    fn count_uncertain(&mut self) {
        let number_of = |set: &[bool]| set.iter().filter(|&&is_set| is_set).count() as u64;
        let (lost, before) = (number_of(&self.is_lost), number_of(&self.is_before));
        self.uncertain = match lost + before {
            0 => "in all of them they were found".to_owned(),
            _ => format!(
                "in {lost} of them a person was not found who was found before, and {before} precede the \
                 first detection of a face: there, faces are hidden where they are expected. Check {}",
                self.describe_uncertain()
            ),
        };
    }

    /// Lists the times of the longest parts in which a face was not found.
    fn describe_uncertain(&self) -> String {
        let is_uncertain = |frame: &usize| self.is_lost[*frame] || self.is_before[*frame];
        let mut parts: Vec<Range<usize>> = Vec::new();
        for frame in (0..self.frames.len()).filter(is_uncertain) {
            match parts.last_mut() {
                Some(part) if part.end == frame => part.end += 1,
                _ => parts.push(frame..frame + 1),
            }
        }
        parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
        let others = parts.len().saturating_sub(MAX_LISTED);
        parts.truncate(MAX_LISTED);
        parts.sort_by_key(|part| part.start);
        let position =
            |frame: usize| clock::position(self.frames[frame].time_ns.unwrap_or_default());
        let parts = parts
            .iter()
            .map(|part| format!("{} to {}", position(part.start), position(part.end - 1)));
        let listed = parts.collect::<Vec<_>>().join(", ");
        match others {
            0 => listed,
            _ => format!("{listed} and {}", count(others as u64, "shorter part")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME_NS: u64 = NS_PER_S / 25;

    /// Returns the sample of a frame with faces of these tracks and left edges.
    fn sample(frame: usize, faces: &[(u32, f32)]) -> Record {
        let time_ns = frame as u64 * FRAME_NS;
        let face = |&(track, x): &(u32, f32)| FaceRecord {
            track,
            bbox: [x, 10.0, 40.0, 50.0],
            detection: 0.9 + frame as f32 / 1e4,
            fresh: true,
            ..FaceRecord::default()
        };
        Record {
            pts_ns: Some(time_ns),
            stream_time_ns: Some(time_ns),
            width: 320,
            height: 180,
            faces: faces.iter().map(face).collect(),
            ..Record::default()
        }
    }

    /// Returns the faces to hide if frame n has the faces `faces(n)`.
    fn hidden(frames: usize, faces: impl Fn(usize) -> Vec<(u32, f32)>) -> Hidden {
        let mut found = FoundFaces::default();
        for frame in 0..frames {
            found.add(0, &sample(frame, &faces(frame)));
        }
        found.into_hidden(&TimelineParams::default())
    }

    fn is_hidden(hidden: &Hidden) -> Vec<bool> {
        hidden.boxes.iter().map(|boxes| !boxes.is_empty()).collect()
    }

    #[test]
    fn a_face_that_is_found_late_is_hidden_in_the_second_before() {
        let hidden = hidden(60, |frame| match frame {
            30.. => vec![(1, 100.0 + 2.0 * frame as f32)],
            _ => vec![],
        });
        let expected: Vec<bool> = (0..60).map(|frame| frame >= 5).collect();
        assert_eq!(is_hidden(&hidden), expected);
        // It moves, and its position is less and less certain.
        let bbox = hidden.boxes[20][0];
        assert!(
            (bbox.x + bbox.w / 2.0 - (100.0 + 40.0 + 20.0)).abs() < 1.0,
            "{bbox:?}"
        );
        assert!(bbox.w > 50.0 && hidden.boxes[29][0].w < 45.0);
        assert!(hidden.note().contains("and 25 precede the first detection"));
        assert!(
            hidden.note().contains("Check 0:00.2 to 0:01.1"),
            "{}",
            hidden.note()
        );
    }

    #[test]
    fn a_person_who_was_lost_is_hidden_between() {
        let hidden = hidden(100, |frame| match frame {
            0..20 => vec![(1, 100.0)],
            60.. => vec![(2, 120.0)],
            _ => vec![],
        });
        assert!(is_hidden(&hidden).into_iter().all(|is_hidden| is_hidden));
        let bbox = hidden.boxes[40][0];
        assert!(bbox.x < 100.0 && bbox.x + bbox.w > 160.0, "{bbox:?}");
        assert!(
            hidden
                .note()
                .contains("in 40 of them a person was not found")
        );
    }

    #[test]
    fn a_cut_ends_the_time_before_a_face_is_found() {
        let hidden = hidden(60, |frame| match frame {
            0..20 => vec![(1, 250.0)],
            30.. => vec![(2, 20.0)],
            _ => vec![],
        });
        let lefts: Vec<usize> = hidden.boxes.iter().map(|boxes| boxes.len()).collect();
        assert!(lefts[..20].iter().all(|&len| len == 1), "{lefts:?}");
        assert!(
            hidden.boxes[20..]
                .iter()
                .flatten()
                .all(|bbox| bbox.x < 100.0)
        );
    }

    #[test]
    fn a_short_detection_is_hidden_before_and_after() {
        let hidden = hidden(100, |frame| match frame {
            50 => vec![(1, 100.0)],
            _ => vec![],
        });
        let count = is_hidden(&hidden)
            .iter()
            .filter(|&&is_hidden| is_hidden)
            .count();
        assert_eq!(count, 51);
    }

    #[test]
    fn faces_of_all_frames_are_written() {
        let hidden = hidden(3, |_| vec![(1, 100.0)]);
        assert!(hidden.note().contains("in all of them they were found"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("faces");
        hidden.write(&path).unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        let lines: Vec<HiddenFaces> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[1].pts_ns, FRAME_NS);
        assert_eq!(lines[1].boxes, [[100.0, 10.0, 40.0, 50.0]]);
    }
}
