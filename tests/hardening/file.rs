// SPDX-License-Identifier: MPL-2.0

//! Files for code that reads no other input.

use std::cell::OnceCell;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

thread_local! {
    static FOLDER: OnceCell<TempDir> = const { OnceCell::new() };
}

/// Calls `test` with the path of a file that contains `data`.
pub(crate) fn with_file(data: &[u8], test: impl FnOnce(&Path)) {
    let path: PathBuf = FOLDER.with(|folder| {
        let folder = folder.get_or_init(|| tempfile::tempdir().expect("a folder can be created"));
        folder.path().join("file")
    });
    fs::write(&path, data).expect("the file can be written");
    test(&path);
}
