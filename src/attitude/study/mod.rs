// SPDX-License-Identifier: MPL-2.0

//! Studies: recordings of several participants in several conditions.
//!
//! An [`Epoch`] is a part of a recording around an event, or from the onset of a stimulus on. Its
//! [`Measure`]s are averaged in consecutive [bins](Bins). The epochs of a recording are averaged
//! first, then the recordings of a participant, so that a participant counts once however many
//! recordings there are ([`participants`]). Means, intervals and tests are over participants, which
//! are independent, and not over samples, which are not.

mod epoch;
mod estimate;
mod measure;
mod nesting;

pub use epoch::{Bins, Coverage, Epoch, EpochWindow};
pub use estimate::{
    Comparison, ComparisonDesign, ConditionMean, MeanPoint, StudyParams, compare, condition_mean,
    mean_series,
};
pub use measure::{ByMeasure, Measure, Totals};
pub use nesting::{Participant, participants};
