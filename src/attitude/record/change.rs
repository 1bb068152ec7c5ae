// SPDX-License-Identifier: MPL-2.0

//! Detection of changes: a face comes, goes or gets another label.

use crate::Label;

/// The track of a face and its label.
pub type TrackLabel = (u32, Label);

/// Compares the faces of each frame with those of the last change. At first no faces are known, so a
/// stream that begins without faces begins without a change.
#[derive(Debug, Default)]
pub struct ChangeDetector {
    faces: Vec<TrackLabel>,
    have_gone: bool,
}

impl ChangeDetector {
    /// Returns whether `faces`, in order of their tracks, differ from those of the last change, and
    /// remembers them if they do.
    pub fn update(&mut self, faces: impl Iterator<Item = TrackLabel> + Clone) -> bool {
        let have_gone = std::mem::take(&mut self.have_gone);
        let is_change = have_gone || !faces.clone().eq(self.faces.iter().copied());
        if is_change {
            self.faces.clear();
            self.faces.extend(faces);
        }
        is_change
    }

    /// Begins another stream, in which track numbers mean other faces: if there were faces, the next
    /// update is a change.
    pub fn begin_stream(&mut self) {
        self.have_gone = !self.faces.is_empty();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_face_that_comes_goes_or_gets_another_label_is_a_change() {
        let mut changes = ChangeDetector::default();
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
    fn faces_of_the_stream_before_have_gone() {
        let mut changes = ChangeDetector::default();
        let faces = [(1, Label::NEUTRAL)];
        changes.begin_stream();
        assert!(!changes.update([].into_iter()));
        assert!(changes.update(faces.into_iter()));
        changes.begin_stream();
        assert!(changes.update(faces.into_iter()));
        assert!(!changes.update(faces.into_iter()));
    }
}
