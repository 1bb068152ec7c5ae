// SPDX-License-Identifier: MPL-2.0

//! Where the past of a stream ends.

use super::analyzer::Analyzer;

/// Which past a frame has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Epoch {
    /// Frames of another stream have none, and tracks are numbered from 1 again.
    pub stream: u32,
    /// Frames of another part of a stream, after a flush or a gap, have none.
    pub part: u32,
}

impl Epoch {
    /// Makes `analyzer`, which was used in this epoch, ready for `next`.
    pub fn advance(&mut self, next: Epoch, analyzer: &mut Analyzer) {
        if next.stream != self.stream {
            *analyzer = Analyzer::default();
        } else if next.part != self.part {
            analyzer.reset();
        }
        *self = next;
    }
}
