// SPDX-License-Identifier: MPL-2.0

//! A part of a mapped frame, which GStreamer's functions take for a frame of its own.

use std::marker::PhantomData;

use gst_video::prelude::*;
use gst_video::{VideoFormatInfo, VideoFrameRef, ffi};

/// Pixels beyond the end of a row that GStreamer's functions may touch, as its blending allows for.
pub(super) const ROW_SLACK_PX: usize = 8;

/// Opacity and colour of one pixel, in samples of 8 or 16 bits.
pub(super) type Pixel<S> = [S; 4];

/// Pixels in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: i32,
    pub(super) len: i32,
}

/// Pixels of a frame, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) columns: Span,
    pub(super) rows: Span,
}

/// The pixels of a frame that lie in an area.
pub(super) struct Part<'a> {
    pub(super) area: Area,
    description: ffi::GstVideoFrame,
    frame: PhantomData<&'a mut ffi::GstVideoFrame>,
}

impl Span {
    /// The pixels from `start` to `end`, the latter exclusive, in a frame of `frame_len` pixels,
    /// grown to whole samples of `1 << shift` pixels. `None` where there are none.
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
    /// What `frame` has of the pixels from `left`, `top` to `right`, `bottom`, the latter exclusive,
    /// grown to whole samples of its chroma. `None` where they lie beside it.
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
    /// The part of `frame` in `area`, or the whole of it where no part can be told apart: where
    /// pixels share bytes, are spread over tiles, or stand for entries of a palette.
    pub(super) fn new(frame: &'a mut VideoFrameRef<&mut gst::BufferRef>, area: Area) -> Self {
        let format = frame.format_info();
        let (width, height) = (frame.width() as i32, frame.height() as i32);
        // SAFETY: The description is plain data. What it points to stays mapped for writing, and
        // is not touched by another, as long as `frame` is borrowed.
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
            // Where it leads is for the one who dereferences it to know.
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
    /// Where GStreamer does not unpack the format, or not to such samples, or `row` is too short.
    pub(super) fn unpack_row<S>(
        &self,
        y: i32,
        row: &mut [Pixel<S>],
    ) -> Result<(), glib::BoolError> {
        let width = self.check_row(y, row)?;
        let ffi::GstVideoInfo { finfo, stride, .. } = self.description.info;
        // SAFETY: The format's description is GStreamer's own and lives for ever. The planes hold
        // the part's rows, and `row` the pixels of one with what GStreamer may write beyond.
        unsafe {
            let unpack = (*finfo).unpack_func;
            let unpack = unpack.ok_or_else(|| glib::bool_error!("no such format is unpacked"))?;
            let pixels = row.as_mut_ptr().cast();
            let planes = self.description.data.as_ptr();
            unpack(finfo, 0, pixels, planes, stride.as_ptr(), 0, y, width);
        }
        Ok(())
    }

    /// Packs the start of `row` as row `y` of the part.
    ///
    /// # Errors
    /// As [`unpack_row`](Self::unpack_row) has them.
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
            let pack = pack.ok_or_else(|| glib::bool_error!("no such format is packed"))?;
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

    /// The width of the part, where `row` can hold row `y` of it in such samples.
    fn check_row<S>(&self, y: i32, row: &[Pixel<S>]) -> Result<i32, glib::BoolError> {
        let width = self.area.columns.len;
        // SAFETY: The format's description is GStreamer's own and lives for ever.
        let format = unsafe { VideoFormatInfo::from_ptr(self.description.info.finfo) };
        let samples = VideoFormatInfo::from_format(format.unpack_format());
        let has_room = row.len() >= width as usize + ROW_SLACK_PX;
        let is_in_part = (0..self.area.rows.len).contains(&y);
        if samples.bits() as usize == 8 * size_of::<S>() && has_room && is_in_part {
            Ok(width)
        } else {
            Err(glib::bool_error!("no such row of {}", format.name()))
        }
    }

    /// The description of the part. Its map is that of the whole frame: it is not to be unmapped.
    pub(super) fn as_mut_ptr(&mut self) -> *mut ffi::GstVideoFrame {
        &mut self.description
    }
}

/// Whether each sample of such a frame lies at bytes of its own, at a constant distance from its
/// neighbours in either direction.
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
