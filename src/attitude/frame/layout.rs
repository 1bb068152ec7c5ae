// SPDX-License-Identifier: MPL-2.0

//! Layouts of frames in memory.

use super::Transfer;

/// The meaning of the components of a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ColorModel {
    /// One component: luma.
    Gray,
    /// Luma and two color differences.
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

/// The position of the samples of one component in the planes.
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

/// The positions and the meaning of the components of a pixel. A layout describes packed, planar
/// and subsampled formats alike. The components of a plane have the same vertical subsampling and
/// no byte in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Layout {
    /// The meaning of the components.
    pub color: ColorModel,
    /// Y, U, V or R, G, B; [`ColorModel::Gray`] uses only the first.
    pub components: [Component; 3],
    /// `true` if values span 0 to 255 (full range), `false` if luma spans 16 to 235 (limited
    /// range).
    pub full_range: bool,
    /// The matrix; used only with [`ColorModel::Yuv`].
    pub matrix: Matrix,
    /// The transfer function.
    pub transfer: Transfer,
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
        transfer: Transfer::Sdr,
    };

    /// Full-range red, green and blue in one plane, three bytes per pixel.
    pub(crate) const RGB24: Layout = Layout {
        color: ColorModel::Rgb,
        components: [rgb24(0), rgb24(1), rgb24(2)],
        full_range: true,
        matrix: Matrix::Bt601,
        transfer: Transfer::Sdr,
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
