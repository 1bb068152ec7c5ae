// SPDX-License-Identifier: MPL-2.0

//! An overlay onto the pixels of a frame.
//!
//! `gst_video_overlay_composition_blend` converts each row that a rectangle touches over the whole
//! width of the frame, which for the upright lines of a box is a hundred times what is drawn. Here
//! each rectangle is blended by `gst_video_blend` into the part of the frame around it alone.

use gst_video::prelude::*;
use gst_video::{VideoFlags, VideoFrameRef, VideoInfo, ffi};
use gst_video::{VideoOverlayComposition, VideoOverlayFormatFlags, VideoOverlayRectangle};

use super::scale::{even_down, even_up};
use super::sprite::FORMAT;

/// Draws `composition`, which a [`Renderer`](super::Renderer) made for frames of this size, onto
/// `frame`. The pixels are those that GStreamer's own blending gives.
///
/// # Errors
/// Where GStreamer cannot map a picture or blend it.
pub fn blend(
    composition: &VideoOverlayComposition,
    frame: &mut VideoFrameRef<&mut gst::BufferRef>,
) -> Result<(), glib::BoolError> {
    composition
        .iter()
        .try_for_each(|rectangle| blend_rectangle(&rectangle, frame))
}

fn blend_rectangle(
    rectangle: &VideoOverlayRectangle,
    frame: &mut VideoFrameRef<&mut gst::BufferRef>,
) -> Result<(), glib::BoolError> {
    let (x, y, width, height) = rectangle.render_rectangle();
    let pixels = rectangle.pixels_unscaled_raw(VideoOverlayFormatFlags::PREMULTIPLIED_ALPHA);
    let info = VideoInfo::builder(FORMAT, width, height)
        .flags(VideoFlags::PREMULTIPLIED_ALPHA)
        .build()?;
    let picture = VideoFrameRef::from_buffer_ref_readable(&pixels, &info)?;
    let columns = Span::around(x, width, frame.width());
    let rows = Span::around(y, height, frame.height());
    let (Some(columns), Some(rows)) = (columns, rows) else {
        return Err(glib::bool_error!("the picture lies beside the frame"));
    };

    // SAFETY: `part` describes a part of `frame`, and `source` the whole of `picture`; both stay
    // mapped, `frame` for writing, while the copies of their descriptions are in use. The offset
    // into each plane is that of a sample of the frame, as the part lies within it.
    let is_blended = unsafe {
        let mut part = *frame.as_mut_ptr();
        let mut source = *picture.as_ptr();
        part.info.width = columns.len;
        part.info.height = rows.len;
        let format = frame.format_info();
        for plane in 0..frame.n_planes() as usize {
            let mut components = format.plane().iter();
            let component = components.position(|&of| of == plane as u32).unwrap_or(0);
            let column = columns.start >> format.w_sub()[component];
            let row = rows.start >> format.h_sub()[component];
            let offset = row as isize * part.info.stride[plane] as isize
                + column as isize * format.pixel_stride()[component] as isize;
            part.data[plane] = part.data[plane].byte_offset(offset);
        }
        let (x, y) = (x - columns.start, y - rows.start);
        ffi::gst_video_blend(&mut part, &mut source, x, y, 1.0) != glib::ffi::GFALSE
    };
    if is_blended {
        Ok(())
    } else {
        Err(glib::bool_error!("GStreamer does not blend it"))
    }
}

/// Pixels of a frame in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: i32,
    len: i32,
}

impl Span {
    /// Those around `len` pixels from `start` on in a frame of `frame_len` pixels, grown to whole
    /// samples of subsampled chroma. `None` where there are none.
    fn around(start: i32, len: u32, frame_len: u32) -> Option<Self> {
        let (len, frame_len) = (i32::try_from(len).ok()?, i32::try_from(frame_len).ok()?);
        let end = even_up(start.checked_add(len)?).min(frame_len);
        let start = even_down(start.max(0));
        (start < end).then_some(Self {
            start,
            len: end - start,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_grown_to_even_pixels_within_the_frame() {
        let span = |start, len| Some(Span { start, len });
        assert_eq!(Span::around(3, 4, 641), span(2, 6));
        assert_eq!(Span::around(-3, 5, 641), span(0, 2));
        assert_eq!(Span::around(639, 40, 641), span(638, 3));
        assert_eq!(Span::around(642, 4, 641), None);
        assert_eq!(Span::around(-4, 4, 641), None);
    }
}
