// SPDX-License-Identifier: MPL-2.0

//! Limits on the faces that are found: their number, and the size of the detector's input, in which
//! small faces are not found.
//!
//! Few recordings show small faces, and a large input costs more. So a recording is analyzed with an
//! input of the default size, and now and then a check searches a frame at twice the size. If
//! the checks find people that the samples lack, the recording is analyzed again at that size. All
//! of this depends on the frames alone, so that the same recording has the same results.

use attitude::clock::NS_PER_S;
use attitude::settings::{DETECTOR_SIZE, MAX_FACES};

use super::settings::Settings;
use crate::numbers::count;
use crate::options::Choice;
use crate::worker::message::LaterInterval;

/// Time between checks at the start of a recording.
pub(super) const FIRST_INTERVAL_NS: u64 = NS_PER_S * 5 / 2;

/// Time between later checks. A check costs 15 ms of a core: in a minute of 596x336 pixels, 3% of an
/// analysis, decoding included, and less in larger pictures.
pub(super) const LATER_INTERVAL: LaterInterval = LaterInterval {
    after_ns: 2 * FIRST_INTERVAL_NS,
    interval_ns: 20 * NS_PER_S,
};

/// Size of the detector's input that hides most faces at a bearable cost, from which on faces are
/// hidden in the annotated video.
const HIDING_SIZE: u32 = 2 * DETECTOR_SIZE.default;

/// Maximum size that is chosen or checked.
const MAX_SIZE: u32 = 4 * DETECTOR_SIZE.default;

/// Limits of the analysis of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FaceLimits {
    /// Maximum number of tracked faces.
    pub max_faces: u32,
    /// Long side of the detector's input, in pixels; 0 = as large as the minimum face size requires.
    pub detector_size: u32,
    /// Set if the size is chosen, not requested.
    is_size_chosen: bool,
}

impl FaceLimits {
    /// Returns the limits with which the analysis of a recording starts.
    pub(super) fn first(settings: &Settings) -> Self {
        let chosen_size = match settings.blur {
            true => HIDING_SIZE,
            false => DETECTOR_SIZE.default,
        };
        Self {
            max_faces: match settings.max_faces {
                Choice::Auto => MAX_FACES.max,
                Choice::Number(number) => number,
            },
            detector_size: match settings.detector_size {
                Choice::Auto => chosen_size,
                Choice::Number(size) => size,
            },
            is_size_chosen: settings.detector_size == Choice::Auto,
        }
    }

    /// Returns the size of the detector's input in checks; `None` if there are none.
    pub(super) fn check_size(self) -> Option<u32> {
        let size = self.detector_size.saturating_mul(2);
        (1..=MAX_SIZE).contains(&size).then_some(size)
    }

    /// Returns the limits with which the recording is analyzed again if the checks find more people;
    /// `None` if the limits are those that were requested, or the highest.
    pub(super) fn raised(self) -> Option<Self> {
        let detector_size = self.check_size().filter(|_| self.is_size_chosen)?;
        Some(Self {
            detector_size,
            ..self
        })
    }
}

/// Results of the checks of a recording.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SizeCheck {
    checks: u64,
    /// Number of checks that found more faces than the sample.
    with_more: u64,
    /// Maximum number of faces that a sample lacks.
    max_missing: usize,
}

impl SizeCheck {
    /// Adds a check that found `found` faces; the sample has `visible` faces.
    pub(super) fn add(&mut self, visible: usize, found: usize) {
        let missing = found.saturating_sub(visible);
        self.checks += 1;
        self.with_more += u64::from(missing > 0);
        self.max_missing = self.max_missing.max(missing);
    }

    /// Returns `true` if people are missing in the samples. A single face more in a single check may
    /// be a wrong detection.
    pub(super) fn misses_people(&self) -> bool {
        self.max_missing > 1 || self.with_more > 1 && self.is_frequent()
    }

    /// Returns `true` if a fifth of the checks found more faces.
    fn is_frequent(&self) -> bool {
        self.with_more > 0 && self.with_more * 5 >= self.checks
    }

    /// Describes the faces that an analysis with `limits` lacks; `None` if there are too few to
    /// mention.
    pub(super) fn note(&self, limits: FaceLimits) -> Option<String> {
        let size = limits.check_size()?;
        (self.misses_people() || self.is_frequent()).then(|| {
            format!(
                "small faces are missing: in {} of {}, a detector input of {size} px found up to {} more than \
                 one of {} px; use --detector-size {size} to find them",
                self.with_more,
                count(self.checks, "check"),
                count(self.max_missing as u64, "face"),
                limits.detector_size,
            )
        })
    }
}

/// Describes that a recording was analyzed again; `None` if the limits are those for `first`.
pub(super) fn note_of_choice(first: FaceLimits, limits: FaceLimits) -> Option<String> {
    (first != limits).then(|| {
        format!(
            "it shows small faces, so it was analyzed with a detector input of {} px instead of {} px; \
             --detector-size sets another size",
            limits.detector_size, first.detector_size
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(samples: &[(usize, usize)]) -> SizeCheck {
        let mut check = SizeCheck::default();
        for &(visible, found) in samples {
            check.add(visible, found);
        }
        check
    }

    #[test]
    fn people_are_missing_if_a_larger_input_finds_several_faces_more() {
        assert!(check(&[(14, 25)]).misses_people());
        assert!(check(&[(1, 1), (1, 2), (0, 1)]).misses_people());
        for samples in [
            &[][..],
            &[(3, 3), (3, 1)],
            &[(1, 2)],
            // Twice in a long recording.
            &[
                [(1, 2); 2],
                [(1, 1); 2],
                [(1, 1); 2],
                [(1, 1); 2],
                [(1, 1); 2],
                [(1, 1); 2],
            ]
            .concat(),
        ] {
            assert!(!check(samples).misses_people(), "{samples:?}");
        }
    }

    #[test]
    fn a_requested_size_is_kept_and_missing_faces_are_noted() {
        let limits = FaceLimits {
            max_faces: 16,
            detector_size: 320,
            is_size_chosen: false,
        };
        assert_eq!(limits.raised(), None);
        let note = check(&[(14, 25), (14, 14)]).note(limits).unwrap();
        assert!(
            note.contains(
                "in 1 of 2 checks, a detector input of 640 px found up to 11 faces more than"
            ),
            "{note}"
        );
        assert_eq!(check(&[(14, 14)]).note(limits), None);
    }

    #[test]
    fn a_chosen_size_is_raised_twice() {
        let first = FaceLimits {
            max_faces: 512,
            detector_size: 320,
            is_size_chosen: true,
        };
        let sizes = std::iter::successors(Some(first), |limits| limits.raised());
        let sizes: Vec<u32> = sizes.map(|limits| limits.detector_size).collect();
        assert_eq!(sizes, [320, 640, 1280]);
        assert_eq!(note_of_choice(first, first), None);
        // The size that the minimum face size requires has none to compare it with.
        let of_face_size = FaceLimits {
            detector_size: 0,
            ..first
        };
        assert_eq!(of_face_size.check_size(), None);
    }
}
