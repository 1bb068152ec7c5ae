// SPDX-License-Identifier: MPL-2.0

//! Style of the overlay: selection of parts, colors and font.

use super::scale::Scale;
use attitude::{ByLabel, Label};

/// Selects the parts that a [`Renderer`](super::Renderer) draws, and their colors and font. Parts
/// that are switched off take no space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Style {
    /// A box around each face.
    pub boxes: bool,
    /// Track number, attitude and confidence of each face.
    pub labels: bool,
    /// Scores of each face in per cent; left out if the frame is too narrow.
    pub scores: bool,
    /// History of each face.
    pub history: bool,
    /// History of the whole scene, with a legend.
    pub scene_history: bool,
    /// Pango font description, for example "Sans Bold 12"; `None` for sans serif. Without a size,
    /// the size fits the frame. Pango replaces unknown fonts.
    pub font: Option<String>,
    /// Color of each label, as 0xAARRGGBB, not premultiplied.
    pub colors: ByLabel<u32>,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            boxes: true,
            labels: true,
            scores: false,
            history: true,
            scene_history: true,
            font: None,
            colors: DEFAULT_COLORS,
        }
    }
}

/// Default of [`Style::colors`], from the Okabe-Ito palette, which people with any color vision can
/// distinguish. The colors also differ in lightness (positive 70, neutral 89, negative 53, unknown
/// 63 of 100), are light enough to stand out from the dark plates and outlines, and never oppose
/// red and green.
pub const DEFAULT_COLORS: ByLabel<u32> = ByLabel {
    positive: 0xFF56_B4E9,
    neutral: 0xFFF0_E442,
    negative: 0xFFD5_5E00,
    unknown: 0xFF99_9999,
};

/// A color with opacity, each channel from 0 to 1, not premultiplied.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Color {
    red: f64,
    green: f64,
    blue: f64,
    alpha: f64,
}

/// Background of texts and history strips; makes them readable on any picture.
pub(super) const PLATE: Color = Color::black(0.65);
/// Color around lines.
pub(super) const HALO: Color = Color::black(0.55);
/// Color of letters.
pub(super) const TEXT: Color = Color::from_argb(0xFFF5_F5F5);

impl Style {
    /// Returns the color of `label`.
    pub(super) fn color(&self, label: Label) -> Color {
        Color::from_argb(self.colors[label])
    }
}

impl Color {
    const fn from_argb(argb: u32) -> Self {
        const fn channel(argb: u32, shift: u32) -> f64 {
            ((argb >> shift) & 0xFF) as f64 / 255.0
        }
        Self {
            red: channel(argb, 16),
            green: channel(argb, 8),
            blue: channel(argb, 0),
            alpha: channel(argb, 24),
        }
    }

    const fn black(alpha: f64) -> Self {
        Self {
            red: 0.0,
            green: 0.0,
            blue: 0.0,
            alpha,
        }
    }

    /// Sets the drawing color of `cr`.
    pub(super) fn select(self, cr: &cairo::Context) {
        cr.set_source_rgba(self.red, self.green, self.blue, self.alpha);
    }
}

/// A style with the sizes for frames of one size.
#[derive(Debug)]
pub(super) struct Theme {
    pub(super) scale: Scale,
    pub(super) style: Style,
    pub(super) font: Font,
}

/// A font in one size.
#[derive(Debug)]
pub(super) struct Font {
    pub(super) description: pango::FontDescription,
    /// The em size.
    pub(super) size_px: i32,
}

impl Theme {
    pub(super) fn new(style: &Style, scale: Scale) -> Self {
        Self {
            scale,
            font: Font::new(style.font.as_deref(), &scale),
            style: style.clone(),
        }
    }
}

impl Font {
    fn new(description: Option<&str>, scale: &Scale) -> Self {
        // Pango's strings end at a zero byte.
        let name = description.and_then(|name| name.split('\0').next());
        let mut description = pango::FontDescription::from_string(name.unwrap_or("Sans"));
        let named_size = f64::from(description.size()) / f64::from(pango::SCALE);
        let size_px = if !description.set_fields().contains(pango::FontMask::SIZE) {
            scale.font_px
        } else if description.is_size_absolute() {
            named_size as i32
        } else {
            (named_size * PX_PER_POINT) as i32
        };
        // Letters larger than the frame would not be visible, but would be drawn.
        let size_px = size_px.clamp(1, scale.frame.width_px.min(scale.frame.height_px));
        description.set_absolute_size(f64::from(size_px) * f64::from(pango::SCALE));
        Self {
            description,
            size_px,
        }
    }
}

/// Pixels per point at Pango's resolution on Cairo, 96 dots per inch.
const PX_PER_POINT: f64 = 96.0 / 72.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn size_px(font: &str) -> i32 {
        let scale = Scale::for_frame(1280, 720).unwrap();
        Font::new(Some(font), &scale).size_px
    }

    #[test]
    fn a_font_without_a_size_fits_the_frame() {
        for font in ["", "Serif", "Sans Bold", "no such font", "\0", "Sans\0 30"] {
            assert_eq!(size_px(font), 18, "{font:?}");
        }
    }

    #[test]
    fn a_font_size_is_limited_to_the_frame() {
        assert_eq!(size_px("Sans 30"), 40);
        assert_eq!(size_px("Sans Bold 30px"), 30);
        assert_eq!(size_px("Sans 1000000"), 720);
        assert_eq!(size_px("Sans 0.01"), 1);
    }
}
