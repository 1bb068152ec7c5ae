// SPDX-License-Identifier: MPL-2.0

//! Publishes the records of a recording once they are its results.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Seek};
use std::path::PathBuf;

use attitude::record::Record;

use super::store::{PartialFolder, StoreError, WriteContext};
use crate::exit::Interrupt;
use crate::publishing::Publishing;

/// File name of the records, until they are published.
const FILE: &str = "unpublished.jsonl";

/// The records of an analysis that may be repeated, in a file of the recording's folder.
pub(super) struct Publication<'a> {
    publishing: &'a Publishing,
    path: PathBuf,
    file: BufWriter<File>,
}

impl<'a> Publication<'a> {
    /// Creates the file.
    pub(super) fn create(
        publishing: &'a Publishing,
        folder: &PartialFolder,
    ) -> Result<Self, StoreError> {
        let path = folder.path(FILE);
        let mut options = File::options();
        let file = options.read(true).write(true).create_new(true).open(&path);
        Ok(Self {
            publishing,
            file: BufWriter::new(file.write_context(&path)?),
            path,
        })
    }

    /// Adds a record.
    pub(super) fn push(&mut self, record: &Record) -> Result<(), StoreError> {
        let written = serde_json::to_writer(&mut self.file, record);
        written.map_err(io::Error::from).write_context(&self.path)
    }

    /// Publishes all records as those of `source`, as fast as a broker that is available takes
    /// them, and removes the file. After an interruption, it waits for no broker.
    pub(super) fn publish(self, source: &str, interrupt: &Interrupt) -> Result<(), StoreError> {
        let Self {
            publishing,
            path,
            file,
        } = self;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error);
        let mut file = file.write_context(&path)?;
        file.rewind().write_context(&path)?;
        let records = serde_json::Deserializer::from_reader(BufReader::new(file));
        for record in records.into_iter::<Record>() {
            let record = record.map_err(io::Error::from).write_context(&path)?;
            publishing.wait_for_room(|| interrupt.is_set());
            publishing.publish(&record, source);
        }
        std::fs::remove_file(&path).write_context(&path)
    }
}
