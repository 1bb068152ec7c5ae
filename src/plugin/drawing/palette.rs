// SPDX-License-Identifier: MPL-2.0

//! The colours.

use super::style::Colors;
use attitude::history::Moment;
use attitude::{Attitude, Label};

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
pub(super) const TEXT: Color = Color::from_argb(0xFFF5_F5F5);

impl Colors {
    /// The colour that stands for `label`.
    pub(super) const fn of_label(&self, label: Label) -> Color {
        Color::from_argb(match label {
            Label::Known(Attitude::Positive) => self.positive,
            Label::Known(Attitude::Neutral) => self.neutral,
            Label::Known(Attitude::Negative) => self.negative,
            Label::Unknown => self.unknown,
        })
    }

    /// The colour of `moment` in a history, none where the plate shows.
    pub(super) fn of_moment(&self, moment: Moment) -> Option<Color> {
        match moment {
            Moment::Absent => None,
            Moment::Present(label) => Some(self.of_label(label)),
        }
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

    /// Makes it the colour that `cr` draws in.
    pub(super) fn select(self, cr: &cairo::Context) {
        cr.set_source_rgba(self.red, self.green, self.blue, self.alpha);
    }
}
