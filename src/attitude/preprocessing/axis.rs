// SPDX-License-Identifier: MPL-2.0

//! Scaling along one axis, with integer weights.

use std::ops::Range;

/// The sum of the weights of the pixels in an output value.
pub(super) const WEIGHT_SUM: u16 = 256;

/// The bytes of a pixel whose weighted sum is the value of the pixel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct ByteWeights {
    /// Number of bytes from one pixel to the next.
    pub pixel_stride: usize,
    /// Offset and weight of up to three bytes; unused ones have a weight of 0.
    pub bytes: [(usize, f64); 3],
    /// Sum of the weights.
    pub sum: f64,
}

impl ByteWeights {
    /// One byte per pixel, without padding.
    pub(super) const ONE_BYTE: Self = Self {
        pixel_stride: 1,
        bytes: [(0, 1.0), (0, 0.0), (0, 0.0)],
        sum: 1.0,
    };
}

/// Samples of pixels along one axis, whose means are output values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Samples {
    /// Position of the first sample, in pixels from the center of the first pixel.
    pub first: f32,
    /// Distance of two samples, in pixels; negative if the axis is mirrored.
    pub step: f32,
    /// Number of samples per output value.
    pub per_value: usize,
    /// `true` if a sample is the nearest pixel, `false` if it is interpolated between two.
    pub is_nearest: bool,
}

impl Samples {
    /// Returns the same samples in a component with a subsampling of 2^`shift`.
    pub(super) fn subsampled(self, shift: u32) -> Self {
        let pixels = (1 << shift) as f32;
        Self {
            first: (self.first + 0.5) / pixels - 0.5,
            step: self.step / pixels,
            ..self
        }
    }

    /// Adds an output value to `weights`. `len` is the number of pixels; samples outside of them are moved
    /// to the first or last one. `exact` is memory that is reused.
    fn add_weights(
        &self,
        index: usize,
        len: usize,
        weights: &mut PixelWeights,
        exact: &mut Vec<f64>,
    ) {
        let position = |sample: usize| {
            let position = self.first + (index * self.per_value + sample) as f32 * self.step;
            // The maximum of NaN and 0 is 0.
            f64::from(position.max(0.0).min((len - 1) as f32))
        };
        let (begin, end) = (position(0), position(self.per_value - 1));
        let first = begin.min(end) as usize;
        let last = (begin.max(end).ceil() as usize).min(len - 1);
        exact.clear();
        exact.resize(last - first + 1, 0.0);
        let weight = f64::from(WEIGHT_SUM) / self.per_value as f64;
        for position in (0..self.per_value).map(position) {
            let position = if self.is_nearest {
                position.round()
            } else {
                position
            };
            let before = position as usize;
            exact[before - first] += weight * (1.0 - position.fract());
            if before < last {
                exact[before + 1 - first] += weight * position.fract();
            }
        }
        // Cumulative sums are rounded instead of weights, so that the sum is exact; to even, so that a
        // mirrored axis has the same weights.
        let (mut sum, mut rounded) = (0.0f64, 0);
        let rounded = exact.iter().map(|weight| {
            sum += weight;
            let weight = sum.round_ties_even() as u16 - rounded;
            rounded += weight;
            weight
        });
        weights.push(first, rounded);
    }
}

/// Per output value, the first pixel and the weights of the pixels from it on.
#[derive(Debug, Default)]
struct PixelWeights {
    /// The first pixel of each value, and the end of its weights.
    values: Vec<(usize, usize)>,
    weights: Vec<u16>,
}

impl PixelWeights {
    fn clear(&mut self) {
        self.values.clear();
        self.weights.clear();
    }

    fn push(&mut self, first: usize, weights: impl IntoIterator<Item = u16>) {
        self.weights.extend(weights);
        self.values.push((first, self.weights.len()));
    }

    fn iter(&self) -> impl Iterator<Item = (usize, &[u16])> {
        let mut start = 0;
        self.values.iter().map(move |&(first, end)| {
            let weights = &self.weights[start..end];
            start = end;
            (first, weights)
        })
    }
}

/// Weights of the source's bytes in each output value along one axis: the bytes of a row or, for
/// the vertical axis, the rows of a plane. All output values have the same number of weights, some
/// of which may be 0.
#[derive(Debug, Default)]
pub(super) struct Axis {
    /// Number of source pixels.
    source_len: usize,
    /// Number of output values.
    output_len: usize,
    pixel: ByteWeights,
    /// The samples whose means are the output values; `None` if these are means of all pixels.
    samples: Option<Samples>,
    /// Number of bytes per output value if each value is the mean of the same number of bytes, all with
    /// the same weight, and no two values share a byte.
    bytes_per_mean: Option<usize>,
    /// Number of consecutive bytes that have a weight in an output value.
    taps: usize,
    /// The first byte of each output value.
    first_bytes: Vec<usize>,
    /// The weights of all output values, one value after the other.
    weights: Vec<u16>,
    /// Memory to compute the weights of samples without rounding.
    exact: Vec<f64>,
    /// Memory to compute the weights of pixels.
    pixel_weights: PixelWeights,
}

impl Axis {
    /// Computes the weights for `output_len` values from `source_len` pixels, whose values are
    /// given by `pixel`, unless they are up to date. Each value is the mean of `samples` or, if there are
    /// none, of its share of the source. The weights of a value add up to [`WEIGHT_SUM`] times the sum of
    /// `pixel`.
    pub(super) fn prepare(
        &mut self,
        source_len: usize,
        output_len: usize,
        pixel: ByteWeights,
        samples: Option<Samples>,
    ) {
        let arguments = (source_len, output_len, pixel, samples);
        if (self.source_len, self.output_len, self.pixel, self.samples) == arguments {
            return;
        }
        (self.source_len, self.output_len, self.pixel, self.samples) = arguments;
        let is_mean = pixel == ByteWeights::ONE_BYTE
            && samples.is_none()
            && source_len.is_multiple_of(output_len);
        self.bytes_per_mean = is_mean.then(|| source_len / output_len);
        self.pixel_weights.clear();
        for index in 0..output_len {
            let weights = &mut self.pixel_weights;
            match samples {
                Some(samples) => samples.add_weights(index, source_len, weights, &mut self.exact),
                None => add_weights_of_share(index, output_len, source_len, weights),
            }
        }
        self.set_weights();
    }

    /// Sets the weights of bytes from those of pixels.
    fn set_weights(&mut self) {
        let (pixel, pixels) = (self.pixel, &self.pixel_weights);
        let last_offset = pixel.bytes.iter().map(|byte| byte.0).max().unwrap_or(0);
        let len_in_bytes = |pixels: usize| (pixels - 1) * pixel.pixel_stride + last_offset + 1;
        let row_len = len_in_bytes(self.source_len);
        let max_pixels = pixels.iter().map(|(_, w)| w.len()).max().unwrap_or(1);
        let taps = len_in_bytes(max_pixels).next_multiple_of(LANES);
        self.taps = taps.min(row_len);
        self.first_bytes.clear();
        self.weights.clear();
        self.weights.resize(self.output_len * self.taps, 0);
        let values = pixels.iter().zip(self.weights.chunks_exact_mut(self.taps));
        for ((first_pixel, pixel_weights), weights) in values {
            // At the end of a row, the taps are moved back into the row.
            let pixel_start = first_pixel * pixel.pixel_stride;
            let first_byte = pixel_start.min(row_len - self.taps);
            self.first_bytes.push(first_byte);
            // Cumulative sums are rounded instead of weights, so that the sum is exact.
            let (mut sum, mut rounded) = (0.0, 0);
            for (index, &pixel_weight) in pixel_weights.iter().enumerate() {
                for (offset, byte_weight) in pixel.bytes {
                    sum += f64::from(pixel_weight) * byte_weight;
                    let weight = sum.round() as u32 - rounded;
                    rounded += weight;
                    let byte = pixel_start - first_byte + index * pixel.pixel_stride + offset;
                    weights[byte] += weight as u16;
                }
            }
        }
    }

    /// Returns the first byte of output value `index`, and the weights of the bytes from it on.
    #[inline]
    pub(super) fn weights_of(&self, index: usize) -> (usize, &[u16]) {
        (
            self.first_bytes[index],
            &self.weights[index * self.taps..][..self.taps],
        )
    }

    /// Returns the range of the bytes that have a weight in any output value.
    pub(super) fn bytes(&self) -> Range<usize> {
        let first = self.first_bytes.iter().min().copied().unwrap_or(0);
        let last = self.first_bytes.iter().max().copied().unwrap_or(0);
        first..last + self.taps
    }

    /// Replaces `scaled` with the output values, 0 to 255, of a row of `sums`, which are
    /// [`WEIGHT_SUM`] times the values of bytes.
    #[inline(always)]
    pub(super) fn apply(&self, sums: &[u16], scaled: &mut Vec<f32>) {
        // Common widths of frames are integer multiples of the detector's.
        match self.bytes_per_mean {
            Some(2) => return apply_means::<2>(sums, scaled),
            Some(3) => return apply_means::<3>(sums, scaled),
            Some(4) => return apply_means::<4>(sums, scaled),
            Some(6) => return apply_means::<6>(sums, scaled),
            _ => {}
        }
        // A constant number of taps is faster; these are common numbers.
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
            let sums = sums[start..].first_chunk::<TAPS>();
            let weights = weights.first_chunk::<TAPS>();
            sums.zip(weights)
                .map_or(0, |(sums, weights)| dot(sums, weights))
        });
    }

    /// Replaces `scaled` with the results of `sum_of` for the first byte and the weights of each
    /// output value.
    #[inline(always)]
    fn apply_with(&self, scaled: &mut Vec<f32>, sum_of: impl Fn(usize, &[u16]) -> u32) {
        let weight_sum = f64::from(WEIGHT_SUM);
        let unit = (1.0 / (weight_sum * weight_sum * self.pixel.sum)) as f32;
        let weights = self.weights.chunks_exact(self.taps);
        let values = self.first_bytes.iter().zip(weights);
        scaled.clear();
        scaled.extend(values.map(|(&start, weights)| sum_of(start, weights) as f32 * unit));
    }
}

/// Replaces `scaled` with the means, 0 to 255, of every `COUNT` of `sums`, which are [`WEIGHT_SUM`]
/// times the values.
#[inline(always)]
fn apply_means<const COUNT: usize>(sums: &[u16], scaled: &mut Vec<f32>) {
    let unit = 1.0 / (f32::from(WEIGHT_SUM) * COUNT as f32);
    let sum = |sums: &[u16; COUNT]| sums.iter().map(|&sum| u32::from(sum)).sum::<u32>();
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
fn product((&sum, &weight): (&u16, &u16)) -> u32 {
    u32::from(sum) * u32::from(weight)
}

/// Returns the sum of the products. It does not overflow, as `sums` are less than 2^16, and
/// weights add up to at most 2^16.
#[inline(always)]
fn dot<const TAPS: usize>(sums: &[u16; TAPS], weights: &[u16; TAPS]) -> u32 {
    let mut lanes = [0; LANES];
    for (index, pair) in sums.iter().zip(weights).enumerate() {
        lanes[index % LANES] += product(pair);
    }
    lanes.iter().sum()
}

/// Adds an output value to `weights`: the mean of the area that the value covers or, if the source is
/// enlarged, of the two pixels around its center.
fn add_weights_of_share(
    index: usize,
    output_len: usize,
    source_len: usize,
    weights: &mut PixelWeights,
) {
    let step = source_len as f64 / output_len as f64;
    if step > 1.0 {
        let (begin, end) = (index as f64 * step, (index + 1) as f64 * step);
        add_area(begin, end, source_len, weights);
    } else {
        add_bilinear((index as f64 + 0.5) * step - 0.5, source_len, weights);
    }
}

/// Adds the pixels that overlap [`begin`, `end`), with weights in proportion to the overlap. `len` is
/// the number of pixels.
fn add_area(begin: f64, end: f64, len: usize, weights: &mut PixelWeights) {
    let first = (begin as usize).min(len - 1);
    let after_last = (end.ceil() as usize).clamp(first + 1, len);
    // Cumulative sums are rounded instead of weights, so that the weights add up to `WEIGHT_SUM`.
    let weight_before = |position: f64| {
        let fraction = (position.clamp(begin, end) - begin) / (end - begin);
        (fraction * f64::from(WEIGHT_SUM)).round() as u16
    };
    let of_pixels =
        (first..after_last).map(|i| weight_before((i + 1) as f64) - weight_before(i as f64));
    weights.push(first, of_pixels);
}

/// Adds the two pixels around `position`; only one if the weight of the other is 0. `len` is the number
/// of pixels.
fn add_bilinear(position: f64, len: usize, weights: &mut PixelWeights) {
    let position = position.clamp(0.0, (len - 1) as f64);
    let first = position as usize;
    let second_weight = ((position - first as f64) * f64::from(WEIGHT_SUM)).round() as u16;
    let both = [WEIGHT_SUM - second_weight, second_weight];
    weights.push(first, both.into_iter().filter(|&weight| weight > 0));
}
