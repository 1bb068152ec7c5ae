// SPDX-License-Identifier: MPL-2.0

//! Sampling of a frame at the pixels of a crop.

use crate::frame::{Channel, Frame};
use crate::geometry::{Point, Similarity};
use crate::orientation::Orientation;
use crate::preprocessing::{Channels, LUMA_WEIGHTS};

/// Maximum number of samples along each side of a crop pixel, which bounds the work. Faces with
/// more frame pixels per crop pixel are subsampled.
const MAX_SAMPLES_PER_SIDE: usize = 4;

/// Minimum number of samples along each side of a crop pixel with which each sample is the nearest
/// frame pixel instead of a bilinear interpolation. With so many samples per mean, the results
/// hardly differ.
const MIN_NEAREST_SAMPLES_PER_SIDE: usize = 3;

/// Reads the values of a channel: one byte per pixel, or the weighted sum of several.
pub(super) struct ChannelReader<'a, const BYTES: usize> {
    channel: Channel<'a>,
    /// Offset of each byte from the sample of the channel.
    offsets: [usize; BYTES],
    /// Weight of each byte; the sum is [`WEIGHT_SUM`].
    weights: [u32; BYTES],
}

/// The sum of the weights of the bytes of a pixel.
const WEIGHT_SUM: u32 = 1 << 16;

impl<'a> ChannelReader<'a, 1> {
    /// Creates a reader of the samples of `channel`.
    pub(super) const fn new(channel: Channel<'a>) -> Self {
        Self {
            channel,
            offsets: [0],
            weights: [WEIGHT_SUM],
        }
    }
}

impl<'a> ChannelReader<'a, 3> {
    /// Creates a reader of the luma of `frame`, or returns `None` if the frame is not packed RGB or
    /// more than luma is needed.
    pub(super) fn luma_of_packed_rgb(frame: &Frame<'a>, channels: Channels) -> Option<Self> {
        let layout = frame.layout();
        if channels != Channels::Luma || !layout.is_packed_rgb() {
            return None;
        }
        let offsets = layout.components.map(|component| component.offset);
        let (first, start) = (0..3).map(|i| (i, offsets[i])).min_by_key(|pair| pair.1)?;
        Some(Self {
            channel: frame.channel(first),
            offsets: offsets.map(|offset| offset - start),
            weights: LUMA_WEIGHTS.map(|weight| (weight * f64::from(WEIGHT_SUM)).round() as u32),
        })
    }
}

impl<const BYTES: usize> ChannelReader<'_, BYTES> {
    /// Returns [`WEIGHT_SUM`] times the value in column `x` of row `y`.
    #[inline]
    fn get(&self, x: usize, y: usize) -> u32 {
        if BYTES == 1 {
            // A constant weight is faster.
            return u32::from(self.channel.get(x, y)) * WEIGHT_SUM;
        }
        let mut sum = 0;
        for (&offset, &weight) in self.offsets.iter().zip(&self.weights) {
            sum += u32::from(self.channel.get_beyond(x, y, offset)) * weight;
        }
        sum
    }
}

/// A position or a step in samples of a channel, as fixed-point numbers with [`FRACTION_BITS`]
/// fractional bits.
#[derive(Clone, Copy)]
struct FixedPointVector {
    x: i64,
    y: i64,
}

const FRACTION_BITS: u32 = 16;

impl FixedPointVector {
    const HALF: i64 = 1 << (FRACTION_BITS - 1);
    /// Maximum absolute value of a coordinate: greater than any frame, and small enough that the
    /// steps of a crop can be added without overflow.
    const MAX: f32 = (1u64 << 48) as f32;

    #[inline]
    fn new(p: Point) -> Self {
        let fixed_point = |value: f32| {
            let scaled = value * (1u32 << FRACTION_BITS) as f32;
            scaled.clamp(-Self::MAX, Self::MAX) as i64
        };
        Self {
            x: fixed_point(p.x),
            y: fixed_point(p.y),
        }
    }

    /// Returns the sum of `count` steps.
    #[inline]
    fn times(self, count: usize) -> Self {
        Self {
            x: self.x * count as i64,
            y: self.y * count as i64,
        }
    }
}

impl std::ops::Add for FixedPointVector {
    type Output = Self;

    #[inline]
    fn add(self, other: Self) -> Self {
        Self {
            x: self.x + other.x,
            y: self.y + other.y,
        }
    }
}

/// The positions of a channel's samples in the displayed frame.
pub(super) struct Sampling {
    orientation: Orientation,
    /// Width and height of the frame along its rows and columns, in displayed pixels.
    frame_size: (f32, f32),
    /// Width and height of a sample along the frame's rows and columns, in displayed pixels.
    sample_size: (f32, f32),
}

impl Sampling {
    /// Creates the positions of samples with a subsampling of 2^`shift_x` and 2^`shift_y`.
    pub(super) fn new(frame: &Frame, (shift_x, shift_y): (u32, u32)) -> Self {
        let (width, height) = frame.displayed_pixel_size();
        Self {
            orientation: frame.orientation(),
            frame_size: (frame.width() as f32 * width, frame.height() as f32 * height),
            sample_size: (
                width * (1 << shift_x) as f32,
                height * (1 << shift_y) as f32,
            ),
        }
    }

    /// Converts a point of the displayed frame to samples.
    fn point(&self, displayed: Point) -> Point {
        self.in_samples(self.orientation.point_in_frame(displayed, self.frame_size))
    }

    /// Converts a vector of the displayed frame to samples.
    fn vector(&self, displayed: Point) -> Point {
        self.in_samples(self.orientation.vector_in_frame(displayed))
    }

    fn in_samples(&self, p: Point) -> Point {
        Point::new(p.x / self.sample_size.0, p.y / self.sample_size.1)
    }
}

/// Samples one channel of a frame at the pixels of a crop.
pub(super) struct PixelSampler<'a, const BYTES: usize> {
    reader: ChannelReader<'a, BYTES>,
    /// Number of samples along each side of a crop pixel.
    samples_per_side: usize,
    /// Position of the first sample of the first crop pixel, relative to the center of the
    /// channel's first sample, in samples of the channel.
    first: FixedPointVector,
    /// Step between crop pixels along a row.
    pixel_right: FixedPointVector,
    /// Step between crop pixels along a column.
    pixel_down: FixedPointVector,
    /// Step between samples along a row of a crop pixel.
    sample_right: FixedPointVector,
    /// Step between samples along a column of a crop pixel.
    sample_down: FixedPointVector,
    /// `true` if all samples are inside of the frame, as for most crops, so that none needs to be
    /// clamped.
    is_inside: bool,
}

impl<'a, const BYTES: usize> PixelSampler<'a, BYTES> {
    /// Creates a sampler for a crop of `size` (width, height). `sampling` is that of the channel of
    /// `reader`.
    pub(super) fn new(
        reader: ChannelReader<'a, BYTES>,
        sampling: Sampling,
        displayed_from_crop: &Similarity,
        (width, height): (usize, usize),
    ) -> Self {
        let samples_per_side =
            (displayed_from_crop.scale().ceil() as usize).clamp(1, MAX_SAMPLES_PER_SIDE);
        let step = 1.0 / samples_per_side as f32;
        let first = sampling.point(displayed_from_crop.apply(Point::new(0.5 * step, 0.5 * step)));
        let right = displayed_from_crop.step_right();
        let down = Point::new(-right.y, right.x);
        let (right, down) = (sampling.vector(right), sampling.vector(down));
        let is_inside = [(0, 0), (width, 0), (0, height), (width, height)]
            .into_iter()
            .all(|(x, y)| {
                let corner =
                    sampling.point(displayed_from_crop.apply(Point::new(x as f32, y as f32)));
                // A margin of one sample for rounding.
                let is_within = |value: f32, len: usize| value >= 1.0 && value < len as f32 - 1.0;
                is_within(corner.x, reader.channel.width)
                    && is_within(corner.y, reader.channel.height)
            });
        let sample_step = |step_of_pixel: Point| {
            FixedPointVector::new(Point::new(step_of_pixel.x * step, step_of_pixel.y * step))
        };
        Self {
            reader,
            samples_per_side,
            first: FixedPointVector::new(Point::new(first.x - 0.5, first.y - 0.5)),
            pixel_right: FixedPointVector::new(right),
            pixel_down: FixedPointVector::new(down),
            sample_right: sample_step(right),
            sample_down: sample_step(down),
            is_inside,
        }
    }

    /// Returns the mean of the samples of the crop pixel in column `x` of row `y`.
    #[inline(always)]
    pub(super) fn mean(&self, x: usize, y: usize) -> f32 {
        let start = self.first + self.pixel_right.times(x) + self.pixel_down.times(y);
        let count = (self.samples_per_side * self.samples_per_side) as f32;
        if self.samples_per_side >= MIN_NEAREST_SAMPLES_PER_SIDE {
            let half = FixedPointVector {
                x: FixedPointVector::HALF,
                y: FixedPointVector::HALF,
            };
            self.sum(start + half, |p| self.nearest(p)) as f32 / (count * WEIGHT_SUM as f32)
        } else {
            let unit = WEIGHT_SUM as f32 * (1u64 << (2 * FRACTION_BITS)) as f32;
            self.sum(start, |p| self.bilinear(p)) as f32 / (count * unit)
        }
    }

    /// Returns the sum of `value` over the sample positions of one crop pixel, the first of which
    /// is `start`.
    #[inline(always)]
    fn sum(&self, start: FixedPointVector, value: impl Fn(FixedPointVector) -> i64) -> i64 {
        if self.is_inside {
            self.sum_unclamped(start, value)
        } else {
            let last = |len: usize| (len as i64 - 1) << FRACTION_BITS;
            let (last_x, last_y) = (
                last(self.reader.channel.width),
                last(self.reader.channel.height),
            );
            self.sum_unclamped(start, |p| {
                value(FixedPointVector {
                    x: p.x.clamp(0, last_x),
                    y: p.y.clamp(0, last_y),
                })
            })
        }
    }

    /// The same as [`sum`](Self::sum) for positions inside of the frame. The number of samples is a
    /// constant for speed.
    #[inline(always)]
    fn sum_unclamped(
        &self,
        start: FixedPointVector,
        value: impl Fn(FixedPointVector) -> i64,
    ) -> i64 {
        match self.samples_per_side {
            1 => value(start),
            2 => self.sum_samples::<2>(start, value),
            3 => self.sum_samples::<3>(start, value),
            _ => self.sum_samples::<MAX_SAMPLES_PER_SIDE>(start, value),
        }
    }

    #[inline(always)]
    fn sum_samples<const SIDE: usize>(
        &self,
        start: FixedPointVector,
        value: impl Fn(FixedPointVector) -> i64,
    ) -> i64 {
        let mut sum = 0;
        let mut row = start;
        for _ in 0..SIDE {
            let mut position = row;
            for _ in 0..SIDE {
                sum += value(position);
                position = position + self.sample_right;
            }
            row = row + self.sample_down;
        }
        sum
    }

    /// Returns [`WEIGHT_SUM`] times the value of the sample that contains `p`, a position relative
    /// to the corner of the first sample.
    #[inline]
    fn nearest(&self, p: FixedPointVector) -> i64 {
        let index = |position: i64| (position >> FRACTION_BITS) as usize;
        i64::from(self.reader.get(index(p.x), index(p.y)))
    }

    /// Returns the bilinear interpolation at `p`, a position relative to the center of the first
    /// sample, multiplied by [`WEIGHT_SUM`] and the square of 2^[`FRACTION_BITS`].
    #[inline]
    fn bilinear(&self, p: FixedPointVector) -> i64 {
        let split = |position: i64, len: usize| {
            let index = (position >> FRACTION_BITS) as usize;
            let fraction = position & ((1 << FRACTION_BITS) - 1);
            (index, (index + 1).min(len - 1), fraction)
        };
        let (x0, x1, fx) = split(p.x, self.reader.channel.width);
        let (y0, y1, fy) = split(p.y, self.reader.channel.height);
        let value = |x, y| i64::from(self.reader.get(x, y));
        let between = |a: i64, b: i64, fraction: i64| (a << FRACTION_BITS) + fraction * (b - a);
        let top = between(value(x0, y0), value(x1, y0), fx);
        let bottom = between(value(x0, y1), value(x1, y1), fx);
        between(top, bottom, fy)
    }
}
