// SPDX-License-Identifier: MPL-2.0

//! Files of small tables.

use std::io;
use std::path::{Path, PathBuf};

use attitude::data_table::DataTable;

use crate::atomic_file;

/// Format of the file of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TableFormat {
    Csv,
    Parquet,
}

impl TableFormat {
    /// All formats.
    pub(crate) const ALL: [Self; 2] = [Self::Csv, Self::Parquet];

    /// Returns the path of the file of `table` in `folder`.
    pub(crate) fn path(self, folder: &Path, table: &DataTable) -> PathBuf {
        let extension = match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        };
        folder.join(format!("{}.{extension}", table.schema.name))
    }

    /// Writes `table` to `path`, and replaces an older file as a whole.
    ///
    /// # Errors
    /// Returns the errors of the file system; the file is then unchanged.
    pub(crate) fn write(self, path: &Path, table: &DataTable) -> io::Result<()> {
        atomic_file::replace(path, |file| match self {
            Self::Csv => table.write_csv(file),
            Self::Parquet => table.write_parquet(file),
        })
    }
}
