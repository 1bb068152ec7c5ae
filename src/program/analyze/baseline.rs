// SPDX-License-Identifier: MPL-2.0

//! Baselines of persons: the option `--baseline`, and the recording that it may name.

use std::convert::Infallible;
use std::io;
use std::path::{Path, PathBuf};

use attitude::record::Record;
use attitude::record::summary::SummaryBuilder;
use attitude::timeline::Span;
use attitude::timeline::baseline::{BaselineSource, KnownBaseline};
use serde::Serialize;

use super::RunContext;
use super::inputs::Identity;
use super::limits::FaceLimits;
use super::roles::Role;
use crate::exit::Interrupt;
use crate::parsing::{ValueError, parse_time_ns};
use crate::playback::{PlaybackError, Progress, UriError, file_uri};
use crate::worker::message::{Part, Request};
use crate::worker::{Observer, PlaybackEnd, Player, WorkerError};

/// Value of the option `--baseline`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BaselineOption {
    Off,
    Auto,
    Part(Span),
    /// Another recording of the same person.
    Recording(PathBuf),
}

/// Parses the value of `--baseline`.
///
/// # Errors
/// Returns an error if it is a part that ends before it begins.
pub(super) fn parse(text: &str) -> Result<BaselineOption, ValueError> {
    match text {
        "off" => return Ok(BaselineOption::Off),
        "auto" => return Ok(BaselineOption::Auto),
        _ => {}
    }
    let part = text.split_once('-').and_then(|(from, to)| {
        let (from, to) = (parse_time_ns(from.trim()), parse_time_ns(to.trim()));
        from.ok().zip(to.ok())
    });
    match part {
        None => Ok(BaselineOption::Recording(text.into())),
        Some((start_ns, end_ns)) if start_ns < end_ns => {
            Ok(BaselineOption::Part(Span { start_ns, end_ns }))
        }
        Some(_) => Err(ValueError(
            "a part that ends after it begins, such as 0:00-0:20",
        )),
    }
}

/// The baselines of the persons, as a setting of the analysis.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum BaselineSetting {
    #[default]
    Off,
    Auto,
    Part(Span),
    Recording {
        #[serde(flatten)]
        identity: Identity,
        /// The result, once it is known.
        #[serde(skip)]
        baseline: Option<KnownBaseline>,
    },
}

impl BaselineSetting {
    /// Returns the setting for the option.
    ///
    /// # Errors
    /// Returns an error if the recording that it names cannot be found.
    pub(super) fn of(option: &BaselineOption) -> Result<Self, BaselineError> {
        Ok(match option {
            BaselineOption::Off => Self::Off,
            BaselineOption::Auto => Self::Auto,
            BaselineOption::Part(part) => Self::Part(*part),
            BaselineOption::Recording(path) => Self::Recording {
                identity: Identity::of_file(path)
                    .map_err(|error| BaselineError::Find(path.clone(), error))?,
                baseline: None,
            },
        })
    }

    /// Returns `true` if there are no baselines.
    pub(super) fn is_off(&self) -> bool {
        *self == Self::Off
    }

    /// Returns the baselines for a summary; [`Off`](BaselineSource::Off) while that of the recording
    /// is not known.
    pub(super) fn source(&self) -> BaselineSource {
        match self {
            Self::Off => BaselineSource::Off,
            Self::Auto => BaselineSource::Auto,
            Self::Part(part) => BaselineSource::Part(*part),
            Self::Recording { baseline, .. } => {
                baseline.map_or(BaselineSource::Off, BaselineSource::Recording)
            }
        }
    }
}

/// A baseline cannot be computed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BaselineError {
    #[error("--baseline {0}: expected off, auto, a part such as 0:00-0:20, or a recording")]
    Find(PathBuf, #[source] io::Error),
    #[error("cannot compute the baseline from {0}, the recording of --baseline")]
    Compute(PathBuf, #[source] CalibrationError),
}

/// The reason why a recording gives no baseline.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CalibrationError {
    #[error(transparent)]
    Uri(#[from] UriError),
    #[error(transparent)]
    Playback(#[from] PlaybackError),
    #[error(transparent)]
    Worker(#[from] WorkerError),
    #[error("it is damaged: {0}")]
    Damaged(String),
    #[error("nobody has a known attitude for a second or longer; choose another recording")]
    NoFace,
}

/// Computes the baseline of `setting` if it is that of the recording at `option`. Returns `false` if
/// the run was interrupted.
///
/// # Errors
/// Returns an error if the recording cannot be read, or gives no baseline.
pub(super) fn compute(
    context: &mut RunContext,
    interrupt: &Interrupt,
) -> Result<bool, BaselineError> {
    let BaselineOption::Recording(path) = &context.arguments.baseline else {
        return Ok(true);
    };
    let found = calibrate(path, context, interrupt);
    let found = found.map_err(|error| BaselineError::Compute(path.clone(), error))?;
    if let BaselineSetting::Recording { baseline, .. } = &mut context.settings.baseline {
        *baseline = found;
    }
    Ok(found.is_some())
}

/// Returns the baseline of the person who is seen longest in a recording; `None` if the run was
/// interrupted.
fn calibrate(
    path: &Path,
    context: &RunContext,
    interrupt: &Interrupt,
) -> Result<Option<KnownBaseline>, CalibrationError> {
    let settings = &context.settings;
    let request = Request {
        uri: file_uri(path)?,
        patches: Vec::new(),
        analyses: vec![Role::Samples.settings(context, FaceLimits::first(settings))],
        part: Part::default(),
        annotated: None,
    };
    let mut player = Player::new(context.arguments.stall.timeout());
    let mut calibration = Calibration::default();
    let end = match player.play(&request, interrupt, &mut calibration) {
        Ok(end) => end,
        Err(never) => match never {},
    };
    match end {
        PlaybackEnd::EndOfStream => {}
        PlaybackEnd::Damaged(reason) | PlaybackEnd::Unwritable(reason) => {
            return Err(CalibrationError::Damaged(reason));
        }
        PlaybackEnd::Failed(error) => return Err(error.into()),
        PlaybackEnd::Lost(error) => return Err(error.into()),
        PlaybackEnd::Interrupted => return Ok(None),
    }
    let summarized = calibration.summary.finish(&settings.timeline_params());
    summarized
        .baseline()
        .map(Some)
        .ok_or(CalibrationError::NoFace)
}

/// Collects the samples of a recording.
#[derive(Default)]
struct Calibration {
    summary: SummaryBuilder,
}

impl Observer for Calibration {
    type Error = Infallible;

    fn sample(&mut self, _analysis: usize, record: Record) -> Result<(), Infallible> {
        self.summary.add(&record);
        Ok(())
    }

    fn progress(&mut self, _progress: &Progress) {}

    fn warning(&mut self, _text: &str) {}

    fn note(&mut self, _text: String) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_is_a_word_a_part_or_a_path() {
        let part = |start_s: u64, end_s: u64| {
            BaselineOption::Part(Span {
                start_ns: start_s * 1_000_000_000,
                end_ns: end_s * 1_000_000_000,
            })
        };
        for (text, expected) in [
            ("off", BaselineOption::Off),
            ("auto", BaselineOption::Auto),
            ("0:00-0:20", part(0, 20)),
            ("90 - 1:02:00", part(90, 3720)),
            ("rest.mp4", BaselineOption::Recording("rest.mp4".into())),
            ("day-1.mp4", BaselineOption::Recording("day-1.mp4".into())),
        ] {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
        assert!(parse("0:20-0:20").is_err());
    }

    #[test]
    fn a_recording_that_does_not_exist_is_an_error_that_lists_the_values() {
        let option = BaselineOption::Recording("/nonexistent/0:00".into());
        let error = BaselineSetting::of(&option).unwrap_err().to_string();
        assert!(
            error.contains("/nonexistent/0:00: expected off, auto"),
            "{error}"
        );
    }
}
