// SPDX-License-Identifier: MPL-2.0

//! Sampling of a frame at the pixels of a crop.

use crate::frame::{Channel, Frame};
use crate::geometry::{Point, Similarity};
use crate::preprocessing::{Channels, LUMA_WEIGHTS, Samples};

/// Maximum number of samples along each side of a crop pixel, which bounds the work. Faces with
/// more frame pixels per crop pixel are subsampled.
const MAX_SAMPLES_PER_SIDE: usize = 4;

/// Minimum number of samples along each side of a crop pixel with which each sample is the nearest
/// frame pixel instead of a bilinear interpolation. With so many samples per mean, the results
/// hardly differ.
const MIN_NEAREST_SAMPLES_PER_SIDE: usize = 3;

/// Maximum step between samples, in samples of the channel, with which they are dense: reading all of
/// the frame between them takes less time than reading each sample.
const MAX_DENSE_STEP: f32 = 2.0;

/// Number of samples that are computed in parallel: a multiple of each number of samples per side.
const CHUNK: usize = 48;

/// Reads the values of a channel: one byte per pixel, or the weighted sum of several.
pub(super) struct ChannelReader<'a, const BYTES: usize> {
    channel: Channel<'a>,
    /// The samples of the channel, and the bytes that follow each by the same distance.
    bytes: [&'a [u8]; BYTES],
    /// Weight of each byte; the sum is 1.
    weights: [f32; BYTES],
}

impl<'a> ChannelReader<'a, 1> {
    /// Creates a reader of the samples of `channel`.
    pub(super) const fn new(channel: Channel<'a>) -> Self {
        Self {
            channel,
            bytes: [channel.data],
            weights: [1.0],
        }
    }
}

impl<'a> ChannelReader<'a, 3> {
    /// Creates a reader of the luma of `frame`, or returns `None` if the frame is not packed RGB or
    /// more than luma is needed.
    pub(super) fn luma_of_packed_rgb(frame: &Frame<'a>, channels: Channels) -> Option<Self> {
        if channels != Channels::Luma || !frame.layout().is_packed_rgb() {
            return None;
        }
        let channels = [0, 1, 2].map(|index| frame.channel(index));
        Some(Self {
            channel: channels[0],
            bytes: channels.map(|channel| channel.data),
            weights: LUMA_WEIGHTS.map(|weight| weight as f32),
        })
    }
}

/// The positions of the samples of a channel in a crop: a grid with the same number of samples in each
/// pixel of the crop.
#[derive(Clone, Copy)]
pub(super) struct SampleGrid {
    /// Number of samples along each side of a crop pixel.
    samples_per_side: usize,
    /// Position of the first sample of the crop, relative to the center of the channel's first
    /// sample, in samples of the channel.
    first: Point,
    /// Step between samples along a row of the crop.
    right: Point,
    /// Step between samples along a column of the crop.
    down: Point,
}

impl SampleGrid {
    /// Creates the grid of a crop in a channel with a subsampling of 2^`shift_x` and 2^`shift_y`.
    pub(super) fn new(
        frame: &Frame,
        (shift_x, shift_y): (u32, u32),
        displayed_from_crop: &Similarity,
    ) -> Self {
        let orientation = frame.orientation();
        // Width and height of a frame pixel, and of a sample, in displayed pixels.
        let (width, height) = frame.displayed_pixel_size();
        let (sample_width, sample_height) = (
            width * (1 << shift_x) as f32,
            height * (1 << shift_y) as f32,
        );
        let in_samples = |p: Point| Point::new(p.x / sample_width, p.y / sample_height);
        let vector = |displayed: Point| in_samples(orientation.vector_in_frame(displayed));
        let frame_size = (frame.width() as f32 * width, frame.height() as f32 * height);

        let samples_per_side =
            (displayed_from_crop.scale().ceil() as usize).clamp(1, MAX_SAMPLES_PER_SIDE);
        let step = 1.0 / samples_per_side as f32;
        let first = displayed_from_crop.apply(Point::new(0.5 * step, 0.5 * step));
        let first = in_samples(orientation.point_in_frame(first, frame_size));
        let right = displayed_from_crop.step_right();
        let right = Point::new(right.x * step, right.y * step);
        Self {
            samples_per_side,
            first: Point::new(first.x - 0.5, first.y - 0.5),
            right: vector(right),
            down: vector(Point::new(-right.y, right.x)),
        }
    }

    /// Returns the samples of the columns and rows of the frame, if those of the crop are along them and
    /// the samples are dense. In a transposed frame, its columns are the rows of the crop.
    pub(super) fn columns_and_rows(&self) -> Option<(Samples, Samples)> {
        let is_along = |right: Point, down: Point| {
            right.y == 0.0 && down.x == 0.0 && right.x.abs().max(down.y.abs()) <= MAX_DENSE_STEP
        };
        let (right, down) = if is_along(self.right, self.down) {
            (self.right, self.down)
        } else if is_along(self.down, self.right) {
            (self.down, self.right)
        } else {
            return None;
        };
        let samples = |first: f32, step: f32| Samples {
            first,
            step,
            per_value: self.samples_per_side,
            is_nearest: self.samples_per_side >= MIN_NEAREST_SAMPLES_PER_SIDE,
        };
        Some((
            samples(self.first.x, right.x),
            samples(self.first.y, down.y),
        ))
    }
}

/// Samples one channel of a frame at the pixels of a crop.
pub(super) struct PixelSampler<'a, const BYTES: usize> {
    reader: ChannelReader<'a, BYTES>,
    grid: SampleGrid,
}

impl<'a, const BYTES: usize> PixelSampler<'a, BYTES> {
    /// Creates a sampler of a crop. `grid` is that of the channel of `reader`.
    pub(super) const fn new(reader: ChannelReader<'a, BYTES>, grid: SampleGrid) -> Self {
        Self { reader, grid }
    }

    /// Replaces `means` with the means of the samples of the crop pixels in row `y`.
    #[inline(always)]
    pub(super) fn sample_row(&self, y: usize, means: &mut [f32]) {
        // A constant number of samples is faster.
        match self.grid.samples_per_side {
            1 => self.interpolate_row::<1>(y, means),
            2 => self.interpolate_row::<2>(y, means),
            3 => self.take_nearest_of_row::<3>(y, means),
            _ => self.take_nearest_of_row::<MAX_SAMPLES_PER_SIDE>(y, means),
        }
    }

    /// The same as [`sample_row`](Self::sample_row), if each sample is the nearest frame pixel.
    #[inline(always)]
    fn take_nearest_of_row<const SIDE: usize>(&self, y: usize, means: &mut [f32]) {
        let ChannelReader {
            channel,
            bytes,
            weights,
        } = &self.reader;
        for (chunk, means) in means.chunks_mut(CHUNK / SIDE).enumerate() {
            let mut sums = [[0u32; CHUNK]; BYTES];
            for row in y * SIDE..(y + 1) * SIDE {
                let (xs, ys) = self.positions(chunk * CHUNK, row);
                let offsets: [u32; CHUNK] =
                    std::array::from_fn(|i| offset(channel, nearest(xs[i]), nearest(ys[i])));
                for (sums, bytes) in sums.iter_mut().zip(bytes) {
                    for (sum, offsets) in sums.iter_mut().zip(offsets.as_chunks::<SIDE>().0) {
                        let values = offsets.map(|offset| u32::from(bytes[offset as usize]));
                        *sum += values.iter().sum::<u32>();
                    }
                }
            }
            let unit = 1.0 / (SIDE * SIDE) as f32;
            for (i, mean) in means.iter_mut().enumerate() {
                let bytes = sums.iter().zip(weights);
                *mean = bytes
                    .map(|(sums, weight)| sums[i] as f32 * weight * unit)
                    .sum();
            }
        }
    }

    /// The same as [`sample_row`](Self::sample_row), if each sample is a bilinear interpolation.
    #[inline(always)]
    fn interpolate_row<const SIDE: usize>(&self, y: usize, means: &mut [f32]) {
        let ChannelReader {
            channel,
            bytes,
            weights,
        } = &self.reader;
        // A row or column of one sample is interpolated between this sample and itself.
        let step = |len: usize, step: usize| if len > 1 { step } else { 0 };
        let right = step(channel.width, channel.pixel_stride);
        let down = step(channel.height, channel.stride);
        for (chunk, means) in means.chunks_mut(CHUNK / SIDE).enumerate() {
            let mut sums = [0.0; CHUNK];
            for row in y * SIDE..(y + 1) * SIDE {
                let (xs, ys) = self.positions(chunk * CHUNK, row);
                let lefts: [u32; CHUNK] = std::array::from_fn(|i| before(xs[i], channel.width));
                let tops: [u32; CHUNK] = std::array::from_fn(|i| before(ys[i], channel.height));
                let offsets: [u32; CHUNK] =
                    std::array::from_fn(|i| offset(channel, lefts[i], tops[i]));
                for (bytes, weight) in bytes.iter().zip(weights) {
                    let mut corners = [[0u8; CHUNK]; 4];
                    for (i, &offset) in offsets.iter().enumerate() {
                        let top_left = offset as usize;
                        corners[0][i] = bytes[top_left];
                        corners[1][i] = bytes[top_left + right];
                        corners[2][i] = bytes[top_left + down];
                        corners[3][i] = bytes[top_left + down + right];
                    }
                    let values: [f32; CHUNK] = std::array::from_fn(|i| {
                        let [top_left, top_right, bottom_left, bottom_right] =
                            corners.each_ref().map(|corner| f32::from(corner[i]));
                        let between = |a: f32, b: f32, fraction: f32| a + fraction * (b - a);
                        let fraction_x = xs[i] - lefts[i] as f32;
                        let top = between(top_left, top_right, fraction_x);
                        let bottom = between(bottom_left, bottom_right, fraction_x);
                        weight * between(top, bottom, ys[i] - tops[i] as f32)
                    });
                    for (sum, values) in sums.iter_mut().zip(values.as_chunks::<SIDE>().0) {
                        *sum += values.iter().sum::<f32>();
                    }
                }
            }
            let unit = 1.0 / (SIDE * SIDE) as f32;
            for (mean, sum) in means.iter_mut().zip(sums) {
                *mean = sum * unit;
            }
        }
    }

    /// Returns the horizontal and vertical positions of samples in a row of samples, from the one in
    /// `column` on. Positions outside of the frame are moved to its border pixels.
    #[inline(always)]
    fn positions(&self, column: usize, row: usize) -> ([f32; CHUNK], [f32; CHUNK]) {
        let of_axis = |first: f32, right: f32, down: f32, len: usize| {
            let start = first + column as f32 * right + row as f32 * down;
            let last = (len - 1) as f32;
            // The maximum of NaN and 0 is 0.
            std::array::from_fn(|i| (start + i as f32 * right).max(0.0).min(last))
        };
        let SampleGrid {
            first, right, down, ..
        } = self.grid;
        let Channel { width, height, .. } = self.reader.channel;
        (
            of_axis(first.x, right.x, down.x, width),
            of_axis(first.y, right.y, down.y, height),
        )
    }
}

/// Returns the sample of a channel of `len` samples from which on `position` is interpolated: the one
/// before it, but not the last one.
#[inline(always)]
fn before(position: f32, len: usize) -> u32 {
    // At a sample, rounding may return the one before it, with which the interpolation is the same.
    nearest((position - 0.5).max(0.0)).min(len.saturating_sub(2) as u32)
}

/// Rounds a position, at least 0, to the nearest integer.
#[inline(always)]
fn nearest(position: f32) -> u32 {
    // From 2^23 to 2^24, the lowest bits of a `f32` are its integer value. `as u32` and `round` take
    // many times longer.
    const INTEGERS: f32 = (1 << 23) as f32;
    (position + INTEGERS).to_bits() - INTEGERS.to_bits()
}

/// Returns the offset of a sample of a channel.
#[inline(always)]
fn offset(channel: &Channel, x: u32, y: u32) -> u32 {
    let across = x.wrapping_mul(channel.pixel_stride as u32);
    across.wrapping_add(y.wrapping_mul(channel.stride as u32))
}
