// SPDX-License-Identifier: MPL-2.0

//! Detection of changes of the faces: a face appears, disappears or gets another label.

use crate::Label;

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
}
