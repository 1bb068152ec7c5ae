// SPDX-License-Identifier: MPL-2.0

//! An attitude written by its name, `unknown` for none.

use serde::{Deserialize, Deserializer, Serializer, de::Error};

use crate::classification::{Attitude, UNKNOWN, label_name};

pub fn serialize<S: Serializer>(
    label: &Option<Attitude>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(label_name(*label))
}

pub fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Attitude>, D::Error> {
    let name = String::deserialize(deserializer)?;
    match Attitude::from_name(&name) {
        None if name != UNKNOWN => Err(Error::custom(format!(
            "'{name}' is no attitude: it must be positive, neutral, negative or unknown"
        ))),
        label => Ok(label),
    }
}
