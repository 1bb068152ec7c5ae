// SPDX-License-Identifier: MPL-2.0

//! The head of UltraFace: scores and boxes of all anchors.

use attitude::InferenceError;
use attitude::detection::{Detection, decode_ultraface};

use super::Head;
use crate::model::ModelError;
use crate::session::{Network, Outputs};

/// The outputs `scores`, of shape (1, anchors, 2), and `boxes`, of shape (1, anchors, 4).
pub(super) struct Ultraface {
    anchors: usize,
}

impl Ultraface {
    pub(super) fn new(network: &Network) -> Result<Self, ModelError> {
        let scores = network.output(Some("scores"))?;
        let boxes = network.output(Some("boxes"))?;
        match (&scores.shape[..], &boxes.shape[..]) {
            (&[_, Some(anchors), Some(2)], &[_, Some(same), Some(4)]) if anchors == same => {
                Ok(Self { anchors })
            }
            (&[_, Some(anchors), Some(2)], _) => Err(boxes.mismatch(&format!("1x{anchors}x4"))),
            _ => Err(scores.mismatch("1xNx2 with N anchors")),
        }
    }
}

impl Head for Ultraface {
    fn read(
        &self,
        outputs: &Outputs,
        size_px: (usize, usize),
        threshold: f32,
        candidates: &mut Vec<Detection>,
    ) -> Result<(), InferenceError> {
        let scores = outputs.get("scores", &[1, self.anchors, 2])?;
        let boxes = outputs.get("boxes", &[1, self.anchors, 4])?;
        decode_ultraface(scores, boxes, size_px, threshold, candidates);
        Ok(())
    }
}
