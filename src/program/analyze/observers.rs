// SPDX-License-Identifier: MPL-2.0

//! What is done with the results of playback while a recording plays.

use attitude::record::Record;

use super::hiding::FoundFaces;
use super::limits::{self, FaceLimits, SizeCheck};
use super::outputs::Outputs;
use super::progress::RecordingProgress;
use super::publication::Publication;
use super::roles::Role;
use super::store::StoreError;
use crate::numbers::count;
use crate::playback::Progress;
use crate::worker::Observer;

/// Writes the samples of a recording, and reports its progress.
pub(super) struct SampleWriter<'a, 'p> {
    pub(super) name: &'a str,
    pub(super) outputs: Outputs<'a>,
    pub(super) publication: Option<Publication<'a>>,
    pub(super) progress: &'a mut RecordingProgress<'p>,
    pub(super) playback: Progress,
    pub(super) last: Option<Record>,
    /// What a user should know about the recording.
    pub(super) notes: Vec<String>,
    /// Role of each analysis.
    pub(super) roles: Vec<Role>,
    pub(super) limits: FaceLimits,
    /// Number of samples with the maximum number of faces.
    pub(super) full_samples: u64,
    pub(super) check: SizeCheck,
    /// The faces of all analyses, if they are to be hidden.
    pub(super) found: Option<FoundFaces>,
}

impl SampleWriter<'_, '_> {
    /// Returns the limits with which the recording is to be analyzed again; `None` if these suffice.
    pub(super) fn raised_limits(&self) -> Option<FaceLimits> {
        let raised = self.limits.raised();
        raised.filter(|_| self.check.misses_people())
    }

    /// Adds notes about limits that were raised from `first`, or may hide people.
    pub(super) fn note_limits(&mut self, first: FaceLimits) {
        self.notes
            .extend(limits::note_of_choice(first, self.limits));
        self.notes.extend(self.check.note(self.limits));
        if self.full_samples > 0 {
            self.notes.push(format!(
                "{} reached the maximum of {}: more people may be in view; raise --max-faces",
                count(self.full_samples, "sample"),
                count(u64::from(self.limits.max_faces), "face")
            ));
        }
    }

    /// Returns `true` if a sample has the maximum number of faces.
    fn is_full(&self, record: &Record) -> bool {
        record.faces.len() >= self.limits.max_faces as usize
    }
}

impl Observer for SampleWriter<'_, '_> {
    type Error = StoreError;

    fn sample(&mut self, analysis: usize, mut record: Record) -> Result<(), StoreError> {
        if let Some(found) = &mut self.found {
            found.add(analysis, &record);
        }
        match self.roles.get(analysis) {
            Some(Role::Samples) => {}
            // The sample of the same frame precedes it.
            Some(Role::SizeCheck) => {
                if let Some(sample) = &self.last
                    && !self.is_full(sample)
                {
                    self.check.add(sample.faces.len(), record.faces.len());
                }
                return Ok(());
            }
            Some(Role::Hiding) | None => return Ok(()),
        }
        // GStreamer's stream id depends on the path of the file.
        record.stream = self.name.to_owned();
        self.progress
            .update(record.stream_time_ns, self.playback.duration_ns);
        self.outputs.push(&record)?;
        if let Some(publication) = &mut self.publication {
            publication.push(&record)?;
        }
        self.full_samples += u64::from(self.is_full(&record));
        self.last = Some(record);
        Ok(())
    }

    fn progress(&mut self, progress: &Progress) {
        self.playback = progress.clone();
    }

    fn warning(&mut self, text: &str) {
        self.progress.warn(text);
    }

    fn note(&mut self, text: String) {
        self.notes.push(text);
    }

    fn is_done(&self) -> bool {
        self.raised_limits().is_some()
    }
}

/// Reports the progress of a pass that only writes the annotated video.
pub(super) struct VideoObserver<'a, 'p> {
    pub(super) progress: &'a mut RecordingProgress<'p>,
    pub(super) duration_ns: Option<u64>,
}

impl Observer for VideoObserver<'_, '_> {
    type Error = StoreError;

    fn sample(&mut self, _analysis: usize, record: Record) -> Result<(), StoreError> {
        self.progress
            .update(record.stream_time_ns, self.duration_ns);
        Ok(())
    }

    fn progress(&mut self, progress: &Progress) {
        self.duration_ns = progress.duration_ns;
    }

    fn warning(&mut self, text: &str) {
        self.progress.warn(text);
    }

    fn note(&mut self, _text: String) {}
}
