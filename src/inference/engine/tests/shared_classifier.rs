// SPDX-License-Identifier: MPL-2.0

//! Crops of several calls that a fake classifier classifies in one batch. Each crop has one value.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use super::fakes::{FakeClassifier, TIMEOUT};
use crate::engine::shared_classifier::{BatchedClassifier, SharedClassifier};
use attitude::classification::AttitudeClassifier;
use attitude::{InferenceError, Scores};

/// The value of a crop that the classifier fails on.
const FAIL: f32 = -1.0;
/// The value of a crop that the classifier panics on.
const PANIC: f32 = -2.0;

/// Returns a classifier whose positive score of a crop is the crop's value, and a receiver of the
/// sizes of its batches.
fn echo() -> (Box<FakeClassifier>, Receiver<usize>) {
    let (sizes_sender, sizes) = mpsc::channel();
    let classifier = FakeClassifier::new(move |crops, count| {
        sizes_sender.send(count).unwrap();
        if crops.contains(&FAIL) {
            return Err(InferenceError("out of order".to_owned()));
        }
        assert!(
            !crops.contains(&PANIC),
            "the fake classifier panics, as it should"
        );
        let scores = |&value: &f32| Scores::from_array([value, 1.0 - value, 0.0]).into();
        Ok(crops.iter().map(scores).collect())
    });
    (Box::new(classifier), sizes)
}

/// Classifies the crops of two concurrent calls. Returns the positive scores of each call, and the
/// sizes of the batches.
fn classify_concurrently(
    [first, second]: [&[f32]; 2],
) -> ([Result<Vec<f32>, InferenceError>; 2], Vec<usize>) {
    let (echo, sizes) = echo();
    let shared = SharedClassifier::new(echo, 2, TIMEOUT);
    let classify = |crops: &[f32]| {
        let mut found = Vec::new();
        BatchedClassifier::new(shared.clone()).classify(crops, crops.len(), &mut found)?;
        let positive = found.iter().map(|found| found.scores.positive);
        Ok(positive.collect())
    };
    let results = std::thread::scope(|scope| {
        let other = scope.spawn(|| classify(first));
        // The leader panics with the classifier; the follower gets an error.
        let own = catch_unwind(AssertUnwindSafe(|| classify(second)));
        let panicked = |_| Err(InferenceError("the call panicked".to_owned()));
        [
            other.join().unwrap_or_else(panicked),
            own.unwrap_or_else(panicked),
        ]
    });
    drop(shared);
    (results, sizes.iter().collect())
}

#[test]
fn concurrent_calls_are_classified_in_one_batch_and_get_their_own_results() {
    let (results, sizes) = classify_concurrently([&[0.1, 0.2], &[0.3]]);
    assert_eq!(results, [Ok(vec![0.1, 0.2]), Ok(vec![0.3])]);
    assert_eq!(sizes, [3]);
}

#[test]
fn no_call_waits_forever_if_a_batch_fails_or_panics() {
    for crop in [FAIL, PANIC] {
        let (results, sizes) = classify_concurrently([&[0.1], &[crop]]);
        assert!(results.iter().all(Result::is_err), "{results:?}");
        assert_eq!(sizes, [2]);
    }
}

#[test]
fn a_single_call_waits_no_longer_than_the_timeout() {
    let (echo, sizes) = echo();
    let shared = SharedClassifier::new(echo, 2, Duration::from_millis(1));
    let mut found = Vec::new();
    for _ in 0..3 {
        let mut classifier = BatchedClassifier::new(shared.clone());
        classifier.classify(&[0.5], 1, &mut found).unwrap();
        assert_eq!(found.len(), 1);
    }
    drop(shared);
    assert_eq!(sizes.iter().collect::<Vec<_>>(), [1, 1, 1]);
}
