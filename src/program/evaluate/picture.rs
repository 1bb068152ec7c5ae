// SPDX-License-Identifier: MPL-2.0

//! Pictures as frames.

use std::path::Path;

use attitude::frame::{Frame, FrameError};
use image::{DynamicImage, ImageDecoder, ImageError, ImageReader, Limits};

/// A picture in memory, three bytes a pixel.
pub struct Picture {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Picture {
    /// Reads a file, turned as a viewer shows it.
    pub fn read(path: &Path) -> Result<Self, ImageError> {
        // Data sets hold files whose names end wrongly.
        let reader = ImageReader::open(path)?.with_guessed_format()?;
        let mut decoder = reader.into_decoder()?;
        // A header may promise more pixels than there is memory for.
        let mut limits = Limits::default();
        limits.reserve(decoder.total_bytes())?;
        decoder.set_limits(limits)?;
        let orientation = decoder.orientation()?;
        let mut picture = DynamicImage::from_decoder(decoder)?;
        picture.apply_orientation(orientation);
        let picture = picture.into_rgb8();
        Ok(Self {
            width: picture.width() as usize,
            height: picture.height() as usize,
            rgb: picture.into_raw(),
        })
    }

    pub fn frame(&self) -> Result<Frame<'_>, FrameError> {
        Frame::from_rgb(self.width, self.height, &self.rgb)
    }
}
