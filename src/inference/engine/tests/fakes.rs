// SPDX-License-Identifier: MPL-2.0

//! Fake networks, and an engine with them.

use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use super::*;
use crate::provider::ProviderFailure;
use attitude::Scores;
use attitude::analyzer::{Epoch, Params, Sample};
use attitude::baseline::{BaselineMode, BaselineParams};
use attitude::classification::{AttitudeClassifier, Classification, ClassifierInput};
use attitude::crop::Framing;
use attitude::detection::{Detection, DetectorInput, FaceDetector};
use attitude::frame::Frame;
use attitude::geometry::{Point, Rect};
use attitude::preprocessing::{InputSize, TensorFormat};

/// Maximum time that a test waits. It is longer than any operation here, so that a defect makes a
/// test fail instead of hang.
pub(super) const TIMEOUT: Duration = Duration::from_secs(60);

const PARAMS: Params = Params {
    detector_size: 64,
    detection_interval_ns: 0,
    min_face_size: 8,
    max_faces: 4,
    detection_threshold: 0.5,
    overlap_threshold: 0.4,
    min_confidence: 0.4,
    smoothing_ns: 0,
    track_timeout_ns: 10_000_000_000,
    has_trend: false,
    baseline: BaselineParams {
        mode: BaselineMode::Off,
        learning_ns: 0,
        generation: 0,
    },
};

/// Behavior of the detector in one inference.
pub(super) enum Step {
    FindFace,
    Fail,
    Panic,
}

/// Reports the begin of each inference, and waits for the test to send a step.
struct FakeDetector {
    input: DetectorInput,
    begun: Sender<()>,
    steps: Receiver<Step>,
}

impl FaceDetector for FakeDetector {
    fn input(&self) -> &DetectorInput {
        &self.input
    }

    fn detect(
        &mut self,
        _picture: &[f32],
        _width: usize,
        _height: usize,
        _threshold: f32,
        candidates: &mut Vec<Detection>,
    ) -> Result<(), InferenceError> {
        // A test that has ended does not receive it.
        let _ = self.begun.send(());
        candidates.clear();
        match self.steps.recv_timeout(TIMEOUT) {
            Ok(Step::FindFace) => candidates.push(Detection {
                bbox: Rect::new(10.0, 10.0, 30.0, 30.0),
                score: 0.9,
                landmarks: None,
            }),
            Ok(Step::Fail) => return Err(InferenceError("out of order".to_owned())),
            Ok(Step::Panic) => panic!("the fake detector panics, as it should"),
            Err(_) => panic!("the test has sent no step"),
        }
        Ok(())
    }
}

/// Returns the classifications of crops; the arguments are the crops' values and their number.
type Classify = dyn FnMut(&[f32], usize) -> Result<Vec<Classification>, InferenceError> + Send;

/// A classifier that calls a closure.
pub(super) struct FakeClassifier {
    input: ClassifierInput,
    classify: Box<Classify>,
}

impl FakeClassifier {
    pub(super) fn new(
        classify: impl FnMut(&[f32], usize) -> Result<Vec<Classification>, InferenceError>
        + Send
        + 'static,
    ) -> Self {
        let framing = Framing {
            box_height: 1.0,
            box_center: Point::default(),
            landmarks: None,
        };
        Self {
            input: ClassifierInput {
                width: 4,
                height: 4,
                tensor_format: TensorFormat::LUMA,
                framing,
            },
            classify: Box::new(classify),
        }
    }
}

impl AttitudeClassifier for FakeClassifier {
    fn input(&self) -> &ClassifierInput {
        &self.input
    }

    fn model_name(&self) -> &str {
        "fake"
    }

    fn emotion_labels(&self) -> &[String] {
        &[]
    }

    fn classify(
        &mut self,
        crops: &[f32],
        batch: usize,
        found: &mut Vec<Classification>,
    ) -> Result<(), InferenceError> {
        *found = (self.classify)(crops, batch)?;
        Ok(())
    }
}

/// An engine with one stream, whose inferences the test controls. The contexts of samples are
/// numbers.
pub(super) struct Bench {
    pub(super) begun: Receiver<()>,
    pub(super) steps: Sender<Step>,
    pub(super) stream: LiveStream<u64>,
    pub(super) engine: Arc<Engine>,
}

/// Returns networks whose detector reports the begin of each inference to the receiver, and waits
/// for a step from the sender. All faces are neutral.
pub(super) fn networks() -> (Networks, Receiver<()>, Sender<Step>) {
    let (begun_sender, begun) = mpsc::channel();
    let (steps, steps_receiver) = mpsc::channel();
    let detector = FakeDetector {
        input: DetectorInput {
            size: InputSize::MultipleOf(32),
            is_resizable: true,
            tensor_format: TensorFormat::LUMA,
        },
        begun: begun_sender,
        steps: steps_receiver,
    };
    let neutral = Scores::from_array([0.0, 1.0, 0.0]);
    let classifier = FakeClassifier::new(move |_, count| Ok(vec![neutral.into(); count]));
    let networks = Networks {
        detector: Some(Box::new(detector)),
        classifier: Box::new(classifier),
        provider: Provider::Cpu,
        provider_errors: Vec::new(),
        assumed_mapping: None,
    };
    (networks, begun, steps)
}

fn fail_to_load() -> Result<Networks, LoadError> {
    Err(LoadError::Provider {
        provider: "fake",
        failure: ProviderFailure {
            cause: "there is only one".to_owned(),
            next_step: "use it".to_owned(),
        },
    })
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::with_max_networks(1)
    }

    /// Creates an engine that may load `max_networks`, but fails to load more than the first ones.
    pub(super) fn with_max_networks(max_networks: usize) -> Self {
        let (networks, begun, steps) = networks();
        let limits = Limits {
            workers: 1,
            networks: max_networks,
        };
        let digests = ModelDigests::default();
        let engine = Arc::new(Engine::new(networks, fail_to_load, limits, digests));
        Self {
            begun,
            steps,
            stream: engine.open_stream().unwrap(),
            engine,
        }
    }

    /// Submits a sample to the bench's stream; see [`submit`].
    pub(super) fn submit(&self, number: u64, epoch: Epoch) -> bool {
        submit(&self.stream, number, epoch)
    }

    pub(super) fn wait_until_begun(&self) {
        self.begun.recv_timeout(TIMEOUT).unwrap();
    }

    /// Submits a sample and returns it when it is completed.
    pub(super) fn analyze(&self, number: u64, epoch: Epoch, step: Step) -> CompletedSample<u64> {
        assert!(!self.submit(number, epoch));
        self.steps.send(step).unwrap();
        assert!(self.stream.drain(TIMEOUT));
        let completed = self.stream.take_completed().unwrap();
        assert_eq!((completed.context, completed.epoch), (number, epoch));
        completed
    }

    /// Analyzes a sample with a face, and returns the number of the face's track.
    pub(super) fn track(&self, number: u64, epoch: Epoch) -> u32 {
        let analysis = self.analyze(number, epoch, Step::FindFace).result.unwrap();
        assert_eq!(analysis.faces.len(), 1);
        analysis.faces[0].track
    }
}

/// Submits a gray frame at `number` milliseconds; returns `true` if it replaces a pending sample.
pub(super) fn submit(stream: &LiveStream<u64>, number: u64, epoch: Epoch) -> bool {
    let sample = Sample {
        frame: Frame::from_luma(64, 64, &[128; 64 * 64]).unwrap(),
        time_ns: number * 1_000_000,
        epoch,
        upstream: None,
        params: &PARAMS,
    };
    stream.submit(&sample, number)
}
