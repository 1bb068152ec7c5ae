// SPDX-License-Identifier: MPL-2.0

//! Raw video of GStreamer: formats, memory layout, checked access to planes, and frame stamps.

use gst_video::prelude::*;
use gst_video::{
    VideoColorMatrix, VideoColorRange, VideoFormat, VideoFrameRef, VideoInfo, VideoTransferFunction,
};

use crate::clock_time::clock_time;
use attitude::frame::{
    ColorModel, Component, Frame, FrameError, Layout, MAX_PLANES, Matrix, Plane, Transfer,
};
use attitude::record::FrameStamp;

/// Formats that `faceattitude` accepts without a converter.
pub(crate) const FORMATS: [VideoFormat; 19] = [
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

/// Assumed duration of a frame if the caps have no frame rate.
const ASSUMED_FRAME_NS: u64 = 40_000_000;

/// Returns the duration of a frame; an assumed one if the caps have no frame rate.
pub(crate) fn frame_duration_ns(info: &VideoInfo) -> u64 {
    let fps = info.fps();
    if fps.numer() > 0 && fps.denom() > 0 {
        1_000_000_000 * fps.denom() as u64 / fps.numer() as u64
    } else {
        ASSUMED_FRAME_NS
    }
}

/// Returns templates for an always pad named `sink` and one named `src` with these caps.
pub(crate) fn pad_templates(caps: &gst::Caps) -> Vec<gst::PadTemplate> {
    let template = |name, direction| {
        gst::PadTemplate::new(name, direction, gst::PadPresence::Always, caps)
            .expect("the arguments of the template are valid")
    };
    vec![
        template("src", gst::PadDirection::Src),
        template("sink", gst::PadDirection::Sink),
    ]
}

/// Announces upstream that planes may have any stride and offset.
pub(crate) fn propose_any_stride(query: &mut gst::query::Allocation) {
    if query
        .find_allocation_meta::<gst_video::VideoMeta>()
        .is_none()
    {
        query.add_allocation_meta::<gst_video::VideoMeta>(None);
    }
}

/// Converts GStreamer's description of a format to a [`Layout`].
pub(crate) fn layout(info: &VideoInfo) -> Layout {
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
        transfer: match colorimetry.transfer() {
            VideoTransferFunction::Smpte2084 => Transfer::Pq,
            VideoTransferFunction::AribStdB67 => Transfer::Hlg,
            _ => Transfer::Sdr,
        },
    }
}

/// Returns a view of the pixels of a mapped frame that `info` and `layout` describe. The strides
/// and offsets of a `GstVideoMeta` are not trusted.
///
/// # Errors
/// Returns an error if a plane is shorter than the format needs, or stored upside down.
pub(crate) fn view<'a>(
    frame: &'a VideoFrameRef<&gst::BufferRef>,
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

/// Returns the mapped bytes from the start of a plane on, regardless of its stride and height.
pub(crate) fn plane_bytes<'a>(frame: &'a VideoFrameRef<&gst::BufferRef>, plane: usize) -> &'a [u8] {
    let (data, len) = plane_extent(frame, plane);
    // SAFETY: The frame stays mapped while it is borrowed, and the slice does not outlive the
    // borrow.
    unsafe { std::slice::from_raw_parts(data, len) }
}

/// Returns the bytes of [`plane_bytes`] for writing.
pub(crate) fn plane_bytes_mut<'a>(
    frame: &'a mut VideoFrameRef<&mut gst::BufferRef>,
    plane: usize,
) -> &'a mut [u8] {
    let (data, len) = plane_extent(frame, plane);
    // SAFETY: As in `plane_bytes()`; the frame is mapped for writing and borrowed exclusively.
    unsafe { std::slice::from_raw_parts_mut(data, len) }
}

/// Returns the start and the number of the mapped bytes of a plane; no bytes if the plane does not
/// start within the mapped memory.
fn plane_extent(frame: &VideoFrameRef<&gst::BufferRef>, plane: usize) -> (*mut u8, usize) {
    // SAFETY: The description and its maps live as long as the frame.
    let (map, data) = unsafe {
        let raw = &*frame.as_ptr();
        // With a meta each plane has its own mapping; without one all planes share the first.
        let map = &raw.map[if raw.meta.is_null() { 0 } else { plane }];
        (map, raw.data[plane].cast::<u8>())
    };
    let offset = (data as usize).checked_sub(map.data as usize);
    match offset.and_then(|offset| map.size.checked_sub(offset)) {
        Some(len) if !data.is_null() => (data, len),
        _ => (std::ptr::NonNull::dangling().as_ptr(), 0),
    }
}

/// Size of a palette: 256 colors of four bytes.
const PALETTE_BYTES: u64 = 256 * 4;

/// Checks that the mapped planes of `frame`, of any raw format, hold the pixels that its format,
/// size and strides require. The strides and offsets of a `GstVideoMeta` are not trusted.
///
/// # Errors
/// Returns an error if a plane is too short or stored upside down, or if the frame has no pixels.
pub(crate) fn check_planes(frame: &VideoFrameRef<&gst::BufferRef>) -> Result<(), FrameError> {
    let format = frame.format_info();
    let (width, height) = (frame.width(), frame.height());
    // GStreamer's functions for packed chroma process whole chroma samples, for which rows of an
    // odd width may be too short.
    let sample_px = 1 << format.w_sub().iter().copied().max().unwrap_or(0);
    let standard = width
        .checked_next_multiple_of(sample_px)
        .and_then(|width| {
            VideoInfo::builder(frame.format(), width, height)
                .build()
                .ok()
        })
        .filter(|_| width > 0 && height > 0)
        .ok_or(FrameError::Empty {
            width: width as usize,
            height: height as usize,
        })?;
    for plane in 0..frame.n_planes() as usize {
        let stride = u32::try_from(frame.plane_stride()[plane])
            .map_err(|_| FrameError::UpsideDown { plane })?;
        let needed = bytes_needed(&standard, width, plane, stride);
        let found = plane_bytes(frame, plane).len();
        if (found as u64) < needed {
            let needed = usize::try_from(needed).unwrap_or(usize::MAX);
            return Err(FrameError::ShortPlane {
                plane,
                found,
                needed,
            });
        }
    }
    Ok(())
}

/// Returns the number of bytes that a plane with this stride needs in frames of this width, whose
/// default layout is `standard`.
fn bytes_needed(standard: &VideoInfo, width: u32, plane: usize, stride: u32) -> u64 {
    let format = standard.format_info();
    if format.is_tiled() {
        bytes_of_tiles(standard, plane, stride)
    } else if format.has_palette() && plane == 1 {
        PALETTE_BYTES
    } else {
        (0..format.n_components() as u8)
            .filter(|&component| format.plane()[usize::from(component)] as usize == plane)
            .map(|component| bytes_of_rows(standard, width, component, stride))
            .max()
            .unwrap_or(0)
    }
}

/// Returns the number of bytes of the rows of a component.
fn bytes_of_rows(standard: &VideoInfo, width: u32, component: u8, stride: u32) -> u64 {
    let format = standard.format_info();
    let row = match format.pixel_stride()[usize::from(component)] {
        // Pixels share bytes, and GStreamer's rows end with a whole group of pixels.
        0 => standard.comp_stride(component) as u64,
        bytes => u64::from(format.scale_width(component, width)) * bytes as u64,
    };
    let rows = u64::from(format.scale_height(component, standard.height()));
    rows.saturating_sub(1) * u64::from(stride).max(row) + row
}

/// Returns the number of bytes of a tiled plane, whose stride is its number of tile columns and
/// rows.
fn bytes_of_tiles(standard: &VideoInfo, plane: usize, stride: u32) -> u64 {
    let tiles = |stride: u32| (u64::from(stride & 0xFFFF), u64::from(stride >> 16));
    let (columns, rows) = tiles(stride);
    let (min_columns, min_rows) = tiles(standard.stride()[plane] as u32);
    let starts = standard.offset();
    let end = starts.get(plane + 1).copied().unwrap_or(standard.size());
    let tile = (end - starts[plane]) as u64 / (min_columns * min_rows).max(1);
    columns.max(min_columns) * rows.max(min_rows) * tile
}

/// Time from the NTP epoch, 1900, to the Unix epoch, 1970.
const NTP_TO_UNIX: gst::ClockTime = gst::ClockTime::from_seconds(2_208_988_800);

/// Returns the timestamp at a running time in `segment`; `None` if it is not a segment of times.
pub(crate) fn pts_at(running_time_ns: u64, segment: &gst::Segment) -> Option<gst::ClockTime> {
    let segment = segment.downcast_ref::<gst::ClockTime>()?;
    segment.position_from_running_time(clock_time(running_time_ns))
}

/// Returns the stamp of `buffer` at the timestamp `pts` in `segment`, with frame number 0. `size` is
/// width and height.
pub(crate) fn stamp(
    buffer: &gst::BufferRef,
    pts: Option<gst::ClockTime>,
    segment: &gst::Segment,
    size: (u32, u32),
) -> FrameStamp {
    let segment = segment.downcast_ref::<gst::ClockTime>();
    let running_time = segment.and_then(|segment| segment.to_running_time(pts));
    let stream_time = segment.and_then(|segment| segment.to_stream_time(pts));
    FrameStamp {
        frame: 0,
        pts_ns: pts.map(gst::ClockTime::nseconds),
        running_time_ns: running_time.map(gst::ClockTime::nseconds),
        stream_time_ns: stream_time.map(gst::ClockTime::nseconds),
        utc_ns: utc_ns(buffer),
        width: size.0,
        height: size.1,
    }
}

/// Returns the nanoseconds since 1970 of the first reference timestamp in Unix or NTP time.
fn utc_ns(buffer: &gst::BufferRef) -> Option<u64> {
    let mut references = buffer.iter_meta::<gst::ReferenceTimestampMeta>();
    references.find_map(|meta| {
        let time = meta.timestamp();
        let unix = match meta.reference().structure(0)?.name().as_str() {
            "timestamp/x-unix" => Some(time),
            "timestamp/x-ntp" => time.checked_sub(NTP_TO_UNIX),
            _ => None,
        };
        unix.map(gst::ClockTime::nseconds)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utc_is_read_from_unix_and_ntp_reference_timestamps() {
        gst::init().unwrap();
        let time = gst::ClockTime::from_seconds(1_700_000_000);
        for (references, expected) in [
            (&[("timestamp/x-unix", time)][..], Some(time)),
            (
                &[
                    ("timestamp/x-something", time),
                    ("timestamp/x-ntp", time + NTP_TO_UNIX),
                ],
                Some(time),
            ),
            (&[("timestamp/x-ntp", gst::ClockTime::SECOND)], None),
            (&[], None),
        ] {
            let mut buffer = gst::Buffer::new();
            for (name, time) in references {
                let caps = gst::Caps::new_empty_simple(*name);
                gst::ReferenceTimestampMeta::add(buffer.get_mut().unwrap(), &caps, *time, None);
            }
            assert_eq!(utc_ns(&buffer), expected.map(gst::ClockTime::nseconds));
        }
    }
}
