// SPDX-License-Identifier: MPL-2.0

//! Frames of any raw format, written and read pixel by pixel.

use gst_video::{VideoFormat, VideoFormatInfo, VideoFrameRef, VideoInfo};
use gst_video::{VideoFrameFlags, VideoMeta, ffi};

use crate::drawing::part::{Area, Part, ROW_SLACK_PX};

/// A pixel in the samples that its format is unpacked to, 8-bit ones stretched to 16 bits.
pub type Pixel = [u16; 4];
pub type Frame<'a> = VideoFrameRef<&'a mut gst::BufferRef>;

/// All raw formats of the GStreamer that runs, in even sizes, and in odd ones but for those formats
/// whose last column GStreamer 1.22 gets wrong: it packs UYVP beyond the end of a row, and swaps
/// the chroma of NV61 each time that it unpacks and packs it.
pub fn infos() -> impl Iterator<Item = VideoInfo> {
    gst::init().unwrap();
    let is_right = |&(format, (width, _)): &(VideoFormat, (u32, u32))| {
        width % 2 == 0 || ![VideoFormat::Uyvp, VideoFormat::Nv61].contains(&format)
    };
    VideoFormat::iter_raw()
        .flat_map(|format| [(640, 360), (641, 359)].map(|size| (format, size)))
        .filter(is_right)
        .map(|(format, (width, height))| VideoInfo::builder(format, width, height).build().unwrap())
}

/// Opaque noise, the brighter the further right. It is the same at every call.
pub fn noise(info: &VideoInfo) -> gst::Buffer {
    let mut seed = 1u32;
    let mut sample = |x: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (x * 40 + (seed >> 17)) as u16
    };
    frame(info, |x, _| [u16::MAX, sample(x), sample(x), sample(x)])
}

/// Returns a frame of the pixels that `pixel` returns for column and row.
pub fn frame(info: &VideoInfo, mut pixel: impl FnMut(u32, u32) -> Pixel) -> gst::Buffer {
    let mut buffer = gst::Buffer::from_mut_slice(vec![0u8; info.size()]);
    map(&mut buffer, info, |frame| {
        if info.format_info().has_palette() {
            let palette = palette(info.format());
            frame.plane_data_mut(1).unwrap()[..palette.len()].copy_from_slice(palette);
        }
        let is_8_bit = is_unpacked_to_8_bit(info);
        let mut part = whole(frame);
        for y in 0..info.height() {
            let row = (0..info.width() + ROW_SLACK_PX as u32).map(|x| match x < info.width() {
                true => pixel(x, y),
                false => [0; 4],
            });
            if is_8_bit {
                let mut row: Vec<_> = row.map(|pixel| pixel.map(|s| (s >> 8) as u8)).collect();
                part.pack_row(y as i32, &mut row).unwrap();
            } else {
                part.pack_row(y as i32, &mut row.collect::<Vec<_>>())
                    .unwrap();
            }
        }
    });
    buffer
}

/// The pixels of a frame, row by row.
pub fn pixels(buffer: &gst::Buffer, info: &VideoInfo) -> Vec<Pixel> {
    let mut pixels = Vec::new();
    map(&mut buffer.copy(), info, |frame| {
        let part = whole(frame);
        let width = info.width() as usize;
        for y in 0..info.height() as i32 {
            if is_unpacked_to_8_bit(info) {
                let mut row = vec![[0u8; 4]; width + ROW_SLACK_PX];
                part.unpack_row(y, &mut row).unwrap();
                let row = &row[..width];
                pixels.extend(row.iter().map(|pixel| pixel.map(|s| u16::from(s) * 257)));
            } else {
                let mut row = vec![[0u16; 4]; width + ROW_SLACK_PX];
                part.unpack_row(y, &mut row).unwrap();
                pixels.extend_from_slice(&row[..width]);
            }
        }
    });
    pixels
}

/// The samples of a component of a frame whose samples are bytes, row by row.
pub fn samples(buffer: &mut gst::Buffer, info: &VideoInfo, component: usize) -> Vec<f64> {
    let format = info.format_info();
    let (width, height) = (
        format.scale_width(component as u8, info.width()) as usize,
        format.scale_height(component as u8, info.height()) as usize,
    );
    map(buffer, info, |frame| {
        let stride = info.stride()[format.plane()[component] as usize] as usize;
        let plane = frame.plane_data(format.plane()[component]).unwrap();
        let at = |x: usize, y: usize| {
            let first = y * stride + format.poffset()[component] as usize;
            f64::from(plane[first + x * format.pixel_stride()[component] as usize])
        };
        let row = |y| (0..width).map(move |x| at(x, y));
        (0..height).flat_map(row).collect()
    })
}

pub fn bytes(buffer: &gst::Buffer) -> Vec<u8> {
    buffer.map_readable().unwrap().to_vec()
}

pub fn map<T>(
    buffer: &mut gst::Buffer,
    info: &VideoInfo,
    with: impl FnOnce(&mut Frame<'_>) -> T,
) -> T {
    let frame = VideoFrameRef::from_buffer_ref_writable(buffer.make_mut(), info);
    with(&mut frame.unwrap())
}

/// A buffer of `len` bytes that claims to hold a frame of such strides.
pub fn with_meta(info: &VideoInfo, stride: &[i32], len: usize) -> gst::Buffer {
    let mut buffer = gst::Buffer::from_mut_slice(vec![0u8; len]);
    let (width, height) = (info.width(), info.height());
    VideoMeta::add_full(
        buffer.get_mut().unwrap(),
        VideoFrameFlags::empty(),
        info.format(),
        width,
        height,
        info.offset(),
        stride,
    )
    .unwrap();
    buffer
}

fn whole<'a>(frame: &'a mut Frame<'_>) -> Part<'a> {
    let area = Area::around([0, 0, i32::MAX, i32::MAX], frame).unwrap();
    Part::new(frame, area)
}

fn is_unpacked_to_8_bit(info: &VideoInfo) -> bool {
    VideoFormatInfo::from_format(info.format_info().unpack_format()).bits() == 8
}

fn palette(format: VideoFormat) -> &'static [u8] {
    use glib::translate::IntoGlib;

    let mut len = 0;
    // SAFETY: GStreamer's palettes are constants, of that length.
    unsafe {
        let palette = ffi::gst_video_format_get_palette(format.into_glib(), &mut len);
        std::slice::from_raw_parts(palette.cast(), len)
    }
}
