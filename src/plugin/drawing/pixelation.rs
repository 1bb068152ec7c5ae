// SPDX-License-Identifier: MPL-2.0

//! Pixelation of faces.
//!
//! GStreamer's functions for each format unpack and pack the rows, as they do for its own blending.

use gst_video::prelude::*;
use gst_video::{VideoFormatInfo, VideoFrameRef};

use super::part::{Area, Part, Pixel, ROW_SLACK_PX};
use crate::video::check_planes;
use attitude::geometry::Rect;

/// Margin on each side, as a fraction of the box: heads are larger than the boxes of faces, and
/// boxes are extrapolated between samples.
const MARGIN: f32 = 0.25;
/// Maximum number of blocks across the longer side.
const MAX_BLOCKS: usize = 8;
/// Unit of the block size: the size of the largest chroma samples, so that each lies in one block.
const BLOCK_UNIT_PX: usize = 4;

/// Pixelates faces, and keeps its memory for the next face.
#[derive(Debug, Default)]
pub struct Pixelator {
    /// A row of pixels with four components of up to 16 bits.
    row: Vec<u64>,
    /// Sum of each block in a row of blocks.
    sums: Vec<Pixel<u64>>,
}

impl Pixelator {
    /// Pixelates the face in a box. The box grows by a quarter of its size on each side and to
    /// whole chroma samples; it becomes blocks of their mean color, at most eight across the longer
    /// side and at least 4 px wide. The box is in pixels of `frame`, which may have any raw format.
    /// An empty or invalid box, or one outside the frame, has no effect.
    ///
    /// # Errors
    /// Returns an error if a plane of the frame is too short, or GStreamer cannot pack the format.
    pub fn pixelate(
        &mut self,
        frame: &mut VideoFrameRef<&mut gst::BufferRef>,
        bbox_in_frame: Rect,
    ) -> Result<(), glib::BoolError> {
        check_planes(frame).map_err(|error| glib::bool_error!("{error}"))?;
        let Some(area) = area_of_head(bbox_in_frame, frame) else {
            return Ok(());
        };
        let format = frame.format_info();
        let samples = VideoFormatInfo::from_format(format.unpack_format());
        let part = Part::new(frame, area);
        match samples.bits() {
            8 => self.pixelate_part::<u8>(part, area),
            16 => self.pixelate_part::<u16>(part, area),
            bits => Err(glib::bool_error!(
                "components of {bits} bits in {} are not supported",
                format.name()
            )),
        }
    }

    /// Pixelates `area` of the frame, which lies in `part`.
    fn pixelate_part<S>(&mut self, mut part: Part<'_>, area: Area) -> Result<(), glib::BoolError>
    where
        S: Copy + Default + Into<u64> + TryFrom<u64>,
    {
        let Self { row, sums } = self;
        row.clear();
        row.resize(part.area.columns.len as usize + ROW_SLACK_PX, 0);
        // SAFETY: Components are plain integers with a smaller alignment.
        let (_, row, _) = unsafe { row.align_to_mut::<Pixel<S>>() };
        let block_px = block_px(area);
        let columns = area.columns.start - part.area.columns.start;
        let columns = columns as usize..(columns + area.columns.len) as usize;
        let rows = area.rows.start - part.area.rows.start;
        let rows = rows..rows + area.rows.len;

        for top in rows.clone().step_by(block_px) {
            let bottom = top.saturating_add_unsigned(block_px as u32).min(rows.end);
            sums.clear();
            sums.resize(columns.len().div_ceil(block_px), [0; 4]);
            for y in top..bottom {
                part.unpack_row(y, row)?;
                for (sum, block) in sums.iter_mut().zip(row[columns.clone()].chunks(block_px)) {
                    add_pixels(sum, block);
                }
            }
            for y in top..bottom {
                part.unpack_row(y, row)?;
                for (sum, block) in sums.iter().zip(row[columns.clone()].chunks_mut(block_px)) {
                    let count = block.len() as u64 * (bottom - top) as u64;
                    block.fill(sum.map(|sum| S::try_from(sum / count).unwrap_or_default()));
                }
                part.pack_row(y, row)?;
            }
        }
        Ok(())
    }
}

/// Adds the pixels of a row of a block to its sum.
fn add_pixels<S: Copy + Into<u64>>(sum: &mut Pixel<u64>, block: &[Pixel<S>]) {
    for pixel in block {
        for (sum, &sample) in sum.iter_mut().zip(pixel) {
            *sum += sample.into();
        }
    }
}

/// Returns the pixels of the box with its margins; `None` for an invalid box or one outside the
/// frame.
fn area_of_head(bbox_in_frame: Rect, frame: &VideoFrameRef<&gst::BufferRef>) -> Option<Area> {
    let Rect { x, y, w, h } = bbox_in_frame;
    if !bbox_in_frame.is_valid() {
        return None;
    }
    let (margin_x, margin_y) = (w * MARGIN, h * MARGIN);
    let [left, top] = [x - margin_x, y - margin_y].map(|edge| edge.floor() as i32);
    let [right, bottom] = [x + w + margin_x, y + h + margin_y].map(|edge| edge.ceil() as i32);
    Area::around([left, top, right, bottom], frame)
}

/// Returns the side of the blocks of an area.
fn block_px(area: Area) -> usize {
    let longer_px = area.columns.len.max(area.rows.len) as usize;
    longer_px
        .div_ceil(MAX_BLOCKS)
        .next_multiple_of(BLOCK_UNIT_PX)
}
