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
use super::preprocessing::{FrameScaler, Samples, TensorFormat, needed_layout};
use super::vectors::{Vectorizable, run_with_longest_vectors};
use pixel_sampler::{ChannelReader, PixelSampler, SampleGrid};

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

/// Crops faces. Reuses its memory.
#[derive(Debug, Default)]
pub struct Cropper {
    scaler: FrameScaler,
    /// A crop of a transposed frame, as it is stored.
    transposed: Vec<f32>,
    /// One row of the crop per component, as stored in the frame, 0 to 255.
    rows: [Vec<f32>; 3],
}

impl Cropper {
    /// Crops a face: writes pixels of `frame`, at the positions that
    /// `displayed_from_crop` assigns to them, to `crop`, of a `size` (width, height), which has
    /// `format.len(width, height)`
    /// elements.
    ///
    /// Each pixel of the crop is the mean of samples of the frame that are about one frame pixel apart,
    /// so that large faces are averaged instead of subsampled. Outside of the frame, its border pixels
    /// are repeated.
    ///
    /// # Panics
    /// Panics if `crop` has another length.
    pub fn extract(
        &mut self,
        frame: &Frame,
        displayed_from_crop: &Similarity,
        format: &TensorFormat,
        size: (usize, usize),
        crop: &mut [f32],
    ) {
        assert_eq!(crop.len(), format.len(size.0, size.1));
        let grid = |shifts| SampleGrid::new(frame, shifts, displayed_from_crop);
        if let Some(samples) = grid((0, 0)).columns_and_rows() {
            // Adding up rows first, and then columns, takes a fraction of the time.
            return self.scale(frame, samples, format, size, crop);
        }
        let mut layout = needed_layout(frame.layout(), format.channels);
        let rows = &mut self.rows;
        if let Some(luma) = ChannelReader::luma_of_packed_rgb(frame, format.channels) {
            layout.color = ColorModel::Gray;
            let luma = PixelSampler::new(luma, grid((0, 0)));
            return run_with_longest_vectors(Fill {
                crop,
                size,
                format,
                layout,
                samplers: [luma],
                rows,
            });
        }
        let sampler = |index: usize| {
            let component = &layout.components[index];
            let channel = ChannelReader::new(frame.channel(index));
            PixelSampler::new(channel, grid((component.shift_x, component.shift_y)))
        };
        if layout.color == ColorModel::Gray {
            run_with_longest_vectors(Fill {
                crop,
                size,
                format,
                layout,
                samplers: [sampler(0)],
                rows,
            });
        } else {
            run_with_longest_vectors(Fill {
                crop,
                size,
                format,
                layout,
                samplers: [0, 1, 2].map(sampler),
                rows,
            });
        }
    }

    /// Fills a crop with the means of samples of columns and rows of the frame.
    fn scale(
        &mut self,
        frame: &Frame,
        samples: (Samples, Samples),
        format: &TensorFormat,
        size: (usize, usize),
        crop: &mut [f32],
    ) {
        if !frame.orientation().is_transposed() {
            return self.scaler.sample(frame, size, samples, format, crop);
        }
        let (width, height) = size;
        let stored_size = (height, width);
        self.transposed.resize(crop.len(), 0.0);
        self.scaler
            .sample(frame, stored_size, samples, format, &mut self.transposed);
        for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
            for channel in 0..format.channels.count() {
                crop[format.index(size, (x, y), channel)] =
                    self.transposed[format.index(stored_size, (y, x), channel)];
            }
        }
    }
}

/// Fills a crop with samples.
struct Fill<'a, const BYTES: usize, const COMPONENTS: usize> {
    crop: &'a mut [f32],
    /// Width and height of the crop.
    size: (usize, usize),
    format: &'a TensorFormat,
    layout: Layout,
    /// The samplers of the components, in the order of the layout.
    samplers: [PixelSampler<'a, BYTES>; COMPONENTS],
    /// Memory of a row per component.
    rows: &'a mut [Vec<f32>; 3],
}

impl<const BYTES: usize, const COMPONENTS: usize> Vectorizable for Fill<'_, BYTES, COMPONENTS> {
    #[inline(always)]
    fn run(self) {
        let (width, height) = self.size;
        for y in 0..height {
            for (sampler, row) in self.samplers.iter().zip(self.rows.iter_mut()) {
                row.resize(width, 0.0);
                sampler.sample_row(y, row);
            }
            self.format
                .put_row(self.crop, self.size, y, &self.layout, self.rows);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Component, Plane};
    use crate::geometry::Rect;
    use crate::orientation::Orientation;
    use crate::preprocessing::Channels;

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
        Cropper::default().extract(
            frame,
            transform,
            &TensorFormat::LUMA,
            (side, side),
            &mut crop,
        );
        crop
    }

    /// Returns a crop by its definition: each pixel is the mean of samples, which are bilinear
    /// interpolations or, if there are at least three per side, the nearest pixels of the frame.
    fn crop_by_definition(
        luma: impl Fn(usize, usize) -> f64,
        (width, height): (usize, usize),
        displayed_from_crop: &Similarity,
        side: usize,
    ) -> Vec<f64> {
        let per_side = displayed_from_crop.scale().ceil().clamp(1.0, 4.0) as usize;
        let sample = |x: f32, y: f32| {
            let p = displayed_from_crop.apply(Point::new(x, y));
            let clamped = |v: f32, len: usize| (f64::from(v) - 0.5).clamp(0.0, (len - 1) as f64);
            let (x, y) = (clamped(p.x, width), clamped(p.y, height));
            if per_side >= 3 {
                return luma(x.round() as usize, y.round() as usize);
            }
            let (x0, y0) = (x as usize, y as usize);
            let (x1, y1) = ((x0 + 1).min(width - 1), (y0 + 1).min(height - 1));
            let row = |y: usize| luma(x0, y) + x.fract() * (luma(x1, y) - luma(x0, y));
            row(y0) + y.fract() * (row(y1) - row(y0))
        };
        let mean = |x: usize, y: usize| {
            let offset = |index: usize| (index as f32 + 0.5) / per_side as f32;
            let samples = (0..per_side * per_side).map(|i| {
                let (dx, dy) = (offset(i % per_side), offset(i / per_side));
                sample(x as f32 + dx, y as f32 + dy)
            });
            samples.sum::<f64>() / (per_side * per_side) as f64
        };
        (0..side * side).map(|i| mean(i % side, i / side)).collect()
    }

    /// Transforms of crops of 50 px, which extend over the edges of a frame of 320x180 pixels or
    /// not, with one to four samples per side of a pixel, which are dense or not.
    fn transforms() -> impl Iterator<Item = Similarity> {
        let scales = [0.6, 1.7, 2.6, 3.4, 5.0, 9.0];
        let turns = [0.0f32, -4.0, 30.0, 200.0];
        let cases = scales
            .into_iter()
            .flat_map(move |scale| turns.map(|turn| (scale, turn)));
        cases.flat_map(|(scale, degrees)| {
            let (sin, cos) = degrees.to_radians().sin_cos();
            [(160.0, 90.0), (20.0, 140.0)].map(|(x, y)| {
                let corner = |x: f32, y: f32| {
                    let (x, y) = (x - 25.0, y - 25.0);
                    Point::new(cos * x - sin * y, sin * x + cos * y)
                };
                let from = [(0.0, 0.0), (50.0, 0.0), (0.0, 50.0)];
                let to = from.map(|(dx, dy)| {
                    let p = corner(dx, dy);
                    Point::new(x + scale * p.x, y + scale * p.y)
                });
                Similarity::from_points(&from.map(|(x, y)| Point::new(x, y)), &to).unwrap()
            })
        })
    }

    #[test]
    fn pixels_are_means_of_samples_in_luma_and_in_packed_rgb() {
        const SIZE: (usize, usize) = (320, 180);
        let color = |x: usize, y: usize| {
            let wave = |length: f64| {
                let phase = (x as f64 + 0.7 * y as f64) / length;
                (128.0 + 100.0 * phase.sin()).round() as u8
            };
            [wave(17.0), wave(23.0), wave(40.0)]
        };
        let pixels = || (0..SIZE.0 * SIZE.1).map(|i| color(i % SIZE.0, i / SIZE.0));
        let red: Vec<u8> = pixels().map(|[red, ..]| red).collect();
        let rgb: Vec<u8> = pixels().flatten().collect();
        let luma = |x: usize, y: usize| {
            let [red, green, blue] = color(x, y).map(f64::from);
            0.299 * red + 0.587 * green + 0.114 * blue
        };
        for transform in transforms() {
            let frames = [
                Frame::from_luma(SIZE.0, SIZE.1, &red),
                Frame::from_rgb(SIZE.0, SIZE.1, &rgb),
            ];
            let expected = [
                crop_by_definition(|x, y| f64::from(color(x, y)[0]), SIZE, &transform, 50),
                crop_by_definition(luma, SIZE, &transform, 50),
            ];
            for (frame, expected) in frames.into_iter().zip(expected) {
                let crop = crop_luma(&frame.unwrap(), &transform, 50);
                let differences = crop
                    .iter()
                    .zip(expected)
                    .map(|(&a, b)| (f64::from(a) - b).abs());
                let mean = differences.clone().sum::<f64>() / crop.len() as f64;
                let largest = differences.fold(0.0, f64::max);
                // A sample may be halfway between two pixels.
                assert!(
                    mean < 0.02 && largest < 1.0,
                    "{transform:?}: {mean}, {largest}"
                );
            }
        }
    }

    #[test]
    fn colors_of_a_face_that_is_hardly_turned_are_those_of_one_that_is_not() {
        const SIZE: (usize, usize) = (64, 48);
        let plane = |width: usize, height: usize, length: f64| -> Vec<u8> {
            let wave = |i: usize| (((i % width) as f64 + 0.7 * (i / width) as f64) / length).sin();
            (0..width * height)
                .map(|i| (128.0 + 60.0 * wave(i)).round() as u8)
                .collect()
        };
        let planes = [plane(64, 48, 17.0), plane(32, 24, 11.0), plane(32, 24, 7.0)];
        let layout = Layout {
            color: ColorModel::Yuv,
            components: std::array::from_fn(|plane| Component {
                plane,
                offset: 0,
                pixel_stride: 1,
                shift_x: plane.min(1) as u32,
                shift_y: plane.min(1) as u32,
            }),
            ..Layout::GRAY8
        };
        let planes = std::array::from_fn(|i| Plane {
            data: &planes[i],
            stride: [64, 32, 32][i],
        });
        let frame = Frame::new(SIZE.0, SIZE.1, layout, planes).unwrap();
        let format = TensorFormat {
            channels: Channels::Rgb,
            ..TensorFormat::LUMA
        };
        let color_crop = |frame: &Frame, turn: f32, scale: f32| {
            let from = [Point::new(0.0, 0.0), Point::new(8.0, 0.0)];
            let to = [
                Point::new(12.0, 9.0),
                Point::new(12.0 + 8.0 * scale, 9.0 + turn),
            ];
            let transform = Similarity::from_points(&from, &to).unwrap();
            let mut crop = vec![f32::NAN; format.len(8, 6)];
            Cropper::default().extract(frame, &transform, &format, (8, 6), &mut crop);
            crop
        };
        for orientation in Orientation::ALL {
            let frame = frame.with_orientation(orientation);
            for scale in [0.7, 1.8, 2.6, 4.5] {
                let crops = [0.0, 1e-4].map(|turn| color_crop(&frame, turn, scale));
                for (a, b) in crops[0].iter().zip(&crops[1]) {
                    assert!((a - b).abs() < 1.5, "{orientation:?}, {scale}: {a}, {b}");
                }
            }
        }
    }

    /// `Fill::run` is all that a processor without AVX2 or of another architecture runs.
    #[test]
    fn a_processor_without_avx2_computes_the_same_values() {
        let luma: Vec<u8> = (0..320 * 180).map(|i: usize| (i * i / 7) as u8).collect();
        let frame = Frame::from_luma(320, 180, &luma).unwrap();
        for transform in transforms() {
            let grid = SampleGrid::new(&frame, (0, 0), &transform);
            if grid.columns_and_rows().is_some() {
                // The frame is scaled, which has a test of its own.
                continue;
            }
            let mut crop = vec![f32::NAN; 50 * 50];
            let luma = ChannelReader::new(frame.channel(0));
            let fill = Fill {
                crop: &mut crop,
                size: (50, 50),
                format: &TensorFormat::LUMA,
                layout: *frame.layout(),
                samplers: [PixelSampler::new(luma, grid)],
                rows: &mut Default::default(),
            };
            fill.run();
            assert_eq!(crop, crop_luma(&frame, &transform, 50), "{transform:?}");
        }
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
