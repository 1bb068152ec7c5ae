#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Makes a release twice, in separate folders, and compares the files byte for byte.
#
#     tests/reproducible.sh [OPTION of pipelines/release.sh...]
#
# Compiles everything twice; with --source-only, only what is not compiled is made and compared.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for number in 1 2; do
    CARGO_TARGET_DIR=$work/target-$number "$root/pipelines/release.sh" 999.0.0 --dry-run --output "$work/$number" "$@"
done
if ! differences=$(diff "$work/1/SHA256SUMS" "$work/2/SHA256SUMS"); then
    echo "reproducible: these files differ:" >&2
    sed -n 's/^> [0-9a-f]*  //p' <<<"$differences" >&2
    exit 1
fi
echo "reproducible: $(wc -l <"$work/1/SHA256SUMS") files are the same, byte for byte"
