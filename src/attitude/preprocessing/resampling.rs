// SPDX-License-Identifier: MPL-2.0

//! Scaling of a frame to a detector's input.

use super::letterbox::Letterbox;
use super::pixel::{Channels, LUMA_SHARES, Pixel, PixelFormat, needed_layout};
use crate::frame::{ColorModel, Frame, Layout, MAX_PLANES};

/// Scales frames to a detector's input. Tables and memory are reused for the next frame.
#[derive(Debug, Default)]
pub struct Resampler {
    /// Indexed by the binary logarithm of the subsampling: of luma or packed pixels, and of chroma.
    rows: [Axis; 3],
    /// Indexed by the scaled channel.
    columns: [Axis; 3],
    /// One row per plane: the weighted sum of the rows that an output row covers.
    sums: [Vec<u16>; MAX_PLANES],
    /// One output row per channel.
    scaled: [Vec<f32>; 3],
}

impl Resampler {
    /// Scales `frame` to `tensor`, which has `format.len(input_width, input_height)` elements, at
    /// the position in `letterbox`. Each pixel is the mean of the area that it covers or, if the
    /// frame is enlarged, a bilinear interpolation.
    ///
    /// # Panics
    /// Panics if `tensor` has another length.
    pub fn scale(
        &mut self,
        frame: &Frame,
        letterbox: &Letterbox,
        format: &PixelFormat,
        tensor: &mut [f32],
    ) {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            // SAFETY: The processor supports the features that the function is compiled for.
            return unsafe { self.scale_with_avx2(frame, letterbox, format, tensor) };
        }
        self.scale_as_is(frame, letterbox, format, tensor);
    }

    /// The same as `scale_as_is`, compiled for vectors of 256 bits instead of 128.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn scale_with_avx2(
        &mut self,
        frame: &Frame,
        letterbox: &Letterbox,
        format: &PixelFormat,
        tensor: &mut [f32],
    ) {
        self.scale_as_is(frame, letterbox, format, tensor);
    }

    #[inline(always)]
    fn scale_as_is(
        &mut self,
        frame: &Frame,
        letterbox: &Letterbox,
        format: &PixelFormat,
        tensor: &mut [f32],
    ) {
        let size = (letterbox.input_width, letterbox.input_height);
        assert_eq!(tensor.len(), format.len(size.0, size.1));
        let mut layout = needed_layout(frame.layout(), format.channels);
        let components = layout.components;
        let components = &components[..layout.component_count()];
        for component in components {
            let shift = component.shift_y as usize;
            let height = frame.height().div_ceil(1 << shift);
            self.rows[shift].prepare(height, letterbox.content_height, Mix::plain());
        }
        let (mixes, mix_count) = mixes(&layout, format.channels);
        let mixes = &mixes[..mix_count];
        if mix_count < components.len() {
            // Scaling converts the colours to luma.
            layout.color = ColorModel::Gray;
        }
        for ((columns, mix), component) in self.columns.iter_mut().zip(mixes).zip(components) {
            let width = frame.width().div_ceil(1 << component.shift_x);
            columns.prepare(width, letterbox.content_width, *mix);
        }
        for y in 0..letterbox.content_height {
            for (index, component) in components.iter().enumerate() {
                let is_first_of_plane = components[..index]
                    .iter()
                    .all(|other| other.plane != component.plane);
                if is_first_of_plane {
                    let taps = self.rows[component.shift_y as usize].taps(y);
                    add_up_rows(
                        frame,
                        component.plane,
                        taps,
                        &mut self.sums[component.plane],
                    );
                }
            }
            let channels = self.columns.iter().zip(&mut self.scaled);
            for ((columns, scaled), component) in channels.zip(components).take(mix_count) {
                columns.apply(&self.sums[component.plane], scaled);
            }
            self.write_row(&layout, format, y, size, tensor);
        }
        let black = Pixel::Luma(0.0);
        for y in 0..size.1 {
            let start = if y < letterbox.content_height {
                letterbox.content_width
            } else {
                0
            };
            for x in start..size.0 {
                format.put(tensor, size, (x, y), black);
            }
        }
    }

    #[inline(always)]
    fn write_row(
        &self,
        layout: &Layout,
        format: &PixelFormat,
        y: usize,
        size: (usize, usize),
        tensor: &mut [f32],
    ) {
        let [c0, c1, c2] = &self.scaled;
        if layout.color != ColorModel::Gray {
            for (x, ((&c0, &c1), &c2)) in c0.iter().zip(c1).zip(c2).enumerate() {
                let pixel = Pixel::from_components(layout, [c0, c1, c2]);
                format.put(tensor, size, (x, y), pixel);
            }
        } else if format.channels == Channels::Luma {
            let (mean, scale) = (format.mean[0], format.scale[0]);
            for (value, &luma) in tensor[y * size.0..].iter_mut().zip(c0) {
                *value = (layout.to_full_range(luma) - mean) * scale;
            }
        } else {
            for (x, &luma) in c0.iter().enumerate() {
                let pixel = Pixel::Luma(layout.to_full_range(luma));
                format.put(tensor, size, (x, y), pixel);
            }
        }
    }
}

/// The weighted bytes of a pixel that form a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Mix {
    /// Number of bytes from one pixel to the next.
    pixel_stride: usize,
    /// Offset and weight of up to three bytes.
    parts: [(usize, f64); 3],
    /// Sum of the weights.
    total: f64,
}

impl Mix {
    /// Creates a mix of one byte per pixel.
    const fn plain() -> Self {
        Self {
            pixel_stride: 1,
            parts: [(0, 1.0), (0, 0.0), (0, 0.0)],
            total: 1.0,
        }
    }
}

/// Returns the channels to scale and their number: one per component, or only luma if packed RGB is
/// converted to luma.
fn mixes(layout: &Layout, channels: Channels) -> ([Mix; 3], usize) {
    let components = &layout.components;
    if channels == Channels::Luma && layout.is_packed_rgb() {
        let luma = Mix {
            pixel_stride: components[0].pixel_stride,
            parts: std::array::from_fn(|i| (components[i].offset, LUMA_SHARES[i] * 256.0)),
            total: 256.0,
        };
        return ([luma; 3], 1);
    }
    let mixes = components.map(|component| Mix {
        pixel_stride: component.pixel_stride,
        parts: [(component.offset, 1.0), (0, 0.0), (0, 0.0)],
        total: 1.0,
    });
    (mixes, layout.component_count())
}

/// Replaces `sums` by the weighted sum of rows of a plane. The weights add up to 256, so that sums
/// fit into 16 bits, and 128-bit vector registers hold eight of them.
#[inline(always)]
fn add_up_rows(
    frame: &Frame,
    plane: usize,
    (start, weights): (usize, &[u16]),
    sums: &mut Vec<u16>,
) {
    let mut rows = weights
        .iter()
        .enumerate()
        .filter(|(_, weight)| **weight > 0)
        .map(|(offset, &weight)| (frame.plane_row(plane, start + offset), weight));
    sums.clear();
    if let Some((row, weight)) = rows.next() {
        sums.extend(row.iter().map(|&byte| u16::from(byte) * weight));
    }
    // Two rows at once halve the loads and stores of the sums.
    while let Some((row, weight)) = rows.next() {
        let Some((next_row, next_weight)) = rows.next() else {
            for (sum, &byte) in sums.iter_mut().zip(row) {
                *sum += u16::from(byte) * weight;
            }
            return;
        };
        for ((sum, &byte), &next_byte) in sums.iter_mut().zip(row).zip(next_row) {
            *sum += u16::from(byte) * weight + u16::from(next_byte) * next_weight;
        }
    }
}

/// Weights of the input bytes for each output sample along one axis. All samples have the same
/// number of weights, some of which may be 0.
#[derive(Debug, Default)]
struct Axis {
    from: usize,
    to: usize,
    mix: Mix,
    taps: usize,
    starts: Vec<usize>,
    weights: Vec<u16>,
}

impl Axis {
    /// Computes the table from `from` pixels to `to` samples, unless it is up to date. The weights
    /// of a sample add up to 256 times the total of `mix`.
    fn prepare(&mut self, from: usize, to: usize, mix: Mix) {
        if (self.from, self.to, self.mix) == (from, to, mix) {
            return;
        }
        (self.from, self.to, self.mix) = (from, to, mix);
        let step = from as f64 / to as f64;
        let pixels: Vec<(usize, Vec<u16>)> = (0..to)
            .map(|index| {
                if step > 1.0 {
                    area(index as f64 * step, (index + 1) as f64 * step, from)
                } else {
                    bilinear((index as f64 + 0.5) * step - 0.5, from)
                }
            })
            .collect();
        let last_offset = mix.parts.iter().map(|part| part.0).max().unwrap_or(0);
        let row_len = (from - 1) * mix.pixel_stride + last_offset + 1;
        let most_pixels = pixels.iter().map(|(_, w)| w.len()).max().unwrap_or(1);
        let taps = (most_pixels - 1) * mix.pixel_stride + last_offset + 1;
        self.taps = taps.next_multiple_of(LANES).min(row_len);
        self.starts.clear();
        self.weights.clear();
        self.weights.resize(to * self.taps, 0);
        for ((first_pixel, shares), weights) in
            pixels.iter().zip(self.weights.chunks_exact_mut(self.taps))
        {
            // At the end of a row, the taps are shifted back into it.
            let first_byte = first_pixel * mix.pixel_stride;
            let start = first_byte.min(row_len - self.taps);
            self.starts.push(start);
            // Cumulative sums are rounded instead of weights, so that the total is exact.
            let (mut total, mut rounded) = (0.0, 0);
            for (pixel, &share) in shares.iter().enumerate() {
                for (offset, part) in mix.parts {
                    total += f64::from(share) * part;
                    let weight = total.round() as u32 - rounded;
                    rounded += weight;
                    let byte = first_byte - start + pixel * mix.pixel_stride + offset;
                    weights[byte] += weight as u16;
                }
            }
        }
    }

    /// Returns the first input byte of output sample `index`, and the weights from that byte on.
    fn taps(&self, index: usize) -> (usize, &[u16]) {
        (
            self.starts[index],
            &self.weights[index * self.taps..][..self.taps],
        )
    }

    /// Returns the number of bytes per output sample if each sample is the plain mean of the same
    /// number of bytes, without overlap.
    fn whole_step(&self) -> Option<usize> {
        let is_whole = self.mix == Mix::plain() && self.from.is_multiple_of(self.to);
        is_whole.then(|| self.from / self.to)
    }

    /// Replaces `scaled` by the output samples, 0 to 255, of a row of `sums`, which are 256 times
    /// the value.
    #[inline(always)]
    fn apply(&self, sums: &[u16], scaled: &mut Vec<f32>) {
        // Common widths are integer multiples of the detector's, so that the areas of samples do
        // not overlap.
        match self.whole_step() {
            Some(2) => return apply_means::<2>(sums, scaled),
            Some(3) => return apply_means::<3>(sums, scaled),
            Some(4) => return apply_means::<4>(sums, scaled),
            Some(6) => return apply_means::<6>(sums, scaled),
            _ => {}
        }
        // A constant number of taps is 1.6 times as fast; these are the common numbers.
        match self.taps {
            4 => self.apply_taps::<4>(sums, scaled),
            8 => self.apply_taps::<8>(sums, scaled),
            12 => self.apply_taps::<12>(sums, scaled),
            16 => self.apply_taps::<16>(sums, scaled),
            20 => self.apply_taps::<20>(sums, scaled),
            24 => self.apply_taps::<24>(sums, scaled),
            taps => self.apply_with(scaled, |start, weights| {
                let products = std::iter::zip(&sums[start..start + taps], weights).map(product);
                products.sum()
            }),
        }
    }

    #[inline(always)]
    fn apply_taps<const TAPS: usize>(&self, sums: &[u16], scaled: &mut Vec<f32>) {
        self.apply_with(scaled, |start, weights| {
            let samples = sums[start..].first_chunk::<TAPS>();
            let weights = weights.first_chunk::<TAPS>();
            samples
                .zip(weights)
                .map_or(0, |(samples, weights)| dot(samples, weights))
        });
    }

    /// Replaces `scaled` by the results of `sum_of` for the first byte and the weights of each
    /// sample.
    #[inline(always)]
    fn apply_with(&self, scaled: &mut Vec<f32>, sum_of: impl Fn(usize, &[u16]) -> u32) {
        let unit = (1.0 / (65536.0 * self.mix.total)) as f32;
        let weights = self.weights.chunks_exact(self.taps);
        let samples = self.starts.iter().zip(weights);
        scaled.clear();
        scaled.extend(samples.map(|(&start, weights)| sum_of(start, weights) as f32 * unit));
    }
}

/// Replaces `scaled` by the means, 0 to 255, of each `STEP` sums, which are 256 times the value.
#[inline(always)]
fn apply_means<const STEP: usize>(sums: &[u16], scaled: &mut Vec<f32>) {
    let unit = 1.0 / (256.0 * STEP as f32);
    let sum = |sums: &[u16; STEP]| sums.iter().map(|&sum| u32::from(sum)).sum::<u32>();
    scaled.clear();
    scaled.extend(
        sums.as_chunks()
            .0
            .iter()
            .map(|sums| sum(sums) as f32 * unit),
    );
}

/// Number of products that are computed in parallel.
const LANES: usize = 4;

#[inline(always)]
fn product((&sample, &weight): (&u16, &u16)) -> u32 {
    u32::from(sample) * u32::from(weight)
}

/// Returns the sum of the products. It does not overflow, since the weights add up to at most
/// 65536.
#[inline(always)]
fn dot<const TAPS: usize>(samples: &[u16; TAPS], weights: &[u16; TAPS]) -> u32 {
    let mut sums = [0; LANES];
    for (index, pair) in samples.iter().zip(weights).enumerate() {
        sums[index % LANES] += product(pair);
    }
    sums.iter().sum()
}

/// Returns the first sample and the weights of the samples by their share of [`begin`, `end`).
fn area(begin: f64, end: f64, samples: usize) -> (usize, Vec<u16>) {
    let start = (begin as usize).min(samples - 1);
    let stop = (end.ceil() as usize).clamp(start + 1, samples);
    // Cumulative sums are rounded instead of weights, so that the weights add up to 256.
    let total = |position: f64| {
        ((position.clamp(begin, end) - begin) / (end - begin) * 256.0).round() as u16
    };
    let mut weights: Vec<u16> = (start..stop)
        .map(|i| total((i + 1) as f64) - total(i as f64))
        .collect();
    let missing = 256 - weights.iter().sum::<u16>();
    weights[stop - start - 1] += missing;
    (start, weights)
}

/// Returns the first of the two samples around `position`, and the weights of both.
fn bilinear(position: f64, samples: usize) -> (usize, Vec<u16>) {
    let position = position.clamp(0.0, (samples - 1) as f64);
    let start = position as usize;
    let second = ((position - start as f64) * 256.0).round() as u16;
    if second == 0 {
        (start, vec![256])
    } else {
        (start, vec![256 - second, second])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preprocessing::{InputSize, TensorLayout};

    fn scale(frame: &Frame, letterbox: &Letterbox, format: &PixelFormat) -> Vec<f32> {
        let len = format.len(letterbox.input_width, letterbox.input_height);
        let mut tensor = vec![f32::NAN; len];
        Resampler::default().scale(frame, letterbox, format, &mut tensor);
        tensor
    }

    #[test]
    fn halving_takes_the_mean_of_four_pixels_and_pads_with_black() {
        let frame = Frame::from_luma(4, 2, &[0, 10, 20, 30, 40, 50, 60, 70]).unwrap();
        let size = InputSize::Fixed {
            width: 2,
            height: 2,
        };
        let letterbox = Letterbox::new((4, 2), 1.0, size, 0);
        assert_eq!(
            scale(&frame, &letterbox, &PixelFormat::LUMA),
            [25.0, 45.0, 0.0, 0.0]
        );
    }

    #[test]
    fn a_constant_picture_stays_constant_at_any_ratio() {
        for (from, to) in [(7, 3), (640, 320), (1281, 320), (1999, 320), (5, 32)] {
            let luma = vec![200; from * from];
            let frame = Frame::from_luma(from, from, &luma).unwrap();
            let size = InputSize::Fixed {
                width: to,
                height: to,
            };
            let letterbox = Letterbox::new((from, from), 1.0, size, 0);
            let tensor = scale(&frame, &letterbox, &PixelFormat::LUMA);
            assert!(tensor.iter().all(|&v| v == 200.0), "{from} to {to}");
        }
    }

    #[test]
    fn channel_order_mean_and_scale_follow_the_format() {
        let frame = Frame::from_rgb(2, 1, &[255, 0, 127, 0, 0, 127]).unwrap();
        let size = InputSize::Fixed {
            width: 2,
            height: 1,
        };
        let letterbox = Letterbox::new((2, 1), 1.0, size, 0);
        let bgr = PixelFormat {
            channels: Channels::Bgr,
            mean: [127.0; 3],
            scale: [1.0 / 128.0; 3],
            ..PixelFormat::LUMA
        };
        let planar = scale(&frame, &letterbox, &bgr);
        assert_eq!(planar, [0.0, 0.0, -0.9921875, -0.9921875, 1.0, -0.9921875]);
        let interleaved = PixelFormat {
            layout: TensorLayout::Nhwc,
            ..bgr
        };
        let nhwc = scale(&frame, &letterbox, &interleaved);
        assert_eq!(nhwc, [0.0, -0.9921875, 1.0, 0.0, -0.9921875, -0.9921875]);
        let luma = scale(&frame, &letterbox, &PixelFormat::LUMA);
        assert!((luma[0] - (0.299 * 255.0 + 0.114 * 127.0)).abs() < 0.01);
    }
}
