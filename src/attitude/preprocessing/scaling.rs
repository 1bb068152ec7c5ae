// SPDX-License-Identifier: MPL-2.0

//! Scaling of a frame to a detector's input.

use std::ops::Range;

use super::axis::{Axis, ByteWeights, Samples, WEIGHT_SUM};
use super::letterbox::Letterbox;
use super::pixel::{Channels, LUMA_WEIGHTS, Pixel, TensorFormat, needed_layout};
use crate::frame::{ColorModel, Frame, Layout, MAX_PLANES};
use crate::orientation::Orientation;
use crate::vectors::{Vectorizable, run_with_longest_vectors};

/// Scales frames to a detector's input. Reuses its memory, and the weights of pixels while the
/// sizes of the frame and the input stay the same.
///
/// Each row of the input is computed in two passes: the rows of the frame that it covers are added
/// up per plane, then the columns of these sums are added up per channel.
#[derive(Debug, Default)]
pub struct FrameScaler {
    /// Weights of rows, indexed by the binary logarithm of the vertical subsampling.
    rows: [Axis; 3],
    /// Weights of the bytes in a row, indexed by the channel.
    columns: [Axis; 3],
    /// Per plane, [`WEIGHT_SUM`] times the mean of the frame's rows that one row of the input
    /// covers.
    sums: [Vec<u16>; MAX_PLANES],
    /// One row of the input per channel, as stored in the frame, 0 to 255.
    scaled: [Vec<f32>; 3],
    /// The scaled frame as it is stored, if its picture is not upright.
    stored: Vec<f32>,
}

impl FrameScaler {
    /// Scales `frame` to `tensor`, upright and at the position in `letterbox`; the rest of `tensor`
    /// becomes black. Each pixel is the mean of the area of the frame that it covers or, if the frame is
    /// enlarged, a bilinear interpolation. `tensor` has `format.len(letterbox.input_width,
    /// letterbox.input_height)` elements.
    ///
    /// # Panics
    /// Panics if `tensor` has another length.
    pub fn scale(
        &mut self,
        frame: &Frame,
        letterbox: &Letterbox,
        format: &TensorFormat,
        tensor: &mut [f32],
    ) {
        let orientation = frame.orientation();
        if orientation == Orientation::IDENTITY {
            return self.scale_stored(frame, letterbox, format, tensor);
        }
        // The scaled frame is turned, as it is much smaller than the frame.
        let stored_letterbox = letterbox.of_stored(orientation);
        let stored_size = (stored_letterbox.input_width, stored_letterbox.input_height);
        let mut stored = std::mem::take(&mut self.stored);
        stored.resize(format.len(stored_size.0, stored_size.1), 0.0);
        self.scale_stored(frame, &stored_letterbox, format, &mut stored);
        let size = (letterbox.input_width, letterbox.input_height);
        for y in 0..letterbox.content_height {
            for x in 0..letterbox.content_width {
                let source = orientation.pixel_in_frame((x, y), stored_size);
                for channel in 0..format.channels.count() {
                    tensor[format.index(size, (x, y), channel)] =
                        stored[format.index(stored_size, source, channel)];
                }
            }
        }
        self.stored = stored;
        blacken_padding(letterbox, format, tensor);
    }

    /// The same as [`scale`](Self::scale), without the orientation of the frame.
    fn scale_stored(
        &mut self,
        frame: &Frame,
        letterbox: &Letterbox,
        format: &TensorFormat,
        tensor: &mut [f32],
    ) {
        run_with_longest_vectors(Scaling {
            scaler: self,
            frame,
            size: (letterbox.input_width, letterbox.input_height),
            content_size: (letterbox.content_width, letterbox.content_height),
            samples: None,
            format,
            tensor,
        });
        blacken_padding(letterbox, format, tensor);
    }

    /// Fills `tensor`, an input of `size` (width, height), with means of samples of `frame`, without its
    /// orientation: of its columns and of its rows.
    ///
    /// # Panics
    /// Panics if `tensor` does not have `format.len(width, height)` elements.
    pub(crate) fn sample(
        &mut self,
        frame: &Frame,
        size: (usize, usize),
        samples: (Samples, Samples),
        format: &TensorFormat,
        tensor: &mut [f32],
    ) {
        run_with_longest_vectors(Scaling {
            scaler: self,
            frame,
            size,
            content_size: size,
            samples: Some(samples),
            format,
            tensor,
        });
    }
}

/// A frame to scale without its orientation.
struct Scaling<'a> {
    scaler: &'a mut FrameScaler,
    frame: &'a Frame<'a>,
    /// Width and height of the input.
    size: (usize, usize),
    /// Width and height of the scaled frame in the input.
    content_size: (usize, usize),
    /// The samples of the frame's columns and rows; `None` to scale the whole frame.
    samples: Option<(Samples, Samples)>,
    format: &'a TensorFormat,
    tensor: &'a mut [f32],
}

impl Vectorizable for Scaling<'_> {
    #[inline(always)]
    fn run(self) {
        let Self {
            scaler,
            frame,
            size,
            content_size: (content_width, content_height),
            samples,
            format,
            tensor,
        } = self;
        assert_eq!(tensor.len(), format.len(size.0, size.1));
        let mut layout = needed_layout(frame.layout(), format.channels);
        let components = layout.components;
        let components = &components[..layout.component_count()];
        let (byte_weights, channel_count) = channel_weights(&layout, format.channels);
        if channel_count < components.len() {
            // Scaling converts the colors to luma.
            layout.color = ColorModel::Gray;
        }
        // The components of a plane have the same vertical subsampling, so its rows are added up
        // once.
        let is_first_of_plane: [bool; 3] = std::array::from_fn(|index| {
            let plane = layout.components[index].plane;
            let mut earlier = layout.components[..index].iter();
            earlier.all(|other| other.plane != plane)
        });
        let mut bytes: [Range<usize>; MAX_PLANES] = Default::default();
        for (index, component) in components.iter().enumerate() {
            let column_samples = samples.map(|samples| samples.0.subsampled(component.shift_x));
            let row_samples = samples.map(|samples| samples.1.subsampled(component.shift_y));
            if is_first_of_plane[index] {
                let rows = &mut scaler.rows[component.shift_y as usize];
                let height = frame.height().div_ceil(1 << component.shift_y);
                rows.prepare(height, content_height, ByteWeights::ONE_BYTE, row_samples);
            }
            if index < channel_count {
                let columns = &mut scaler.columns[index];
                let width = frame.width().div_ceil(1 << component.shift_x);
                columns.prepare(width, content_width, byte_weights[index], column_samples);
                let bytes = &mut bytes[component.plane];
                let needed = columns.bytes();
                *bytes = if bytes.end == 0 {
                    needed
                } else {
                    bytes.start.min(needed.start)..bytes.end.max(needed.end)
                };
            }
        }
        for y in 0..content_height {
            for (component, is_first_of_plane) in components.iter().zip(is_first_of_plane) {
                if is_first_of_plane {
                    let plane = component.plane;
                    let rows = scaler.rows[component.shift_y as usize].weights_of(y);
                    add_up_rows(
                        frame,
                        plane,
                        rows,
                        bytes[plane].clone(),
                        &mut scaler.sums[plane],
                    );
                }
            }
            let channels = scaler.columns.iter().zip(&mut scaler.scaled);
            for ((columns, scaled), component) in channels.zip(components).take(channel_count) {
                columns.apply(&scaler.sums[component.plane], scaled);
            }
            format.put_row(tensor, size, y, &layout, &scaler.scaled);
        }
    }
}

/// Sets the pixels beside and below the scaled frame to black.
#[inline(always)]
fn blacken_padding(letterbox: &Letterbox, format: &TensorFormat, tensor: &mut [f32]) {
    let size = (letterbox.input_width, letterbox.input_height);
    for y in 0..letterbox.input_height {
        let padding_start = if y < letterbox.content_height {
            letterbox.content_width
        } else {
            0
        };
        for x in padding_start..letterbox.input_width {
            format.put(tensor, size, (x, y), Pixel::Luma(0.0));
        }
    }
}

/// Returns the weights of a row's bytes in each channel to scale, and the number of channels: one
/// per component, or only luma if packed RGB is converted to luma.
fn channel_weights(layout: &Layout, needed: Channels) -> ([ByteWeights; 3], usize) {
    let components = &layout.components;
    if needed == Channels::Luma && layout.is_packed_rgb() {
        let weight_sum = f64::from(WEIGHT_SUM);
        let luma = ByteWeights {
            pixel_stride: components[0].pixel_stride,
            bytes: std::array::from_fn(|i| (components[i].offset, LUMA_WEIGHTS[i] * weight_sum)),
            sum: weight_sum,
        };
        return ([luma; 3], 1);
    }
    let channels = components.map(|component| ByteWeights {
        pixel_stride: component.pixel_stride,
        bytes: [(component.offset, 1.0), (0, 0.0), (0, 0.0)],
        sum: 1.0,
    });
    (channels, layout.component_count())
}

/// Replaces the range `bytes` of `sums` with the weighted sum of rows of a plane: those from a first row
/// on, one per weight. The weights add up to [`WEIGHT_SUM`], so that sums fit into 16 bits, and a 128-bit
/// vector holds eight of them.
#[inline(always)]
fn add_up_rows(
    frame: &Frame,
    plane: usize,
    (first, weights): (usize, &[u16]),
    bytes: Range<usize>,
    sums: &mut Vec<u16>,
) {
    if sums.len() < bytes.end {
        sums.resize(bytes.end, 0);
    }
    let sums = &mut sums[bytes.clone()];
    let mut rows = weights
        .iter()
        .enumerate()
        .filter(|(_, weight)| **weight > 0)
        .map(|(offset, &weight)| {
            (
                &frame.plane_row(plane, first + offset)[bytes.clone()],
                weight,
            )
        });
    if let Some((row, weight)) = rows.next() {
        for (sum, &byte) in sums.iter_mut().zip(row) {
            *sum = u16::from(byte) * weight;
        }
    }
    // Adding two rows at a time halves the loads and stores of the sums.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preprocessing::{InputSize, TensorLayout};

    fn scale(frame: &Frame, letterbox: &Letterbox, format: &TensorFormat) -> Vec<f32> {
        let len = format.len(letterbox.input_width, letterbox.input_height);
        let mut tensor = vec![f32::NAN; len];
        FrameScaler::default().scale(frame, letterbox, format, &mut tensor);
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
            scale(&frame, &letterbox, &TensorFormat::LUMA),
            [25.0, 45.0, 0.0, 0.0]
        );
    }

    /// `Scaling::run` is all that a processor without AVX2 or of another architecture runs.
    #[test]
    fn a_processor_without_avx2_computes_the_same_values() {
        let luma: Vec<u8> = (0..1279 * 717).map(|i: usize| (i * i / 7) as u8).collect();
        let frame = Frame::from_luma(1279, 717, &luma).unwrap();
        for channels in [Channels::Luma, Channels::Rgb] {
            let format = TensorFormat {
                channels,
                ..TensorFormat::LUMA
            };
            for multiple in [3, 32, 317] {
                let size = InputSize::MultipleOf(multiple);
                let letterbox = Letterbox::new((1279, 717), 1.0, size, 320);
                let mut tensor =
                    vec![f32::NAN; format.len(letterbox.input_width, letterbox.input_height)];
                let scaling = Scaling {
                    scaler: &mut FrameScaler::default(),
                    frame: &frame,
                    size: (letterbox.input_width, letterbox.input_height),
                    content_size: (letterbox.content_width, letterbox.content_height),
                    samples: None,
                    format: &format,
                    tensor: &mut tensor,
                };
                scaling.run();
                blacken_padding(&letterbox, &format, &mut tensor);
                assert_eq!(scale(&frame, &letterbox, &format), tensor, "{letterbox:?}");
            }
        }
    }

    #[test]
    fn a_frame_is_scaled_upright_in_all_orientations() {
        let luma: Vec<u8> = (0..8 * 4).map(|i| 7 * i).collect();
        let stored = Frame::from_luma(8, 4, &luma).unwrap();
        for orientation in Orientation::ALL {
            let (width, height) = stored.with_orientation(orientation).upright_size();
            let upright: Vec<u8> = (0..width * height)
                .map(|i| {
                    let pixel = (i % width, i / width);
                    let (x, y) = orientation.pixel_in_frame(pixel, (8, 4));
                    luma[y * 8 + x]
                })
                .collect();
            let upright = Frame::from_luma(width, height, &upright).unwrap();
            let size = InputSize::MultipleOf(3);
            let letterbox = Letterbox::new((width, height), 1.0, size, 4);
            for layout in [TensorLayout::Nchw, TensorLayout::Nhwc] {
                let format = TensorFormat {
                    channels: Channels::Rgb,
                    layout,
                    ..TensorFormat::LUMA
                };
                assert_eq!(
                    scale(&stored.with_orientation(orientation), &letterbox, &format),
                    scale(&upright, &letterbox, &format),
                    "{orientation:?}"
                );
            }
        }
    }

    #[test]
    fn a_constant_frame_stays_constant_at_any_ratio() {
        for (from, to) in [(7, 3), (640, 320), (1281, 320), (1999, 320), (5, 32)] {
            let luma = vec![200; from * from];
            let frame = Frame::from_luma(from, from, &luma).unwrap();
            let size = InputSize::Fixed {
                width: to,
                height: to,
            };
            let letterbox = Letterbox::new((from, from), 1.0, size, 0);
            let tensor = scale(&frame, &letterbox, &TensorFormat::LUMA);
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
        let bgr = TensorFormat {
            channels: Channels::Bgr,
            mean: [127.0; 3],
            scale: [1.0 / 128.0; 3],
            ..TensorFormat::LUMA
        };
        let planar = scale(&frame, &letterbox, &bgr);
        assert_eq!(planar, [0.0, 0.0, -0.9921875, -0.9921875, 1.0, -0.9921875]);
        let interleaved = TensorFormat {
            layout: TensorLayout::Nhwc,
            ..bgr
        };
        let nhwc = scale(&frame, &letterbox, &interleaved);
        assert_eq!(nhwc, [0.0, -0.9921875, 1.0, 0.0, -0.9921875, -0.9921875]);
        let luma = scale(&frame, &letterbox, &TensorFormat::LUMA);
        assert!((luma[0] - (0.299 * 255.0 + 0.114 * 127.0)).abs() < 0.01);
    }
}
