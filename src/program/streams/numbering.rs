// SPDX-License-Identifier: MPL-2.0

//! Numbers of frames and tracks that continue when a source connects again.

use attitude::record::Record;

/// Continues the numbers of the records of one stream, which start again with each connection. So
/// a track id belongs to one face for as long as the stream exists.
#[derive(Debug, Default)]
pub(crate) struct Numbering {
    /// Numbers before the current connection.
    first_frame: u64,
    first_track: u32,
    /// Highest numbers so far.
    last_frame: Option<u64>,
    last_track: u32,
}

impl Numbering {
    /// Continues behind the highest numbers so far.
    pub(crate) fn begin_connection(&mut self) {
        self.first_frame = self.last_frame.map_or(0, |frame| frame + 1);
        self.first_track = self.last_track;
    }

    /// Changes the numbers of a record.
    pub(crate) fn renumber(&mut self, record: &mut Record) {
        let is_back = |last| self.first_frame + record.frame <= last;
        // A source may begin another stream within a connection.
        if self.last_frame.is_some_and(is_back) {
            self.begin_connection();
        }
        record.frame += self.first_frame;
        self.last_frame = Some(record.frame);
        for face in &mut record.faces {
            face.track = face.track.saturating_add(self.first_track);
            self.last_track = self.last_track.max(face.track);
        }
    }
}

#[cfg(test)]
mod tests {
    use attitude::record::FaceRecord;

    use super::*;

    /// Returns the numbers that a record with these numbers gets.
    fn renumbered(numbering: &mut Numbering, frame: u64, tracks: &[u32]) -> (u64, Vec<u32>) {
        let face = |&track| FaceRecord {
            track,
            ..FaceRecord::default()
        };
        let mut record = Record {
            frame,
            faces: tracks.iter().map(face).collect(),
            ..Record::default()
        };
        numbering.renumber(&mut record);
        let tracks = record.faces.iter().map(|face| face.track).collect();
        (record.frame, tracks)
    }

    #[test]
    fn numbers_continue_with_the_next_connection() {
        let mut numbering = Numbering::default();
        numbering.begin_connection();
        assert_eq!(renumbered(&mut numbering, 0, &[]), (0, vec![]));
        assert_eq!(renumbered(&mut numbering, 5, &[1, 2]), (5, vec![1, 2]));
        numbering.begin_connection();
        assert_eq!(renumbered(&mut numbering, 7, &[1]), (13, vec![3]));
        numbering.begin_connection();
        assert_eq!(renumbered(&mut numbering, 0, &[2]), (14, vec![5]));
    }

    #[test]
    fn numbers_continue_if_they_start_again_within_a_connection() {
        let mut numbering = Numbering::default();
        numbering.begin_connection();
        assert_eq!(renumbered(&mut numbering, 9, &[4]), (9, vec![4]));
        assert_eq!(renumbered(&mut numbering, 0, &[1]), (10, vec![5]));
        assert_eq!(renumbered(&mut numbering, 3, &[1]), (13, vec![5]));
    }
}
