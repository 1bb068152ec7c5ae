// SPDX-License-Identifier: MPL-2.0

//! Blend masks: bitmaps converted to the layout of a frame's planes. Blending is then the same for
//! each byte of a frame in any format: it keeps a fraction of the byte, and adds another byte.

use gst_video::VideoInfo;

use super::placement::PixelRect;
use super::scale::Size;
use crate::video;
use attitude::frame::{ColorModel, Component, FrameError, Layout, MAX_PLANES};

/// Fraction bits of the fixed-point weights of the color conversion.
const FRACTION_BITS: u32 = 16;

/// Format of frames that masks support: opaque, with one byte per component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MaskFormat {
    layout: Layout,
}

/// A bitmap for frames of one format, and for positions of one parity: with subsampled chroma, the
/// parity determines which pixels of the bitmap share a chroma sample.
#[derive(Debug)]
pub(super) struct Mask {
    format: MaskFormat,
    parity: (i32, i32),
    planes: [MaskPlane; MAX_PLANES],
}

/// The part of a mask for one plane, row by row. Empty if the frames lack the plane.
#[derive(Debug, Default)]
struct MaskPlane {
    row_bytes: usize,
    /// Fraction of each byte of the frame that is kept, in 255ths.
    kept: Vec<u8>,
    /// Value that is added to each byte.
    added: Vec<u8>,
}

/// Sampling of a plane: a sample covers `1 << shift_x` by `1 << shift_y` pixels.
#[derive(Clone, Copy, Debug)]
struct PlaneSampling {
    shift_x: u32,
    shift_y: u32,
    sample_bytes: usize,
}

/// A rectangle of bytes in a plane.
#[derive(Clone, Copy, Debug)]
struct PlaneArea {
    first_row: usize,
    rows: usize,
    /// Offset of the first byte in a row.
    first_byte: usize,
    /// Number of bytes of a row.
    row_bytes: usize,
}

/// A pixel of a bitmap in the color model of the frames: its components, premultiplied, and its
/// opacity.
type ConvertedPixel = [u8; 4];
/// Index of the opacity in a pixel.
const OPACITY: usize = 3;

impl MaskFormat {
    /// Returns the format of frames that `info` describes; `None` if masks do not support it.
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

    /// Returns the sampling of a plane; `None` if the frames lack the plane.
    fn sampling(&self, plane: usize) -> Option<PlaneSampling> {
        let components = self.components().iter();
        let coarsest = components
            .filter(|component| component.plane == plane)
            .max_by_key(|component| component.shift_x)?;
        Some(PlaneSampling {
            shift_x: coarsest.shift_x,
            shift_y: coarsest.shift_y,
            sample_bytes: coarsest.pixel_stride,
        })
    }

    /// Returns the position of a pixel in its chroma sample, which covers at most two by two
    /// pixels.
    fn parity(&self, (x, y): (i32, i32)) -> (i32, i32) {
        let components = || self.components().iter();
        let max_x: i32 = components().map(|c| c.shift_x as i32).max().unwrap_or(0);
        let max_y: i32 = components().map(|c| c.shift_y as i32).max().unwrap_or(0);
        (x & max_x, y & max_y)
    }

    /// Returns the weights of premultiplied red, green, blue and opacity in each component, in
    /// fixed point with [`FRACTION_BITS`].
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
            let mut weights = luma.map(|weight| -weight * scale);
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
        let unit = (1 << FRACTION_BITS) as f32 / 255.0;
        weights.map(|weights| weights.map(|weight| (weight * unit).round() as i32))
    }
}

impl PlaneSampling {
    /// Returns the number of pixels before a position of this parity in its sample, in a row and in
    /// a column.
    fn skipped_px(&self, parity: (i32, i32)) -> (usize, usize) {
        let skipped_px = |parity: i32, shift: u32| (parity & ((1 << shift) - 1)) as usize;
        (
            skipped_px(parity.0, self.shift_x),
            skipped_px(parity.1, self.shift_y),
        )
    }

    /// Returns the bytes of the samples that cover `rect`.
    fn area(&self, rect: PixelRect) -> PlaneArea {
        let samples = |start: i32, end: i32, shift: u32| {
            let first = start.max(0) as usize >> shift;
            let end = (end.max(0) as usize).div_ceil(1 << shift);
            (first, end.saturating_sub(first))
        };
        let (first_row, rows) = samples(rect.top_px, rect.bottom_px, self.shift_y);
        let (first_column, columns) = samples(rect.left_px, rect.right_px, self.shift_x);
        PlaneArea {
            first_row,
            rows,
            first_byte: first_column * self.sample_bytes,
            row_bytes: columns * self.sample_bytes,
        }
    }
}

impl Mask {
    /// Converts `argb`, Cairo's premultiplied pixels of a bitmap of `size`, for positions with the
    /// parity of `position`, x and y in pixels.
    pub(super) fn new(
        format: MaskFormat,
        position: (i32, i32),
        argb: &[[u8; 4]],
        size: Size,
    ) -> Self {
        let parity = format.parity(position);
        let mut mask = Self {
            format,
            parity,
            planes: Default::default(),
        };
        let converted = convert_pixels(argb, format.weights());
        let rows = converted.chunks_exact(size.width_px as usize);
        for (index, component) in format.components().iter().enumerate() {
            let Some(sampling) = format.sampling(component.plane) else {
                continue;
            };
            let plane = &mut mask.planes[component.plane];
            if plane.row_bytes == 0 {
                *plane = MaskPlane::new(sampling.area(PixelRect::new(parity, size)));
            }
            plane.store(component, index, rows.clone(), sampling.skipped_px(parity));
        }
        mask
    }

    /// Returns `true` if the mask is for this format and positions with the parity of `position`.
    pub(super) fn is_for(&self, format: MaskFormat, position: (i32, i32)) -> bool {
        self.format == format && self.parity == format.parity(position)
    }

    /// Blends the bitmap, or the top left part of it that fits, into `rect` of plane `index` of a
    /// frame. The plane is `bytes`; its rows start `stride` bytes apart.
    ///
    /// # Errors
    /// Returns an error if `rect` ends beyond the plane.
    pub(super) fn blend(
        &self,
        index: usize,
        bytes: &mut [u8],
        stride: usize,
        rect: PixelRect,
    ) -> Result<(), FrameError> {
        let (Some(plane), Some(sampling)) = (self.planes.get(index), self.format.sampling(index))
        else {
            return Ok(());
        };
        let area = sampling.area(rect);
        let end = area.first_byte + area.row_bytes;
        let needed = (area.first_row + area.rows).saturating_sub(1) * stride + end;
        if needed > bytes.len() || end > stride {
            return Err(FrameError::ShortPlane {
                plane: index,
                found: bytes.len(),
                needed,
            });
        }
        let rows = bytes.chunks_mut(stride);
        let rows = rows.skip(area.first_row).take(area.rows);
        for (row, (kept, added)) in rows.zip(plane.rows()) {
            blend_row(&mut row[area.first_byte..end], kept, added);
        }
        Ok(())
    }
}

impl MaskPlane {
    /// Creates a transparent mask of the size of `area`.
    fn new(area: PlaneArea) -> Self {
        let len = area.rows * area.row_bytes;
        Self {
            row_bytes: area.row_bytes,
            kept: vec![255; len],
            added: vec![0; len],
        }
    }

    /// Returns `kept` and `added` of each row.
    fn rows(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let rows = |bytes| <[u8]>::chunks_exact(bytes, self.row_bytes);
        rows(&self.kept).zip(rows(&self.added))
    }

    /// Stores component `index` of the converted `rows` of a bitmap: for each sample the mean of
    /// the pixels that it covers; pixels beside the bitmap count as transparent. `skipped_px` is
    /// the number of pixels before the bitmap in a row and in a column.
    fn store<'a>(
        &mut self,
        component: &Component,
        index: usize,
        rows: impl Iterator<Item = &'a [ConvertedPixel]>,
        skipped_px: (usize, usize),
    ) {
        let (shift_x, shift_y) = (component.shift_x, component.shift_y);
        let shift = shift_x + shift_y;
        let mean = |sum: u16| ((sum + (1 << shift >> 1)) >> shift) as u8;
        let mut sums = vec![[0u16; 2]; self.row_bytes / component.pixel_stride];
        let mut rows = rows.enumerate().peekable();
        for sample_row in 0..self.kept.len() / self.row_bytes {
            sums.fill([0; 2]);
            let is_covered = |(y, _): &(usize, _)| (y + skipped_px.1) >> shift_y == sample_row;
            while let Some((_, row)) = rows.next_if(is_covered) {
                for (x, pixel) in row.iter().enumerate() {
                    let [value, opacity] = &mut sums[(x + skipped_px.0) >> shift_x];
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

/// Converts Cairo's premultiplied pixels with the weights of [`MaskFormat::weights`].
fn convert_pixels(argb: &[[u8; 4]], weights: [[i32; 4]; 3]) -> Vec<ConvertedPixel> {
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

/// Blends a row of a mask into a row of a frame.
fn blend_row(frame: &mut [u8], kept: &[u8], added: &[u8]) {
    for (byte, (&kept, &added)) in frame.iter_mut().zip(kept.iter().zip(added)) {
        // Divides by 255 with rounding; exact for all products of two bytes.
        let product = u16::from(*byte) * u16::from(kept) + 128;
        let kept = (product + (product >> 8)) >> 8;
        *byte = (kept as u8).saturating_add(added);
    }
}
