// SPDX-License-Identifier: MPL-2.0

//! How pages look.

use gstattitude::drawing::Colors;

/// The style that all pages have in common, with the colours of the overlay.
pub fn style() -> String {
    let Colors {
        positive,
        neutral,
        negative,
        unknown,
    } = Colors::default();
    let [positive, neutral, negative, unknown] =
        [positive, neutral, negative, unknown].map(|argb| format!("#{:06x}", argb & 0xFF_FFFF));
    format!(
        ":root{{--positive:{positive};--neutral:{neutral};--negative:{negative};\
         --unknown:{unknown}}}\n{}",
        include_str!("look.css")
    )
}
