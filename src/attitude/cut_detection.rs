// SPDX-License-Identifier: MPL-2.0

//! Detection of cuts. A cut ends all tracks, so that the track of one person does not continue with
//! the face of another person at the same position.

use super::preprocessing::{Letterbox, TensorFormat, TensorLayout};

/// Number of columns of cells in which brightness is compared.
const COLUMNS: usize = 16;

/// Number of rows of cells.
const ROWS: usize = 9;

/// Only every fourth row of pixels contributes to the brightness of a cell, for speed.
const ROW_STEP: usize = 4;

/// Mean difference of the brightness of cells above which there is a cut between two samples, in
/// levels of 0 to 255, without the change of the overall brightness. In five clips sampled five
/// times per second, the three cuts have differences of 23 to 31, a head that moves past the lens
/// up to 25, and all other pairs of samples less than 12. If such a head is taken for a cut, all
/// tracks end, and each face counts as another person from then on.
const MAX_DIFFERENCE_WITHOUT_CUT: f32 = 20.0;

/// Detects cuts between consecutive detector inputs.
#[derive(Debug, Default)]
pub(crate) struct CutDetector {
    /// Signature of the previous sample.
    previous: Option<[f32; COLUMNS * ROWS]>,
}

impl CutDetector {
    /// Records the detector's input `input` of a sample. Returns `true` if there is a cut between
    /// the previous sample and this one.
    pub(crate) fn update(
        &mut self,
        input: &[f32],
        letterbox: &Letterbox,
        format: &TensorFormat,
    ) -> bool {
        let signature = signature(input, letterbox, format);
        let previous = self.previous.replace(signature);
        previous
            .is_some_and(|previous| difference(&previous, &signature) > MAX_DIFFERENCE_WITHOUT_CUT)
    }

    /// Discards the previous sample.
    pub(crate) fn reset(&mut self) {
        self.previous = None;
    }
}

/// Returns the mean of the first channel in each cell, in levels of 0 to 255, minus the mean of all
/// cells.
fn signature(input: &[f32], letterbox: &Letterbox, format: &TensorFormat) -> [f32; COLUMNS * ROWS] {
    let pixel_stride = match format.layout {
        TensorLayout::Nchw => 1,
        TensorLayout::Nhwc => format.channels.count(),
    };
    let cell_range = |index: usize, cells: usize, size: usize| {
        let start = (index * size / cells).min(size - 1);
        start..((index + 1) * size / cells).max(start + 1)
    };
    let mut means: [f32; COLUMNS * ROWS] = std::array::from_fn(|cell| {
        let columns = cell_range(cell % COLUMNS, COLUMNS, letterbox.content_width);
        let rows = cell_range(cell / COLUMNS, ROWS, letterbox.content_height);
        let rows = rows.step_by(ROW_STEP);
        let count = columns.len() * rows.len();
        let sum: f32 = rows
            .map(|y| {
                let row = &input[y * letterbox.input_width * pixel_stride..];
                let row = &row[columns.start * pixel_stride..];
                let levels = row.iter().step_by(pixel_stride).take(columns.len());
                levels.sum::<f32>()
            })
            .sum();
        sum / count as f32 / format.scale[0]
    });
    let mean = means.iter().sum::<f32>() / means.len() as f32;
    means.iter_mut().for_each(|level| *level -= mean);
    means
}

/// Returns the mean absolute difference of the cells of two signatures, in levels of 0 to 255.
fn difference(a: &[f32; COLUMNS * ROWS], b: &[f32; COLUMNS * ROWS]) -> f32 {
    let sum: f32 = a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum();
    sum / a.len() as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preprocessing::InputSize;

    fn cuts(pictures: &[&dyn Fn(usize, usize) -> f32]) -> Vec<bool> {
        let letterbox = Letterbox::new((320, 180), 1.0, InputSize::MultipleOf(32), 320);
        let mut detector = CutDetector::default();
        pictures
            .iter()
            .map(|picture| {
                let tensor: Vec<f32> = (0..320 * 192).map(|i| picture(i % 320, i / 320)).collect();
                detector.update(&tensor, &letterbox, &TensorFormat::LUMA)
            })
            .collect()
    }

    #[test]
    fn a_different_scene_is_a_cut_and_a_pan_or_a_flash_is_not() {
        let ramp = |x: usize, _: usize| x as f32 * 0.5;
        let panned = |x: usize, _: usize| (x + 12) as f32 * 0.5;
        let brighter = |x: usize, _: usize| x as f32 * 0.5 + 80.0;
        let mirrored = |x: usize, _: usize| (319 - x) as f32 * 0.5;
        assert_eq!(
            cuts(&[&ramp, &panned, &brighter, &mirrored]),
            [false, false, false, true]
        );
    }
}
