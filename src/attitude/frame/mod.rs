// SPDX-License-Identifier: MPL-2.0

//! Video frames: planes of bytes, and the layout of the components of a pixel in them.

mod layout;
mod snapshot;
mod transfer;

use crate::detection::Detection;
use crate::geometry::{Point, Rect};
use crate::orientation::Orientation;
pub use layout::{ColorModel, Component, Layout, Matrix};
pub use snapshot::Snapshot;
pub use transfer::Transfer;

/// Maximum pixel aspect ratio that is not considered an error; the minimum is its inverse.
const MAX_PIXEL_ASPECT: f32 = 8.0;

/// Maximum number of planes of a supported format.
pub const MAX_PLANES: usize = 3;

/// The rows of one plane.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plane<'a> {
    /// The bytes of all rows; the last row may be shorter than the stride.
    pub data: &'a [u8],
    /// Bytes from one row to the next.
    pub stride: usize,
}

/// The reason for which planes are not a valid frame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Width or height is 0.
    #[error("the frame is empty ({width}x{height})")]
    Empty {
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
    },
    /// The rows of a plane are stored from bottom to top.
    #[error(
        "plane {plane} has a negative stride (rows from bottom to top); the source must store \
         rows from top to bottom"
    )]
    UpsideDown {
        /// Index of the plane.
        plane: usize,
    },
    /// A plane of the layout is missing or too short.
    #[error("plane {plane} has {found} bytes, expected at least {needed}")]
    ShortPlane {
        /// Index of the plane.
        plane: usize,
        /// Number of bytes in the plane.
        found: usize,
        /// Number of bytes up to the end of the last sample.
        needed: usize,
    },
}

/// A borrowed frame, whose planes contain all samples of its layout.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    width: usize,
    height: usize,
    pixel_aspect: f32,
    orientation: Orientation,
    layout: Layout,
    planes: [Plane<'a>; MAX_PLANES],
}

impl<'a> Frame<'a> {
    /// Creates a frame from `planes`, upright and with square pixels.
    ///
    /// # Errors
    /// Returns an error if the frame is empty, or a plane is too short for the layout.
    pub fn new(
        width: usize,
        height: usize,
        layout: Layout,
        mut planes: [Plane<'a>; MAX_PLANES],
    ) -> Result<Self, FrameError> {
        if width == 0 || height == 0 {
            return Err(FrameError::Empty { width, height });
        }
        let mut used = [0; MAX_PLANES];
        for component in &layout.components[..layout.component_count()] {
            let found = planes.get(component.plane).map_or(0, |p| p.data.len());
            let stride = planes.get(component.plane).map_or(0, |p| p.stride);
            let columns = subsampled(width, component.shift_x);
            let rows = subsampled(height, component.shift_y);
            let row_len = component.offset + (columns - 1) * component.pixel_stride + 1;
            let needed = (rows - 1) * stride + row_len;
            if found < needed || (stride < row_len && rows > 1) {
                return Err(FrameError::ShortPlane {
                    plane: component.plane,
                    found,
                    needed,
                });
            }
            used[component.plane] = needed.max(used[component.plane]);
        }
        // Excludes bytes after the last sample.
        for (plane, used) in planes.iter_mut().zip(used) {
            plane.data = &plane.data[..used];
        }
        Ok(Self {
            width,
            height,
            pixel_aspect: 1.0,
            orientation: Orientation::IDENTITY,
            layout,
            planes,
        })
    }

    /// Sets the pixel aspect ratio, the displayed width over the height of a pixel. Values outside
    /// of 1/8 to 8 are replaced by 1.
    pub fn with_pixel_aspect(mut self, pixel_aspect: f32) -> Self {
        let is_plausible = (1.0 / MAX_PIXEL_ASPECT..=MAX_PIXEL_ASPECT).contains(&pixel_aspect);
        self.pixel_aspect = if is_plausible { pixel_aspect } else { 1.0 };
        self
    }

    /// Sets the orientation of the picture.
    pub fn with_orientation(mut self, orientation: Orientation) -> Self {
        self.orientation = orientation;
        self
    }

    /// Creates a frame of full-range luma, one byte per pixel, without padding.
    ///
    /// # Errors
    /// Returns the errors of [`new`](Self::new).
    pub fn from_luma(width: usize, height: usize, luma: &'a [u8]) -> Result<Self, FrameError> {
        Self::from_plane(width, height, Layout::GRAY8, luma)
    }

    /// Creates a frame of full-range red, green and blue, three bytes per pixel, without padding.
    ///
    /// # Errors
    /// Returns the errors of [`new`](Self::new).
    pub fn from_rgb(width: usize, height: usize, rgb: &'a [u8]) -> Result<Self, FrameError> {
        Self::from_plane(width, height, Layout::RGB24, rgb)
    }

    fn from_plane(
        width: usize,
        height: usize,
        layout: Layout,
        data: &'a [u8],
    ) -> Result<Self, FrameError> {
        let stride = width * layout.components[0].pixel_stride;
        let plane = Plane { data, stride };
        let planes = [plane, Plane::default(), Plane::default()];
        Self::new(width, height, layout, planes)
    }

    /// Returns the width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Returns the height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Returns the pixel aspect ratio, the displayed width over the height of a pixel.
    pub fn pixel_aspect(&self) -> f32 {
        self.pixel_aspect
    }

    /// Returns the orientation of the picture.
    pub fn orientation(&self) -> Orientation {
        self.orientation
    }

    /// Returns width and height of the upright picture, in frame pixels.
    pub fn upright_size(&self) -> (usize, usize) {
        self.orientation.swapped((self.width, self.height))
    }

    /// Returns the pixel aspect ratio of the upright picture.
    pub fn upright_pixel_aspect(&self) -> f32 {
        if self.orientation.is_transposed() {
            1.0 / self.pixel_aspect
        } else {
            self.pixel_aspect
        }
    }

    /// Returns width and height of the displayed frame, which is upright and has square pixels.
    pub fn displayed_size(&self) -> (f32, f32) {
        let (width, height) = self.upright_size();
        (width as f32 * self.upright_pixel_aspect(), height as f32)
    }

    /// Returns width and height of a frame pixel in the displayed frame, along the frame's rows and
    /// columns.
    pub(crate) fn displayed_pixel_size(&self) -> (f32, f32) {
        self.orientation.swapped((self.upright_pixel_aspect(), 1.0))
    }

    /// Converts a detection from frame pixels to the upright picture.
    pub(crate) fn detection_upright(&self, detection: &Detection) -> Detection {
        let (orientation, size) = (self.orientation, self.size());
        Detection {
            bbox: orientation.rect_upright(detection.bbox, size),
            score: detection.score,
            landmarks: detection
                .landmarks
                .map(|landmarks| landmarks.map(|p| orientation.point_upright(p, size))),
        }
    }

    /// Converts a detection from the upright picture to frame pixels.
    pub(crate) fn detection_in_frame(&self, upright: &Detection) -> Detection {
        let (orientation, size) = (self.orientation, self.size());
        Detection {
            bbox: self.rect_in_frame(upright.bbox),
            score: upright.score,
            landmarks: upright
                .landmarks
                .map(|landmarks| landmarks.map(|p| orientation.point_in_frame(p, size))),
        }
    }

    /// Converts a box from the upright picture to frame pixels.
    pub(crate) fn rect_in_frame(&self, upright: Rect) -> Rect {
        self.orientation.rect_in_frame(upright, self.size())
    }

    /// Converts a vector from the upright picture to frame pixels.
    pub(crate) fn vector_in_frame(&self, upright: Point) -> Point {
        self.orientation.vector_in_frame(upright)
    }

    fn size(&self) -> (f32, f32) {
        (self.width as f32, self.height as f32)
    }

    /// Returns the layout.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Returns the bytes of row `y` of the plane with this index, up to the end of its last sample.
    pub(crate) fn plane_row(&self, plane: usize, y: usize) -> &'a [u8] {
        let len = self.layout.components[..self.layout.component_count()]
            .iter()
            .filter(|component| component.plane == plane)
            .map(|component| {
                let columns = subsampled(self.width, component.shift_x);
                component.offset + (columns - 1) * component.pixel_stride + 1
            })
            .max()
            .unwrap_or(0);
        let plane = &self.planes[plane];
        &plane.data[y * plane.stride..][..len]
    }

    /// Returns the samples of the component with this index in the layout.
    ///
    /// # Panics
    /// Panics if the layout has no component with this index.
    pub(crate) fn channel(&self, index: usize) -> Channel<'a> {
        assert!(index < self.layout.component_count());
        let component = self.layout.components[index];
        let plane = self.planes[component.plane];
        Channel {
            data: &plane.data[component.offset..],
            stride: plane.stride,
            pixel_stride: component.pixel_stride,
            width: subsampled(self.width, component.shift_x),
            height: subsampled(self.height, component.shift_y),
        }
    }
}

/// Returns the number of samples of `size` pixels at a subsampling of 2^`shift`; the last sample
/// may cover fewer pixels.
const fn subsampled(size: usize, shift: u32) -> usize {
    size.div_ceil(1 << shift)
}

/// The samples of one component. The sample in column x of row y is `data[y * stride + x *
/// pixel_stride]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Channel<'a> {
    /// The bytes from the first sample to the last one.
    pub data: &'a [u8],
    /// Bytes from one row to the next.
    pub stride: usize,
    /// Bytes from one sample to the next.
    pub pixel_stride: usize,
    /// Number of samples in a row.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
}

impl Channel<'_> {
    /// Returns the sample in column `x` of row `y`.
    pub(crate) fn get(&self, x: usize, y: usize) -> u8 {
        self.data[y * self.stride + x * self.pixel_stride]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 3x3 I420 at a stride of 4: chroma is 2x2.
    pub(super) fn i420_3x3() -> (Layout, [Vec<u8>; 3]) {
        let component = |plane, shift| Component {
            plane,
            offset: 0,
            pixel_stride: 1,
            shift_x: shift,
            shift_y: shift,
        };
        let layout = Layout {
            color: ColorModel::Yuv,
            components: [component(0, 0), component(1, 1), component(2, 1)],
            full_range: false,
            matrix: Matrix::Bt601,
            transfer: Transfer::Sdr,
        };
        let planes = [
            vec![1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9],
            vec![10, 11, 0, 0, 12, 13],
            vec![20, 21, 0, 0, 22, 23],
        ];
        (layout, planes)
    }

    pub(super) fn planes(bytes: &[Vec<u8>; 3]) -> [Plane<'_>; 3] {
        std::array::from_fn(|i| Plane {
            data: &bytes[i],
            stride: 4,
        })
    }

    #[test]
    fn odd_sizes_and_a_short_last_row_are_read_to_the_last_sample() {
        let (layout, bytes) = i420_3x3();
        let frame = Frame::new(3, 3, layout, planes(&bytes)).unwrap();
        assert_eq!(frame.channel(0).get(2, 2), 9);
        assert_eq!(frame.plane_row(0, 2), [7, 8, 9]);
        let v = frame.channel(2);
        assert_eq!((v.width, v.height, v.get(1, 1)), (2, 2, 23));
    }

    #[test]
    fn a_plane_that_is_too_short_is_an_error() {
        let (layout, mut bytes) = i420_3x3();
        bytes[1].pop();
        assert_eq!(
            Frame::new(3, 3, layout, planes(&bytes)).unwrap_err(),
            FrameError::ShortPlane {
                plane: 1,
                found: 5,
                needed: 6
            }
        );
        assert!(Frame::from_luma(0, 3, &[]).is_err());
    }
}
