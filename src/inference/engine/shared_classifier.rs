// SPDX-License-Identifier: MPL-2.0

//! A classifier that several streams share: faces that they submit within a short time are
//! classified in one inference. On a GPU, an inference on many faces takes hardly longer than one
//! on a single face.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use attitude::InferenceError;
use attitude::classification::{AttitudeClassifier, Classification, ClassifierInput};
use attitude::sync::{lock, wait_while};

/// A classifier, and the batch that it will classify next.
pub(super) struct SharedClassifier {
    classifier: Mutex<Box<dyn AttitudeClassifier>>,
    input: ClassifierInput,
    model_name: String,
    emotion_labels: Vec<String>,
    /// Time that a batch accepts crops.
    timeout: Duration,
    /// Maximum number of concurrent calls; a batch that has the crops of all of them does not wait.
    max_calls: usize,
    /// The batch that accepts crops; `None` if the next call begins one.
    pending: Mutex<Option<Arc<PendingBatch>>>,
}

/// A handle to a shared classifier, for the networks of one thread.
///
/// The first call of [`classify`](AttitudeClassifier::classify) begins a batch, waits for other
/// calls, and classifies the crops of all of them.
pub(super) struct BatchedClassifier(Arc<SharedClassifier>);

/// Crops that are classified together.
#[derive(Default)]
struct PendingBatch {
    contents: Mutex<BatchContents>,
    changed: Condvar,
}

#[derive(Default)]
struct BatchContents {
    crops: Vec<f32>,
    crop_count: usize,
    /// Number of calls whose crops are in the batch.
    call_count: usize,
    /// One classification per crop; `None` before the inference has ended.
    result: Option<Result<Vec<Classification>, InferenceError>>,
}

/// The crops of one call in a batch.
struct BatchPart {
    batch: Arc<PendingBatch>,
    /// Index of the call's first crop in the batch.
    first_crop: usize,
    role: Role,
}

enum Role {
    /// Began the batch, and classifies it.
    Leader,
    /// Waits for the leader.
    Follower,
}

impl SharedClassifier {
    /// Shares `classifier` between at most `max_calls` concurrent calls. A batch waits at most
    /// `timeout` for further crops.
    pub(super) fn new(
        classifier: Box<dyn AttitudeClassifier>,
        max_calls: usize,
        timeout: Duration,
    ) -> Arc<Self> {
        Arc::new(Self {
            input: classifier.input().clone(),
            model_name: classifier.model_name().to_owned(),
            emotion_labels: classifier.emotion_labels().to_vec(),
            classifier: Mutex::new(classifier),
            timeout,
            max_calls,
            pending: Mutex::default(),
        })
    }

    /// Adds `count` crops to the pending batch, or begins one with them.
    fn add(&self, crops: &[f32], count: usize) -> BatchPart {
        let mut pending = lock(&self.pending);
        let role = match *pending {
            None => Role::Leader,
            Some(_) => Role::Follower,
        };
        let batch = pending.get_or_insert_default().clone();
        let mut contents = lock(&batch.contents);
        let first_crop = contents.crop_count;
        contents.crops.extend_from_slice(crops);
        contents.crop_count += count;
        contents.call_count += 1;
        drop(contents);
        batch.changed.notify_all();
        BatchPart {
            batch,
            first_crop,
            role,
        }
    }

    /// Waits for further crops, closes `batch`, and classifies it.
    fn classify_batch(&self, batch: &PendingBatch) {
        let is_incomplete = |contents: &mut BatchContents| contents.call_count < self.max_calls;
        let contents = lock(&batch.contents);
        let waited = batch
            .changed
            .wait_timeout_while(contents, self.timeout, is_incomplete);
        // `add` locks the pending batch first, so that this lock must be released here.
        drop(waited);
        *lock(&self.pending) = None;
        let completion = Completion(batch);
        let (crops, crop_count) = {
            let mut contents = lock(&batch.contents);
            (std::mem::take(&mut contents.crops), contents.crop_count)
        };
        let mut classifications = Vec::new();
        let classified = lock(&self.classifier).classify(&crops, crop_count, &mut classifications);
        completion.set_result(classified.map(|()| classifications));
    }
}

impl PendingBatch {
    /// Waits for the result, and copies the classifications from index `first_crop` on to `found`.
    ///
    /// # Errors
    /// Returns an error if the classifier fails, or returns too few classifications.
    fn wait(&self, first_crop: usize, found: &mut [Classification]) -> Result<(), InferenceError> {
        let is_pending = |contents: &mut BatchContents| contents.result.is_none();
        let contents = wait_while(&self.changed, lock(&self.contents), is_pending);
        match &contents.result {
            Some(Ok(all)) if all.len() >= first_crop + found.len() => {
                found.copy_from_slice(&all[first_crop..first_crop + found.len()]);
                Ok(())
            }
            Some(Err(error)) => Err(error.clone()),
            Some(Ok(_)) | None => Err(InferenceError(
                "the classifier returned too few classifications".to_owned(),
            )),
        }
    }
}

/// Completes a batch when it is dropped, with an error if the classifier panicked, so that no
/// follower waits forever.
struct Completion<'a>(&'a PendingBatch);

impl Completion<'_> {
    fn set_result(&self, result: Result<Vec<Classification>, InferenceError>) {
        lock(&self.0.contents).result = Some(result);
    }
}

impl Drop for Completion<'_> {
    fn drop(&mut self) {
        lock(&self.0.contents)
            .result
            .get_or_insert_with(|| Err(InferenceError("the analysis panicked".to_owned())));
        self.0.changed.notify_all();
    }
}

impl BatchedClassifier {
    pub(super) fn new(shared: Arc<SharedClassifier>) -> Self {
        Self(shared)
    }
}

impl AttitudeClassifier for BatchedClassifier {
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
        let part = self.0.add(crops, batch);
        if let Role::Leader = part.role {
            self.0.classify_batch(&part.batch);
        }
        found.clear();
        found.resize(batch, Classification::default());
        part.batch.wait(part.first_crop, found)
    }
}
