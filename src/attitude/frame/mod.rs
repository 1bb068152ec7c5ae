// SPDX-License-Identifier: MPL-2.0

//! Video frames: planes of bytes, and a layout that describes where each component of a pixel is
//! stored. A layout describes packed, planar and subsampled formats alike.

/// Maximum of a plausible pixel aspect ratio; the minimum is its inverse.
const MAX_PIXEL_ASPECT: f32 = 8.0;

/// Maximum number of planes of a supported format.
pub const MAX_PLANES: usize = 3;

/// The meaning of a frame's components.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ColorModel {
    /// One component: luma.
    Gray,
    /// Luma and two colour differences.
    Yuv,
    /// Red, green and blue.
    Rgb,
}

/// The matrix that converted R'G'B' to Y'CbCr.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Matrix {
    /// ITU-R BT.601.
    #[default]
    Bt601,
    /// ITU-R BT.709.
    Bt709,
    /// ITU-R BT.2020, non-constant luminance.
    Bt2020,
}

impl Matrix {
    /// Returns the weights of red and blue in luma.
    pub const fn kr_kb(self) -> (f32, f32) {
        match self {
            Matrix::Bt601 => (0.299, 0.114),
            Matrix::Bt709 => (0.2126, 0.0722),
            Matrix::Bt2020 => (0.2627, 0.0593),
        }
    }
}

/// The position of one component in the planes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Component {
    /// Index of the plane.
    pub plane: usize,
    /// Bytes from the start of a row to the first sample.
    pub offset: usize,
    /// Bytes from one sample to the next in a row.
    pub pixel_stride: usize,
    /// Binary logarithm of the horizontal subsampling.
    pub shift_x: u32,
    /// Binary logarithm of the vertical subsampling.
    pub shift_y: u32,
}

/// The position and meaning of all components.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Layout {
    /// The meaning of the components.
    pub color: ColorModel,
    /// Y, U, V or R, G, B; [`ColorModel::Gray`] uses only the first.
    pub components: [Component; 3],
    /// `true` if values span 0 to 255 (full range), `false` if luma spans 16 to 235 (limited
    /// range).
    pub full_range: bool,
    /// The matrix of [`ColorModel::Yuv`].
    pub matrix: Matrix,
}

impl Layout {
    /// Full-range luma, one byte per pixel.
    pub const GRAY8: Layout = Layout {
        color: ColorModel::Gray,
        components: [Component {
            plane: 0,
            offset: 0,
            pixel_stride: 1,
            shift_x: 0,
            shift_y: 0,
        }; 3],
        full_range: true,
        matrix: Matrix::Bt601,
    };

    /// Full-range red, green and blue in one plane, three bytes per pixel.
    pub(crate) const RGB24: Layout = Layout {
        color: ColorModel::Rgb,
        components: [rgb24(0), rgb24(1), rgb24(2)],
        full_range: true,
        matrix: Matrix::Bt601,
    };

    /// Returns a stored value of luma, red, green or blue as a full-range value, 0 to 255.
    #[inline]
    pub(crate) fn to_full_range(self, value: f32) -> f32 {
        if self.full_range {
            value
        } else {
            ((value - 16.0) * (255.0 / 219.0)).clamp(0.0, 255.0)
        }
    }

    /// Returns `true` if red, green and blue are in one plane.
    pub(crate) fn is_packed_rgb(&self) -> bool {
        let [red, green, blue] = self.components;
        self.color == ColorModel::Rgb && red.plane == green.plane && green.plane == blue.plane
    }

    /// Returns the number of components in use.
    pub const fn component_count(&self) -> usize {
        match self.color {
            ColorModel::Gray => 1,
            ColorModel::Yuv | ColorModel::Rgb => 3,
        }
    }
}

const fn rgb24(offset: usize) -> Component {
    Component {
        plane: 0,
        offset,
        pixel_stride: 3,
        shift_x: 0,
        shift_y: 0,
    }
}

/// The rows of one plane.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plane<'a> {
    /// The bytes from the first row on; the last row may be shorter than the stride.
    pub data: &'a [u8],
    /// Bytes from one row to the next.
    pub stride: usize,
}

/// The reason why planes are not a valid frame.
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

/// A frame whose planes contain every sample of its layout.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    width: usize,
    height: usize,
    pixel_aspect: f32,
    layout: Layout,
    planes: [Plane<'a>; MAX_PLANES],
}

impl<'a> Frame<'a> {
    /// Creates a frame from `planes`, with square pixels.
    ///
    /// # Errors
    /// Returns an error if the frame is empty or a plane is too short for the layout.
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
            layout,
            planes,
        })
    }

    /// Sets the pixel aspect ratio, the displayed width over the height of a pixel. Values outside
    /// of 1/8 to 8 are replaced by 1.
    pub fn with_pixel_aspect(mut self, pixel_aspect: f32) -> Self {
        let is_sensible = (1.0 / MAX_PIXEL_ASPECT..=MAX_PIXEL_ASPECT).contains(&pixel_aspect);
        self.pixel_aspect = if is_sensible { pixel_aspect } else { 1.0 };
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

    /// Returns the layout.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Returns the bytes of row `y` of a plane, up to the end of its last sample.
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

    /// Returns one component.
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

/// Returns the number of samples for `size` pixels at a subsampling of 2^`shift`; the last sample
/// may cover fewer pixels.
const fn subsampled(size: usize, shift: u32) -> usize {
    size.div_ceil(1 << shift)
}

/// One component of a frame. The sample in column x of row y is `data[y * stride + x *
/// pixel_stride]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Channel<'a> {
    data: &'a [u8],
    stride: usize,
    /// Bytes from one sample to the next.
    pub pixel_stride: usize,
    /// Number of samples in a row.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
}

impl<'a> Channel<'a> {
    /// Returns the sample in column `x` of row `y`.
    pub(crate) fn get(&self, x: usize, y: usize) -> u8 {
        self.get_beyond(x, y, 0)
    }

    /// Returns the byte that follows the sample in column `x` of row `y` at a distance of `offset`
    /// bytes.
    #[inline]
    pub(crate) fn get_beyond(&self, x: usize, y: usize, offset: usize) -> u8 {
        self.data[y * self.stride + x * self.pixel_stride + offset]
    }
}

/// An owned copy of a frame. Its memory is reused for the next copy.
#[derive(Debug)]
pub struct Snapshot {
    width: usize,
    height: usize,
    pixel_aspect: f32,
    layout: Layout,
    planes: [(Vec<u8>, usize); MAX_PLANES],
}

impl Default for Snapshot {
    fn default() -> Self {
        Self {
            width: 0,
            height: 0,
            pixel_aspect: 1.0,
            layout: Layout::GRAY8,
            planes: Default::default(),
        }
    }
}

impl Snapshot {
    /// Copies `frame`. If `luma_only` is set and the frame is YUV, copies only its luma.
    pub fn copy_from(&mut self, frame: &Frame, luma_only: bool) {
        self.width = frame.width;
        self.height = frame.height;
        self.pixel_aspect = frame.pixel_aspect;
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
        Some(frame.with_pixel_aspect(self.pixel_aspect))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 3x3 I420 at a stride of 4: chroma is 2x2.
    fn i420_3x3() -> (Layout, [Vec<u8>; 3]) {
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
        };
        let planes = [
            vec![1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9],
            vec![10, 11, 0, 0, 12, 13],
            vec![20, 21, 0, 0, 22, 23],
        ];
        (layout, planes)
    }

    fn planes(bytes: &[Vec<u8>; 3]) -> [Plane<'_>; 3] {
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
