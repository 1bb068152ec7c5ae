// SPDX-License-Identifier: MPL-2.0

//! From a frame's planes to a network's input: letterboxing, scaling and conversion in one pass.

mod letterbox;
mod pixel;
mod resampling;

pub use letterbox::{InputSize, Letterbox};
pub use pixel::{Channels, LUMA_SHARES, Pixel, PixelFormat, TensorLayout, needed_layout};
pub use resampling::Resampler;
