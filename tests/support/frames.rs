// SPDX-License-Identifier: MPL-2.0

//! Frames with a face.

use attitude::Label;
use gst_video::{VideoFormat, VideoFrame, VideoInfo};
use gstattitude::drawing::DEFAULT_COLORS;

use super::{AverageFace, init};

/// Size of the frames in pixels: the input size of `one-face.onnx`.
pub const WIDTH: u32 = 320;
pub const HEIGHT: u32 = 192;

/// Duration of a frame; a fifth of the default sample interval.
pub const FRAME: gst::ClockTime = gst::ClockTime::from_mseconds(40);

/// Lumas of a face that `brightness.onnx` classifies as each attitude.
pub const POSITIVE: u8 = 215;
pub const NEUTRAL: u8 = 126;
pub const NEGATIVE: u8 = 35;

/// Returns the description of video at 25 frames per second.
pub fn info(format: VideoFormat, width: u32, height: u32) -> VideoInfo {
    init();
    VideoInfo::builder(format, width, height)
        .fps(gst::Fraction::new(25, 1))
        .build()
        .unwrap()
}

/// Foreground of a frame with a gray background.
pub trait Picture {
    /// Returns the luma of a pixel; `None` for the background.
    fn luma(&self, x: u32, y: u32) -> Option<u8>;
}

/// A square around the box in which `one-face.onnx` detects a face. It has waves around one luma,
/// as a face without contrast has a low quality.
pub struct Patch(pub u8);

/// Length of the waves of a [`Patch`] in pixels, with which the sharpness is best; the box is a
/// multiple of it.
const WAVELENGTH_PX: u32 = 12;
/// Amplitude of the waves in each direction; limited-range luma does not exceed its range.
const AMPLITUDE: f32 = 9.0;

impl Picture for Patch {
    fn luma(&self, x: u32, y: u32) -> Option<u8> {
        let wave = |position: u32| {
            let phase = (position % WAVELENGTH_PX) as f32 / WAVELENGTH_PX as f32;
            AMPLITUDE * (std::f32::consts::TAU * phase).sin()
        };
        let is_inside = (56..120).contains(&x) && (24..88).contains(&y);
        is_inside.then(|| (f32::from(self.0) + wave(x) + wave(y)).round() as u8)
    }
}

/// An average face, scaled to a square.
pub struct Portrait {
    face: AverageFace,
    left: u32,
    top: u32,
    side: u32,
}

impl Portrait {
    /// Places the average face of `attitude` in a square of `side` pixels.
    pub fn new(attitude: &str, left: u32, top: u32, side: u32) -> Self {
        Self {
            face: AverageFace::load(attitude),
            left,
            top,
            side,
        }
    }
}

impl Picture for Portrait {
    fn luma(&self, x: u32, y: u32) -> Option<u8> {
        let column = x.checked_sub(self.left).filter(|&c| c < self.side)?;
        let row = y.checked_sub(self.top).filter(|&r| r < self.side)?;
        let source = |position: u32| (position as usize) * self.face.side / self.side as usize;
        let [r, g, b] = self.face.pixel(source(column), source(row)).map(u32::from);
        Some(((299 * r + 587 * g + 114 * b) / 1000) as u8)
    }
}

/// Returns a frame with `picture` on a gray background, in any format with one byte per component.
pub fn frame(info: &VideoInfo, picture: &dyn Picture) -> gst::Buffer {
    let mut buffer = gst::Buffer::with_size(info.size()).unwrap();
    buffer.get_mut().unwrap().memset(.., 128).unwrap();
    let mut frame = VideoFrame::from_buffer_writable(buffer, info).unwrap();
    let format = info.format_info();
    for component in 0..if info.is_rgb() { 3 } else { 1 } {
        let plane = format.plane()[component];
        let pixel_stride = format.pixel_stride()[component] as usize;
        let offset = format.poffset()[component] as usize;
        let stride = info.stride()[plane as usize] as usize;
        let data = frame.plane_data_mut(plane).unwrap();
        for y in 0..info.height() {
            for x in 0..info.width() {
                if let Some(luma) = picture.luma(x, y) {
                    data[y as usize * stride + x as usize * pixel_stride + offset] = luma;
                }
            }
        }
    }
    frame.into_buffer()
}

/// Returns all bytes of a buffer.
pub fn bytes(buffer: &gst::BufferRef) -> Vec<u8> {
    buffer.map_readable().unwrap().to_vec()
}

/// Returns red, green and blue of the overlay of faces with an attitude.
pub fn overlay_color(attitude: &str) -> [u8; 3] {
    let label = Label::from_name(attitude).unwrap();
    let [_, red, green, blue] = DEFAULT_COLORS[label].to_be_bytes();
    [red, green, blue]
}
