// SPDX-License-Identifier: MPL-2.0

//! The orientation of the picture in frames, from the property `orientation` and from tags.

use gst::prelude::*;
use gst_video::VideoOrientationMethod;

use attitude::orientation::Orientation;

/// Selects the orientation of the picture in frames; the property `orientation`. The names are
/// those of `videoflip`'s property `method`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstFaceAttitudeOrientation")]
pub enum OrientationMethod {
    /// The orientation in the stream's tag `image-orientation`.
    #[default]
    #[enum_value(name = "Orientation in the image-orientation tag", nick = "auto")]
    Auto,
    /// The picture is upright.
    #[enum_value(name = "Upright", nick = "identity")]
    Identity,
    /// The picture is upright after a rotation by 90 degrees clockwise.
    #[enum_value(
        name = "Upright after a rotation by 90 degrees clockwise",
        nick = "rotate-90"
    )]
    Rotate90,
    /// The picture is upright after a rotation by 180 degrees.
    #[enum_value(name = "Upright after a rotation by 180 degrees", nick = "rotate-180")]
    Rotate180,
    /// The picture is upright after a rotation by 90 degrees counterclockwise.
    #[enum_value(
        name = "Upright after a rotation by 90 degrees counterclockwise",
        nick = "rotate-270"
    )]
    Rotate270,
    /// The picture is mirrored horizontally.
    #[enum_value(name = "Mirrored horizontally", nick = "horizontal-flip")]
    HorizontalFlip,
    /// The picture is mirrored vertically.
    #[enum_value(name = "Mirrored vertically", nick = "vertical-flip")]
    VerticalFlip,
    /// The picture is mirrored at the diagonal from the upper left to the lower right corner.
    #[enum_value(
        name = "Mirrored at the diagonal from the upper left to the lower right corner",
        nick = "upper-left-diagonal"
    )]
    UpperLeftDiagonal,
    /// The picture is mirrored at the diagonal from the upper right to the lower left corner.
    #[enum_value(
        name = "Mirrored at the diagonal from the upper right to the lower left corner",
        nick = "upper-right-diagonal"
    )]
    UpperRightDiagonal,
}

impl OrientationMethod {
    /// Returns the orientation of frames with these tags.
    pub(super) fn resolve(self, tags: OrientationTags) -> Orientation {
        match self {
            Self::Auto => tags.orientation(),
            Self::Identity => Orientation::IDENTITY,
            Self::Rotate90 => Orientation::ROTATE_90,
            Self::Rotate180 => Orientation::ROTATE_180,
            Self::Rotate270 => Orientation::ROTATE_270,
            Self::HorizontalFlip => Orientation::HORIZONTAL_FLIP,
            Self::VerticalFlip => Orientation::VERTICAL_FLIP,
            Self::UpperLeftDiagonal => Orientation::UPPER_LEFT_DIAGONAL,
            Self::UpperRightDiagonal => Orientation::UPPER_RIGHT_DIAGONAL,
        }
    }
}

/// The orientations in the tags `image-orientation` of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct OrientationTags {
    global: Option<Orientation>,
    stream: Option<Orientation>,
}

impl OrientationTags {
    /// Records the orientation in `tags`, if they contain one, that have arrived at `sink_pad`.
    pub fn update(&mut self, tags: &gst::TagListRef, sink_pad: &gst::Pad) {
        if let Some(mut orientation) = orientation_of(tags) {
            // Most versions of videoflip pass the tag on unchanged.
            if is_turned_upstream(sink_pad) {
                orientation = Orientation::IDENTITY;
            }
            match tags.scope() {
                gst::TagScope::Global => self.global = Some(orientation),
                _ => self.stream = Some(orientation),
            }
        }
    }

    /// Returns the orientation of the stream, or else that of its container.
    fn orientation(self) -> Orientation {
        self.stream.or(self.global).unwrap_or_default()
    }
}

/// Returns the orientation in `tags`; `None` if they contain none or an unknown one.
fn orientation_of(tags: &gst::TagListRef) -> Option<Orientation> {
    match VideoOrientationMethod::from_tag(tags)? {
        VideoOrientationMethod::Identity => Some(Orientation::IDENTITY),
        VideoOrientationMethod::_90r => Some(Orientation::ROTATE_90),
        VideoOrientationMethod::_180 => Some(Orientation::ROTATE_180),
        VideoOrientationMethod::_90l => Some(Orientation::ROTATE_270),
        VideoOrientationMethod::Horiz => Some(Orientation::HORIZONTAL_FLIP),
        VideoOrientationMethod::Vert => Some(Orientation::VERTICAL_FLIP),
        VideoOrientationMethod::UlLr => Some(Orientation::UPPER_LEFT_DIAGONAL),
        VideoOrientationMethod::UrLl => Some(Orientation::UPPER_RIGHT_DIAGONAL),
        _ => None,
    }
}

/// Maximum number of pads between an element that turns the frames and this one.
const MAX_UPSTREAM_PADS: usize = 200;

/// Returns `true` if an element upstream of `sink_pad`, such as `videoflip`, turns the frames.
fn is_turned_upstream(sink_pad: &gst::Pad) -> bool {
    std::iter::successors(Some(sink_pad.clone()), upstream_sink_pad)
        .take(MAX_UPSTREAM_PADS)
        .skip(1)
        .filter_map(|pad| pad.parent_element())
        .any(|element| turns_frames(&element))
}

/// Returns the first sink pad of the element, or the sink pad of the bin, that is linked to
/// `sink_pad`; `None` if there is none.
fn upstream_sink_pad(sink_pad: &gst::Pad) -> Option<gst::Pad> {
    let mut source = sink_pad.peer()?;
    // The source pad of a bin is a proxy of a pad in the bin.
    while let Some(ghost) = source.downcast_ref::<gst::GhostPad>() {
        source = ghost.target()?;
    }
    // Behind the sink pad of a bin, the source is a child of that pad.
    if let Some(ghost) = source.parent().and_downcast::<gst::GhostPad>() {
        return Some(ghost.upcast());
    }
    source.parent_element()?.sink_pads().into_iter().next()
}

/// Returns `true` if `element` implements `GstVideoDirection` and does not just pass the frames.
fn turns_frames(element: &gst::Element) -> bool {
    const VIDEO_DIRECTION: &str = "video-direction";
    let direction = element
        .find_property(VIDEO_DIRECTION)
        .filter(|property| property.value_type() == VideoOrientationMethod::static_type())
        .map(|_| element.property::<VideoOrientationMethod>(VIDEO_DIRECTION));
    direction.is_some_and(|direction| direction != VideoOrientationMethod::Identity)
}
