// SPDX-License-Identifier: MPL-2.0

//! Frames of any layout, size and stride.

use arbitrary::{Result, Unstructured};
use attitude::frame::{ColorModel, Component, Frame, Layout, MAX_PLANES, Matrix, Plane, Transfer};
use attitude::orientation::Orientation;

/// Maximum number of pixels along a side: more takes time and finds nothing.
pub(super) const MAX_SIDE: usize = 80;
/// Maximum bytes from one row to the next: four per pixel, and the maximum offset.
const MAX_STRIDE: usize = 4 * MAX_SIDE + 3;

/// Chooses the bytes of a plane: mostly as many as the largest frame has.
pub(super) fn plane(bytes: &mut Unstructured) -> Result<Vec<u8>> {
    let max_len = MAX_STRIDE * MAX_SIDE;
    let len = match bytes.ratio(1, 16)? {
        true => bytes.int_in_range(0..=max_len)?,
        false => max_len,
    };
    let (value, step): (u8, u8) = bytes.arbitrary()?;
    let pixels = (0..len).map(|index| value ^ (index as u8).wrapping_mul(step));
    Ok(pixels.collect())
}

/// Chooses a frame; `None` if the planes are too short for it.
pub(super) fn frame<'a>(
    bytes: &mut Unstructured,
    planes: &'a [Vec<u8>; MAX_PLANES],
) -> Result<Option<Frame<'a>>> {
    let layout = Layout {
        full_range: bytes.arbitrary()?,
        matrix: *bytes.choose(&[Matrix::Bt601, Matrix::Bt709, Matrix::Bt2020])?,
        transfer: *bytes.choose(&[Transfer::Sdr, Transfer::Pq, Transfer::Hlg])?,
        ..layout(bytes)?
    };
    let mut plane = |data: &'a Vec<u8>| -> Result<Plane<'a>> {
        let stride = match bytes.ratio(1, 8)? {
            true => bytes.int_in_range(0..=MAX_STRIDE)?,
            false => MAX_STRIDE,
        };
        Ok(Plane { data, stride })
    };
    let [first, second, third] = planes;
    let views = [plane(first)?, plane(second)?, plane(third)?];
    let (width, height) = (
        bytes.int_in_range(0..=MAX_SIDE)?,
        bytes.int_in_range(0..=MAX_SIDE)?,
    );
    let pixel_aspect = bytes.arbitrary()?;
    let orientation = *bytes.choose(&Orientation::ALL)?;
    let frame = Frame::new(width, height, layout, views);
    Ok(frame.ok().map(|frame| {
        frame
            .with_pixel_aspect(pixel_aspect)
            .with_orientation(orientation)
    }))
}

/// Chooses the layout of a format: packed, planar or semi-planar.
fn layout(bytes: &mut Unstructured) -> Result<Layout> {
    let component = |plane, offset, pixel_stride, shift_x, shift_y| Component {
        plane,
        offset,
        pixel_stride,
        shift_x,
        shift_y,
    };
    let planar = |x, y| {
        [0, 1, 2].map(|plane| match plane {
            0 => component(0, 0, 1, 0, 0),
            _ => component(plane, 0, 1, x, y),
        })
    };
    let packed =
        |offsets: [usize; 3], stride| offsets.map(|offset| component(0, offset, stride, 0, 0));
    let (color, components) = *bytes.choose(&[
        (ColorModel::Gray, planar(0, 0)),
        (ColorModel::Rgb, packed([0, 1, 2], 3)),
        (ColorModel::Rgb, packed([3, 2, 1], 4)),
        (ColorModel::Rgb, planar(0, 0)),
        (ColorModel::Yuv, packed([1, 2, 3], 4)),
        (ColorModel::Yuv, planar(1, 1)),
        (ColorModel::Yuv, planar(1, 0)),
        (ColorModel::Yuv, planar(2, 2)),
        // NV21.
        (
            ColorModel::Yuv,
            [
                component(0, 0, 1, 0, 0),
                component(1, 1, 2, 1, 1),
                component(1, 0, 2, 1, 1),
            ],
        ),
        // UYVY.
        (
            ColorModel::Yuv,
            [
                component(0, 1, 2, 0, 0),
                component(0, 0, 4, 1, 0),
                component(0, 2, 4, 1, 0),
            ],
        ),
    ])?;
    Ok(Layout {
        color,
        components,
        ..Layout::GRAY8
    })
}
