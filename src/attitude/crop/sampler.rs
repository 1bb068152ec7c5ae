// SPDX-License-Identifier: MPL-2.0

//! The means that a crop's pixels are: samples of a frame on the crop's grid.

use crate::frame::{Channel, Frame};
use crate::geometry::{Point, Similarity};
use crate::preprocessing::{Channels, LUMA_SHARES};

/// Most samples along each side of a crop's pixel. A face that is larger than this many pixels a
/// crop pixel is sampled more sparsely, which bounds the work.
const MAX_TAPS: usize = 4;

/// Samples along each side of a crop's pixel from which on the nearest frame pixel serves as well
/// as the interpolation between four: they lie about a pixel apart and are averaged.
const NEAREST_TAPS: usize = 3;

/// What is sampled: at each place so many bytes, weighted.
pub(super) struct Mix<'a, const BYTES: usize> {
    channel: Channel<'a>,
    /// From the channel's sample to each byte.
    offsets: [usize; BYTES],
    /// Of [`WHOLE`].
    weights: [u32; BYTES],
}

/// What the weights of a mix add up to.
const WHOLE: u32 = 1 << 16;

impl<'a> Mix<'a, 1> {
    /// The samples of a channel as they are.
    pub(super) const fn plain(channel: Channel<'a>) -> Self {
        Self {
            channel,
            offsets: [0],
            weights: [WHOLE],
        }
    }
}

impl<'a> Mix<'a, 3> {
    /// The luma of a frame that has its three colours in one plane, where luma is all that is
    /// needed.
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
    /// The sample in column `x` of row `y`, [`WHOLE`] times its value.
    #[inline]
    fn get(&self, x: usize, y: usize) -> u32 {
        if BYTES == 1 {
            // By a weight that the compiler knows.
            return u32::from(self.channel.get(x, y)) * WHOLE;
        }
        let mut sum = 0;
        for (&offset, &weight) in self.offsets.iter().zip(&self.weights) {
            sum += u32::from(self.channel.get_beyond(x, y, offset)) * weight;
        }
        sum
    }
}

/// A position or a step in samples of a channel, with [`FRACTION_BITS`].
#[derive(Clone, Copy)]
struct Fixed {
    x: i64,
    y: i64,
}

const FRACTION_BITS: u32 = 16;

impl Fixed {
    const HALF: i64 = 1 << (FRACTION_BITS - 1);
    /// Farther away than any frame reaches, and so few that a crop's steps can be added up.
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
    /// A whole number of steps.
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
    /// Samples along each side of a crop's pixel.
    taps: usize,
    /// Position of the first sample of the crop's first pixel, from the centre of the channel's
    /// first one, in samples of the channel.
    first: Fixed,
    /// From one pixel of the crop to the next along a row, and along a column.
    right: Fixed,
    down: Fixed,
    /// From one sample to the next, likewise.
    tap_right: Fixed,
    tap_down: Fixed,
    /// Whether all samples lie in the frame, as those of most crops do: then none needs to be
    /// brought back into it.
    is_inside: bool,
}

impl<'a, const BYTES: usize> Sampler<'a, BYTES> {
    /// Of a crop of `size`. `sample_size` is the width and height that a sample of the channel
    /// covers.
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
                // One sample is left for rounding.
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

    /// The mean over the crop's pixel in column `x` of row `y`.
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

    /// The sum of `value` over the positions in one pixel of the crop, the first of which is
    /// `start`.
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

    /// With numbers of samples that the compiler knows.
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

    /// The sample that `p` lies in, counted from the corner of the first, [`WHOLE`] times.
    #[inline]
    fn nearest(&self, p: Fixed) -> i64 {
        let index = |position: i64| (position >> FRACTION_BITS) as usize;
        i64::from(self.mix.get(index(p.x), index(p.y)))
    }

    /// The value between the samples around `p`, counted from the centre of the first, [`WHOLE`]
    /// times the square of 2^[`FRACTION_BITS`].
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
