// SPDX-License-Identifier: MPL-2.0

//! Cropping of faces, aligned as in the classifier's training data.
//!
//! Boxes and landmarks are in pixels of the displayed frame: the picture is upright, and horizontal
//! coordinates are multiplied by the pixel aspect ratio, so that faces have their natural
//! proportions.

mod pixel_sampler;

use super::detection::Detection;
use super::frame::{ColorModel, Frame, Layout};
use super::geometry::{Landmarks, Point, Similarity};
use super::preprocessing::{Pixel, TensorFormat, needed_layout};
use pixel_sampler::{ChannelReader, PixelSampler, Sampling};

/// The alignment of a face in a crop, the classifier's input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Framing {
    /// Height of the crop, in heights of the detected box.
    pub box_height: f32,
    /// Vector from the center of the box to the center of the crop, in heights of the box.
    pub box_center: Point,
    /// Positions of the landmarks in the crop, as fractions of its width and height. If set, a face
    /// with landmarks is rotated, scaled and moved so that they match these; any other face is
    /// aligned by its box.
    pub landmarks: Option<Landmarks>,
}

/// Returns the transform from pixels of a crop of `width` by `height` pixels to pixels of the
/// displayed frame.
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

/// Crops a face: writes `width` by `height` pixels of `frame`, at the positions that
/// `displayed_from_crop` assigns to them, to `crop`, which has `format.len(width, height)`
/// elements.
///
/// Each pixel of the crop is the mean of samples of the frame that are about one frame pixel apart,
/// so that large faces are averaged instead of subsampled. Outside of the frame, its border pixels
/// are repeated.
///
/// # Panics
/// Panics if `crop` has another length.
pub fn extract(
    frame: &Frame,
    displayed_from_crop: &Similarity,
    format: &TensorFormat,
    (width, height): (usize, usize),
    crop: &mut [f32],
) {
    assert_eq!(crop.len(), format.len(width, height));
    let size = (width, height);
    let mut layout = needed_layout(frame.layout(), format.channels);
    if let Some(luma) = ChannelReader::luma_of_packed_rgb(frame, format.channels) {
        layout.color = ColorModel::Gray;
        let sampler = PixelSampler::new(
            luma,
            Sampling::new(frame, (0, 0)),
            displayed_from_crop,
            size,
        );
        fill(crop, size, format, &layout, |x, y| {
            [sampler.mean(x, y), 0.0, 0.0]
        });
        return;
    }
    let sampler = |index: usize| {
        let component = &layout.components[index];
        let sampling = Sampling::new(frame, (component.shift_x, component.shift_y));
        let channel = ChannelReader::new(frame.channel(index));
        PixelSampler::new(channel, sampling, displayed_from_crop, size)
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
    format: &TensorFormat,
    layout: &Layout,
    components_at: impl Fn(usize, usize) -> [f32; 3],
) {
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    if let Some(element) = format.element_of_luma(layout) {
        for (value, (x, y)) in crop.iter_mut().zip(pixels) {
            let [luma, ..] = components_at(x, y);
            *value = element(luma);
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
    use crate::geometry::Rect;
    use crate::orientation::Orientation;

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

    fn crop_luma(frame: &Frame, transform: &Similarity, side: usize) -> Vec<f32> {
        let mut crop = vec![f32::NAN; side * side];
        extract(
            frame,
            transform,
            &TensorFormat::LUMA,
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
        assert_eq!(crop_luma(&frame, &transform, 2), [5.0, 6.0, 9.0, 10.0]);
    }

    #[test]
    fn a_box_of_twice_the_size_is_averaged_and_border_pixels_are_repeated() {
        let luma: Vec<u8> = (0..16).collect();
        let frame = Frame::from_luma(4, 4, &luma).unwrap();
        let whole = displayed_from_crop(&detection(Rect::new(0.0, 0.0, 4.0, 4.0)), &FRAMING, 2, 2);
        assert_eq!(crop_luma(&frame, &whole, 2), [2.5, 4.5, 10.5, 12.5]);
        let outside =
            displayed_from_crop(&detection(Rect::new(9.0, 9.0, 2.0, 2.0)), &FRAMING, 2, 2);
        assert_eq!(crop_luma(&frame, &outside, 2), [15.0; 4]);
    }

    #[test]
    fn a_frame_with_wide_pixels_is_cropped_as_displayed() {
        let frame = Frame::from_luma(2, 2, &[10, 20, 30, 40]).unwrap();
        let frame = frame.with_pixel_aspect(2.0);
        let found = detection(Rect::new(0.0, 0.0, 2.0, 2.0)).stretched(2.0);
        let transform = displayed_from_crop(&found, &FRAMING, 2, 2);
        // The frame is displayed with 4 by 2 pixels; the crop is the square in the middle, whose
        // columns are at 1/4 and 3/4 between the centers of both frame pixels.
        assert_eq!(crop_luma(&frame, &transform, 2), [12.5, 17.5, 32.5, 37.5]);
    }

    #[test]
    fn framing_moves_and_scales_the_crop_in_heights_of_the_box() {
        let framing = Framing {
            box_height: 2.0,
            box_center: Point::new(0.0, -0.1),
            landmarks: None,
        };
        let found = detection(Rect::new(10.0, 20.0, 8.0, 10.0));
        let transform = displayed_from_crop(&found, &framing, 40, 40);
        assert_eq!(transform.scale(), 0.5);
        // Center of the box (14, 25), moved up by 1, minus half of the side of 20.
        assert_eq!(transform.apply(Point::default()), Point::new(4.0, 14.0));
    }

    #[test]
    fn a_crop_at_the_edge_of_a_frame_is_the_same_as_within_a_larger_frame() {
        let luma = |x: usize, y: usize| (x * 37 + y * 101 + x * y * 7) as u8;
        let luma_of = |left: usize, top: usize, side: usize| -> Vec<u8> {
            let pixels = (0..side * side).map(|i| (left + i % side, top + i / side));
            pixels.map(|(x, y)| luma(x, y)).collect()
        };
        let side = 12;
        for scale in [2, 4] {
            let (part, whole) = (scale * side, scale * side + 40);
            let (from_part, from_whole) = (luma_of(20, 20, part), luma_of(0, 0, whole));
            let crop_of = |luma: &[u8], side_of_frame: usize, left: f32| {
                let frame = Frame::from_luma(side_of_frame, side_of_frame, luma).unwrap();
                let transform =
                    Similarity::from_scale_and_origin(scale as f32, Point::new(left, left));
                crop_luma(&frame, &transform, side)
            };
            assert_eq!(
                crop_of(&from_part, part, 0.0),
                crop_of(&from_whole, whole, 20.0),
                "{scale} samples per side"
            );
        }
    }

    #[test]
    fn a_crop_far_from_the_frame_shows_its_border() {
        let frame = Frame::from_luma(3, 3, &[1, 2, 3, 4, 5, 6, 7, 8, 9]).unwrap();
        for (scale, corner) in [(1.0, 1e30), (8.0, f32::MAX), (1e30, 1e30)] {
            let transform = Similarity::from_scale_and_origin(scale, Point::new(corner, corner));
            assert_eq!(crop_luma(&frame, &transform, 2), [9.0; 4]);
        }
    }

    #[test]
    fn a_crop_is_upright_in_all_orientations() {
        let (width, height) = (12, 8);
        let luma: Vec<u8> = (0..width * height).map(|i| (i * i) as u8).collect();
        let stored = Frame::from_luma(width, height, &luma).unwrap();
        for (orientation, pixel_aspect) in Orientation::ALL.map(|o| [(o, 1.0), (o, 2.0)]).concat() {
            let stored = stored
                .with_orientation(orientation)
                .with_pixel_aspect(pixel_aspect);
            let (columns, rows) = stored.upright_size();
            let upright: Vec<u8> = (0..columns * rows)
                .map(|i| {
                    let pixel = (i % columns, i / columns);
                    let (x, y) = orientation.pixel_in_frame(pixel, (width, height));
                    luma[y * width + x]
                })
                .collect();
            let upright = Frame::from_luma(columns, rows, &upright).unwrap();
            let upright = upright.with_pixel_aspect(stored.upright_pixel_aspect());
            assert_eq!(upright.displayed_size(), stored.displayed_size());
            for scale in [0.5, 1.0, 2.0] {
                let transform = Similarity::from_scale_and_origin(scale, Point::new(0.25, 1.5));
                assert_eq!(
                    crop_luma(&stored, &transform, 4),
                    crop_luma(&upright, &transform, 4),
                    "{orientation:?}, {pixel_aspect}, {scale}"
                );
            }
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
        // A quarter turn; the side of the crop is 100 frame pixels.
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
}
