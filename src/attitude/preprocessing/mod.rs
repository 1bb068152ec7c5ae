// SPDX-License-Identifier: MPL-2.0

//! Conversion of a frame to the input of a network: letterboxing, scaling and conversion of pixels.

mod axis;
mod letterbox;
mod pixel;
mod resampling;

pub use letterbox::{InputSize, Letterbox};
pub use pixel::{Channels, LUMA_WEIGHTS, PixelFormat, TensorLayout};
pub(crate) use pixel::{Pixel, needed_layout};
pub use resampling::Resampler;
