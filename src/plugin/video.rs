// SPDX-License-Identifier: MPL-2.0

//! GStreamer's raw video as the analysis sees it.

use gst_video::prelude::*;
use gst_video::{VideoColorMatrix, VideoColorRange, VideoFormat, VideoInfo};

use attitude::frame::{
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

/// Duration that a frame without timestamp is taken to have where its caps tell no rate.
const ASSUMED_FRAME_NS: u64 = 40_000_000;

/// How long a frame lasts, by the frame rate.
pub fn frame_duration_ns(info: &VideoInfo) -> u64 {
    let fps = info.fps();
    if fps.numer() > 0 && fps.denom() > 0 {
        1_000_000_000 * fps.denom() as u64 / fps.numer() as u64
    } else {
        ASSUMED_FRAME_NS
    }
}

/// A sink and a source, both always there and of these caps.
pub fn pad_templates(caps: &gst::Caps) -> Vec<gst::PadTemplate> {
    let template = |name, direction| {
        gst::PadTemplate::new(name, direction, gst::PadPresence::Always, caps)
            .expect("the template's arguments are constant")
    };
    vec![
        template("src", gst::PadDirection::Src),
        template("sink", gst::PadDirection::Sink),
    ]
}

/// Tells upstream that planes are taken at any stride and offset.
pub fn propose_any_stride(query: &mut gst::query::Allocation) {
    if query
        .find_allocation_meta::<gst_video::VideoMeta>()
        .is_none()
    {
        query.add_allocation_meta::<gst_video::VideoMeta>(None);
    }
}

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

/// A view on the pixels of a mapped frame that `info` and `layout` describe. A `GstVideoMeta` says
/// where its planes lie, and may lie.
///
/// # Errors
/// Where its planes are shorter than its format needs, or stored upside down.
pub fn view<'a>(
    frame: &'a gst_video::VideoFrameRef<&gst::BufferRef>,
    info: &VideoInfo,
    layout: Layout,
) -> Result<Frame<'a>, FrameError> {
    let mut planes = [Plane::default(); MAX_PLANES];
    let count = (info.n_planes() as usize).min(frame.n_planes() as usize);
    for (index, plane) in planes.iter_mut().enumerate().take(count) {
        let stride = frame.plane_stride()[index];
        plane.stride =
            usize::try_from(stride).map_err(|_| FrameError::UpsideDown { plane: index })?;
        plane.data = plane_bytes(frame, index);
    }
    let (width, height) = (info.width() as usize, info.height() as usize);
    let pixel_aspect = info.par();
    let pixel_aspect = pixel_aspect.numer() as f32 / pixel_aspect.denom() as f32;
    Ok(Frame::new(width, height, layout, planes)?.with_pixel_aspect(pixel_aspect))
}

/// All that is mapped from the start of a plane on, whatever its stride and height promise.
pub(super) fn plane_bytes<'a>(
    frame: &'a gst_video::VideoFrameRef<&gst::BufferRef>,
    plane: usize,
) -> &'a [u8] {
    let (data, len) = plane_extent(frame, plane);
    // SAFETY: The frame is mapped for as long as it is borrowed, which the slice outlives not.
    unsafe { std::slice::from_raw_parts(data, len) }
}

/// As [`plane_bytes`], for writing.
pub(super) fn plane_bytes_mut<'a>(
    frame: &'a mut gst_video::VideoFrameRef<&mut gst::BufferRef>,
    plane: usize,
) -> &'a mut [u8] {
    let (data, len) = plane_extent(frame, plane);
    // SAFETY: As above; it is mapped for writing, and borrowed by nobody else.
    unsafe { std::slice::from_raw_parts_mut(data, len) }
}

/// Where the mapped bytes of a plane start, and how many there are. None where the plane does not
/// start within what is mapped.
fn plane_extent(
    frame: &gst_video::VideoFrameRef<&gst::BufferRef>,
    plane: usize,
) -> (*mut u8, usize) {
    // SAFETY: The description and its maps live as long as the frame.
    let (map, data) = unsafe {
        let raw = &*frame.as_ptr();
        // With a meta each plane has a mapping of its own, without one all are in the first.
        let map = &raw.map[if raw.meta.is_null() { 0 } else { plane }];
        (map, raw.data[plane].cast::<u8>())
    };
    let offset = (data as usize).checked_sub(map.data as usize);
    match offset.and_then(|offset| map.size.checked_sub(offset)) {
        Some(len) if !data.is_null() => (data, len),
        _ => (std::ptr::NonNull::dangling().as_ptr(), 0),
    }
}
