// SPDX-License-Identifier: MPL-2.0

//! Labels of values that several tables have.

use super::{ValueLabel, value};
use crate::Label;

/// Labels of attitudes, of which `unknown` is one.
pub static ATTITUDE_LABELS: [ValueLabel; 4] = [
    value(Label::POSITIVE.name(), "Positive"),
    value(Label::NEUTRAL.name(), "Neutral"),
    value(Label::NEGATIVE.name(), "Negative"),
    value(
        Label::Unknown.name(),
        "Unknown: no confidence is high enough",
    ),
];

/// Labels of attitudes against a baseline.
pub static ATTITUDE_CHANGE_LABELS: [ValueLabel; 4] = [
    value(
        Label::POSITIVE.name(),
        "More positive than the person's baseline",
    ),
    value(Label::NEUTRAL.name(), "About the person's baseline"),
    value(
        Label::NEGATIVE.name(),
        "More negative than the person's baseline",
    ),
    value(
        Label::Unknown.name(),
        "Unknown: no confidence is high enough",
    ),
];
