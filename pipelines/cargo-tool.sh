#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Installs a program from crates.io in a fixed version, unless it is installed, and prints its path.
#
#     pipelines/cargo-tool.sh NAME VERSION [OPTION of cargo install...]
#
# The programs are in ~/.local/share/gst-attitude/cargo-tools. Compiling one takes a few minutes.
set -euo pipefail

[[ $# -ge 2 && $1 != -* ]] || { echo "usage: pipelines/cargo-tool.sh NAME VERSION [OPTION of cargo install...]" >&2; exit 2; }
folder=${XDG_DATA_HOME:-$HOME/.local/share}/gst-attitude/cargo-tools
if ! grep -qs "^\"$1 $2 (" "$folder/.crates.toml"; then
    echo "cargo-tool: compiling $1 $2 into $folder" >&2
    # Optimized little, and without flags for the project: it runs for seconds and compiles for minutes.
    env -u RUSTFLAGS -u CARGO_TARGET_DIR CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off \
        CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
        cargo install --quiet --locked --version "=$2" --root "$folder" "${@:3}" "$1" >&2
fi
echo "$folder/bin/$1"
