// SPDX-License-Identifier: MPL-2.0

//! Notes: what a user should know about a recording and how it was played.

/// Describes which of several video tracks is analyzed; `None` if there is only one.
pub(super) fn of_tracks(videos: usize) -> Option<String> {
    (videos > 1).then(|| {
        format!(
            "it has {videos} video tracks; only the default one, or else the first, is analyzed"
        )
    })
}

/// Describes how video with a high dynamic range is analyzed; `None` for other video.
pub(super) fn of_dynamic_range(caps: &gst::CapsRef) -> Option<String> {
    let colorimetry: String = caps.structure(0)?.get("colorimetry").ok()?;
    let transfer = match colorimetry.as_str() {
        "bt2100-pq" => "PQ",
        "bt2100-hlg" => "HLG",
        other => match other.split(':').nth(2)? {
            "14" => "PQ",
            "15" => "HLG",
            _ => return None,
        },
    };
    Some(format!(
        "it is HDR video ({transfer}), which is analyzed with tone mapping by ITU-R BT.2390"
    ))
}
