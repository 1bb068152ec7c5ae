// SPDX-License-Identifier: MPL-2.0
//! Passes commit, release date and origin of the package to the plugin's description.

fn main() {
    gst_plugin_version_helper::info();
    let url = |variable| std::env::var(variable).ok().filter(|url| !url.is_empty());
    let origin = url("CARGO_PKG_REPOSITORY")
        .or_else(|| url("CARGO_PKG_HOMEPAGE"))
        .unwrap_or_else(|| "Unknown package origin".to_owned());
    println!("cargo:rustc-env=PACKAGE_ORIGIN={origin}");
}
