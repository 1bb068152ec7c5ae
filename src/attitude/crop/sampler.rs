// SPDX-License-Identifier: MPL-2.0

//! Sampling of a frame on the grid of a crop.

use crate::frame::{Channel, Frame};
use crate::geometry::{Point, Similarity};
use crate::preprocessing::{Channels, LUMA_SHARES};

/// Maximum number of samples along each side of a crop pixel, which bounds the work. Faces with
/// more frame pixels per crop pixel are subsampled.
const MAX_TAPS: usize = 4;

/// Minimum number of samples along each side of a crop pixel for which the nearest frame pixel is
/// used instead of bilinear interpolation. The samples are about one frame pixel apart and
/// averaged, so that the result is as good.
const NEAREST_TAPS: usize = 3;

/// A weighted sum of the bytes of a pixel.
pub(super) struct Mix<'a, const BYTES: usize> {
    channel: Channel<'a>,
    /// Offset of each byte from the sample of the channel.
    offsets: [usize; BYTES],
    /// Weight of each byte; the sum is [`WHOLE`].
    weights: [u32; BYTES],
}

/// The sum of the weights of a mix.
const WHOLE: u32 = 1 << 16;

impl<'a> Mix<'a, 1> {
    /// Creates a mix of the samples of one channel.
    pub(super) const fn plain(channel: Channel<'a>) -> Self {
        Self {
            channel,
            offsets: [0],
            weights: [WHOLE],
        }
    }
}

impl<'a> Mix<'a, 3> {
    /// Creates a mix for the luma of a packed RGB frame, or returns `None` if the frame is not
    /// packed RGB or more than luma is needed.
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
            weights: LUMA_SHARES.map(|share| (share * f64::from(WHOLE)).round() as u32),
        })
    }
}

impl<const BYTES: usize> Mix<'_, BYTES> {
    /// Returns [`WHOLE`] times the value in column `x` of row `y`.
    #[inline]
    fn get(&self, x: usize, y: usize) -> u32 {
        if BYTES == 1 {
            // A constant weight is faster.
            return u32::from(self.channel.get(x, y)) * WHOLE;
        }
        let mut sum = 0;
        for (&offset, &weight) in self.offsets.iter().zip(&self.weights) {
            sum += u32::from(self.channel.get_beyond(x, y, offset)) * weight;
        }
        sum
    }
}

/// A position or a step in samples of a channel, in fixed point with [`FRACTION_BITS`] fractional
/// bits.
#[derive(Clone, Copy)]
struct Fixed {
    x: i64,
    y: i64,
}

const FRACTION_BITS: u32 = 16;

impl Fixed {
    const HALF: i64 = 1 << (FRACTION_BITS - 1);
    /// Maximum value: greater than any frame, and small enough that the steps of a crop can be
    /// added without overflow.
    const FAR: f32 = (1u64 << 48) as f32;

    #[inline]
    fn new(p: Point) -> Self {
        let fixed = |value: f32| {
            let scaled = value * (1u32 << FRACTION_BITS) as f32;
            scaled.clamp(-Self::FAR, Self::FAR) as i64
        };
        Self {
            x: fixed(p.x),
            y: fixed(p.y),
        }
    }
}

impl Fixed {
    /// Returns `count` steps.
    #[inline]
    fn times(self, count: usize) -> Self {
        Self {
            x: self.x * count as i64,
            y: self.y * count as i64,
        }
    }
}

impl std::ops::Add for Fixed {
    type Output = Self;

    #[inline]
    fn add(self, other: Self) -> Self {
        Self {
            x: self.x + other.x,
            y: self.y + other.y,
        }
    }
}

/// Samples a frame on the grid of a crop.
pub(super) struct Sampler<'a, const BYTES: usize> {
    mix: Mix<'a, BYTES>,
    /// Number of samples along each side of a crop pixel.
    taps: usize,
    /// Position of the first sample of the first crop pixel, relative to the centre of the
    /// channel's first sample, in samples of the channel.
    first: Fixed,
    /// Steps between crop pixels along a row and along a column.
    right: Fixed,
    down: Fixed,
    /// Steps between samples along a row and along a column.
    tap_right: Fixed,
    tap_down: Fixed,
    /// `true` if all samples are inside of the frame, as for most crops, so that none needs to be
    /// clamped.
    is_inside: bool,
}

impl<'a, const BYTES: usize> Sampler<'a, BYTES> {
    /// Creates a sampler for a crop of `size` (width, height). `sample_size` is the width and
    /// height of a sample of the channel in displayed pixels.
    pub(super) fn new(
        mix: Mix<'a, BYTES>,
        sample_size: (f32, f32),
        displayed_from_crop: &Similarity,
        (width, height): (usize, usize),
    ) -> Self {
        let taps = (displayed_from_crop.scale().ceil() as usize).clamp(1, MAX_TAPS);
        let step = 1.0 / taps as f32;
        let in_channel = |p: Point| Point::new(p.x / sample_size.0, p.y / sample_size.1);
        let first = in_channel(displayed_from_crop.apply(Point::new(0.5 * step, 0.5 * step)));
        let right = displayed_from_crop.step_right();
        let (right, down) = (in_channel(right), in_channel(Point::new(-right.y, right.x)));
        let is_inside = [(0, 0), (width, 0), (0, height), (width, height)]
            .into_iter()
            .all(|(x, y)| {
                let corner = in_channel(displayed_from_crop.apply(Point::new(x as f32, y as f32)));
                // A margin of one sample for rounding.
                let is_within = |value: f32, len: usize| value >= 1.0 && value < len as f32 - 1.0;
                is_within(corner.x, mix.channel.width) && is_within(corner.y, mix.channel.height)
            });
        let tap = |step_of_pixel: Point| {
            Fixed::new(Point::new(step_of_pixel.x * step, step_of_pixel.y * step))
        };
        Self {
            mix,
            taps,
            first: Fixed::new(Point::new(first.x - 0.5, first.y - 0.5)),
            right: Fixed::new(right),
            down: Fixed::new(down),
            tap_right: tap(right),
            tap_down: tap(down),
            is_inside,
        }
    }

    /// Returns the mean of the samples of the crop pixel in column `x` of row `y`.
    #[inline(always)]
    pub(super) fn mean(&self, x: usize, y: usize) -> f32 {
        let start = self.first + self.right.times(x) + self.down.times(y);
        let count = (self.taps * self.taps) as f32;
        if self.taps >= NEAREST_TAPS {
            let half = Fixed {
                x: Fixed::HALF,
                y: Fixed::HALF,
            };
            self.sum(start + half, |p| self.nearest(p)) as f32 / (count * WHOLE as f32)
        } else {
            let whole = WHOLE as f32 * (1u64 << (2 * FRACTION_BITS)) as f32;
            self.sum(start, |p| self.bilinear(p)) as f32 / (count * whole)
        }
    }

    /// Returns the sum of `value` over the sample positions of one crop pixel, the first of which
    /// is `start`.
    #[inline(always)]
    fn sum(&self, start: Fixed, value: impl Fn(Fixed) -> i64) -> i64 {
        if self.is_inside {
            self.sum_as_is(start, value)
        } else {
            let last = |len: usize| (len as i64 - 1) << FRACTION_BITS;
            let (last_x, last_y) = (last(self.mix.channel.width), last(self.mix.channel.height));
            self.sum_as_is(start, |p| {
                value(Fixed {
                    x: p.x.clamp(0, last_x),
                    y: p.y.clamp(0, last_y),
                })
            })
        }
    }

    /// Calls a version with a constant number of samples for speed.
    #[inline(always)]
    fn sum_as_is(&self, start: Fixed, value: impl Fn(Fixed) -> i64) -> i64 {
        match self.taps {
            1 => value(start),
            2 => self.sum_taps::<2>(start, value),
            3 => self.sum_taps::<3>(start, value),
            _ => self.sum_taps::<MAX_TAPS>(start, value),
        }
    }

    #[inline(always)]
    fn sum_taps<const TAPS: usize>(&self, start: Fixed, value: impl Fn(Fixed) -> i64) -> i64 {
        let mut sum = 0;
        let mut row = start;
        for _ in 0..TAPS {
            let mut position = row;
            for _ in 0..TAPS {
                sum += value(position);
                position = position + self.tap_right;
            }
            row = row + self.tap_down;
        }
        sum
    }

    /// Returns [`WHOLE`] times the value of the sample that contains `p`, a position relative to
    /// the corner of the first sample.
    #[inline]
    fn nearest(&self, p: Fixed) -> i64 {
        let index = |position: i64| (position >> FRACTION_BITS) as usize;
        i64::from(self.mix.get(index(p.x), index(p.y)))
    }

    /// Returns the bilinear interpolation at `p`, a position relative to the centre of the first
    /// sample, multiplied by [`WHOLE`] and the square of 2^[`FRACTION_BITS`].
    #[inline]
    fn bilinear(&self, p: Fixed) -> i64 {
        let split = |position: i64, len: usize| {
            let index = (position >> FRACTION_BITS) as usize;
            let fraction = position & ((1 << FRACTION_BITS) - 1);
            (index, (index + 1).min(len - 1), fraction)
        };
        let (x0, x1, fx) = split(p.x, self.mix.channel.width);
        let (y0, y1, fy) = split(p.y, self.mix.channel.height);
        let value = |x, y| i64::from(self.mix.get(x, y));
        let between = |a: i64, b: i64, fraction: i64| (a << FRACTION_BITS) + fraction * (b - a);
        let top = between(value(x0, y0), value(x1, y0), fx);
        let bottom = between(value(x0, y1), value(x1, y1), fx);
        between(top, bottom, fy)
    }
}
