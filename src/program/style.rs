// SPDX-License-Identifier: MPL-2.0

//! The style of the live page and of reports.

use attitude::ByLabel;
use gstattitude::drawing::DEFAULT_COLORS;

/// Returns the style that the live page and reports share, with the default colors of the overlay.
pub(crate) fn common_style() -> String {
    let ByLabel {
        positive,
        neutral,
        negative,
        unknown,
    } = DEFAULT_COLORS;
    let [positive, neutral, negative, unknown] =
        [positive, neutral, negative, unknown].map(|argb| format!("#{:06x}", argb & 0xFF_FFFF));
    format!(
        ":root{{--positive:{positive};--neutral:{neutral};--negative:{negative};\
         --unknown:{unknown}}}\n{}",
        include_str!("common.css")
    )
}
