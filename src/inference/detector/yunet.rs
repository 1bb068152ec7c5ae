// SPDX-License-Identifier: MPL-2.0

//! The head of YuNet: outputs of class scores, object scores, boxes and landmarks per stride.

use attitude::InferenceError;
use attitude::detection::{Detection, YunetLevel, decode_yunet_level};

use super::{Head, STRIDES, grid};
use crate::model::ModelError;
use crate::session::{Network, Outputs};

/// The outputs `cls_S`, `obj_S`, `bbox_S` and `kps_S` per stride S.
pub(super) struct Yunet {
    outputs: Vec<[String; 4]>,
}

impl Yunet {
    pub(super) fn new(network: &Network) -> Result<Self, ModelError> {
        let names = |stride| -> Result<[String; 4], ModelError> {
            let output = |part| network.output(Some(&format!("{part}_{stride}")));
            Ok([
                output("cls")?.name,
                output("obj")?.name,
                output("bbox")?.name,
                output("kps")?.name,
            ])
        };
        let outputs = STRIDES.map(names).into_iter().collect::<Result<_, _>>()?;
        Ok(Self { outputs })
    }
}

impl Head for Yunet {
    fn read(
        &self,
        outputs: &Outputs,
        size_px: (usize, usize),
        threshold: f32,
        candidates: &mut Vec<Detection>,
    ) -> Result<(), InferenceError> {
        for ([cls, obj, bbox, kps], stride) in self.outputs.iter().zip(STRIDES) {
            let grid = grid(size_px, stride);
            let cells = grid.rows * grid.columns;
            let level = YunetLevel {
                cls: outputs.get(cls, &[1, cells, 1])?,
                obj: outputs.get(obj, &[1, cells, 1])?,
                bbox: outputs.get(bbox, &[1, cells, 4])?,
                kps: outputs.get(kps, &[1, cells, 10])?,
            };
            decode_yunet_level(&level, grid, threshold, candidates);
        }
        Ok(())
    }
}
