// SPDX-License-Identifier: MPL-2.0

//! Warnings about data and arguments that the user may not have meant, before the long work.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::Hash;

use attitude::mapping::{Mapping, well_known};
use attitude_inference::networks::Networks;

use super::arguments::Arguments;
use super::data::Data;
use super::predictions::Predictions;
use crate::numbers::count;
use crate::options::assumed_mapping;

/// Returns all warnings. `names` are those of the models, in the order of `networks`.
pub(super) fn warnings(
    arguments: &Arguments,
    data: &Data,
    others: &[Predictions],
    networks: &[Networks],
    names: &[String],
) -> Vec<String> {
    let mut warnings = repetitions(data);
    let assumed = networks.iter().zip(names).filter_map(|(networks, name)| {
        let mapping = networks.assumed_mapping.as_ref()?;
        Some(assumed_mapping(name, mapping))
    });
    warnings.extend(assumed);
    let folders = data.subfolders.iter();
    warnings.extend(folders.map(|folder| {
        format!(
            "{}: this folder is ignored; pictures must be directly in the folder of their label",
            folder.display()
        )
    }));
    warnings.extend(other_files(data));
    if arguments.no_detector && !data.segments.is_empty() {
        warnings
            .push("--no-detector does not apply to videos, in which faces are detected".to_owned());
    }
    if let Some(mapping) = &arguments.mapping {
        warnings.extend(unmapped(mapping, data));
        warnings.extend(unused(mapping, data, others, networks));
        for (networks, name) in networks.iter().zip(names) {
            if networks.classifier.emotion_labels().is_empty() {
                warnings.push(format!(
                    "--mapping changes the attitudes of labels, but not those of {name}, which has no \
                     emotions"
                ));
            }
        }
    }
    warnings
}

/// Names the files in folders that are not pictures.
fn other_files(data: &Data) -> Option<String> {
    let (first, more) = data.other_files.split_first()?;
    let first = first.display();
    Some(match more.len() {
        0 => format!("{first}: this file is ignored: it is not a picture"),
        more => format!(
            "{first} and {} are ignored: they are not pictures",
            count(more, "more file")
        ),
    })
}

/// Counts faces and segments that are listed more than once, and so have more weight.
fn repetitions(data: &Data) -> Vec<String> {
    let faces = data.faces.iter().map(|face| {
        let position = (face.bbox, face.landmarks);
        (&face.path, format!("{position:?}"))
    });
    let segments = data.segments.iter().map(|segment| {
        (
            &segment.path,
            [segment.start_s, segment.end_s].map(f64::to_bits),
        )
    });
    let counts = [("faces", repeated(faces)), ("segments", repeated(segments))];
    counts
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(what, count)| {
            format!("{what} that are listed more than once, and count each time: {count}")
        })
        .collect()
}

fn repeated<T: Eq + Hash>(items: impl Iterator<Item = T>) -> usize {
    let items: Vec<T> = items.collect();
    items.len() - items.iter().collect::<HashSet<_>>().len()
}

/// Finds labels that are negative only because the mapping does not list them.
fn unmapped(mapping: &Mapping, data: &Data) -> Vec<String> {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let faces = data.faces.iter().map(|face| (&face.label, "face"));
    let segments = data.segments.iter();
    let segments = segments.map(|segment| (&segment.label, "segment"));
    for (label, what) in faces.chain(segments) {
        if !mapping.lists(&label.text) && well_known(&label.text) != Some(label.attitude) {
            *counts.entry((label.text.as_str(), what)).or_default() += 1;
        }
    }
    let warnings = counts.into_iter().map(|((label, what), number)| {
        let labeled = count(number, what);
        format!("--mapping does not list '{label}', the label of {labeled}: it counts as negative")
    });
    warnings.collect()
}

/// Finds names in the mapping that occur nowhere, except well-known ones, which are often listed.
fn unused(
    mapping: &Mapping,
    data: &Data,
    others: &[Predictions],
    networks: &[Networks],
) -> Vec<String> {
    let faces = data.faces.iter().map(|face| &face.label.text);
    let segments = data.segments.iter().map(|segment| &segment.label.text);
    let models = networks.iter();
    let models = models.flat_map(|networks| networks.classifier.emotion_labels());
    let others = others.iter().flat_map(|other| &other.labels);
    let used: BTreeSet<String> = faces
        .chain(segments)
        .chain(models)
        .chain(others)
        .map(|label| label.trim().to_lowercase())
        .collect();
    mapping
        .names()
        .filter(|name| well_known(name).is_none() && !used.contains(*name))
        .map(|name| format!("--mapping lists '{name}', which occurs nowhere"))
        .collect()
}
