// SPDX-License-Identifier: MPL-2.0

//! Live streams of an engine with one thread.

use std::sync::mpsc;

use super::fakes::{Bench, Step, TIMEOUT, submit};
use super::*;
use attitude::analyzer::Epoch;

const STREAM: Epoch = Epoch { stream: 0, part: 0 };

#[test]
fn samples_are_completed_in_the_order_of_submission() {
    let bench = Bench::new();
    for number in 1..=3 {
        bench.submit(number, STREAM);
        bench.wait_until_begun();
        bench.steps.send(Step::FindFace).unwrap();
        assert!(bench.stream.drain(TIMEOUT));
    }
    for number in 1..=3 {
        let completed = bench.stream.take_completed().unwrap();
        assert_eq!(completed.context, number);
        assert_eq!(completed.result.unwrap().time_ns, number * 1_000_000);
    }
    assert!(bench.stream.take_completed().is_none());
}

#[test]
fn the_newest_sample_replaces_a_pending_one() {
    let bench = Bench::new();
    assert!(!bench.submit(1, STREAM));
    bench.wait_until_begun();
    assert!(!bench.submit(2, STREAM));
    assert!(bench.submit(3, STREAM));
    assert!(bench.submit(4, STREAM));
    for _ in 0..2 {
        bench.steps.send(Step::FindFace).unwrap();
    }
    assert!(bench.stream.drain(TIMEOUT));
    let completed = std::iter::from_fn(|| bench.stream.take_completed());
    assert!(completed.map(|sample| sample.context).eq([1, 4]));
}

#[test]
fn draining_waits_for_the_sample_in_flight_and_the_pending_one() {
    let bench = Bench::new();
    assert!(bench.stream.drain(TIMEOUT));
    bench.submit(1, STREAM);
    bench.wait_until_begun();
    bench.submit(2, STREAM);
    let (done, is_done) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert!(bench.stream.drain(TIMEOUT));
            done.send(()).unwrap();
        });
        bench.steps.send(Step::FindFace).unwrap();
        bench.wait_until_begun();
        // The second one is in flight, and ends only after another step.
        assert!(is_done.try_recv().is_err());
        bench.steps.send(Step::FindFace).unwrap();
        is_done.recv_timeout(TIMEOUT).unwrap();
    });
    assert_eq!(bench.stream.take_completed().unwrap().context, 1);
    assert_eq!(bench.stream.take_completed().unwrap().context, 2);
}

#[test]
fn the_last_user_waits_for_the_sample_in_flight_and_discards_the_pending_one() {
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
            // The engine remains in use, so that this does not wait.
            drop(stream);
            dropped.send(()).unwrap();
            drop(engine);
            dropped.send(()).unwrap();
        });
        is_dropped.recv_timeout(TIMEOUT).unwrap();
        assert!(is_dropped.try_recv().is_err() && networks.upgrade().is_some());
        steps.send(Step::FindFace).unwrap();
        is_dropped.recv_timeout(TIMEOUT).unwrap();
    });
    // The networks are freed, and the second sample was not begun.
    assert!(networks.upgrade().is_none());
    assert!(steps.send(Step::FindFace).is_err());
    assert!(begun.try_recv().is_err());
}

#[test]
fn streams_take_turns_even_if_one_of_them_submits_more_samples() {
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
    // The first sample and those of two other streams are completed; the third's is in flight.
    let done = |stream: &LiveStream<u64>| stream.take_completed().map(|sample| sample.context);
    assert_eq!(done(&bench.stream), Some(1));
    assert_eq!(done(&bench.stream), None);
    assert_eq!(
        [0, 1, 2].map(|other| done(&others[other])),
        [Some(100), Some(100), None]
    );
    for _ in 0..2 {
        bench.steps.send(Step::FindFace).unwrap();
    }
    assert!(bench.stream.drain(TIMEOUT));
    assert_eq!(done(&bench.stream), Some(5));
}

#[test]
fn streams_share_networks_but_not_tracks() {
    let bench = Bench::new();
    let other: LiveStream<u64> = bench.engine.open_stream().unwrap();
    assert_eq!(bench.track(1, STREAM), 1);
    assert_eq!(bench.track(2, Epoch { part: 1, ..STREAM }), 2);
    submit(&other, 1, STREAM);
    bench.steps.send(Step::FindFace).unwrap();
    assert!(other.drain(TIMEOUT));
    let analysis = other.take_completed().unwrap().result.unwrap();
    assert_eq!(analysis.faces[0].track, 1);
}

#[test]
fn after_a_failure_the_next_sample_is_analyzed() {
    let bench = Bench::new();
    let failed = bench.analyze(1, STREAM, Step::Fail).result;
    assert_eq!(
        failed.unwrap_err(),
        InferenceError("out of order".to_owned())
    );
    assert_eq!(bench.track(2, STREAM), 1);
}

#[test]
fn a_panic_is_a_failure_and_the_next_sample_is_analyzed() {
    let bench = Bench::new();
    assert_eq!(bench.track(1, STREAM), 1);
    let failed = bench.analyze(2, STREAM, Step::Panic).result;
    assert!(failed.unwrap_err().to_string().contains("panicked"));
    assert_eq!(bench.track(3, STREAM), 2);
}

#[test]
fn another_part_of_the_stream_starts_tracks_with_new_numbers() {
    let bench = Bench::new();
    assert_eq!(bench.track(1, STREAM), 1);
    assert_eq!(bench.track(2, STREAM), 1);
    let next_part = Epoch { part: 1, ..STREAM };
    assert_eq!(bench.track(3, next_part), 2);
    assert_eq!(bench.track(4, next_part), 2);
}

#[test]
fn track_numbers_of_another_stream_start_at_1() {
    let bench = Bench::new();
    assert_eq!(bench.track(1, STREAM), 1);
    assert_eq!(bench.track(2, Epoch { part: 1, ..STREAM }), 2);
    assert_eq!(bench.track(1, Epoch { stream: 1, part: 0 }), 1);
}
