// SPDX-License-Identifier: MPL-2.0

//! From the words of data and services to attitudes.

use attitude::Attitude;
use attitude::mapping::{Mapping, well_known};

/// What names count to: by the user's mapping, else by what they are known as.
#[derive(Clone, Copy)]
pub struct Labels<'a>(pub Option<&'a Mapping>);

/// A label of a face.
#[derive(Clone, Debug)]
pub struct Label {
    /// As it is written.
    pub text: String,
    pub attitude: Attitude,
}

impl Labels<'_> {
    /// The attitude that `name` counts to.
    ///
    /// # Errors
    /// Where that cannot be told: what to do about it.
    pub fn attitude_of(&self, name: &str) -> Result<Attitude, String> {
        match self.0 {
            Some(mapping) => Ok(mapping.attitude_of(name)),
            None => well_known(name).ok_or_else(|| {
                format!(
                    "'{name}' is neither an attitude (positive, neutral, negative) nor a well-known \
                     emotion; say what it counts to, such as \
                     --mapping 'positive=happiness,happy,joy; neutral=neutral,calm', by which all \
                     else is negative"
                )
            }),
        }
    }

    /// The attitude that scores of `name` count to. Columns hold other numbers than scores too, so a
    /// mapping's rule for what it does not list is not enough.
    ///
    /// # Errors
    /// Where that cannot be told: what to do about it.
    pub fn attitude_of_column(&self, name: &str) -> Result<Attitude, String> {
        match self.0 {
            Some(mapping) if !mapping.lists(name) && well_known(name).is_none() => Err(format!(
                "'{name}' is neither an attitude, nor a well-known emotion, nor listed by --mapping; \
                 list it there, or leave it out if it holds no scores"
            )),
            _ => self.attitude_of(name),
        }
    }

    /// The label that is written as `text`.
    pub fn label(&self, text: &str) -> Result<Label, String> {
        Ok(Label {
            text: text.to_owned(),
            attitude: self.attitude_of(text)?,
        })
    }
}
