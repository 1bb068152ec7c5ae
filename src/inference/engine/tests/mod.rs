// SPDX-License-Identifier: MPL-2.0

//! The engine with fake networks: the detector stops in each inference until the test lets it go.

mod batch;

use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use super::*;
use attitude::Scores;
use attitude::analyzer::{Epoch, Params, Sample};
use attitude::classification::{AttitudeClassifier, Classification, ClassifierInput};
use attitude::crop::Framing;
use attitude::detection::{Detection, DetectorInput, FaceDetector};
use attitude::frame::Frame;
use attitude::geometry::{Point, Rect};
use attitude::preprocessing::{InputSize, PixelFormat};

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

fn fake_input() -> ClassifierInput {
    ClassifierInput {
        width: 4,
        height: 4,
        pixel_format: PixelFormat::LUMA,
        framing: Framing {
            box_height: 1.0,
            box_center: Point::default(),
            landmarks: None,
        },
    }
}

/// A stream whose inferences the test controls, alone in its engine. Jobs carry their number.
struct Bench {
    begun: Receiver<()>,
    steps: Sender<Step>,
    stream: LiveStream<u64>,
    engine: Arc<Engine>,
}

/// Networks that can be had once.
fn no_more() -> Result<Networks, LoadError> {
    Err(LoadError::Provider {
        provider: "fake",
        reason: "there is but one".to_owned(),
    })
}

impl Bench {
    fn new() -> Self {
        Self::with_networks(1)
    }

    /// In an engine that may have so many networks, and has and gets one.
    fn with_networks(networks: usize) -> Self {
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
        let classifier = FakeClassifier(fake_input());
        let first = Networks {
            detector: Some(Box::new(detector)),
            classifier: Box::new(classifier),
            provider: Provider::Cpu,
            refusal: None,
        };
        let limits = Limits {
            workers: 1,
            networks,
        };
        let engine = Arc::new(Engine::new(first, no_more, limits, Default::default()));
        Self {
            begun,
            steps,
            stream: engine.open_stream().unwrap(),
            engine,
        }
    }

    /// Hands in a grey frame; returns whether another one gave way.
    fn submit(&self, number: u64, epoch: Epoch) -> bool {
        submit(&self.stream, number, epoch)
    }

    fn wait_until_begun(&self) {
        self.begun.recv_timeout(FOREVER).unwrap();
    }

    /// Has one frame analysed from beginning to end.
    fn analyze(&self, number: u64, epoch: Epoch, step: Step) -> Outcome<u64> {
        assert!(!self.submit(number, epoch));
        self.steps.send(step).unwrap();
        self.stream.drain();
        let outcome = self.stream.take_outcome().unwrap();
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

fn submit(stream: &LiveStream<u64>, number: u64, epoch: Epoch) -> bool {
    let sample = Sample {
        frame: Frame::from_luma(64, 64, &[128; 64 * 64]).unwrap(),
        time_ns: number * 1_000_000,
        epoch,
        upstream: None,
        params: &PARAMS,
    };
    stream.submit(&sample, number)
}

const STREAM: Epoch = Epoch { stream: 0, part: 0 };

#[test]
fn outcomes_come_in_the_order_of_the_frames() {
    let bench = Bench::new();
    for number in 1..=3 {
        bench.submit(number, STREAM);
        bench.wait_until_begun();
        bench.steps.send(Step::FindFace).unwrap();
        bench.stream.drain();
    }
    for number in 1..=3 {
        let outcome = bench.stream.take_outcome().unwrap();
        assert_eq!(outcome.context, number);
        assert_eq!(outcome.result.unwrap().time_ns, number * 1_000_000);
    }
    assert!(bench.stream.take_outcome().is_none());
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
    bench.stream.drain();
    let outcomes = std::iter::from_fn(|| bench.stream.take_outcome());
    assert!(outcomes.map(|outcome| outcome.context).eq([1, 4]));
}

#[test]
fn draining_waits_for_the_frame_in_flight_and_the_one_that_waits() {
    let bench = Bench::new();
    bench.stream.drain();
    bench.submit(1, STREAM);
    bench.wait_until_begun();
    bench.submit(2, STREAM);
    let (done, is_done) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            bench.stream.drain();
            done.send(()).unwrap();
        });
        bench.steps.send(Step::FindFace).unwrap();
        bench.wait_until_begun();
        // The second is in flight and cannot end before it is told to.
        assert!(is_done.try_recv().is_err());
        bench.steps.send(Step::FindFace).unwrap();
        is_done.recv_timeout(FOREVER).unwrap();
    });
    assert_eq!(bench.stream.take_outcome().unwrap().context, 1);
    assert_eq!(bench.stream.take_outcome().unwrap().context, 2);
}

#[test]
fn the_last_user_waits_for_the_frame_in_flight_and_leaves_the_one_that_waits() {
    let bench = Bench::new();
    bench.submit(1, STREAM);
    bench.wait_until_begun();
    bench.submit(2, STREAM);
    let Bench {
        begun,
        steps,
        stream,
        engine,
    } = bench;
    let networks = Arc::downgrade(&engine.pool);
    let (dropped, is_dropped) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // One that is not the last does not wait.
            drop(stream);
            dropped.send(()).unwrap();
            drop(engine);
            dropped.send(()).unwrap();
        });
        is_dropped.recv_timeout(FOREVER).unwrap();
        assert!(is_dropped.try_recv().is_err() && networks.upgrade().is_some());
        steps.send(Step::FindFace).unwrap();
        is_dropped.recv_timeout(FOREVER).unwrap();
    });
    // The networks are gone, and the second frame was never begun.
    assert!(networks.upgrade().is_none());
    assert!(steps.send(Step::FindFace).is_err());
    assert!(begun.try_recv().is_err());
}

#[test]
fn streams_take_turns_however_many_frames_one_of_them_hands_in() {
    let bench = Bench::new();
    let others: [LiveStream<u64>; 3] = std::array::from_fn(|_| bench.engine.open_stream().unwrap());
    bench.submit(1, STREAM);
    bench.wait_until_begun();
    bench.submit(2, STREAM);
    for other in &others {
        submit(other, 100, STREAM);
    }
    for number in 3..6 {
        bench.steps.send(Step::FindFace).unwrap();
        bench.wait_until_begun();
        bench.submit(number, STREAM);
    }
    // The first frame is done and those of two others: the third's is in flight.
    let done = |stream: &LiveStream<u64>| stream.take_outcome().map(|outcome| outcome.context);
    assert_eq!(done(&bench.stream), Some(1));
    assert_eq!(done(&bench.stream), None);
    assert_eq!(
        [0, 1, 2].map(|other| done(&others[other])),
        [Some(100), Some(100), None]
    );
    for _ in 0..2 {
        bench.steps.send(Step::FindFace).unwrap();
    }
    bench.stream.drain();
    assert_eq!(done(&bench.stream), Some(5));
}

#[test]
fn streams_share_networks_and_keep_their_own_past_and_settings() {
    let bench = Bench::new();
    let other: LiveStream<u64> = bench.engine.open_stream().unwrap();
    assert_eq!(bench.track(1, STREAM), 1);
    assert_eq!(bench.track(2, Epoch { part: 1, ..STREAM }), 2);
    submit(&other, 1, STREAM);
    bench.steps.send(Step::FindFace).unwrap();
    other.drain();
    let analysis = other.take_outcome().unwrap().result.unwrap();
    assert_eq!(analysis.faces[0].track, 1);
}

#[test]
fn where_no_more_networks_can_be_loaded_those_that_there_are_have_to_do() {
    let bench = Bench::with_networks(3);
    let lease = bench.engine.lease().unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| bench.engine.lease().is_ok());
        while bench.engine.pool.asked() < 3 {
            std::thread::yield_now();
        }
        drop(lease);
        assert!(waiting.join().unwrap());
    });
}

#[test]
fn networks_are_lent_in_the_order_of_asking_and_given_back_after_a_panic() {
    let bench = Bench::new();
    let lease = bench.engine.lease().unwrap();
    let (served, order) = mpsc::channel();
    std::thread::scope(|scope| {
        for number in 0..3 {
            let (engine, served) = (&bench.engine, served.clone());
            let asked = engine.pool.asked();
            scope.spawn(move || {
                let _lease = engine.lease().unwrap();
                served.send(number).unwrap();
                // Unwinding gives them back.
                let _ = std::panic::catch_unwind(|| {
                    let _lease = (number == 2).then(|| panic!("as it should"));
                });
            });
            while bench.engine.pool.asked() == asked {
                std::thread::yield_now();
            }
        }
        assert!(order.try_recv().is_err());
        drop(lease);
    });
    drop(served);
    assert!(order.iter().eq([0, 1, 2]));
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
