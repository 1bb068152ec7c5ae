// SPDX-License-Identifier: MPL-2.0

//! A style as it looks on frames of one size.

use super::scale::Scale;
use super::style::Style;

/// What pictures are drawn by.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) scale: Scale,
    pub(super) style: Style,
    pub(super) font: Font,
}

/// Letters of one kind and size.
#[derive(Debug)]
pub(super) struct Font {
    pub(super) description: pango::FontDescription,
    /// Their em.
    pub(super) size_px: i32,
}

impl Look {
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
        // Pango's strings end at a zero.
        let name = description.and_then(|name| name.split('\0').next());
        let mut description = pango::FontDescription::from_string(name.unwrap_or("Sans"));
        let named = f64::from(description.size()) / f64::from(pango::SCALE);
        let size_px = if !description.set_fields().contains(pango::FontMask::SIZE) {
            scale.font_px
        } else if description.is_size_absolute() {
            named as i32
        } else {
            (named * PX_PER_POINT) as i32
        };
        // Larger letters than the frame are not seen, but would be drawn.
        let size_px = size_px.clamp(1, scale.frame.width_px.min(scale.frame.height_px));
        description.set_absolute_size(f64::from(size_px) * f64::from(pango::SCALE));
        Self {
            description,
            size_px,
        }
    }
}

/// At the 96 dots per inch of Pango on Cairo.
const PX_PER_POINT: f64 = 96.0 / 72.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn size_px(font: &str) -> i32 {
        let scale = Scale::for_frame(1280, 720).unwrap();
        Font::new(Some(font), &scale).size_px
    }

    #[test]
    fn a_font_without_a_size_suits_the_frame() {
        for font in ["", "Serif", "Sans Bold", "no such font", "\0", "Sans\0 30"] {
            assert_eq!(size_px(font), 18, "{font:?}");
        }
    }

    #[test]
    fn a_named_size_is_taken_within_the_frame() {
        assert_eq!(size_px("Sans 30"), 40);
        assert_eq!(size_px("Sans Bold 30px"), 30);
        assert_eq!(size_px("Sans 1000000"), 720);
        assert_eq!(size_px("Sans 0.01"), 1);
    }
}
