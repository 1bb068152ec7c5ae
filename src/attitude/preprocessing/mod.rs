// SPDX-License-Identifier: MPL-2.0

//! Conversion of a frame to the input of a network: letterboxing, scaling and conversion of pixels.

mod axis;
mod letterbox;
mod pixel;
mod scaling;

pub(crate) use axis::Samples;
pub use letterbox::{InputSize, Letterbox};
pub(crate) use pixel::needed_layout;
pub use pixel::{Channels, LUMA_WEIGHTS, TensorFormat, TensorLayout};
pub use scaling::FrameScaler;
