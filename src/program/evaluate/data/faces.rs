// SPDX-License-Identifier: MPL-2.0

//! Lists of pictures with labels, as CSV and as JSON lines.

use std::path::Path;

use attitude::geometry::{Landmarks, Point, Rect};
use serde::Deserialize;

use super::{Data, LabelledFace, beside};
use crate::evaluate::labels::Labels;
use crate::evaluate::table::{Failure, Row, Table, read_text};

/// The columns of a box.
const BOX: [&str; 4] = ["x", "y", "width", "height"];

pub fn read_table(
    path: &Path,
    table: &Table,
    labels: Labels,
    data: &mut Data,
) -> Result<(), Failure> {
    table.require(&["file"])?;
    let label_column = table.require_label_column()?;
    for row in table.rows() {
        let file = row.require("file")?;
        let label = labels.label(row.require(label_column)?);
        data.faces.push(LabelledFace {
            file: file.to_owned(),
            path: beside(path, file),
            label: label.map_err(|problem| row.mistake(&format!("the label {problem}")))?,
            bbox: bbox(&row)?,
            landmarks: None,
            group: row.get("group").map(str::to_owned),
        });
    }
    Ok(())
}

fn bbox(row: &Row) -> Result<Option<Rect>, Failure> {
    let mut values = [None; 4];
    for (value, column) in values.iter_mut().zip(BOX) {
        *value = row.number(column)?;
    }
    match values {
        [None, None, None, None] => Ok(None),
        [Some(x), Some(y), Some(width), Some(height)] => {
            let bbox = Rect::new(x, y, width, height);
            match bbox.is_valid() {
                true => Ok(Some(bbox)),
                false => Err(row.mistake("the box has no area")),
            }
        }
        _ => Err(row.mistake("a box needs all of x, y, width and height")),
    }
}

/// A line of JSON.
#[derive(Deserialize)]
struct Line {
    file: String,
    label: String,
    #[serde(rename = "box")]
    bbox: Option<[f32; 4]>,
    landmarks: Option<[[f32; 2]; 5]>,
    group: Option<Group>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a group is a text or a whole number")]
enum Group {
    Text(String),
    Number(i64),
}

pub fn read_lines(path: &Path, labels: Labels, data: &mut Data) -> Result<(), Failure> {
    let text = read_text(path)?;
    for (index, text) in text.lines().enumerate() {
        if text.trim().is_empty() {
            continue;
        }
        let told = |problem: String| format!("{}:{}: {problem}", path.display(), index + 1);
        let line: Line = serde_json::from_str(text).map_err(|error| told(error.to_string()))?;
        let label = labels.label(&line.label);
        let bbox = line
            .bbox
            .map(|[x, y, width, height]| Rect::new(x, y, width, height));
        if bbox.is_some_and(|bbox| !bbox.is_valid()) {
            return Err(told("the box has no area".to_owned()).into());
        }
        data.faces.push(LabelledFace {
            path: beside(path, &line.file),
            file: line.file,
            label: label.map_err(|problem| told(format!("the label {problem}")))?,
            bbox,
            landmarks: line.landmarks.map(points),
            group: line.group.map(|group| match group {
                Group::Text(text) => text,
                Group::Number(number) => number.to_string(),
            }),
        });
    }
    Ok(())
}

fn points(landmarks: [[f32; 2]; 5]) -> Landmarks {
    landmarks.map(|[x, y]| Point::new(x, y))
}
