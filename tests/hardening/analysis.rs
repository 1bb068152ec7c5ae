// SPDX-License-Identifier: MPL-2.0

//! The analysis of frames of any layout, with networks that return any numbers.

use arbitrary::{Arbitrary, Result, Unstructured};
use attitude::analyzer::{Analysis, Analyzer, Epoch, Params, Sample};
use attitude::baseline::{BaselineMode, BaselineParams};
use attitude::detection::Detection;
use attitude::frame::MAX_PLANES;
use attitude::geometry::{Point, Rect};

use frames::{frame, plane};
use networks::{AnyClassifier, AnyDetector, numbers};

mod frames;
mod networks;

/// Maximum number of samples: more takes time and finds nothing.
const MAX_SAMPLES: usize = 4;

/// Analyzes frames. The faces that the analysis returns are valid.
pub(crate) fn run(data: &[u8]) {
    // Too few bytes for one more sample end the analysis.
    let _ = analyze(&mut Unstructured::new(data));
}

fn analyze(bytes: &mut Unstructured) -> Result<()> {
    let mut analyzer = Analyzer::default();
    let mut analysis = Analysis::default();
    let params = params(bytes)?;
    let mut detector = AnyDetector::new(bytes)?;
    let mut classifier = AnyClassifier::new(bytes)?;
    for _ in 0..MAX_SAMPLES {
        let planes: [Vec<u8>; MAX_PLANES] = [plane(bytes)?, plane(bytes)?, plane(bytes)?];
        let Some(frame) = frame(bytes, &planes)? else {
            continue;
        };
        detector.numbers = numbers(bytes)?;
        classifier.numbers = numbers(bytes)?;
        let upstream = upstream(bytes)?;
        let sample = Sample {
            frame,
            time_ns: bytes.arbitrary()?,
            epoch: Epoch {
                stream: bytes.int_in_range(0..=1)?,
                part: bytes.int_in_range(0..=1)?,
            },
            upstream: upstream.as_deref(),
            params: &params,
        };
        let result = analyzer.analyze(&sample, Some(&mut detector), &mut classifier, &mut analysis);
        if result.is_ok() {
            check(&analysis, &params);
        }
    }
    Ok(())
}

/// Checks that the faces are valid, whatever the networks returned.
fn check(analysis: &Analysis, params: &Params) {
    assert!(analysis.faces.len() <= params.max_faces as usize);
    for face in &analysis.faces {
        assert!(face.track > 0);
        assert!(face.bbox_in_frame.is_valid(), "{:?}", face.bbox_in_frame);
        assert!((0.0..=1.0).contains(&face.detection_score));
        assert!((0.0..=1.0).contains(&face.confidence()));
        assert!(face.scores.is_none_or(|scores| scores.is_valid()));
        assert!(face.emotions.is_valid());
        let quality = face.quality.unwrap_or_default();
        assert!((0.0..=1.0).contains(&quality), "{quality}");
    }
    let tracks = analysis.faces.iter().map(|face| face.track);
    assert!(tracks.is_sorted_by(|a, b| a < b));
}

/// Chooses parameters in the ranges of their settings.
fn params(bytes: &mut Unstructured) -> Result<Params> {
    Ok(Params {
        detector_size: *bytes.choose(&[0, 32, 64, 320])?,
        detection_interval_ns: *bytes.choose(&[0, 600_000_000, u64::MAX])?,
        min_face_size: bytes.int_in_range(0..=64)?,
        max_faces: bytes.int_in_range(1..=20)?,
        detection_threshold: fraction(bytes)?,
        overlap_threshold: fraction(bytes)?,
        min_confidence: fraction(bytes)?,
        smoothing_ns: bytes.arbitrary()?,
        track_timeout_ns: bytes.arbitrary()?,
        has_trend: bytes.arbitrary()?,
        baseline: BaselineParams {
            mode: *bytes.choose(&[BaselineMode::Off, BaselineMode::Auto, BaselineMode::Learn])?,
            learning_ns: bytes.arbitrary()?,
            generation: bytes.arbitrary()?,
        },
    })
}

fn fraction(bytes: &mut Unstructured) -> Result<f32> {
    Ok(f32::from(u8::arbitrary(bytes)?) / 255.0)
}

/// Chooses the faces that upstream elements found; `None` for none of them.
fn upstream(bytes: &mut Unstructured) -> Result<Option<Vec<Detection>>> {
    if bytes.ratio(3, 4)? {
        return Ok(None);
    }
    let count = bytes.int_in_range(0..=30)?;
    let faces = (0..count).map(|_| detection(bytes));
    faces.collect::<Result<_>>().map(Some)
}

fn detection(bytes: &mut Unstructured) -> Result<Detection> {
    let mut number = || -> Result<f32> {
        match bool::arbitrary(bytes)? {
            true => f32::arbitrary(bytes),
            false => Ok(fraction(bytes)? * 100.0),
        }
    };
    let bbox = Rect::new(number()?, number()?, number()?, number()?);
    let mut landmarks = [Point::default(); 5];
    for landmark in &mut landmarks {
        *landmark = Point::new(number()?, number()?);
    }
    Ok(Detection {
        bbox,
        score: number()?,
        landmarks: bool::arbitrary(bytes)?.then_some(landmarks),
    })
}
