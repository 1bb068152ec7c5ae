// SPDX-License-Identifier: MPL-2.0

//! A folder with one folder per label.

use std::path::{Path, PathBuf};

use super::{Data, LabelledFace};
use crate::evaluate::labels::Labels;
use crate::evaluate::table::Failure;

/// How the names of pictures end.
const EXTENSIONS: [&str; 5] = ["png", "jpg", "jpeg", "webp", "bmp"];

pub fn read(folder: &Path, labels: Labels, data: &mut Data) -> Result<(), Failure> {
    for label_folder in entries(folder)? {
        if !label_folder.is_dir() {
            data.skipped += 1;
            continue;
        }
        let name = name(&label_folder);
        let told = |problem| format!("{}: the label {problem}", label_folder.display());
        let label = labels.label(&name).map_err(told)?;
        for path in entries(&label_folder)? {
            if path.is_dir() {
                data.subfolders.push(path);
                continue;
            }
            if !is_picture(&path) {
                data.skipped += 1;
                continue;
            }
            data.faces.push(LabelledFace {
                file: format!("{name}/{}", self::name(&path)),
                path,
                label: label.clone(),
                bbox: None,
                landmarks: None,
                group: None,
            });
        }
    }
    Ok(())
}

/// What is in `folder` and not hidden, in the order of names.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let told = |error| format!("{}: {error}", folder.display());
    let entries = std::fs::read_dir(folder).map_err(told)?;
    let paths = entries.map(|entry| Ok(entry?.path()));
    let mut paths: Vec<PathBuf> = paths.collect::<Result<_, _>>().map_err(told)?;
    paths.retain(|path| !name(path).starts_with('.'));
    paths.sort();
    Ok(paths)
}

fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn is_picture(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let extension = extension.map(str::to_lowercase);
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str()))
}
