// SPDX-License-Identifier: MPL-2.0

//! What the program parses of recordings itself: headers and playlists.

use gst_attitude::fuzzing::{hiding_duration, missing_part, playlist_pieces};

/// Parses the data as a recording and as playlists. What is found is in the data.
pub(crate) fn run(data: &[u8]) {
    if let Some(missing) = missing_part(data) {
        assert!(missing.starts_with("the file is "), "{missing}");
    }
    if let Some((offset, len)) = hiding_duration(data) {
        let end = offset.checked_add(len);
        assert!(end.is_some_and(|end| end <= data.len() as u64));
    }
    let text = String::from_utf8_lossy(data);
    for extension in ["m3u8", "mpd"] {
        let pieces = playlist_pieces(extension, &text);
        assert!(pieces.iter().all(|piece| !piece.is_empty()), "{pieces:?}");
    }
}
