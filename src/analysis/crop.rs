// SPDX-License-Identifier: MPL-2.0

//! Cutting a face out of a frame as the classifier was taught to see it.
//!
//! A face is upright and in proportion as the frame is shown, so that is the space in which a crop
//! is laid: pixels of the frame, but square ones, that is, stretched by their aspect ratio.

use super::detection::Detection;
use super::frame::{Channel, ColorModel, Frame, Layout};
use super::geometry::{Landmarks, Point, Rect, Similarity};
use super::preprocessing::{Channels, LUMA_SHARES, Pixel, PixelFormat, needed_layout};

/// Where the face lies in the square that a classifier takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Framing {
    /// Height of the crop, in heights of the detector's box.
    pub box_height: f32,
    /// From the box's centre to the crop's, in heights of the box.
    pub box_center: Point,
    /// Where the landmarks come to lie, as fractions of the crop. With them, a face whose
    /// landmarks were found is turned, scaled and moved to match; without, the box alone counts.
    pub landmarks: Option<Landmarks>,
}

/// Share of the face's box that must be inside the frame for its attitude to be judged.
const MIN_VISIBLE: f32 = 0.6;

/// How far the nose may lie from the middle between the eyes, along the line through them and in
/// distances of the eyes. At 0.5 it is below an eye: a face turned away by some 50 degrees, of
/// which the classifiers have seen next to nothing.
const MAX_NOSE_OFFSET: f32 = 0.5;

/// Whether enough of the face is to be seen to judge its attitude: it is not cut off by the
/// frame's edge, and not turned away.
pub fn is_judgeable(shown: &Detection, frame: &Frame) -> bool {
    let shown_width = frame.width() as f32 * frame.pixel_aspect();
    let frame = Rect::new(0.0, 0.0, shown_width, frame.height() as f32);
    let visible = shown.bbox.intersection(&frame).area() / shown.bbox.area();
    visible >= MIN_VISIBLE
        && shown
            .landmarks
            .is_none_or(|landmarks| is_facing(&landmarks))
}

fn is_facing([left, right, nose, ..]: &Landmarks) -> bool {
    let (dx, dy) = (right.x - left.x, right.y - left.y);
    let eyes_squared = dx * dx + dy * dy;
    let middle = Point::new((left.x + right.x) / 2.0, (left.y + right.y) / 2.0);
    let along = (nose.x - middle.x) * dx + (nose.y - middle.y) * dy;
    eyes_squared > 0.0 && (along / eyes_squared).abs() <= MAX_NOSE_OFFSET
}

/// Where the pixels of a crop of `width` by `height` lie in the frame as it is shown.
pub fn shown_from_crop(
    shown: &Detection,
    framing: &Framing,
    width: usize,
    height: usize,
) -> Similarity {
    let (width, height) = (width as f32, height as f32);
    let aligned = || {
        let template = framing
            .landmarks?
            .map(|p| Point::new(p.x * width, p.y * height));
        Similarity::from_points(&shown.landmarks?, &template)
    };
    if let Some(crop_from_shown) = aligned() {
        return crop_from_shown.inverse();
    }
    let bbox = &shown.bbox;
    let scale = bbox.h * framing.box_height / height;
    let center = bbox.center();
    Similarity::from_scale_and_origin(
        scale,
        Point::new(
            center.x + framing.box_center.x * bbox.h - scale * width / 2.0,
            center.y + framing.box_center.y * bbox.h - scale * height / 2.0,
        ),
    )
}

/// Most samples along each side of a crop's pixel. A face that is larger than this many pixels a
/// crop pixel is sampled more sparsely, which bounds the work.
const MAX_TAPS: usize = 4;

/// Samples along each side of a crop's pixel from which on the nearest frame pixel serves as well
/// as the interpolation between four: they lie about a pixel apart and are averaged.
const NEAREST_TAPS: usize = 3;

/// Cuts a crop of `width` by `height` pixels out of `frame` and writes it into `crop` of
/// `format.len(width, height)` numbers. Each of its pixels is the mean of samples on a grid of
/// about a frame pixel, so that a large face is averaged and not picked from; beyond the frame its
/// border pixels go on.
///
/// # Panics
/// Where `crop` has another length.
pub fn cut(
    frame: &Frame,
    shown_from_crop: &Similarity,
    format: &PixelFormat,
    (width, height): (usize, usize),
    crop: &mut [f32],
) {
    assert_eq!(crop.len(), format.len(width, height));
    let mut layout = needed_layout(frame.layout(), format.channels);
    let pixel_aspect = frame.pixel_aspect();
    let mut write = |x, y, layout: &Layout, components| {
        let pixel = Pixel::from_components(layout, components);
        format.put(crop, (width, height), (x, y), pixel);
    };
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    if let Some(luma) = Mix::luma_of_packed_rgb(frame, format.channels) {
        layout.color = ColorModel::Gray;
        let sampler = Sampler::new(luma, (pixel_aspect, 1.0), shown_from_crop);
        for (x, y) in pixels {
            write(x, y, &layout, [sampler.mean(x, y), 0.0, 0.0]);
        }
    } else {
        let count = layout.component_count();
        let samplers: [Option<Sampler<1>>; 3] = std::array::from_fn(|index| {
            (index < count).then(|| {
                let component = &layout.components[index];
                let sample_size = (
                    pixel_aspect * (1 << component.shift_x) as f32,
                    (1 << component.shift_y) as f32,
                );
                let channel = Mix::plain(frame.channel(index));
                Sampler::new(channel, sample_size, shown_from_crop)
            })
        });
        for (x, y) in pixels {
            let components = samplers
                .each_ref()
                .map(|sampler| sampler.as_ref().map_or(0.0, |sampler| sampler.mean(x, y)));
            write(x, y, &layout, components);
        }
    }
}

/// What is sampled: at each place so many bytes, weighted.
struct Mix<'a, const BYTES: usize> {
    channel: Channel<'a>,
    /// From the channel's sample to each byte.
    offsets: [usize; BYTES],
    /// Of [`WHOLE`].
    weights: [u32; BYTES],
}

/// What the weights of a mix add up to. All samples of a crop's pixel together fit 32 bits.
const WHOLE: u32 = 1 << 16;

impl<'a> Mix<'a, 1> {
    const fn plain(channel: Channel<'a>) -> Self {
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
    fn luma_of_packed_rgb(frame: &Frame<'a>, channels: Channels) -> Option<Self> {
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
        let mut sum = 0;
        for (&offset, &weight) in self.offsets.iter().zip(&self.weights) {
            sum += u32::from(self.channel.get_beyond(x, y, offset)) * weight;
        }
        sum
    }
}

/// Fraction bits of the positions of nearest samples.
const FRACTION_BITS: u32 = 16;

/// Samples a frame on the grid of a crop.
struct Sampler<'a, const BYTES: usize> {
    mix: Mix<'a, BYTES>,
    /// Samples along each side of a crop's pixel.
    taps: usize,
    /// Position of the first sample of the crop's first pixel, from the centre of the channel's
    /// first one, in samples of the channel.
    first: Point,
    /// From one sample to the next along a row of the crop, and along a column.
    right: Point,
    down: Point,
}

impl<'a, const BYTES: usize> Sampler<'a, BYTES> {
    /// `sample_size` is the width and height that a sample of the channel covers.
    fn new(mix: Mix<'a, BYTES>, sample_size: (f32, f32), shown_from_crop: &Similarity) -> Self {
        let taps = (shown_from_crop.scale().ceil() as usize).clamp(1, MAX_TAPS);
        let step = 1.0 / taps as f32;
        let in_channel = |p: Point| Point::new(p.x / sample_size.0, p.y / sample_size.1);
        let first = in_channel(shown_from_crop.apply(Point::new(0.5 * step, 0.5 * step)));
        let right = shown_from_crop.step_right();
        Self {
            mix,
            taps,
            first: Point::new(first.x - 0.5, first.y - 0.5),
            right: in_channel(Point::new(right.x * step, right.y * step)),
            down: in_channel(Point::new(-right.y * step, right.x * step)),
        }
    }

    /// The mean over the crop's pixel in column `x` of row `y`.
    #[inline]
    fn mean(&self, x: usize, y: usize) -> f32 {
        let (column, row) = ((x * self.taps) as f32, (y * self.taps) as f32);
        let start = Point::new(
            self.first.x + column * self.right.x + row * self.down.x,
            self.first.y + column * self.right.y + row * self.down.y,
        );
        let sum = if self.taps >= NEAREST_TAPS {
            self.nearest_sum(start) as f32
        } else {
            self.bilinear_sum(start)
        };
        sum / ((self.taps * self.taps) as f32 * WHOLE as f32)
    }

    #[inline]
    fn nearest_sum(&self, start: Point) -> u32 {
        let fixed = |value: f32| (value * (1u32 << FRACTION_BITS) as f32) as i64;
        let half = 1i64 << (FRACTION_BITS - 1);
        let (right_x, right_y) = (fixed(self.right.x), fixed(self.right.y));
        let (down_x, down_y) = (fixed(self.down.x), fixed(self.down.y));
        let (mut row_x, mut row_y) = (fixed(start.x) + half, fixed(start.y) + half);
        let channel = &self.mix.channel;
        let (last_x, last_y) = (channel.width as i64 - 1, channel.height as i64 - 1);
        let mut sum = 0;
        for _ in 0..self.taps {
            let (mut x, mut y) = (row_x, row_y);
            for _ in 0..self.taps {
                let column = (x >> FRACTION_BITS).clamp(0, last_x) as usize;
                let row = (y >> FRACTION_BITS).clamp(0, last_y) as usize;
                sum += self.mix.get(column, row);
                x += right_x;
                y += right_y;
            }
            row_x += down_x;
            row_y += down_y;
        }
        sum
    }

    #[inline]
    fn bilinear_sum(&self, start: Point) -> f32 {
        let mut sum = 0.0;
        for row in 0..self.taps {
            for column in 0..self.taps {
                let (row, column) = (row as f32, column as f32);
                sum += bilinear(
                    &self.mix,
                    start.x + column * self.right.x + row * self.down.x,
                    start.y + column * self.right.y + row * self.down.y,
                );
            }
        }
        sum
    }
}

/// The value between the samples at (`x`, `y`), counted in samples from the centre of the first,
/// [`WHOLE`] times.
#[inline]
fn bilinear<const BYTES: usize>(mix: &Mix<BYTES>, x: f32, y: f32) -> f32 {
    let (last_x, last_y) = (mix.channel.width - 1, mix.channel.height - 1);
    let x = x.clamp(0.0, last_x as f32);
    let y = y.clamp(0.0, last_y as f32);
    let (x0, y0) = (x as usize, y as usize);
    let (x1, y1) = ((x0 + 1).min(last_x), (y0 + 1).min(last_y));
    let (fx, fy) = (x - x0 as f32, y - y0 as f32);
    let value = |x, y| mix.get(x, y) as f32;
    let top = value(x0, y0) + fx * (value(x1, y0) - value(x0, y0));
    let bottom = value(x0, y1) + fx * (value(x1, y1) - value(x0, y1));
    top + fy * (bottom - top)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAMING: Framing = Framing {
        box_height: 1.0,
        box_center: Point::new(0.0, 0.0),
        landmarks: None,
    };

    fn detection(bbox: Rect) -> Detection {
        Detection {
            bbox,
            score: 1.0,
            landmarks: None,
        }
    }

    fn cut_luma(frame: &Frame, transform: &Similarity, side: usize) -> Vec<f32> {
        let mut crop = vec![f32::NAN; side * side];
        cut(
            frame,
            transform,
            &PixelFormat::LUMA,
            (side, side),
            &mut crop,
        );
        crop
    }

    #[test]
    fn a_box_of_the_crops_size_is_copied() {
        let luma: Vec<u8> = (0..16).collect();
        let frame = Frame::from_luma(4, 4, &luma).unwrap();
        let found = detection(Rect::new(1.0, 1.0, 2.0, 2.0));
        let transform = shown_from_crop(&found, &FRAMING, 2, 2);
        assert_eq!(cut_luma(&frame, &transform, 2), [5.0, 6.0, 9.0, 10.0]);
    }

    #[test]
    fn a_box_of_twice_the_size_is_averaged_and_the_border_goes_on() {
        let luma: Vec<u8> = (0..16).collect();
        let frame = Frame::from_luma(4, 4, &luma).unwrap();
        let whole = shown_from_crop(&detection(Rect::new(0.0, 0.0, 4.0, 4.0)), &FRAMING, 2, 2);
        assert_eq!(cut_luma(&frame, &whole, 2), [2.5, 4.5, 10.5, 12.5]);
        let outside = shown_from_crop(&detection(Rect::new(9.0, 9.0, 2.0, 2.0)), &FRAMING, 2, 2);
        assert_eq!(cut_luma(&frame, &outside, 2), [15.0; 4]);
    }

    #[test]
    fn wide_pixels_are_cut_as_they_are_shown() {
        let frame = Frame::from_luma(2, 2, &[10, 20, 30, 40]).unwrap();
        let frame = frame.with_pixel_aspect(2.0);
        let found = detection(Rect::new(0.0, 0.0, 2.0, 2.0)).stretched(2.0);
        let transform = shown_from_crop(&found, &FRAMING, 2, 2);
        // The frame is shown 4 wide and 2 high; the crop is the square in its middle, whose columns
        // lie at a quarter and at three quarters of the way from pixel to pixel.
        assert_eq!(cut_luma(&frame, &transform, 2), [12.5, 17.5, 32.5, 37.5]);
    }

    #[test]
    fn framing_moves_and_grows_the_square_in_heights_of_the_box() {
        let framing = Framing {
            box_height: 2.0,
            box_center: Point::new(0.0, -0.1),
            landmarks: None,
        };
        let found = detection(Rect::new(10.0, 20.0, 8.0, 10.0));
        let transform = shown_from_crop(&found, &framing, 40, 40);
        assert_eq!(transform.scale(), 0.5);
        // Centre of the box (14, 25), moved up by 1, less half of the side of 20.
        assert_eq!(transform.apply(Point::default()), Point::new(4.0, 14.0));
    }

    #[test]
    fn a_turned_face_is_aligned_to_the_template() {
        let template = [
            (0.3, 0.4),
            (0.7, 0.4),
            (0.5, 0.6),
            (0.35, 0.75),
            (0.65, 0.75),
        ]
        .map(|(x, y)| Point::new(x, y));
        let framing = Framing {
            landmarks: Some(template),
            ..FRAMING
        };
        // The face lies on its side: a quarter turn, 100 px for the crop's side.
        let turned = template.map(|p| Point::new(200.0 - 100.0 * p.y, 50.0 + 100.0 * p.x));
        let found = Detection {
            landmarks: Some(turned),
            ..detection(Rect::new(100.0, 50.0, 100.0, 100.0))
        };
        let transform = shown_from_crop(&found, &framing, 48, 48);
        let origin = transform.apply(Point::default());
        let corner = transform.apply(Point::new(48.0, 0.0));
        assert!((origin.x - 200.0).abs() < 1e-2 && (origin.y - 50.0).abs() < 1e-2);
        assert!((corner.x - 200.0).abs() < 1e-2 && (corner.y - 150.0).abs() < 1e-2);
    }

    #[test]
    fn faces_cut_off_or_turned_away_are_not_judged() {
        let inside = detection(Rect::new(0.0, 0.0, 10.0, 10.0));
        let half_outside = detection(Rect::new(-5.0, 0.0, 10.0, 10.0));
        let frame = Frame::from_luma(20, 20, &[0; 400]).unwrap();
        assert!(is_judgeable(&inside, &frame));
        assert!(!is_judgeable(&half_outside, &frame));
        let nose_at = |x: f32| Detection {
            landmarks: Some([
                Point::new(2.0, 3.0),
                Point::new(6.0, 3.0),
                Point::new(x, 5.0),
                Point::new(3.0, 8.0),
                Point::new(5.0, 8.0),
            ]),
            ..inside
        };
        assert!(is_judgeable(&nose_at(5.5), &frame));
        assert!(!is_judgeable(&nose_at(6.5), &frame));
    }
}
