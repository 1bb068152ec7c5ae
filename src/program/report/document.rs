// SPDX-License-Identifier: MPL-2.0

//! The frame of all pages: one HTML file each, which loads nothing from the network.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::scripts::without_imports;
use crate::style;

/// Style of all reports.
const STYLE: &str = include_str!("report.css");

/// Returns a page as HTML. Its content security policy allows only `style`, the common styles, and
/// the modules `scripts`, which are the program's own.
pub(crate) fn document(title: &str, style: &str, scripts: &[&str], body: &Markup) -> String {
    let style = style::common_style() + STYLE + style;
    let scripts: Vec<String> = scripts.iter().map(|it| without_imports(it)).collect();
    let policy = policy(&style, &scripts);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                meta name="generator" content={ "gst-attitude " (env!("CARGO_PKG_VERSION")) };
                title { (title) }
                // Without it browsers ask the server for an icon.
                link rel="icon" href="data:,";
                style { (PreEscaped(&style)) }
            }
            body {
                (body)
                footer {
                    p { "Made by gst-attitude " (env!("CARGO_PKG_VERSION")) "." }
                }
                @for script in &scripts { script type="module" { (PreEscaped(script)) } }
            }
        }
    };
    page.into_string()
}

/// Returns content without links that can be wider than the page and then scrolls, by keyboard too.
pub(crate) fn scrollable(label: &str, content: &Markup) -> Markup {
    html! {
        div.scroll role="group" aria-label=(label) tabindex="0" { (content) }
    }
}

/// Returns the content security policy: the page's own style and scripts by their hashes, recordings
/// beside it, embedded pictures, and requests to the server that it comes from. `file:` is needed
/// because a page that is opened from disk has no origin.
fn policy(style: &str, scripts: &[String]) -> String {
    let hash = |text: &str| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)));
    let scripts: Vec<String> = scripts.iter().map(|it| hash(it)).collect();
    format!(
        "default-src 'none'; style-src {}; script-src {}; connect-src 'self'; \
         media-src 'self' file:; img-src data:; base-uri 'none'; form-action 'none'",
        hash(style),
        scripts.join(" ")
    )
}

/// Returns the fill patterns of the style sheet, which distinguish attitudes without colors.
pub(crate) fn patterns() -> Markup {
    html! {
        svg class="patterns" width="0" height="0" aria-hidden="true" focusable="false" {
            pattern id="hatched" width="6" height="6" patternUnits="userSpaceOnUse" {
                rect class="negative" width="6" height="6" {}
                path class="stroke" d="M-1 1l2-2M-1 7L7-1M5 7l2-2" {}
            }
            pattern id="dotted" width="6" height="6" patternUnits="userSpaceOnUse" {
                rect class="unknown" width="6" height="6" {}
                circle class="dot" cx="3" cy="3" r="1.2" {}
            }
        }
    }
}
