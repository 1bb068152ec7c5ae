// SPDX-License-Identifier: MPL-2.0

//! One classifier for several streams at a time: what they ask within a moment of each other is
//! answered by one inference, which on a GPU takes hardly longer than one of a single face.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use attitude::InferenceError;
use attitude::classification::{AttitudeClassifier, Classification, ClassifierInput};
use attitude::sync::{lock, wait_while};

/// A classifier of which any number of streams' networks can have a member.
pub(super) struct Batch {
    classifier: Mutex<Box<dyn AttitudeClassifier>>,
    input: ClassifierInput,
    model_name: String,
    emotion_labels: Vec<String>,
    timeout: Duration,
    /// Maximum number of callers at a time; a round that has them all does not wait for more.
    members: usize,
    /// The round that others can still join.
    round: Mutex<Option<Arc<Round>>>,
}

/// Answers with all others of its batch.
pub(super) struct Member(Arc<Batch>);

/// Crops that are classified together.
#[derive(Default)]
struct Round {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    crops: Vec<f32>,
    count: usize,
    members: usize,
    answer: Option<Result<Vec<Classification>, InferenceError>>,
}

impl Batch {
    /// Has `classifier` answer up to `members` at once, and the first of them wait `timeout` for the
    /// others.
    pub(super) fn new(
        classifier: Box<dyn AttitudeClassifier>,
        members: usize,
        timeout: Duration,
    ) -> Arc<Self> {
        Arc::new(Self {
            input: classifier.input().clone(),
            model_name: classifier.model_name().to_owned(),
            emotion_labels: classifier.emotion_labels().to_vec(),
            classifier: Mutex::new(classifier),
            timeout,
            members,
            round: Mutex::default(),
        })
    }

    pub(super) fn member(self: &Arc<Self>) -> Member {
        Member(self.clone())
    }

    /// Adds crops to the open round, or to a new one. Returns it, where in it their answers will be,
    /// and whether it is a new one.
    fn join(&self, crops: &[f32], batch: usize) -> (Arc<Round>, usize, bool) {
        let mut open = lock(&self.round);
        let is_new = open.is_none();
        let round = open.get_or_insert_default().clone();
        let mut state = lock(&round.state);
        let start = state.count;
        state.crops.extend_from_slice(crops);
        state.count += batch;
        state.members += 1;
        drop(state);
        (round, start, is_new)
    }

    /// Waits for others to join the round, closes it and classifies it.
    fn lead(&self, round: &Round) {
        let is_waiting = |state: &mut State| state.members < self.members;
        let state = lock(&round.state);
        drop(
            round
                .changed
                .wait_timeout_while(state, self.timeout, is_waiting),
        );
        *lock(&self.round) = None;
        // From here on nobody joins. Whatever happens, the others get an answer.
        let closing = Closing(round);
        let (crops, count) = {
            let mut state = lock(&round.state);
            (std::mem::take(&mut state.crops), state.count)
        };
        let mut found = Vec::new();
        let classified = lock(&self.classifier).classify(&crops, count, &mut found);
        closing.answer(classified.map(|()| found));
    }
}

impl Round {
    /// The part of the answer from `start` on.
    fn wait(&self, start: usize, found: &mut [Classification]) -> Result<(), InferenceError> {
        let is_open = |state: &mut State| state.answer.is_none();
        let state = wait_while(&self.changed, lock(&self.state), is_open);
        match &state.answer {
            Some(Ok(all)) if all.len() >= start + found.len() => {
                found.copy_from_slice(&all[start..start + found.len()]);
                Ok(())
            }
            Some(Err(error)) => Err(error.clone()),
            Some(Ok(_)) | None => Err(InferenceError("the classifier left faces out".to_owned())),
        }
    }
}

/// Answers a round, also where judging it panics.
struct Closing<'a>(&'a Round);

impl Closing<'_> {
    fn answer(&self, answer: Result<Vec<Classification>, InferenceError>) {
        lock(&self.0.state).answer = Some(answer);
    }
}

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        let panicked = || Err(InferenceError("the analysis panicked".to_owned()));
        lock(&self.0.state).answer.get_or_insert_with(panicked);
        self.0.changed.notify_all();
    }
}

impl AttitudeClassifier for Member {
    fn input(&self) -> &ClassifierInput {
        &self.0.input
    }

    fn model_name(&self) -> &str {
        &self.0.model_name
    }

    fn emotion_labels(&self) -> &[String] {
        &self.0.emotion_labels
    }

    fn classify(
        &mut self,
        crops: &[f32],
        batch: usize,
        found: &mut Vec<Classification>,
    ) -> Result<(), InferenceError> {
        let (round, start, is_leading) = self.0.join(crops, batch);
        if is_leading {
            self.0.lead(&round);
        } else {
            round.changed.notify_all();
        }
        found.clear();
        found.resize(batch, Classification::default());
        round.wait(start, found)
    }
}
