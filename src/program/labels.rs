// SPDX-License-Identifier: MPL-2.0

//! The attitudes of labels that people gave, such as `happy`.

use attitude::Attitude;
use attitude::mapping::{Mapping, well_known};

/// The attitude of a label is unknown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LabelError {
    #[error(
        "'{0}' is neither an attitude (positive, neutral, negative) nor a well-known emotion; map it, for \
         example with --mapping 'positive=happiness,happy,joy; neutral=neutral,calm', which makes all \
         others negative"
    )]
    Unknown(String),
    #[error(
        "'{0}' is neither an attitude, nor a well-known emotion, nor listed by --mapping; list it there, or \
         remove the column if it holds no scores"
    )]
    NotListed(String),
}

/// Finds the attitude of a label: in the user's mapping, else among the well-known names.
#[derive(Clone, Copy)]
pub(crate) struct Labels<'a>(pub Option<&'a Mapping>);

/// Label of a face.
#[derive(Clone, Debug)]
pub(crate) struct FaceLabel {
    /// Text in the data.
    pub text: String,
    pub attitude: Attitude,
}

impl Labels<'_> {
    /// Returns the attitude of the label `name`.
    ///
    /// # Errors
    /// Returns an error if there is no mapping, and the name is not well known.
    pub(crate) fn attitude_of(&self, name: &str) -> Result<Attitude, LabelError> {
        match self.0 {
            Some(mapping) => Ok(mapping.attitude_of(name)),
            None => well_known(name).ok_or_else(|| LabelError::Unknown(name.to_owned())),
        }
    }

    /// Returns the attitude of a column with scores. As a table may have columns with other
    /// numbers, a mapping applies only to names that it lists.
    ///
    /// # Errors
    /// Returns an error if the name is neither listed nor well known.
    pub(crate) fn attitude_of_column(&self, name: &str) -> Result<Attitude, LabelError> {
        match self.0 {
            Some(mapping) if !mapping.lists(name) && well_known(name).is_none() => {
                Err(LabelError::NotListed(name.to_owned()))
            }
            _ => self.attitude_of(name),
        }
    }

    pub(crate) fn label(&self, text: &str) -> Result<FaceLabel, LabelError> {
        Ok(FaceLabel {
            text: text.to_owned(),
            attitude: self.attitude_of(text)?,
        })
    }
}
