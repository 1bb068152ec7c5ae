// SPDX-License-Identifier: MPL-2.0

//! Reads pictures.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use attitude::frame::{Frame, FrameError};
use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{
    AnimationDecoder, DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader,
    ImageResult, Limits,
};

/// Extensions of pictures whose format the decoder does not know.
const UNKNOWN_FORMATS: [&str; 12] = [
    "arw", "cr2", "dng", "heic", "heif", "j2k", "jp2", "jxl", "nef", "pcx", "psd", "svg",
];

/// A picture cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum PictureError {
    #[error(transparent)]
    Open(#[from] io::Error),
    #[error("it is not a picture in a supported format ({formats}); convert it to PNG", formats = formats())]
    Format,
    #[error(
        "it is an animation; save one of its pictures, or label parts of it like those of a video, in a .csv \
         file with the columns file, start, end and label"
    )]
    Animation,
    #[error(transparent)]
    Image(#[from] ImageError),
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// A picture in memory, as RGB.
pub(super) struct Picture {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Picture {
    /// Reads a file, and rotates the picture upright.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, is not a single picture in a supported format,
    /// or does not fit in memory.
    pub(super) fn read(path: &Path) -> Result<Self, PictureError> {
        // Data sets have files with wrong extensions.
        let reader = ImageReader::open(path)?.with_guessed_format()?;
        let format = reader.format().filter(ImageFormat::reading_enabled);
        let format = format.ok_or(PictureError::Format)?;
        let mut decoder = reader.into_decoder()?;
        // A header may state a size that does not fit in memory.
        let mut limits = Limits::default();
        limits.reserve(decoder.total_bytes())?;
        decoder.set_limits(limits)?;
        let orientation = decoder.orientation()?;
        let mut picture = DynamicImage::from_decoder(decoder)?;
        if is_animation(path, format)? {
            return Err(PictureError::Animation);
        }
        picture.apply_orientation(orientation);
        let picture = picture.into_rgb8();
        Ok(Self {
            width: picture.width() as usize,
            height: picture.height() as usize,
            rgb: picture.into_raw(),
        })
    }

    /// Returns the picture as a frame.
    ///
    /// # Errors
    /// Returns an error if it has no pixels.
    pub(super) fn frame(&self) -> Result<Frame<'_>, PictureError> {
        Ok(Frame::from_rgb(self.width, self.height, &self.rgb)?)
    }
}

/// Returns `true` if the file at `path` has the extension or, whatever its name is, the content of a
/// picture, even if its format is not supported.
pub(super) fn is_picture(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let extension = extension.map(str::to_lowercase);
    extension.is_some_and(|extension| UNKNOWN_FORMATS.contains(&extension.as_str()))
        || ImageFormat::from_path(path).is_ok()
        || ImageReader::open(path)
            .and_then(ImageReader::with_guessed_format)
            .is_ok_and(|reader| reader.format().is_some())
}

/// Returns `true` if a file of this format, which was decoded, contains several pictures to show one
/// after the other.
fn is_animation(path: &Path, format: ImageFormat) -> ImageResult<bool> {
    let file = BufReader::new(File::open(path)?);
    Ok(match format {
        ImageFormat::Gif => {
            let frames = GifDecoder::new(file)?.into_frames();
            frames.take(2).filter(Result::is_ok).count() > 1
        }
        ImageFormat::Png => PngDecoder::new(file)?.is_apng()?,
        ImageFormat::WebP => WebPDecoder::new(file)?.has_animation(),
        _ => false,
    })
}

/// Returns the supported formats, separated by commas.
fn formats() -> String {
    let formats = ImageFormat::all().filter(ImageFormat::reading_enabled);
    let names = formats.filter_map(|format| format.extensions_str().first().copied());
    names.collect::<Vec<_>>().join(", ")
}
