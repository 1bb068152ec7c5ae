// SPDX-License-Identifier: MPL-2.0

//! The worker with fake networks: the detector stops in each inference until the test lets it go.

use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use super::*;
use crate::analysis::attitude::{Classification, ClassifierInput, Scores};
use crate::analysis::crop::Framing;
use crate::analysis::detection::{Detection, DetectorInput};
use crate::analysis::frame::Frame;
use crate::analysis::geometry::{Point, Rect};
use crate::analysis::preprocessing::{InputSize, PixelFormat};

/// Longer than anything here takes: a test that waits for it fails instead of hanging.
const FOREVER: Duration = Duration::from_secs(60);

const PARAMS: Params = Params {
    detector_size: 64,
    min_face_size: 8,
    max_faces: 4,
    detection_threshold: 0.5,
    overlap_threshold: 0.4,
    min_confidence: 0.4,
    smoothing_ns: 0,
    track_timeout_ns: 10_000_000_000,
};

/// What the detector does in one inference.
enum Step {
    FindFace,
    Fail,
    Panic,
}

/// Tells that it has begun and then does what it is told to.
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
        // A test that has ended does not listen any more.
        let _ = self.begun.send(());
        candidates.clear();
        match self.steps.recv_timeout(FOREVER) {
            Ok(Step::FindFace) => candidates.push(Detection {
                bbox: Rect::new(10.0, 10.0, 30.0, 30.0),
                score: 0.9,
                landmarks: None,
            }),
            Ok(Step::Fail) => return Err(InferenceError("out of order".to_owned())),
            Ok(Step::Panic) => panic!("the fake detector panics, as it should"),
            Err(_) => panic!("the test never said what to do"),
        }
        Ok(())
    }
}

struct FakeClassifier(ClassifierInput);

impl AttitudeClassifier for FakeClassifier {
    fn input(&self) -> &ClassifierInput {
        &self.0
    }

    fn model_name(&self) -> &str {
        "fake"
    }

    fn emotion_labels(&self) -> &[String] {
        &[]
    }

    fn classify(
        &mut self,
        _crops: &[f32],
        batch: usize,
        found: &mut Vec<Classification>,
    ) -> Result<(), InferenceError> {
        *found = vec![Scores::from_array([0.0, 1.0, 0.0]).into(); batch];
        Ok(())
    }
}

/// A worker whose inferences the test controls. Jobs carry their number.
struct Bench {
    begun: Receiver<()>,
    steps: Sender<Step>,
    worker: Worker<u64>,
}

impl Bench {
    fn new() -> Self {
        let (begun_sender, begun) = mpsc::channel();
        let (steps, steps_receiver) = mpsc::channel();
        let detector = FakeDetector {
            input: DetectorInput {
                size: InputSize::MultipleOf(32),
                pixel_format: PixelFormat::LUMA,
            },
            begun: begun_sender,
            steps: steps_receiver,
        };
        let classifier = FakeClassifier(ClassifierInput {
            width: 4,
            height: 4,
            pixel_format: PixelFormat::LUMA,
            framing: Framing {
                box_height: 1.0,
                box_center: Point::default(),
                landmarks: None,
            },
        });
        let networks = Networks {
            detector: Box::new(detector),
            classifier: Box::new(classifier),
            provider: Provider::Cpu,
            refusal: None,
        };
        Self {
            begun,
            steps,
            worker: Worker::start(networks).unwrap(),
        }
    }

    /// Hands in a grey frame; returns whether another one gave way.
    fn submit(&self, number: u64, epoch: Epoch) -> bool {
        let mut snapshot = self.worker.snapshot();
        let frame = Frame::from_luma(64, 64, &[128; 64 * 64]).unwrap();
        snapshot.copy_from(&frame, true);
        self.worker.submit(Job {
            snapshot,
            time_ns: number * 1_000_000,
            given: None,
            params: PARAMS,
            epoch,
            context: number,
        })
    }

    fn wait_until_begun(&self) {
        self.begun.recv_timeout(FOREVER).unwrap();
    }

    /// Has one frame analysed from beginning to end.
    fn analyze(&self, number: u64, epoch: Epoch, step: Step) -> Outcome<u64> {
        assert!(!self.submit(number, epoch));
        self.steps.send(step).unwrap();
        self.worker.drain();
        let outcome = self.worker.take_outcome().unwrap();
        assert_eq!((outcome.context, outcome.epoch), (number, epoch));
        outcome
    }

    /// The number of the face's track in a frame of `epoch`.
    fn track(&self, number: u64, epoch: Epoch) -> u32 {
        let analysis = self.analyze(number, epoch, Step::FindFace).result.unwrap();
        assert_eq!(analysis.faces.len(), 1);
        analysis.faces[0].track
    }
}

const STREAM: Epoch = Epoch { stream: 0, part: 0 };

#[test]
fn outcomes_come_in_the_order_of_the_frames() {
    let bench = Bench::new();
    for number in 1..=3 {
        bench.submit(number, STREAM);
        bench.wait_until_begun();
        bench.steps.send(Step::FindFace).unwrap();
        bench.worker.drain();
    }
    for number in 1..=3 {
        let outcome = bench.worker.take_outcome().unwrap();
        assert_eq!(outcome.context, number);
        assert_eq!(outcome.result.unwrap().time_ns, number * 1_000_000);
    }
    assert!(bench.worker.take_outcome().is_none());
}

#[test]
fn the_newest_frame_takes_the_place_of_one_that_waits() {
    let bench = Bench::new();
    assert!(!bench.submit(1, STREAM));
    bench.wait_until_begun();
    assert!(!bench.submit(2, STREAM));
    assert!(bench.submit(3, STREAM));
    assert!(bench.submit(4, STREAM));
    for _ in 0..2 {
        bench.steps.send(Step::FindFace).unwrap();
    }
    bench.worker.drain();
    let outcomes = std::iter::from_fn(|| bench.worker.take_outcome());
    assert!(outcomes.map(|outcome| outcome.context).eq([1, 4]));
}

#[test]
fn draining_waits_for_the_frame_in_flight_and_the_one_that_waits() {
    let bench = Bench::new();
    bench.worker.drain();
    bench.submit(1, STREAM);
    bench.wait_until_begun();
    bench.submit(2, STREAM);
    let (done, is_done) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            bench.worker.drain();
            done.send(()).unwrap();
        });
        bench.steps.send(Step::FindFace).unwrap();
        bench.wait_until_begun();
        // The second is in flight and cannot end before it is told to.
        assert!(is_done.try_recv().is_err());
        bench.steps.send(Step::FindFace).unwrap();
        is_done.recv_timeout(FOREVER).unwrap();
    });
    assert_eq!(bench.worker.take_outcome().unwrap().context, 1);
    assert_eq!(bench.worker.take_outcome().unwrap().context, 2);
}

#[test]
fn dropping_waits_for_the_frame_in_flight_and_leaves_the_one_that_waits() {
    let bench = Bench::new();
    bench.submit(1, STREAM);
    bench.wait_until_begun();
    bench.submit(2, STREAM);
    let Bench {
        begun,
        steps,
        worker,
    } = bench;
    let shared = worker.shared.clone();
    let (dropped, is_dropped) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            drop(worker);
            dropped.send(()).unwrap();
        });
        while !shared.lock().is_stopping {
            std::thread::yield_now();
        }
        assert!(is_dropped.try_recv().is_err());
        steps.send(Step::FindFace).unwrap();
        is_dropped.recv_timeout(FOREVER).unwrap();
    });
    // The networks are gone, and the second frame was never begun.
    assert!(steps.send(Step::FindFace).is_err());
    assert!(begun.try_recv().is_err());
}

#[test]
fn after_a_failure_the_next_frame_is_analysed() {
    let bench = Bench::new();
    let failed = bench.analyze(1, STREAM, Step::Fail).result;
    assert_eq!(
        failed.unwrap_err(),
        InferenceError("out of order".to_owned())
    );
    assert_eq!(bench.track(2, STREAM), 1);
}

#[test]
fn a_panic_is_a_failure_and_the_next_frame_is_analysed() {
    let bench = Bench::new();
    assert_eq!(bench.track(1, STREAM), 1);
    let failed = bench.analyze(2, STREAM, Step::Panic).result;
    assert!(failed.unwrap_err().to_string().contains("panicked"));
    assert_eq!(bench.track(3, STREAM), 2);
}

#[test]
fn another_part_of_the_stream_ends_tracks_and_the_numbers_go_on() {
    let bench = Bench::new();
    assert_eq!(bench.track(1, STREAM), 1);
    assert_eq!(bench.track(2, STREAM), 1);
    let next_part = Epoch { part: 1, ..STREAM };
    assert_eq!(bench.track(3, next_part), 2);
    assert_eq!(bench.track(4, next_part), 2);
}

#[test]
fn another_stream_counts_its_tracks_from_1_again() {
    let bench = Bench::new();
    assert_eq!(bench.track(1, STREAM), 1);
    assert_eq!(bench.track(2, Epoch { part: 1, ..STREAM }), 2);
    assert_eq!(bench.track(1, Epoch { stream: 1, part: 0 }), 1);
}

#[test]
fn a_snapshot_without_a_frame_is_a_failure() {
    let bench = Bench::new();
    bench.worker.submit(Job {
        snapshot: Snapshot::default(),
        time_ns: 0,
        given: None,
        params: PARAMS,
        epoch: STREAM,
        context: 1,
    });
    bench.worker.drain();
    assert!(bench.worker.take_outcome().unwrap().result.is_err());
    assert_eq!(bench.track(2, STREAM), 1);
}
