// SPDX-License-Identifier: MPL-2.0

//! Conversion of a frame to the input of a network: letterboxing, scaling and conversion of pixels.

mod axis;
mod letterbox;
mod pixel;
mod scaling;

pub use letterbox::{InputSize, Letterbox};
pub use pixel::{Channels, LUMA_WEIGHTS, TensorFormat, TensorLayout};
pub(crate) use pixel::{Pixel, needed_layout};
pub use scaling::FrameScaler;
