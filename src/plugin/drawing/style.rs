// SPDX-License-Identifier: MPL-2.0

//! How it is drawn.

/// What a [`Renderer`](super::Renderer) draws. What is switched off takes no room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Style {
    /// A box around each face.
    pub boxes: bool,
    /// Each face's track, its attitude and how sure that is.
    pub labels: bool,
    /// The scores of each face's attitudes in per cent, left out where the frame is too narrow.
    pub scores: bool,
    /// Each face's history.
    pub history: bool,
    /// The history of the whole scene, with a legend.
    pub scene_history: bool,
    /// The letters, as Pango describes fonts, "Sans Bold 12" for instance; `None` for sans serif.
    /// Where no size is named, it suits the frame. Pango replaces what it does not know.
    pub font: Option<String>,
    /// The attitudes' colours.
    pub colors: Colors,
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
            colors: Colors::default(),
        }
    }
}

/// Colours that stand for attitudes, as 0xAARRGGBB, not premultiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colors {
    /// Of positive faces.
    pub positive: u32,
    /// Of neutral faces.
    pub neutral: u32,
    /// Of negative faces.
    pub negative: u32,
    /// Of faces whose attitude is unknown.
    pub unknown: u32,
}

/// From the set of Okabe and Ito, which people with any colour vision tell apart. They also differ
/// in lightness (positive 70, neutral 89, negative 53, unknown 63 of 100), all are light enough to
/// stand out from the dark plates and outlines, and red never stands against green.
impl Default for Colors {
    fn default() -> Self {
        Self {
            positive: 0xFF56_B4E9,
            neutral: 0xFFF0_E442,
            negative: 0xFFD5_5E00,
            unknown: 0xFF99_9999,
        }
    }
}
