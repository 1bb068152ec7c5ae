// SPDX-License-Identifier: MPL-2.0

//! Pictures as frames.

use std::path::Path;

use gstattitude::analysis::frame::{Frame, FrameError};
use image::{DynamicImage, ImageDecoder, ImageReader};

/// A picture in memory, three bytes a pixel.
pub struct Picture {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Picture {
    /// Reads a file, turned as a viewer shows it.
    pub fn read(path: &Path) -> Result<Self, image::ImageError> {
        // Data sets hold files whose names end wrongly.
        let reader = ImageReader::open(path)?.with_guessed_format()?;
        let mut decoder = reader.into_decoder()?;
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
