// SPDX-License-Identifier: MPL-2.0

//! Optimized models, stored between processes.
//!
//! Optimizing takes ONNX Runtime more than half of the time in which it creates a session. The result
//! depends on its version and, in the layout of weights, on the processor, so that a stored model is
//! used only with the same ones. A damaged file in its place is replaced. Nothing is stored where the
//! folder cannot be written or is not the user's own, or the processor cannot be identified.

use std::fs::Metadata;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::model::sha256;
use super::runtime;

/// Name of the folder in that of the caches.
const FOLDER: &str = "optimized-models";

/// Changes whenever the options of sessions or the format of the files do.
const VERSION: &str = "1";

/// Maximum size of an optimized model.
const MAX_BYTES: u64 = 1 << 26;

/// Number of bytes of the checksum at the end of a file.
const CHECKSUM_BYTES: usize = 32;

/// Maximum number of stored models; the oldest ones are removed.
const MAX_FILES: usize = 16;

/// The place of an optimized model.
pub(crate) struct OptimizedModel {
    folder: PathBuf,
    /// Digest of everything that the optimized model depends on.
    key: String,
}

/// A file for an optimized model that is being written.
pub(crate) struct Draft<'a> {
    model: &'a OptimizedModel,
    file: NamedTempFile,
}

impl OptimizedModel {
    /// Returns the place of the optimized model whose original has the digest `model_sha256`, in the user's
    /// cache folder; `None` if there is no such folder, or the processor cannot be identified.
    pub(crate) fn of(model_sha256: &str) -> Option<Self> {
        Self::in_folder(runtime::cache_folder(FOLDER)?, model_sha256)
    }

    /// The same as [`of`](Self::of) in another folder.
    pub(crate) fn in_folder(folder: PathBuf, model_sha256: &str) -> Option<Self> {
        if !is_private(&std::fs::metadata(&folder).ok()?) {
            return None;
        }
        let library = runtime::loaded_library()?;
        // The name of a system library has no folder; the dynamic linker has searched for it.
        let file = std::fs::metadata(library).ok();
        let file = file.map(|file| {
            (
                file.len(),
                file.modified().unwrap_or(SystemTime::UNIX_EPOCH),
            )
        });
        let runtime = (ort::info(), library, file);
        let parts = (VERSION, model_sha256, runtime, processor()?);
        Some(Self {
            folder,
            key: sha256(format!("{parts:?}").as_bytes()),
        })
    }

    fn path(&self) -> PathBuf {
        self.folder.join(&self.key)
    }

    /// Returns the optimized model; `None` if there is none that can be used.
    pub(crate) fn read(&self) -> Option<Vec<u8>> {
        let path = self.path();
        let metadata = std::fs::symlink_metadata(&path).ok()?;
        if !metadata.is_file() || metadata.len() > MAX_BYTES {
            return None;
        }
        let mut bytes = std::fs::read(path).ok()?;
        let (_, found) = bytes.split_last_chunk::<CHECKSUM_BYTES>()?;
        let found = *found;
        bytes.truncate(bytes.len() - CHECKSUM_BYTES);
        (self.checksum(&bytes) == found).then_some(bytes)
    }

    /// Begins to write the optimized model; `None` if the folder cannot be written.
    pub(crate) fn begin(&self) -> Option<Draft<'_>> {
        let file = NamedTempFile::new_in(&self.folder).ok()?;
        Some(Draft { model: self, file })
    }

    /// Returns the digest of a model with its key, so that a file with another name is not used.
    fn checksum(&self, model: &[u8]) -> [u8; CHECKSUM_BYTES] {
        let mut digest = Sha256::new();
        digest.update(&self.key);
        digest.update(model);
        digest.finalize().into()
    }
}

impl Draft<'_> {
    /// Returns the path for ONNX Runtime to write to.
    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Stores the model that has been written. A failure means that the next process optimizes it
    /// again.
    pub(crate) fn store(mut self) {
        if self.finish().is_ok() && self.file.persist(self.model.path()).is_ok() {
            remove_oldest(&self.model.folder);
        }
    }

    /// Appends the checksum.
    fn finish(&mut self) -> std::io::Result<()> {
        let bytes = std::fs::read(self.file.path())?;
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .open(self.file.path())?;
        file.write_all(&self.model.checksum(&bytes))
    }
}

/// Returns `true` if the folder with this metadata belongs to the user, and nobody else can change it.
#[cfg(unix)]
fn is_private(folder: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;

    const WRITABLE_BY_OTHERS: u32 = 0o022;
    folder.uid() == rustix::process::geteuid().as_raw() && folder.mode() & WRITABLE_BY_OTHERS == 0
}

/// Elsewhere, the folder is in that of the user's profile, which others cannot change.
#[cfg(not(unix))]
fn is_private(folder: &Metadata) -> bool {
    folder.is_dir()
}

/// Removes the oldest files of a folder, so that [`MAX_FILES`] are left.
fn remove_oldest(folder: &Path) {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<_> = files
        .filter_map(|file| Some((file.metadata().ok()?.modified().ok()?, file.path())))
        .collect();
    files.sort();
    let surplus = files.len().saturating_sub(MAX_FILES);
    for (_, path) in &files[..surplus] {
        // Another process may have removed it.
        let _ = std::fs::remove_file(path);
    }
}

/// Identifies the model of the processor and the features that the system enables; `None` if
/// that is not possible.
#[cfg(target_arch = "x86_64")]
fn processor() -> Option<String> {
    use std::arch::x86_64::{__cpuid, __cpuid_count};

    // SAFETY: All these processors have the instruction, for which newer versions of Rust need no
    // `unsafe`.
    #[allow(unused_unsafe)]
    let (vendor, version, features) = unsafe {
        (
            __cpuid(0),
            __cpuid(1),
            [__cpuid_count(7, 0), __cpuid_count(7, 1)],
        )
    };
    // The upper half of EBX of leaf 1 is the number of the core.
    let version = (version.eax, version.ecx, version.edx);
    // Whether the system saves the registers.
    let enabled = (
        is_x86_feature_detected!("avx2"),
        is_x86_feature_detected!("avx512f"),
    );
    Some(format!("{vendor:?} {version:?} {features:?} {enabled:?}"))
}

/// Other processors have no instruction that identifies them to a program.
#[cfg(not(target_arch = "x86_64"))]
fn processor() -> Option<String> {
    None
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use crate::runtime::RuntimeOptions;

    fn place(folder: &Path, model_sha256: &str) -> OptimizedModel {
        runtime::load(&RuntimeOptions::default()).unwrap();
        OptimizedModel::in_folder(folder.to_owned(), model_sha256).unwrap()
    }

    fn store(place: &OptimizedModel, model: &[u8]) {
        let draft = place.begin().unwrap();
        std::fs::write(draft.path(), model).unwrap();
        draft.store();
    }

    #[test]
    fn a_stored_model_is_read_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path(), "a");
        assert_eq!(place.read(), None);
        for model in [&b"model"[..], b"another model", b""] {
            store(&place, model);
            assert_eq!(place.read().as_deref(), Some(model));
        }
        let files = std::fs::read_dir(folder.path()).unwrap();
        assert_eq!(files.count(), 1, "only the stored model is left");
    }

    #[test]
    fn a_damaged_file_and_that_of_another_model_are_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let (place, other) = (place(folder.path(), "a"), place(folder.path(), "b"));
        assert_ne!(place.key, other.key);
        store(&place, b"model");
        std::fs::copy(place.path(), other.path()).unwrap();
        assert_eq!(other.read(), None);
        let intact = std::fs::read(place.path()).unwrap();
        for len in 0..intact.len() {
            std::fs::write(place.path(), &intact[..len]).unwrap();
            assert_eq!(place.read(), None, "{len} bytes are left");
        }
        for index in 0..intact.len() {
            let mut damaged = intact.clone();
            damaged[index] ^= 1;
            std::fs::write(place.path(), damaged).unwrap();
            assert_eq!(place.read(), None, "byte {index} is changed");
        }
        std::fs::write(place.path(), intact).unwrap();
        assert_eq!(place.read().as_deref(), Some(&b"model"[..]));
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_others_can_change_is_not_used() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        place(folder.path(), "a");
        for mode in [0o720, 0o702] {
            std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(mode)).unwrap();
            let place = OptimizedModel::in_folder(folder.path().to_owned(), "a");
            assert!(place.is_none(), "{mode:o}");
        }
    }

    #[test]
    fn links_and_folders_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path(), "a");
        store(&place, b"model");
        let elsewhere = folder.path().join("elsewhere");
        std::fs::rename(place.path(), &elsewhere).unwrap();
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(&elsewhere, place.path()).unwrap();
            assert_eq!(place.read(), None);
            store(&place, b"new");
            assert_eq!(place.read().as_deref(), Some(&b"new"[..]));
            assert!(elsewhere.exists(), "a link is replaced, not its target");
            std::fs::remove_file(place.path()).unwrap();
        }
        std::fs::create_dir(place.path()).unwrap();
        assert_eq!(place.read(), None);
        store(&place, b"new");
        assert_eq!(place.read(), None);
    }

    #[test]
    fn nothing_is_stored_in_a_folder_that_cannot_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path(), "a");
        folder.close().unwrap();
        assert!(place.begin().is_none());
    }

    #[test]
    fn the_oldest_files_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        for index in 0..2 * MAX_FILES {
            store(&place(folder.path(), &index.to_string()), b"model");
        }
        let files = std::fs::read_dir(folder.path()).unwrap();
        assert_eq!(files.count(), MAX_FILES);
        let newest = place(folder.path(), &(2 * MAX_FILES - 1).to_string());
        assert_eq!(newest.read().as_deref(), Some(&b"model"[..]));
    }
}
