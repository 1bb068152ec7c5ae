// SPDX-License-Identifier: MPL-2.0

//! Formats of pixels in the input tensors of networks.

use crate::frame::{ColorModel, Layout, Transfer};

/// Weights of red, green and blue in luma that is computed from RGB.
pub const LUMA_WEIGHTS: [f64; 3] = [0.299, 0.587, 0.114];

/// The color channels of a network's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    /// Full-range luma, computed from RGB with [`LUMA_WEIGHTS`] if necessary.
    Luma,
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red.
    Bgr,
}

impl Channels {
    /// Returns the number of channels.
    pub const fn count(self) -> usize {
        match self {
            Channels::Luma => 1,
            Channels::Rgb | Channels::Bgr => 3,
        }
    }
}

/// The order of a tensor's dimensions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TensorLayout {
    /// Batch, channel, row, column.
    #[default]
    Nchw,
    /// Batch, row, column, channel.
    Nhwc,
}

/// The conversion of pixels to tensor elements: `(value - mean) * scale` per channel, with values
/// from 0 to 255, and the order of the elements.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TensorFormat {
    /// The channels and their order.
    pub channels: Channels,
    /// The order of the dimensions in memory.
    pub layout: TensorLayout,
    /// The value that is subtracted, per channel.
    pub mean: [f32; 3],
    /// The factor of the difference, per channel.
    pub scale: [f32; 3],
}

impl TensorFormat {
    /// Full-range luma, 0 to 255.
    pub const LUMA: TensorFormat = TensorFormat {
        channels: Channels::Luma,
        layout: TensorLayout::Nchw,
        mean: [0.0; 3],
        scale: [1.0; 3],
    };

    /// Returns the number of tensor elements of `width` by `height` pixels.
    pub const fn len(&self, width: usize, height: usize) -> usize {
        width * height * self.channels.count()
    }

    /// Returns the number of planes: consecutive parts of a tensor, each of which has a picture's pixels
    /// from top to bottom.
    pub(crate) const fn plane_count(&self) -> usize {
        match self.layout {
            TensorLayout::Nchw => self.channels.count(),
            TensorLayout::Nhwc => 1,
        }
    }

    /// Returns the conversion of luma, as stored in a frame with `layout`, to a tensor element, or
    /// `None` if the frame or the tensor has more channels than luma, or the frame needs tone
    /// mapping. With [`put`](Self::put) instead, cropping takes longer.
    #[inline(always)]
    fn element_of_luma(&self, layout: &Layout) -> Option<impl Fn(f32) -> f32 + use<>> {
        let (layout, mean, scale) = (*layout, self.mean[0], self.scale[0]);
        let is_luma = layout.color == ColorModel::Gray && self.channels == Channels::Luma;
        let is_plain = is_luma && layout.transfer == Transfer::Sdr;
        is_plain.then_some(move |luma| (layout.to_full_range(luma) - mean) * scale)
    }

    /// Returns the conversion of a tensor element to luma, 0 to 255, or `None` if the tensor does
    /// not contain luma.
    pub(crate) fn luma_of_element(&self) -> Option<impl Fn(f32) -> f32 + use<>> {
        let (mean, scale) = (self.mean[0], self.scale[0]);
        let has_luma = self.channels == Channels::Luma && scale != 0.0;
        has_luma.then_some(move |element| element / scale + mean)
    }

    /// Returns the index of a channel of the pixel in column `x` of row `y` of an input of `width`
    /// by `height` pixels.
    #[inline]
    pub(crate) const fn index(
        &self,
        (width, height): (usize, usize),
        (x, y): (usize, usize),
        channel: usize,
    ) -> usize {
        match self.layout {
            TensorLayout::Nchw => (channel * height + y) * width + x,
            TensorLayout::Nhwc => (y * width + x) * self.channels.count() + channel,
        }
    }

    /// Writes a pixel to `tensor`, in column `x` of row `y` of an input of `width` by `height`
    /// pixels.
    #[inline]
    pub(crate) fn put(
        &self,
        tensor: &mut [f32],
        (width, height): (usize, usize),
        (x, y): (usize, usize),
        pixel: Pixel,
    ) {
        for channel in 0..self.channels.count() {
            let value = match (self.channels, channel) {
                (Channels::Luma, _) => pixel.luma(),
                (Channels::Rgb, c) => pixel.rgb()[c],
                (Channels::Bgr, c) => pixel.rgb()[2 - c],
            };
            let index = self.index((width, height), (x, y), channel);
            tensor[index] = (value - self.mean[channel]) * self.scale[channel];
        }
    }

    /// Writes a row of pixels to `tensor`, as row `y` of an input of a size (width, height).
    /// `components` are the stored components of the pixels of a frame with `layout`, 0 to 255.
    #[inline(always)]
    pub(crate) fn put_row(
        &self,
        tensor: &mut [f32],
        size: (usize, usize),
        y: usize,
        layout: &Layout,
        [c0, c1, c2]: &[Vec<f32>; 3],
    ) {
        if layout.color != ColorModel::Gray {
            for (x, ((&c0, &c1), &c2)) in c0.iter().zip(c1).zip(c2).enumerate() {
                let pixel = Pixel::from_components(layout, [c0, c1, c2]);
                self.put(tensor, size, (x, y), pixel);
            }
        } else if let Some(element) = self.element_of_luma(layout) {
            let (width, _) = size;
            for (value, &luma) in tensor[y * width..].iter_mut().zip(c0) {
                *value = element(luma);
            }
        } else {
            for (x, &luma) in c0.iter().enumerate() {
                let pixel = Pixel::from_components(layout, [luma, 0.0, 0.0]);
                self.put(tensor, size, (x, y), pixel);
            }
        }
    }
}

/// Full-range components of a pixel with a standard dynamic range, 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Pixel {
    /// Only luma.
    Luma(f32),
    /// Red, green, blue.
    Rgb([f32; 3]),
}

impl Pixel {
    /// Creates a pixel from stored components of a frame, 0 to 255.
    #[inline]
    pub(crate) fn from_components(layout: &Layout, [c0, c1, c2]: [f32; 3]) -> Self {
        let full_range = |value| layout.to_full_range(value);
        let to_sdr = |value| layout.transfer.to_sdr(value);
        match layout.color {
            ColorModel::Gray => Pixel::Luma(to_sdr(full_range(c0))),
            ColorModel::Rgb => Pixel::Rgb([c0, c1, c2].map(full_range).map(to_sdr)),
            ColorModel::Yuv => {
                let (kr, kb) = layout.matrix.kr_kb();
                let kg = 1.0 - kr - kb;
                let excursion = if layout.full_range { 255.0 } else { 224.0 };
                let (cb, cr) = ((c1 - 128.0) / excursion, (c2 - 128.0) / excursion);
                let y = full_range(c0) / 255.0;
                let r = y + 2.0 * (1.0 - kr) * cr;
                let b = y + 2.0 * (1.0 - kb) * cb;
                let g = (y - kr * r - kb * b) / kg;
                Pixel::Rgb([r, g, b].map(|v| to_sdr((v * 255.0).clamp(0.0, 255.0))))
            }
        }
    }

    /// Returns luma, 0 to 255.
    #[inline]
    pub(crate) fn luma(self) -> f32 {
        match self {
            Pixel::Luma(luma) => luma,
            Pixel::Rgb([r, g, b]) => {
                let [red, green, blue] = LUMA_WEIGHTS.map(|weight| weight as f32);
                red * r + green * g + blue * b
            }
        }
    }

    /// Returns red, green and blue, 0 to 255.
    #[inline]
    pub(crate) fn rgb(self) -> [f32; 3] {
        match self {
            Pixel::Luma(luma) => [luma; 3],
            Pixel::Rgb(rgb) => rgb,
        }
    }
}

/// Returns `layout` restricted to the components that are needed for `channels`: without chroma if
/// the frame is YUV and only luma is needed.
pub(crate) fn needed_layout(layout: &Layout, channels: Channels) -> Layout {
    let mut needed = *layout;
    if channels == Channels::Luma && layout.color == ColorModel::Yuv {
        needed.color = ColorModel::Gray;
    }
    needed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limited_range_is_expanded_and_clamped() {
        let layout = Layout {
            full_range: false,
            ..Layout::GRAY8
        };
        let luma = |v: f32| Pixel::from_components(&layout, [v, 0.0, 0.0]).luma();
        assert_eq!([luma(16.0), luma(235.0), luma(255.0)], [0.0, 255.0, 255.0]);
    }

    #[test]
    fn yuv_is_converted_to_rgb() {
        // Pure red in limited-range BT.601 is Y 81, Cb 90, Cr 240.
        let layout = Layout {
            color: ColorModel::Yuv,
            full_range: false,
            ..Layout::GRAY8
        };
        let rgb = Pixel::from_components(&layout, [81.0, 90.0, 240.0]).rgb();
        for (found, expected) in rgb.into_iter().zip([255.0, 0.0, 0.0]) {
            assert!((found - expected).abs() < 2.0, "{rgb:?}");
        }
    }
}
