// SPDX-License-Identifier: MPL-2.0

//! The messages that `faceattitude` posts on the bus: conversion to structures and back.
//!
//! ```
//! use gstattitude::message::{AttitudeMessage, TrendMessage};
//!
//! fn on_element_message(message: &gst::message::Element) {
//!     let Some(structure) = message.structure() else {
//!         return;
//!     };
//!     if let Ok(AttitudeMessage(record)) = AttitudeMessage::try_from(structure) {
//!         for face in &record.faces {
//!             println!("face {} is {}", face.track, face.attitude);
//!         }
//!     } else if let Ok(trend) = TrendMessage::try_from(structure) {
//!         println!("track {:?} is {}", trend.track, trend.trend.direction.name());
//!     }
//! }
//! ```

mod record;
mod trend;

use glib::prelude::*;
use glib::value::FromValue;

pub use record::{AttitudeMessage, NAME};
pub use trend::{TREND_NAME, TrendMessage};

/// Error of parsing a structure as a message of `faceattitude`.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// The structure has another name.
    #[error("the structure is named '{found}', expected '{expected}'")]
    WrongName {
        /// The name that was found.
        found: String,
        /// The name that was expected.
        expected: &'static str,
    },
    /// A field is missing.
    #[error("field '{0}' is missing")]
    MissingField(&'static str),
    /// A field, or an item in it, has another type.
    #[error("field '{field}' has a value of type {found}, expected {expected}")]
    WrongType {
        /// Name of the field.
        field: &'static str,
        /// GObject name of the type that was found.
        found: &'static str,
        /// GObject name of the type that was expected.
        expected: &'static str,
    },
    /// An array has another number of items.
    #[error("field '{field}' has {found} items, expected {expected}")]
    WrongLength {
        /// Name of the field.
        field: &'static str,
        /// Number of items that were found.
        found: usize,
        /// Number of items that were expected.
        expected: usize,
    },
    /// A text is none of the names that the field can have.
    #[error("field '{field}' is '{found}', expected {expected}")]
    UnknownValue {
        /// Name of the field.
        field: &'static str,
        /// The text that was found.
        found: String,
        /// The names that are expected, separated by commas.
        expected: String,
    },
}

/// Checks the name of a structure.
fn check_name(structure: &gst::StructureRef, expected: &'static str) -> Result<(), MessageError> {
    if structure.name() == expected {
        return Ok(());
    }
    let found = structure.name().to_string();
    Err(MessageError::WrongName { found, expected })
}

/// Returns the value of a field.
fn get<T>(structure: &gst::StructureRef, field: &'static str) -> Result<T, MessageError>
where
    T: for<'v> FromValue<'v> + StaticType,
{
    let value = structure.value(field);
    parse(field, value.map_err(|_| MessageError::MissingField(field))?)
}

/// Returns the value of a field, or `None` if the field is missing.
fn get_optional<T>(
    structure: &gst::StructureRef,
    field: &'static str,
) -> Result<Option<T>, MessageError>
where
    T: for<'v> FromValue<'v> + StaticType,
{
    let value = structure.value(field).ok();
    value.map(|value| parse(field, value)).transpose()
}

/// Returns the value of a field, or of an item in it.
fn parse<T>(field: &'static str, value: &glib::SendValue) -> Result<T, MessageError>
where
    T: for<'v> FromValue<'v> + StaticType,
{
    value.get().map_err(|_| MessageError::WrongType {
        field,
        found: value.type_().name(),
        expected: T::static_type().name(),
    })
}

/// Returns the one of `all` whose name is the value of a field; `None` if the field is missing.
fn get_optional_named<T: Copy>(
    structure: &gst::StructureRef,
    field: &'static str,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Result<Option<T>, MessageError> {
    let Some(found) = get_optional::<String>(structure, field)? else {
        return Ok(None);
    };
    let named = all.iter().copied().find(|value| name(*value) == found);
    named.map(Some).ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|value| name(*value)).collect();
        MessageError::UnknownValue {
            field,
            found,
            expected: names.join(", "),
        }
    })
}

/// Returns the one of `all` whose name is the value of a field.
fn get_named<T: Copy>(
    structure: &gst::StructureRef,
    field: &'static str,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Result<T, MessageError> {
    get_optional_named(structure, field, all, name)?.ok_or(MessageError::MissingField(field))
}

/// Returns a time in nanoseconds; `None` if the field is null.
fn get_time_ns(
    structure: &gst::StructureRef,
    field: &'static str,
) -> Result<Option<u64>, MessageError> {
    let time: Option<gst::ClockTime> = get(structure, field)?;
    Ok(time.map(gst::ClockTime::nseconds))
}
