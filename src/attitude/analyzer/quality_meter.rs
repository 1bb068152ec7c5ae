// SPDX-License-Identifier: MPL-2.0

//! Measurement of the quality of a face in a frame.

use crate::classification::ClassifierInput;
use crate::crop::{self, Cropper};
use crate::detection::Detection;
use crate::frame::Frame;
use crate::pose::HeadPose;
use crate::preprocessing::TensorFormat;
use crate::quality::{SIDE_PX, quality};

/// Measures the [quality](crate::quality) of faces. Contains memory that is reused for each face.
#[derive(Debug, Default)]
pub(super) struct QualityMeter {
    /// Luma of the face, 0 to 255.
    luma: Vec<f32>,
    cropper: Cropper,
}

impl QualityMeter {
    /// Returns the quality of a face, 0 to 1. `displayed` is in pixels of the displayed frame;
    /// `crop` is the face's crop for a classifier with `input`.
    pub fn measure(
        &mut self,
        frame: &Frame,
        displayed: &Detection,
        input: &ClassifierInput,
        crop: &[f32],
    ) -> f32 {
        let size = (SIDE_PX, SIDE_PX);
        let transform = crop::displayed_from_crop(displayed, &input.framing, SIDE_PX, SIDE_PX);
        self.luma.resize(SIDE_PX * SIDE_PX, 0.0);
        match input.tensor_format.luma_of_element() {
            Some(luma_of_element) if (input.width, input.height) == size => {
                for (luma, &element) in self.luma.iter_mut().zip(crop) {
                    *luma = luma_of_element(element);
                }
            }
            _ => self
                .cropper
                .extract(frame, &transform, &TensorFormat::LUMA, size, &mut self.luma),
        }
        let pose = displayed
            .landmarks
            .and_then(|landmarks| HeadPose::from_landmarks(&landmarks));
        quality(&self.luma, transform.scale() * SIDE_PX as f32, pose)
    }
}
