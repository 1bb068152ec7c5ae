// SPDX-License-Identifier: MPL-2.0

//! The colours.
//!
//! From the set of Okabe and Ito, which people with any colour vision tell apart. They also differ
//! in lightness (positive 70, neutral 89, negative 53, unknown 63 of 100), all are light enough to
//! stand out from the dark plates and outlines, and red never stands against green.

use crate::analysis::attitude::Attitude;
use crate::analysis::history::Moment;

/// A colour with opacity, each channel from 0 to 1, not premultiplied.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Color {
    red: f64,
    green: f64,
    blue: f64,
    alpha: f64,
}

/// Behind text and histories, so that they read on any picture.
pub(super) const PLATE: Color = Color::black(0.65);
/// Around lines.
pub(super) const HALO: Color = Color::black(0.55);
/// Letters.
pub(super) const TEXT: Color = Color::opaque(0xF5F5F5);

impl Color {
    const fn opaque(rgb: u32) -> Self {
        const fn channel(rgb: u32, shift: u32) -> f64 {
            ((rgb >> shift) & 0xFF) as f64 / 255.0
        }
        Self {
            red: channel(rgb, 16),
            green: channel(rgb, 8),
            blue: channel(rgb, 0),
            alpha: 1.0,
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

    /// The colour that stands for `label`.
    pub(super) const fn of_label(label: Option<Attitude>) -> Self {
        Self::opaque(match label {
            Some(Attitude::Positive) => 0x56B4E9,
            Some(Attitude::Neutral) => 0xF0E442,
            Some(Attitude::Negative) => 0xD55E00,
            None => 0x999999,
        })
    }

    /// The colour of `moment` in a history, none where the plate shows.
    pub(super) fn of_moment(moment: Moment) -> Option<Self> {
        match moment {
            Moment::Absent => None,
            Moment::Present(label) => Some(Self::of_label(label)),
        }
    }

    /// Makes it the colour that `cr` draws in.
    pub(super) fn select(self, cr: &cairo::Context) {
        cr.set_source_rgba(self.red, self.green, self.blue, self.alpha);
    }
}
