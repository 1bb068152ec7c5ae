// SPDX-License-Identifier: MPL-2.0

//! Faces of several streams judged together, by a fake classifier.

use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use super::{FOREVER, fake_input};
use crate::engine::batch::Batch;
use attitude::InferenceError;
use attitude::Scores;
use attitude::classification::{AttitudeClassifier, Classification, ClassifierInput};

/// Says of each crop what its only number is, and tells how many it was given at a time.
struct Echo {
    input: ClassifierInput,
    batches: Sender<usize>,
}

impl AttitudeClassifier for Echo {
    fn input(&self) -> &ClassifierInput {
        &self.input
    }

    fn model_name(&self) -> &str {
        "echo"
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
        self.batches.send(batch).unwrap();
        if crops.contains(&FAIL) {
            return Err(InferenceError("out of order".to_owned()));
        }
        assert!(
            !crops.contains(&PANIC),
            "the fake classifier panics, as it should"
        );
        let answer = |&value: &f32| Scores::from_array([value, 1.0 - value, 0.0]).into();
        *found = crops.iter().map(answer).collect();
        Ok(())
    }
}

const FAIL: f32 = -1.0;
const PANIC: f32 = -2.0;

/// What each of two members answers to its crops, asked at the same time, and the sizes of the
/// batches.
fn ask_together(
    [first, second]: [&[f32]; 2],
) -> ([Result<Vec<f32>, InferenceError>; 2], Vec<usize>) {
    let (batches, sizes) = mpsc::channel();
    let input = fake_input();
    let batch = Batch::new(Box::new(Echo { input, batches }), 2, FOREVER);
    let ask = |crops: &[f32]| {
        let mut found = Vec::new();
        batch.member().classify(crops, crops.len(), &mut found)?;
        Ok(found
            .iter()
            .map(|found| found.scores.to_array()[0])
            .collect())
    };
    let answers = std::thread::scope(|scope| {
        let other = scope.spawn(|| ask(first));
        // The one that leads panics with the classifier; the other gets an answer all the same.
        let own = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| ask(second)));
        let panicked = || Err(InferenceError("it panicked".to_owned()));
        [
            other.join().unwrap_or_else(|_| panicked()),
            own.unwrap_or_else(|_| panicked()),
        ]
    });
    drop(batch);
    (answers, sizes.iter().collect())
}

#[test]
fn faces_of_two_streams_are_judged_together_and_each_gets_its_own_answers() {
    let (answers, sizes) = ask_together([&[0.1, 0.2], &[0.3]]);
    assert_eq!(answers, [Ok(vec![0.1, 0.2]), Ok(vec![0.3])]);
    assert_eq!(sizes, [3]);
}

#[test]
fn where_a_batch_fails_or_panics_nobody_waits_for_ever() {
    for crop in [FAIL, PANIC] {
        let (answers, sizes) = ask_together([&[0.1], &[crop]]);
        assert!(answers.iter().all(Result::is_err), "{answers:?}");
        assert_eq!(sizes, [2]);
    }
}

#[test]
fn a_stream_that_is_alone_waits_no_longer_than_it_is_to() {
    let (batches, sizes) = mpsc::channel();
    let input = fake_input();
    let echo = Box::new(Echo { input, batches });
    let batch = Batch::new(echo, 2, Duration::from_millis(1));
    let mut found = Vec::new();
    for _ in 0..3 {
        batch.member().classify(&[0.5], 1, &mut found).unwrap();
        assert_eq!(found.len(), 1);
    }
    drop(batch);
    assert_eq!(sizes.iter().collect::<Vec<_>>(), [1, 1, 1]);
}
