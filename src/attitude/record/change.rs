// SPDX-License-Identifier: MPL-2.0

//! Detection of changes of the faces: a face appears, disappears or gets another label, or the
//! direction of a trend changes.

use crate::Label;
use crate::analyzer::Analysis;
use crate::trend::{Direction, Trend};

/// The track of a face and its label.
pub type TrackLabel = (u32, Label);

/// Compares the faces of each frame with those at the last change. The state before the first frame
/// is that of no faces.
#[derive(Debug, Default)]
pub struct FaceChangeDetector {
    /// The faces at the last change.
    faces: Vec<TrackLabel>,
    /// `true` if `faces` are those of another stream.
    is_other_stream: bool,
}

impl FaceChangeDetector {
    /// Returns `true` if `faces`, sorted by track, differ from those at the last change.
    pub fn update(&mut self, faces: impl Iterator<Item = TrackLabel> + Clone) -> bool {
        let is_other_stream = std::mem::take(&mut self.is_other_stream);
        let is_change = is_other_stream || !faces.clone().eq(self.faces.iter().copied());
        if is_change {
            self.faces.clear();
            self.faces.extend(faces);
        }
        is_change
    }

    /// Begins another stream, in which the same track ids belong to other faces. If there are
    /// faces, the next update is a change.
    pub fn begin_stream(&mut self) {
        self.is_other_stream = !self.faces.is_empty();
    }
}

/// A change of the direction of a trend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrendChange {
    /// Track id of the face; `None` for the scene.
    pub track: Option<u32>,
    /// The trend since the change.
    pub trend: Trend,
}

/// Compares the directions of trends in each sample with those in the sample before. A direction is
/// steady at first, and while it is not known.
#[derive(Debug, Default)]
pub struct TrendChangeDetector {
    /// The directions of the scene and of the faces in the last sample.
    directions: Vec<(Option<u32>, Direction)>,
    /// Memory for those of the current sample.
    next: Vec<(Option<u32>, Direction)>,
}

impl TrendChangeDetector {
    /// Calls `report` for each direction that has changed since the last analysis. A face that
    /// disappears is not reported.
    pub fn update(&mut self, analysis: &Analysis, mut report: impl FnMut(TrendChange)) {
        self.next.clear();
        let faces = analysis.faces.iter();
        let faces = faces.map(|face| (Some(face.track), face.trend));
        for (track, trend) in std::iter::once((None, analysis.scene_trend)).chain(faces) {
            let trend = trend.unwrap_or(Trend {
                since_ns: analysis.time_ns,
                ..Trend::default()
            });
            let is_same_track = |entry: &&(Option<u32>, Direction)| entry.0 == track;
            let before = self.directions.iter().find(is_same_track);
            if before.map_or(Direction::Steady, |before| before.1) != trend.direction {
                report(TrendChange { track, trend });
            }
            self.next.push((track, trend.direction));
        }
        std::mem::swap(&mut self.directions, &mut self.next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_face_that_appears_disappears_or_gets_another_label_is_a_change() {
        let mut changes = FaceChangeDetector::default();
        let frames: [(&[TrackLabel], bool); 7] = [
            (&[], false),
            (&[(1, Label::NEUTRAL)], true),
            (&[(1, Label::NEUTRAL)], false),
            (&[(1, Label::Unknown)], true),
            (&[(1, Label::Unknown), (2, Label::NEUTRAL)], true),
            (&[], true),
            (&[], false),
        ];
        for (index, (faces, expected)) in frames.into_iter().enumerate() {
            let is_change = changes.update(faces.iter().copied());
            assert_eq!(is_change, expected, "frame {index}");
        }
    }

    #[test]
    fn faces_of_another_stream_are_other_faces() {
        let mut changes = FaceChangeDetector::default();
        let faces = [(1, Label::NEUTRAL)];
        changes.begin_stream();
        assert!(!changes.update([].into_iter()));
        assert!(changes.update(faces.into_iter()));
        changes.begin_stream();
        assert!(changes.update(faces.into_iter()));
        assert!(!changes.update(faces.into_iter()));
    }

    #[test]
    fn only_changes_of_directions_are_reported() {
        let trend = |direction, since_ns| {
            Some(Trend {
                direction,
                since_ns,
                ..Trend::default()
            })
        };
        let mut changes = TrendChangeDetector::default();
        let mut update = |time_ns, scene_trend| {
            let analysis = Analysis {
                time_ns,
                scene_trend,
                ..Analysis::default()
            };
            let mut found = Vec::new();
            changes.update(&analysis, |change| found.push(change.trend));
            found
        };
        let falling = trend(Direction::Falling, 60);
        assert_eq!(update(10, None), []);
        assert_eq!(update(20, trend(Direction::Steady, 20)), []);
        assert_eq!(update(61, falling), [falling.unwrap()]);
        assert_eq!(update(62, falling), []);
        let steady = trend(Direction::Steady, 70).unwrap();
        assert_eq!(update(70, None), [steady]);
        assert_eq!(update(71, Some(steady)), []);
    }
}
