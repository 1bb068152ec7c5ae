// SPDX-License-Identifier: MPL-2.0

//! Files that are replaced as a whole.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Prefix of the names of files and folders that are being written.
pub(crate) const PARTIAL: &str = ".partial-";

/// Writes a file with the output of `write`. Readers see the file as it was before or as a whole,
/// also if the process is killed.
///
/// # Errors
/// Returns the errors of `write`, and those of the file system; the file is then unchanged.
pub(crate) fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let mut name = OsString::from(PARTIAL);
    name.push(path.file_name().unwrap_or_default());
    let partial = path.with_file_name(name);
    let replaced = write_and_sync(&partial, write)
        .and_then(|()| std::fs::rename(&partial, path))
        .and_then(|()| sync_folder(path.parent()));
    if replaced.is_err() {
        // If this fails, the next attempt overwrites the file.
        let _ = std::fs::remove_file(&partial);
    }
    replaced
}

fn write_and_sync(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    write(&mut file)?;
    file.into_inner()?.sync_all()
}

fn sync_folder(folder: Option<&Path>) -> io::Result<()> {
    match folder {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

/// Like [`replace`], with the content `bytes`.
///
/// # Errors
/// Returns the errors of the file system; the file is then unchanged.
pub(crate) fn replace_with(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace(path, |file| file.write_all(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        replace_with(&path, b"old").unwrap();
        let failed = replace(&path, |file| {
            file.write_all(b"ne")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        replace_with(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
