// SPDX-License-Identifier: MPL-2.0

//! Copies of frames.

use super::{ColorModel, Frame, Layout, MAX_PLANES, Plane};
use crate::orientation::Orientation;

/// An owned copy of a frame, whose memory is reused for the next copy.
#[derive(Debug)]
pub struct Snapshot {
    width: usize,
    height: usize,
    pixel_aspect: f32,
    orientation: Orientation,
    layout: Layout,
    /// Bytes and stride of each plane.
    planes: [(Vec<u8>, usize); MAX_PLANES],
}

impl Default for Snapshot {
    fn default() -> Self {
        Self {
            width: 0,
            height: 0,
            pixel_aspect: 1.0,
            orientation: Orientation::IDENTITY,
            layout: Layout::GRAY8,
            planes: Default::default(),
        }
    }
}

impl Snapshot {
    /// Copies `frame`. If `luma_only` is `true` and the frame is YUV, copies only its luma.
    pub fn copy_from(&mut self, frame: &Frame, luma_only: bool) {
        self.width = frame.width;
        self.height = frame.height;
        self.pixel_aspect = frame.pixel_aspect;
        self.orientation = frame.orientation;
        self.layout = frame.layout;
        if luma_only && frame.layout.color == ColorModel::Yuv {
            self.layout.color = ColorModel::Gray;
        }
        let needed = &self.layout.components[..self.layout.component_count()];
        for (index, (plane, (bytes, stride))) in
            frame.planes.iter().zip(&mut self.planes).enumerate()
        {
            bytes.clear();
            if needed.iter().any(|component| component.plane == index) {
                bytes.extend_from_slice(plane.data);
            }
            *stride = plane.stride;
        }
    }

    /// Returns the frame, or `None` if none has been copied yet.
    pub fn frame(&self) -> Option<Frame<'_>> {
        let planes = std::array::from_fn(|index| Plane {
            data: &self.planes[index].0,
            stride: self.planes[index].1,
        });
        let frame = Frame::new(self.width, self.height, self.layout, planes).ok()?;
        let frame = frame.with_pixel_aspect(self.pixel_aspect);
        Some(frame.with_orientation(self.orientation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::tests::{i420_3x3, planes};

    #[test]
    fn a_luma_snapshot_copies_only_the_first_plane() {
        let (layout, bytes) = i420_3x3();
        let frame = Frame::new(3, 3, layout, planes(&bytes)).unwrap();
        let mut snapshot = Snapshot::default();
        assert!(snapshot.frame().is_none());
        snapshot.copy_from(&frame, true);
        let kept = snapshot.frame().unwrap();
        assert_eq!(kept.layout().color, ColorModel::Gray);
        assert!(!kept.layout().full_range);
        assert_eq!(kept.channel(0).get(2, 1), 6);
        assert!(snapshot.planes[1].0.is_empty());
        snapshot.copy_from(&frame, false);
        assert_eq!(snapshot.frame().unwrap().channel(1).get(1, 1), 13);
    }
}
