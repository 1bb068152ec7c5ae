// SPDX-License-Identifier: MPL-2.0

//! Cropping of faces, aligned as in the classifier's training data.
//!
//! Crops are computed in the coordinates of the displayed frame: frame pixels, multiplied
//! horizontally by the pixel aspect ratio, so that faces have their natural proportions.

mod pixel_sampler;

use super::detection::Detection;
use super::frame::{ColorModel, Frame, Layout};
use super::geometry::{Landmarks, Point, Rect, Similarity};
use super::preprocessing::{Channels, Pixel, PixelFormat, needed_layout};
use pixel_sampler::{ChannelReader, PixelSampler};

/// The position of a face in the classifier's square input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Framing {
    /// Height of the crop, in heights of the detected box.
    pub box_height: f32,
    /// Vector from the centre of the box to the centre of the crop, in heights of the box.
    pub box_center: Point,
    /// Positions of the landmarks, as fractions of the crop. If set, a face with detected landmarks
    /// is rotated, scaled and moved to match them; otherwise only the box is used.
    pub landmarks: Option<Landmarks>,
}

/// Minimum share of the box of a classifiable face that is inside of the frame.
const MIN_VISIBLE: f32 = 0.6;

/// Maximum distance of the nose from the midpoint of the eyes, along the line through both eyes, in
/// eye distances. At 0.5 the nose is below an eye: the face is turned by about 50 degrees, and
/// training data contain almost no such faces.
const MAX_NOSE_OFFSET: f32 = 0.5;

/// Returns `true` if the face can be classified: it is not cut off by the edge of the frame, and
/// not turned away. `displayed` is in pixels of the displayed frame.
pub fn is_classifiable(displayed: &Detection, frame: &Frame) -> bool {
    let displayed_width = frame.width() as f32 * frame.pixel_aspect();
    let frame = Rect::new(0.0, 0.0, displayed_width, frame.height() as f32);
    let visible = displayed.bbox.intersection(&frame).area() / displayed.bbox.area();
    visible >= MIN_VISIBLE
        && displayed
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

/// Returns the transform from a crop of `width` by `height` pixels to the displayed frame.
pub fn displayed_from_crop(
    displayed: &Detection,
    framing: &Framing,
    width: usize,
    height: usize,
) -> Similarity {
    let (width, height) = (width as f32, height as f32);
    let aligned = || {
        let template = framing
            .landmarks?
            .map(|p| Point::new(p.x * width, p.y * height));
        Similarity::from_points(&displayed.landmarks?, &template)
    };
    if let Some(crop_from_displayed) = aligned() {
        return crop_from_displayed.inverse();
    }
    let bbox = &displayed.bbox;
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

/// Writes a crop of `width` by `height` pixels of `frame` to `crop`, which has `format.len(width,
/// height)` elements. Each pixel of the crop is the mean of samples on a grid with a spacing of
/// about one frame pixel, so that large faces are averaged instead of subsampled. Outside of the
/// frame, its border pixels are repeated.
///
/// # Panics
/// Panics if `crop` has another length.
pub fn extract(
    frame: &Frame,
    displayed_from_crop: &Similarity,
    format: &PixelFormat,
    (width, height): (usize, usize),
    crop: &mut [f32],
) {
    assert_eq!(crop.len(), format.len(width, height));
    let size = (width, height);
    let mut layout = needed_layout(frame.layout(), format.channels);
    let pixel_aspect = frame.pixel_aspect();
    if let Some(luma) = ChannelReader::luma_of_packed_rgb(frame, format.channels) {
        layout.color = ColorModel::Gray;
        let sampler = PixelSampler::new(luma, (pixel_aspect, 1.0), displayed_from_crop, size);
        fill(crop, size, format, &layout, |x, y| {
            [sampler.mean(x, y), 0.0, 0.0]
        });
        return;
    }
    let sampler = |index: usize| {
        let component = &layout.components[index];
        let sample_size = (
            pixel_aspect * (1 << component.shift_x) as f32,
            (1 << component.shift_y) as f32,
        );
        let channel = ChannelReader::new(frame.channel(index));
        PixelSampler::new(channel, sample_size, displayed_from_crop, size)
    };
    if layout.color == ColorModel::Gray {
        let luma = sampler(0);
        fill(crop, size, format, &layout, |x, y| {
            [luma.mean(x, y), 0.0, 0.0]
        });
    } else {
        let samplers = [sampler(0), sampler(1), sampler(2)];
        fill(crop, size, format, &layout, |x, y| {
            samplers.each_ref().map(|sampler| sampler.mean(x, y))
        });
    }
}

/// Writes all pixels of a crop; `components_at` returns the components of the pixel in a column and
/// row, in the order of `layout`.
#[inline(always)]
fn fill(
    crop: &mut [f32],
    (width, height): (usize, usize),
    format: &PixelFormat,
    layout: &Layout,
    components_at: impl Fn(usize, usize) -> [f32; 3],
) {
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    if layout.color == ColorModel::Gray && format.channels == Channels::Luma {
        // Luma is a separate case for speed: the general case takes about a third longer.
        let (mean, scale) = (format.mean[0], format.scale[0]);
        for (value, (x, y)) in crop.iter_mut().zip(pixels) {
            let [luma, ..] = components_at(x, y);
            *value = (layout.to_full_range(luma) - mean) * scale;
        }
    } else {
        for (x, y) in pixels {
            let pixel = Pixel::from_components(layout, components_at(x, y));
            format.put(crop, (width, height), (x, y), pixel);
        }
    }
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
        extract(
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
        let transform = displayed_from_crop(&found, &FRAMING, 2, 2);
        assert_eq!(cut_luma(&frame, &transform, 2), [5.0, 6.0, 9.0, 10.0]);
    }

    #[test]
    fn a_box_of_twice_the_size_is_averaged_and_the_border_goes_on() {
        let luma: Vec<u8> = (0..16).collect();
        let frame = Frame::from_luma(4, 4, &luma).unwrap();
        let whole = displayed_from_crop(&detection(Rect::new(0.0, 0.0, 4.0, 4.0)), &FRAMING, 2, 2);
        assert_eq!(cut_luma(&frame, &whole, 2), [2.5, 4.5, 10.5, 12.5]);
        let outside =
            displayed_from_crop(&detection(Rect::new(9.0, 9.0, 2.0, 2.0)), &FRAMING, 2, 2);
        assert_eq!(cut_luma(&frame, &outside, 2), [15.0; 4]);
    }

    #[test]
    fn wide_pixels_are_cropped_as_they_are_displayed() {
        let frame = Frame::from_luma(2, 2, &[10, 20, 30, 40]).unwrap();
        let frame = frame.with_pixel_aspect(2.0);
        let found = detection(Rect::new(0.0, 0.0, 2.0, 2.0)).stretched(2.0);
        let transform = displayed_from_crop(&found, &FRAMING, 2, 2);
        // The frame is displayed 4 wide and 2 high; the crop is the square in its middle, whose columns
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
        let transform = displayed_from_crop(&found, &framing, 40, 40);
        assert_eq!(transform.scale(), 0.5);
        // Centre of the box (14, 25), moved up by 1, less half of the side of 20.
        assert_eq!(transform.apply(Point::default()), Point::new(4.0, 14.0));
    }

    #[test]
    fn a_crop_that_fills_the_frame_is_that_of_a_larger_one() {
        let luma = |x: usize, y: usize| (x * 37 + y * 101 + x * y * 7) as u8;
        let picture = |left: usize, top: usize, side: usize| -> Vec<u8> {
            let pixels = (0..side * side).map(|i| (left + i % side, top + i / side));
            pixels.map(|(x, y)| luma(x, y)).collect()
        };
        let side = 12;
        for scale in [2, 4] {
            let (part, whole) = (scale * side, scale * side + 40);
            let (from_part, from_whole) = (picture(20, 20, part), picture(0, 0, whole));
            let crop_of = |luma: &[u8], side_of_frame: usize, left: f32| {
                let frame = Frame::from_luma(side_of_frame, side_of_frame, luma).unwrap();
                let place = Similarity::from_scale_and_origin(scale as f32, Point::new(left, left));
                cut_luma(&frame, &place, side)
            };
            assert_eq!(
                crop_of(&from_part, part, 0.0),
                crop_of(&from_whole, whole, 20.0),
                "{scale} samples a side"
            );
        }
    }

    #[test]
    fn a_crop_far_from_the_frame_shows_its_border() {
        let frame = Frame::from_luma(3, 3, &[1, 2, 3, 4, 5, 6, 7, 8, 9]).unwrap();
        for (scale, corner) in [(1.0, 1e30), (8.0, f32::MAX), (1e30, 1e30)] {
            let place = Similarity::from_scale_and_origin(scale, Point::new(corner, corner));
            assert_eq!(cut_luma(&frame, &place, 2), [9.0; 4]);
        }
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
        let transform = displayed_from_crop(&found, &framing, 48, 48);
        let origin = transform.apply(Point::default());
        let corner = transform.apply(Point::new(48.0, 0.0));
        assert!((origin.x - 200.0).abs() < 1e-2 && (origin.y - 50.0).abs() < 1e-2);
        assert!((corner.x - 200.0).abs() < 1e-2 && (corner.y - 150.0).abs() < 1e-2);
    }

    #[test]
    fn faces_that_are_cut_off_or_turned_away_are_not_classifiable() {
        let inside = detection(Rect::new(0.0, 0.0, 10.0, 10.0));
        let half_outside = detection(Rect::new(-5.0, 0.0, 10.0, 10.0));
        let frame = Frame::from_luma(20, 20, &[0; 400]).unwrap();
        assert!(is_classifiable(&inside, &frame));
        assert!(!is_classifiable(&half_outside, &frame));
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
        assert!(is_classifiable(&nose_at(5.5), &frame));
        assert!(!is_classifiable(&nose_at(6.5), &frame));
    }
}
