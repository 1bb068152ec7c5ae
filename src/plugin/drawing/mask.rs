// SPDX-License-Identifier: MPL-2.0

//! Blend masks: bitmaps converted to the layout of a frame's planes. Blending is then the same for each
//! byte, whatever the format: keep a share of the byte that is there, and add another byte.

use gst_video::VideoInfo;

use super::placement::PixelRect;
use super::scale::Size;
use crate::video;
use attitude::frame::{ColorModel, Component, FrameError, Layout, MAX_PLANES};

/// Fraction bits of the fixed-point weights of the colour conversion.
const FRACTION_BITS: u32 = 16;

/// A kind of frames that masks can be made for: opaque, with one byte per component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target {
    layout: Layout,
}

/// A bitmap for frames of one kind, and for positions of one parity: with subsampled chroma, the parity
/// determines which pixels of the bitmap share a chroma sample.
#[derive(Debug)]
pub(super) struct Mask {
    target: Target,
    parity: (i32, i32),
    planes: [Plane; MAX_PLANES],
}

/// The part of a mask for one plane, row by row. Empty if the frames lack the plane.
#[derive(Debug, Default)]
struct Plane {
    row_bytes: usize,
    /// Share of each byte that is kept, of 255.
    kept: Vec<u8>,
    added: Vec<u8>,
}

/// Assignment of the bytes of a plane to pixels.
#[derive(Clone, Copy, Debug)]
struct Grid {
    shift_x: u32,
    shift_y: u32,
    /// Bytes per `1 << shift_x` pixels of a row.
    bytes: usize,
}

/// Bytes of a plane: `rows` rows from row `top` on, with `bytes` bytes from byte `left` on.
#[derive(Clone, Copy, Debug)]
struct Extent {
    top: usize,
    rows: usize,
    left: usize,
    bytes: usize,
}

/// Components of a pixel, premultiplied, and its opacity.
type Converted = [u8; 4];
const OPACITY: usize = 3;

impl Target {
    /// Returns the kind of the frames; `None` if masks do not support it.
    pub(super) fn of(info: &VideoInfo) -> Option<Self> {
        let format = info.format_info();
        let mut shifts = format.w_sub().iter().chain(format.h_sub());
        let is_bytes = format.depth().iter().all(|&bits| bits == 8)
            && format.pixel_stride().iter().all(|&bytes| bytes > 0)
            && shifts.all(|&shift| shift <= 1);
        // GStreamer 1.22 does not report that AV12 has alpha.
        let has_alpha = format.has_alpha() || format.n_components() > 3;
        let is_opaque = !has_alpha && !format.has_palette() && !format.is_tiled();
        (is_bytes && is_opaque).then(|| Self {
            layout: video::layout(info),
        })
    }

    fn components(&self) -> &[Component] {
        &self.layout.components[..self.layout.component_count()]
    }

    fn grid(&self, plane: usize) -> Option<Grid> {
        let components = self.components().iter();
        let coarsest = components
            .filter(|component| component.plane == plane)
            .max_by_key(|component| component.shift_x)?;
        Some(Grid {
            shift_x: coarsest.shift_x,
            shift_y: coarsest.shift_y,
            bytes: coarsest.pixel_stride,
        })
    }

    /// Returns the parity of a position; chroma samples cover at most two by two pixels.
    fn parity(&self, (x, y): (i32, i32)) -> (i32, i32) {
        let components = || self.components().iter();
        let mask_x: i32 = components().map(|c| c.shift_x as i32).max().unwrap_or(0);
        let mask_y: i32 = components().map(|c| c.shift_y as i32).max().unwrap_or(0);
        (x & mask_x, y & mask_y)
    }

    /// Returns the weights of premultiplied red, green, blue and opacity in each component.
    fn weights(&self) -> [[i32; 4]; 3] {
        let Layout {
            color,
            full_range,
            matrix,
            ..
        } = self.layout;
        let (kr, kb) = matrix.kr_kb();
        let luma = [kr, 1.0 - kr - kb, kb];
        let (scale, offset) = if full_range {
            (255.0, 0.0)
        } else {
            (219.0, 16.0)
        };
        let chroma_scale = if full_range { 255.0 } else { 224.0 };
        let of_luma = [luma[0] * scale, luma[1] * scale, luma[2] * scale, offset];
        let difference = |channel: usize| {
            let scale = chroma_scale / (2.0 * (1.0 - luma[channel]));
            let mut weights = luma.map(|share| -share * scale);
            weights[channel] += scale;
            [weights[0], weights[1], weights[2], 128.0]
        };
        let weights = match color {
            ColorModel::Rgb => [0, 1, 2].map(|channel| {
                let mut weights = [0.0; 4];
                weights[channel] = 255.0;
                weights
            }),
            ColorModel::Gray | ColorModel::Yuv => [of_luma, difference(2), difference(0)],
        };
        let one = (1 << FRACTION_BITS) as f32 / 255.0;
        weights.map(|weights| weights.map(|weight| (weight * one).round() as i32))
    }
}

impl Grid {
    /// Returns the number of pixels before a position of this parity in its first sample.
    fn skipped(&self, parity: (i32, i32)) -> (usize, usize) {
        let skipped = |parity: i32, shift: u32| (parity & ((1 << shift) - 1)) as usize;
        (
            skipped(parity.0, self.shift_x),
            skipped(parity.1, self.shift_y),
        )
    }

    fn extent(&self, place: PixelRect) -> Extent {
        let samples = |start: i32, end: i32, shift: u32| {
            let first = start.max(0) as usize >> shift;
            let end = (end.max(0) as usize).div_ceil(1 << shift);
            (first, end.saturating_sub(first))
        };
        let (top, rows) = samples(place.top, place.bottom, self.shift_y);
        let (column, columns) = samples(place.left, place.right, self.shift_x);
        Extent {
            top,
            rows,
            left: column * self.bytes,
            bytes: columns * self.bytes,
        }
    }
}

impl Mask {
    /// Converts `argb`, Cairo's premultiplied pixels of a bitmap of `size`, for positions with the parity
    /// of `at`.
    pub(super) fn new(target: Target, at: (i32, i32), argb: &[[u8; 4]], size: Size) -> Self {
        let parity = target.parity(at);
        let mut mask = Self {
            target,
            parity,
            planes: Default::default(),
        };
        let converted = converted(argb, target.weights());
        let rows = converted.chunks_exact(size.width_px as usize);
        for (index, component) in target.components().iter().enumerate() {
            let Some(grid) = target.grid(component.plane) else {
                continue;
            };
            let plane = &mut mask.planes[component.plane];
            if plane.row_bytes == 0 {
                *plane = Plane::new(grid.extent(PixelRect::at(parity, size)));
            }
            plane.put(component, index, rows.clone(), grid.skipped(parity));
        }
        mask
    }

    /// Returns `true` if the mask is for such frames and positions.
    pub(super) fn is_for(&self, target: Target, at: (i32, i32)) -> bool {
        self.target == target && self.parity == target.parity(at)
    }

    /// Blends the bitmap, or the top left part that fits, at `place` into plane `index` of a frame:
    /// `bytes` with rows `stride` apart.
    ///
    /// # Errors
    /// Fails if `place` ends beyond the plane.
    pub(super) fn blend(
        &self,
        index: usize,
        bytes: &mut [u8],
        stride: usize,
        place: PixelRect,
    ) -> Result<(), FrameError> {
        let (Some(plane), Some(grid)) = (self.planes.get(index), self.target.grid(index)) else {
            return Ok(());
        };
        let extent = grid.extent(place);
        let end = extent.left + extent.bytes;
        let needed = (extent.top + extent.rows).saturating_sub(1) * stride + end;
        if needed > bytes.len() || end > stride {
            return Err(FrameError::ShortPlane {
                plane: index,
                found: bytes.len(),
                needed,
            });
        }
        let rows = bytes.chunks_mut(stride).skip(extent.top).take(extent.rows);
        for (row, (kept, added)) in rows.zip(plane.rows()) {
            blend_row(&mut row[extent.left..end], kept, added);
        }
        Ok(())
    }
}

impl Plane {
    fn new(extent: Extent) -> Self {
        let len = extent.rows * extent.bytes;
        Self {
            row_bytes: extent.bytes,
            kept: vec![255; len],
            added: vec![0; len],
        }
    }

    fn rows(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let rows = |bytes| <[u8]>::chunks_exact(bytes, self.row_bytes);
        rows(&self.kept).zip(rows(&self.added))
    }

    /// Stores a component of the converted `rows` of a bitmap: for each sample the mean of the pixels
    /// that it covers; pixels beside the bitmap count as transparent. `skipped` is the number of pixels
    /// before the bitmap in a row and in a column.
    fn put<'a>(
        &mut self,
        component: &Component,
        index: usize,
        rows: impl Iterator<Item = &'a [Converted]>,
        skipped: (usize, usize),
    ) {
        let (shift_x, shift_y) = (component.shift_x, component.shift_y);
        let shift = shift_x + shift_y;
        let mean = |sum: u16| ((sum + (1 << shift >> 1)) >> shift) as u8;
        let mut sums = vec![[0u16; 2]; self.row_bytes / component.pixel_stride];
        let mut rows = rows.enumerate().peekable();
        for sample_row in 0..self.kept.len() / self.row_bytes {
            sums.fill([0; 2]);
            let is_covered = |(y, _): &(usize, _)| (y + skipped.1) >> shift_y == sample_row;
            while let Some((_, row)) = rows.next_if(is_covered) {
                for (x, pixel) in row.iter().enumerate() {
                    let [value, opacity] = &mut sums[(x + skipped.0) >> shift_x];
                    *value += u16::from(pixel[index]);
                    *opacity += u16::from(pixel[OPACITY]);
                }
            }
            let first = sample_row * self.row_bytes + component.offset;
            let bytes = (first..).step_by(component.pixel_stride);
            for (byte, &[value, opacity]) in bytes.zip(&sums) {
                self.added[byte] = mean(value);
                self.kept[byte] = 255 - mean(opacity);
            }
        }
    }
}

/// Converts Cairo's pixels to components and opacity.
fn converted(argb: &[[u8; 4]], weights: [[i32; 4]; 3]) -> Vec<Converted> {
    // Most pixels equal the one before.
    let mut last = ([0; 4], [0; 4]);
    let convert = |&pixel: &[u8; 4]| {
        if last.0 != pixel {
            let argb = u32::from_ne_bytes(pixel);
            let channels = [16, 8, 0, 24].map(|shift| argb >> shift & 0xFF);
            let weighted = |weights: [i32; 4]| {
                let products = channels.iter().zip(weights).map(|(&c, w)| c as i32 * w);
                let half = 1 << (FRACTION_BITS - 1);
                ((products.sum::<i32>() + half) >> FRACTION_BITS) as u8
            };
            let [c0, c1, c2] = weights.map(weighted);
            last = (pixel, [c0, c1, c2, channels[3] as u8]);
        }
        last.1
    };
    argb.iter().map(convert).collect()
}

fn blend_row(video: &mut [u8], kept: &[u8], added: &[u8]) {
    for (byte, (&kept, &added)) in video.iter_mut().zip(kept.iter().zip(added)) {
        // Divides by 255 with rounding; exact for all products of two bytes.
        let product = u16::from(*byte) * u16::from(kept) + 128;
        let share = (product + (product >> 8)) >> 8;
        *byte = (share as u8).saturating_add(added);
    }
}
