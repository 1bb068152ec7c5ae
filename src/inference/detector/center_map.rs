// SPDX-License-Identifier: MPL-2.0

//! The head of the default detector: one map per stride, with score, box and landmarks of each
//! cell.

use attitude::InferenceError;
use attitude::detection::{CENTER_MAP_CHANNELS, Detection, decode_center_map};

use super::{Head, STRIDES, grid};
use crate::model::ModelError;
use crate::session::{Network, Outputs};

/// The outputs `map_8`, `map_16` and `map_32`, of shape (n, 15, rows, columns).
pub(super) struct CenterMaps {
    outputs: [String; 3],
}

impl CenterMaps {
    pub(super) fn new(network: &Network) -> Result<Self, ModelError> {
        let outputs = STRIDES.map(|stride| format!("map_{stride}"));
        for name in &outputs {
            let tensor = network.output(Some(name))?;
            match tensor.shape[..] {
                [_, None | Some(CENTER_MAP_CHANNELS), _, _] => {}
                _ => return Err(tensor.mismatch(&format!("?x{CENTER_MAP_CHANNELS}x?x?"))),
            }
        }
        Ok(Self { outputs })
    }
}

impl Head for CenterMaps {
    fn read(
        &self,
        outputs: &Outputs,
        size_px: (usize, usize),
        threshold: f32,
        candidates: &mut Vec<Detection>,
    ) -> Result<(), InferenceError> {
        for (name, stride) in self.outputs.iter().zip(STRIDES) {
            let grid = grid(size_px, stride);
            let shape = [1, CENTER_MAP_CHANNELS, grid.rows, grid.columns];
            let map = outputs.get(name, &shape)?;
            decode_center_map(map, grid, threshold, candidates);
        }
        Ok(())
    }
}
