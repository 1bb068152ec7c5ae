// SPDX-License-Identifier: MPL-2.0

//! The player of the recording.

use maud::{Markup, html};

/// Returns the player of the recording at `address`, which offers its `annotated` copy if a browser
/// cannot play it. Its position 0 has the timestamp `origin_ns`.
pub(crate) fn player(address: &str, annotated: Option<&str>, origin_ns: u64) -> Markup {
    let origin_s = (origin_ns > 0).then(|| origin_ns as f64 / 1e9);
    html! {
        aside.player aria-label="Recording" {
            video controls preload="metadata" src=(address) data-origin=[origin_s] aria-label="The recording" {}
            p.position {
                "At " span #position { "0:00.0" }
                noscript { "Without scripts the timelines do not follow the recording." }
            }
            p #unplayable role="alert" hidden {
                "This browser cannot show the recording: the format is not supported, or the file was moved. Use \
                 another player, or "
                @if let Some(annotated) = annotated {
                    a href=(annotated) { "the annotated copy" } ". "
                } @else {
                    "a copy as MP4 with H.264, which all browsers play; 'gst-attitude analyze --annotate' writes one. "
                }
                "The figures are complete without it. " a href=(address) { "The file" }
            }
        }
    }
}
