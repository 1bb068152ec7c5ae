// SPDX-License-Identifier: MPL-2.0

//! GStreamer's raw video as the analysis sees it.

use gst_video::prelude::*;
use gst_video::{VideoColorMatrix, VideoColorRange, VideoFormat, VideoInfo};

use crate::analysis::frame::{
    ColorModel, Component, Frame, FrameError, Layout, MAX_PLANES, Matrix, Plane,
};

/// The formats that are accepted without a converter in front.
pub const FORMATS: [VideoFormat; 19] = [
    VideoFormat::I420,
    VideoFormat::Yv12,
    VideoFormat::Nv12,
    VideoFormat::Nv21,
    VideoFormat::Yuy2,
    VideoFormat::Uyvy,
    VideoFormat::Y42b,
    VideoFormat::Y444,
    VideoFormat::Gray8,
    VideoFormat::Rgb,
    VideoFormat::Bgr,
    VideoFormat::Rgbx,
    VideoFormat::Xrgb,
    VideoFormat::Bgrx,
    VideoFormat::Xbgr,
    VideoFormat::Rgba,
    VideoFormat::Argb,
    VideoFormat::Bgra,
    VideoFormat::Abgr,
];

/// Where the components of such video lie, by GStreamer's own description of the format.
pub fn layout(info: &VideoInfo) -> Layout {
    let format = info.format_info();
    let component = |index: usize| Component {
        plane: format.plane()[index] as usize,
        offset: format.poffset()[index] as usize,
        pixel_stride: format.pixel_stride()[index] as usize,
        shift_x: format.w_sub()[index],
        shift_y: format.h_sub()[index],
    };
    let colorimetry = info.colorimetry();
    let color = if info.is_gray() {
        ColorModel::Gray
    } else if info.is_rgb() {
        ColorModel::Rgb
    } else {
        ColorModel::Yuv
    };
    Layout {
        color,
        components: match color {
            ColorModel::Gray => [component(0); 3],
            ColorModel::Rgb | ColorModel::Yuv => std::array::from_fn(component),
        },
        full_range: match colorimetry.range() {
            VideoColorRange::Range0_255 => true,
            VideoColorRange::Range16_235 => false,
            _ => color != ColorModel::Yuv,
        },
        matrix: match colorimetry.matrix() {
            VideoColorMatrix::Bt709 => Matrix::Bt709,
            VideoColorMatrix::Bt2020 => Matrix::Bt2020,
            _ => Matrix::Bt601,
        },
    }
}

/// A view on a mapped frame's pixels.
///
/// # Errors
/// Where its planes are shorter than its format needs.
pub fn view<'a>(
    frame: &'a gst_video::VideoFrameRef<&gst::BufferRef>,
    layout: Layout,
) -> Result<Frame<'a>, FrameError> {
    let mut planes = [Plane::default(); MAX_PLANES];
    for (index, plane) in planes.iter_mut().enumerate() {
        if let (Ok(data), Some(&stride)) = (
            frame.plane_data(index as u32),
            frame.plane_stride().get(index),
        ) {
            // A negative stride, of a picture stored upside down, is taken for a plane without
            // rows, which the frame's own check refuses.
            plane.data = if stride > 0 { data } else { &[] };
            plane.stride = usize::try_from(stride).unwrap_or(0);
        }
    }
    Frame::new(
        frame.width() as usize,
        frame.height() as usize,
        layout,
        planes,
    )
}
