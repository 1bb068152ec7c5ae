// SPDX-License-Identifier: MPL-2.0

//! Annotation documents of ELAN.

use std::collections::HashMap;
use std::path::Path;

use attitude::clock::NS_PER_MS;
use attitude::timeline::Span;
use roxmltree::{Document, Node, ParsingOptions};

use super::{AnnotationMistake, RawAnnotation, RawCoding};
use crate::data_file::{DataError, Position};

/// Maximum number of elements, texts and comments, many times as many as in a long recording; it bounds
/// the memory.
const MAX_NODES: u32 = 5_000_000;

/// Parses the text of the file at `path`: the tiers whose annotations have times.
///
/// # Errors
/// Returns the first mistake.
pub(super) fn parse(path: &Path, text: &str) -> Result<Vec<RawCoding>, DataError> {
    let options = ParsingOptions {
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    let mistake = |problem: String| Position::of_file(path).error(AnnotationMistake::Eaf(problem));
    let document =
        Document::parse_with_options(text, options).map_err(|error| mistake(error.to_string()))?;
    let root = document.root_element();
    if !root.has_tag_name("ANNOTATION_DOCUMENT") {
        return Err(mistake(format!(
            "it begins with {}",
            root.tag_name().name()
        )));
    }
    let slots = root
        .descendants()
        .filter(|node| node.has_tag_name("TIME_SLOT"));
    let times_ms: HashMap<&str, u64> = slots
        .filter_map(|slot| {
            Some((
                slot.attribute("TIME_SLOT_ID")?,
                slot.attribute("TIME_VALUE")?.parse().ok()?,
            ))
        })
        .collect();
    let tiers = root.children().filter(|node| node.has_tag_name("TIER"));
    tiers
        .map(|tier| coding(path, &document, tier, &times_ms))
        .collect()
}

fn coding(
    path: &Path,
    document: &Document,
    tier: Node,
    times_ms: &HashMap<&str, u64>,
) -> Result<RawCoding, DataError> {
    let mut annotations = Vec::new();
    for node in tier
        .descendants()
        .filter(|node| node.has_tag_name("ALIGNABLE_ANNOTATION"))
    {
        let line = document.text_pos_at(node.range().start).row as usize;
        let position = Position::of_line(path, line);
        let time_ns = |name| {
            let time_ms = node.attribute(name).and_then(|slot| times_ms.get(slot));
            time_ms.map(|time_ms| time_ms.saturating_mul(NS_PER_MS))
        };
        // Annotations between others of the same tier may have no times of their own.
        let (Some(start_ns), Some(end_ns)) = (time_ns("TIME_SLOT_REF1"), time_ns("TIME_SLOT_REF2"))
        else {
            continue;
        };
        if end_ns <= start_ns {
            return Err(position.error(AnnotationMistake::EmptySpan));
        }
        let value = node
            .children()
            .find(|child| child.has_tag_name("ANNOTATION_VALUE"));
        let label = value.and_then(|value| value.text()).unwrap_or_default();
        annotations.push(RawAnnotation {
            span: Span { start_ns, end_ns },
            label: label.trim().to_owned(),
            position,
        });
    }
    Ok(RawCoding {
        coder: tier.attribute("TIER_ID").unwrap_or_default().to_owned(),
        annotations,
    })
}
