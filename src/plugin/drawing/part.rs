// SPDX-License-Identifier: MPL-2.0

//! A part of a mapped frame that GStreamer's functions process as a frame.

use std::marker::PhantomData;

use gst_video::prelude::*;
use gst_video::{VideoFormatInfo, VideoFrameRef, ffi};

/// Number of pixels beyond the end of a row that GStreamer's functions may access.
pub(super) const ROW_SLACK_PX: usize = 8;

/// Opacity and color of one pixel, with components of 8 or 16 bits.
pub(super) type Pixel<S> = [S; 4];

/// A range of pixels in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: i32,
    pub(super) len: i32,
}

/// A rectangle of a frame; not empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) columns: Span,
    pub(super) rows: Span,
}

/// The pixels of a frame in an area.
pub(super) struct Part<'a> {
    pub(super) area: Area,
    description: ffi::GstVideoFrame,
    frame: PhantomData<&'a mut ffi::GstVideoFrame>,
}

impl Span {
    /// Returns the pixels from `start` to `end` (exclusive) in a frame of `frame_len` pixels, grown
    /// to whole samples of `1 << shift` pixels; `None` if there are none.
    fn around(start: i32, end: i32, shift: u32, frame_len: u32) -> Option<Self> {
        let sample = 1i64 << shift;
        let end = (i64::from(end) + sample - 1) & -sample;
        let end = end.min(i64::from(frame_len));
        let start = i64::from(start.max(0)) & -sample;
        (start < end).then_some(Self {
            start: i32::try_from(start).ok()?,
            len: i32::try_from(end - start).ok()?,
        })
    }
}

impl Area {
    /// Returns the pixels of `frame` from `left`, `top` to `right`, `bottom` (exclusive), grown to
    /// whole chroma samples; `None` if they lie outside the frame.
    pub(super) fn around(
        [left, top, right, bottom]: [i32; 4],
        frame: &VideoFrameRef<&gst::BufferRef>,
    ) -> Option<Self> {
        let format = frame.format_info();
        let shift = |of_components: &[u32]| of_components.iter().copied().max().unwrap_or(0);
        Some(Self {
            columns: Span::around(left, right, shift(format.w_sub()), frame.width())?,
            rows: Span::around(top, bottom, shift(format.h_sub()), frame.height())?,
        })
    }
}

impl<'a> Part<'a> {
    /// Returns the part of `frame` in `area`, or the whole frame if its pixels share bytes, are
    /// spread over tiles, or are indices into a palette.
    pub(super) fn new(frame: &'a mut VideoFrameRef<&mut gst::BufferRef>, area: Area) -> Self {
        let format = frame.format_info();
        let (width, height) = (frame.width() as i32, frame.height() as i32);
        // SAFETY: The description is plain data. The memory that it points to stays mapped for
        // writing and is accessed exclusively while `frame` is borrowed.
        let mut description = unsafe { *frame.as_mut_ptr() };
        if !has_plain_rows(&format) {
            let whole = |len| Span { start: 0, len };
            let area = Area {
                columns: whole(width),
                rows: whole(height),
            };
            return Self {
                area,
                description,
                frame: PhantomData,
            };
        }
        description.info.width = area.columns.len;
        description.info.height = area.rows.len;
        for plane in 0..format.n_planes() as usize {
            let mut components = format.plane().iter();
            let component = components.position(|&of| of == plane as u32).unwrap_or(0);
            let column = area.columns.start >> format.w_sub()[component];
            let row = area.rows.start >> format.h_sub()[component];
            let offset = row as isize * description.info.stride[plane] as isize
                + column as isize * format.pixel_stride()[component] as isize;
            // The pointer is only dereferenced within the planes.
            description.data[plane] = description.data[plane].wrapping_byte_offset(offset);
        }
        Self {
            area,
            description,
            frame: PhantomData,
        }
    }

    /// Unpacks row `y` of the part to the start of `row`.
    ///
    /// # Errors
    /// Returns an error if GStreamer cannot unpack the format to components of this size, or `row`
    /// is too short.
    pub(super) fn unpack_row<S>(
        &self,
        y: i32,
        row: &mut [Pixel<S>],
    ) -> Result<(), glib::BoolError> {
        let width = self.check_row(y, row)?;
        let ffi::GstVideoInfo { finfo, stride, .. } = self.description.info;
        // SAFETY: The description of the format is static. The planes hold the rows of the part,
        // and `row` holds the pixels of one and the slack that GStreamer may write.
        unsafe {
            let unpack = (*finfo).unpack_func;
            let unpack =
                unpack.ok_or_else(|| glib::bool_error!("the format cannot be unpacked"))?;
            let pixels = row.as_mut_ptr().cast();
            let planes = self.description.data.as_ptr();
            unpack(finfo, 0, pixels, planes, stride.as_ptr(), 0, y, width);
        }
        Ok(())
    }

    /// Packs the start of `row` as row `y` of the part.
    ///
    /// # Errors
    /// Returns an error under the conditions of [`unpack_row`](Self::unpack_row).
    pub(super) fn pack_row<S>(
        &mut self,
        y: i32,
        row: &mut [Pixel<S>],
    ) -> Result<(), glib::BoolError> {
        let width = self.check_row(y, row)?;
        let ffi::GstVideoInfo {
            finfo,
            stride,
            chroma_site,
            ..
        } = self.description.info;
        let row_bytes = width.saturating_mul(size_of::<Pixel<S>>() as i32);
        // SAFETY: As for unpacking; the planes are borrowed for writing.
        unsafe {
            let pack = (*finfo).pack_func;
            let pack = pack.ok_or_else(|| glib::bool_error!("the format cannot be packed"))?;
            let pixels = row.as_mut_ptr().cast();
            let planes = self.description.data.as_mut_ptr();
            let stride = stride.as_ptr();
            pack(
                finfo,
                0,
                pixels,
                row_bytes,
                planes,
                stride,
                chroma_site,
                y,
                width,
            );
        }
        Ok(())
    }

    /// Returns the width of the part if `row` can hold row `y` in components of this size.
    fn check_row<S>(&self, y: i32, row: &[Pixel<S>]) -> Result<i32, glib::BoolError> {
        let width = self.area.columns.len;
        // SAFETY: The description of the format is static.
        let format = unsafe { VideoFormatInfo::from_ptr(self.description.info.finfo) };
        let samples = VideoFormatInfo::from_format(format.unpack_format());
        let has_room = row.len() >= width as usize + ROW_SLACK_PX;
        let is_in_part = (0..self.area.rows.len).contains(&y);
        if samples.bits() as usize == 8 * size_of::<S>() && has_room && is_in_part {
            Ok(width)
        } else {
            Err(glib::bool_error!("invalid row of {}", format.name()))
        }
    }

    /// Returns the description of the part. Its map is that of the whole frame and must not be
    /// unmapped.
    pub(super) fn as_mut_ptr(&mut self) -> *mut ffi::GstVideoFrame {
        &mut self.description
    }
}

/// Returns `true` if each component of such a frame has bytes of its own, at a constant distance
/// from its neighbors in either direction.
fn has_plain_rows(format: &VideoFormatInfo) -> bool {
    !format.is_tiled() && !format.has_palette() && format.pixel_stride().iter().all(|&px| px > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_grown_to_whole_samples_within_the_frame() {
        let span = |start, len| Some(Span { start, len });
        assert_eq!(Span::around(3, 7, 1, 641), span(2, 6));
        assert_eq!(Span::around(3, 7, 2, 641), span(0, 8));
        assert_eq!(Span::around(3, 7, 0, 641), span(3, 4));
        assert_eq!(Span::around(-3, 2, 1, 641), span(0, 2));
        assert_eq!(Span::around(639, 679, 1, 641), span(638, 3));
        assert_eq!(
            Span::around(i32::MIN, i32::MAX, 2, i32::MAX as u32),
            span(0, i32::MAX)
        );
        assert_eq!(Span::around(642, 646, 1, 641), None);
        assert_eq!(Span::around(-4, 0, 1, 641), None);
    }
}
