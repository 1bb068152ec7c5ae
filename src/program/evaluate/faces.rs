// SPDX-License-Identifier: MPL-2.0

//! Judges pictures as the element judges frames.

use std::fmt::{self, Display, Formatter};

use attitude::InferenceError;
use attitude::Scores;
use attitude::analyzer::{Analyzer, Params};
use attitude::classification::ClassifierInput;
use attitude::crop;
use attitude::detection::Detection;
use attitude::frame::Frame;
use attitude::geometry::{Landmarks, Point, Rect, Similarity};
use attitude_inference::networks::Networks;
use indicatif::ProgressBar;

use super::data::LabelledFace;
use super::picture::Picture;
use crate::workers;

/// Pictures that are judged in one go. Scores may depend on what else is in a batch, by rounding:
/// batches are cut from the data, not by which thread has time.
const BATCH: usize = 32;

/// Least IoU of a detection with a given box to be the same face.
const MIN_IOU: f32 = 0.3;

/// What became of a face.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Judged {
        /// By each model.
        scores: Vec<Scores>,
        /// Whether it was cut out by the given box, as the detector found no face there.
        is_by_box: bool,
    },
    /// There is no face in the picture.
    NotFound,
    /// It is cut off or turned away.
    NotJudged,
    /// What a model answers are no scores.
    NoScores,
    /// The picture cannot be read; why.
    Unreadable(String),
}

impl Display for Outcome {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Judged { .. } => "judged",
            Self::NotFound => "no face found",
            Self::NotJudged => "not judged, being cut off or turned away",
            Self::NoScores => "not judged, as what a model answers are no scores",
            Self::Unreadable(reason) => reason,
        })
    }
}

/// Where a face is.
enum Place {
    Face(Detection),
    /// In the given box, where the detector finds none.
    Box(Detection),
    /// The picture is a crop already.
    Whole,
}

impl Place {
    fn detection(&self) -> Option<&Detection> {
        match self {
            Self::Face(detection) | Self::Box(detection) => Some(detection),
            Self::Whole => None,
        }
    }
}

/// Judges pictures, one batch after the other.
pub struct Judge {
    /// One for each model; they have the same detector.
    networks: Vec<Networks>,
    analyzer: Analyzer,
    params: Params,
    uses_detector: bool,
}

impl Judge {
    pub fn new(networks: Vec<Networks>, params: Params, uses_detector: bool) -> Self {
        Self {
            networks,
            analyzer: Analyzer::default(),
            params,
            uses_detector,
        }
    }

    fn judge(
        &mut self,
        faces: &[LabelledFace],
        progress: &ProgressBar,
    ) -> Result<Vec<Outcome>, InferenceError> {
        let mut crops = vec![Vec::new(); self.networks.len()];
        let mut outcomes = Vec::with_capacity(faces.len());
        let mut cropped = Vec::new();
        for (index, face) in faces.iter().enumerate() {
            let outcome = self.cut(face, &mut crops)?;
            if matches!(outcome, Outcome::Judged { .. }) {
                cropped.push(index);
            }
            outcomes.push(outcome);
            progress.inc(1);
        }
        let mut classifications = Vec::new();
        for (networks, crops) in self.networks.iter_mut().zip(&crops) {
            if !cropped.is_empty() {
                let classifier = networks.classifier.as_mut();
                classifier
                    .classify(crops, cropped.len(), &mut classifications)
                    .map_err(|InferenceError(problem)| {
                        InferenceError(format!("{}: {problem}", classifier.model_name()))
                    })?;
            }
            for (&index, found) in cropped.iter().zip(&classifications) {
                match &mut outcomes[index] {
                    Outcome::Judged { scores, .. } if found.is_valid() => {
                        scores.push(found.scores);
                    }
                    outcome => *outcome = Outcome::NoScores,
                }
            }
        }
        Ok(outcomes)
    }

    /// Appends the face's crop for each model to `crops` where it can be judged; its scores are
    /// still to come.
    fn cut(
        &mut self,
        face: &LabelledFace,
        crops: &mut [Vec<f32>],
    ) -> Result<Outcome, InferenceError> {
        let unreadable = |error: &dyn Display| {
            let (path, error) = (face.path.display(), error.to_string());
            Outcome::Unreadable(format!("{path} cannot be read: {}", error.trim()))
        };
        let picture = match Picture::read(&face.path) {
            Ok(picture) => picture,
            Err(error) => return Ok(unreadable(&error)),
        };
        let frame = match picture.frame() {
            Ok(frame) => frame,
            Err(error) => return Ok(unreadable(&error)),
        };
        let place = match self.place(&frame, face)? {
            Some(place) => place,
            None => return Ok(Outcome::NotFound),
        };
        if let Some(detection) = place.detection()
            && !crop::is_judgeable(detection, &frame)
        {
            return Ok(Outcome::NotJudged);
        }
        for (networks, crops) in self.networks.iter().zip(crops) {
            let input = networks.classifier.input();
            let size = (input.width, input.height);
            let frame_from_crop = match place.detection() {
                Some(face) => crop::shown_from_crop(face, &input.framing, size.0, size.1),
                None => whole(&frame, input),
            };
            let start = crops.len();
            crops.resize(start + input.pixel_format.len(size.0, size.1), 0.0);
            let format = &input.pixel_format;
            crop::cut(&frame, &frame_from_crop, format, size, &mut crops[start..]);
        }
        Ok(Outcome::Judged {
            scores: Vec::new(),
            is_by_box: matches!(place, Place::Box(_)),
        })
    }

    /// Where the labelled face is: by what is given, else by the detector; `None` where there is
    /// none.
    fn place(
        &mut self,
        frame: &Frame,
        face: &LabelledFace,
    ) -> Result<Option<Place>, InferenceError> {
        let given = |bbox, landmarks| Detection {
            bbox,
            score: 1.0,
            landmarks,
        };
        if let Some(landmarks) = face.landmarks {
            let bbox = face.bbox.unwrap_or_else(|| around(&landmarks));
            return Ok(Some(Place::Face(given(bbox, Some(landmarks)))));
        }
        let boxed = face.bbox.map(|bbox| given(bbox, None));
        if !self.uses_detector {
            return Ok(Some(boxed.map_or(Place::Whole, Place::Face)));
        }
        let detector = self.networks.first_mut();
        let Some(detector) = detector.and_then(|networks| networks.detector.as_deref_mut()) else {
            return Ok(boxed.map(Place::Box));
        };
        let found = self.analyzer.find(frame, detector, &self.params);
        let found = found.map_err(|InferenceError(problem)| {
            InferenceError(format!("the face detector: {problem}"))
        })?;
        let best = |likeness: &dyn Fn(&Rect) -> f32| {
            let likeness = |face: &Detection| likeness(&face.bbox);
            let best = found
                .iter()
                .max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
            best.copied()
        };
        let detection = match face.bbox {
            Some(bbox) => best(&|found| found.iou(&bbox)).filter(|f| f.bbox.iou(&bbox) >= MIN_IOU),
            None => best(&Rect::area),
        };
        Ok(detection.map(Place::Face).or(boxed.map(Place::Box)))
    }
}

/// A picture as the crop that it is: its largest part of the crop's shape, in the middle.
fn whole(frame: &Frame, input: &ClassifierInput) -> Similarity {
    let (width, height) = (frame.width() as f32, frame.height() as f32);
    let (crop_width, crop_height) = (input.width as f32, input.height as f32);
    let scale = (width / crop_width).min(height / crop_height);
    let origin = Point::new(
        (width - scale * crop_width) / 2.0,
        (height - scale * crop_height) / 2.0,
    );
    Similarity::from_scale_and_origin(scale, origin)
}

/// About the box that the default detector draws around a face with these landmarks. Its
/// proportions are those of the default classifier's framing: from eyes to mouth it is 0.365 of the
/// box's height, and the box's centre is 0.38 of that below the eyes.
fn around(landmarks: &Landmarks) -> Rect {
    let middle = |a: Point, b: Point| Point::new((a.x + b.x) / 2.0, (a.y + b.y) / 2.0);
    let [left_eye, right_eye, _, left_corner, right_corner] = *landmarks;
    let (eyes, mouth) = (
        middle(left_eye, right_eye),
        middle(left_corner, right_corner),
    );
    let (dx, dy) = (mouth.x - eyes.x, mouth.y - eyes.y);
    let height = dx.hypot(dy) / 0.365;
    let center = Point::new(eyes.x + 0.38 * dx, eyes.y + 0.38 * dy);
    Rect::from_center(center, 0.8 * height, height)
}

/// How many batches `faces` make up, and so how many judges have something to do.
pub fn batches(faces: &[LabelledFace]) -> usize {
    faces.len().div_ceil(BATCH)
}

/// Judges all of `faces`, with one thread for each of `judges`.
pub fn judge(
    faces: &[LabelledFace],
    judges: &mut [Judge],
    progress: &ProgressBar,
) -> Result<Vec<Outcome>, InferenceError> {
    let batches: Vec<&[LabelledFace]> = faces.chunks(BATCH).collect();
    let finished = workers::run(judges, &batches, |judge, batch| {
        judge.judge(batch, progress)
    });
    match finished.errors.into_iter().next() {
        Some(error) => Err(error),
        None => Ok(finished.outputs.into_iter().flatten().flatten().collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_box_around_landmarks_is_where_the_classifiers_framing_has_it() {
        // The default framing's landmarks in a crop of 100 px, which is the box moved up by 2.5 px.
        let landmarks = [
            (31.3, 38.7),
            (68.6, 38.5),
            (49.9, 58.3),
            (34.1, 75.2),
            (66.1, 75.0),
        ];
        let bbox = around(&landmarks.map(|(x, y)| Point::new(x, y)));
        assert!((bbox.h - 100.0).abs() < 0.5, "{bbox:?}");
        assert!((bbox.center().y - 52.5).abs() < 0.5, "{bbox:?}");
    }
}
