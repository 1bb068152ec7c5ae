// SPDX-License-Identifier: MPL-2.0

//! Trends in the structures of metadata.

use attitude::trend::{Direction, Trend};

const DIRECTION: &str = "trend";
const SINCE: &str = "trend-since-ns";
const CHANGE: &str = "trend-change";
const STANDARD_ERROR: &str = "trend-standard-error";

/// Sets the fields of `trend`; none if it is `None`.
pub(super) fn set(structure: &mut gst::StructureRef, trend: Option<Trend>) {
    let Some(trend) = trend else {
        return;
    };
    structure.set(DIRECTION, trend.direction.name());
    structure.set(SINCE, trend.since_ns);
    structure.set(CHANGE, f64::from(trend.change));
    structure.set(STANDARD_ERROR, f64::from(trend.standard_error));
}

/// Returns the trend in the fields; `None` if one is missing or invalid.
pub(super) fn get(structure: &gst::StructureRef) -> Option<Trend> {
    let direction = structure.get::<&str>(DIRECTION).ok()?;
    let number = |field| structure.get::<f64>(field).ok();
    Some(Trend {
        direction: Direction::from_name(direction)?,
        since_ns: structure.get(SINCE).ok()?,
        change: number(CHANGE)? as f32,
        standard_error: number(STANDARD_ERROR)? as f32,
    })
}
