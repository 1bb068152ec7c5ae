#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Runs the fuzz targets under libFuzzer.
#
#     tests/hardening/run.sh [--minutes N | --hours N] [TARGET...]
#
#     --minutes N  time for all targets together (default: 5)
#     --hours N    the same in hours
#     TARGET       a target in tests/hardening/lib.rs; default: all
#
# Installs cargo-fuzz if it is missing. Inputs that reach new code, and those that fail, are kept in output/fuzz.
set -euo pipefail

usage() { sed -n '4,/^set/s/^# \{0,1\}//p' "$0"; }

cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(cd ../.. && pwd)
seconds=300
targets=()
while [[ $# -gt 0 ]]; do
    case $1 in
        -h | --help) usage; exit ;;
        --minutes) seconds=$((${2:?--minutes needs a number} * 60)); shift 2 ;;
        --hours) seconds=$((${2:?--hours needs a number} * 3600)); shift 2 ;;
        -*) echo "run.sh: unknown option $1" >&2; usage >&2; exit 2 ;;
        *) targets+=("$1"); shift ;;
    esac
done
if [[ ${#targets[@]} -eq 0 ]]; then
    for file in fuzz/targets/*.rs; do targets+=("$(basename "$file" .rs)"); done
fi
for target in "${targets[@]}"; do
    [[ -e fuzz/targets/$target.rs ]] || { echo "run.sh: there is no target $target" >&2; exit 2; }
done

if ! cargo fuzz --version >/dev/null 2>&1; then
    echo "== installing cargo-fuzz"
    cargo install --quiet --locked cargo-fuzz@0.13.2
fi
each=$((seconds / ${#targets[@]}))
for target in "${targets[@]}"; do
    found=$root/output/fuzz/$target
    mkdir -p "$found"
    echo "== $target for $each s"
    # Without a sanitizer, stable Rust is enough; the targets have no unsafe code.
    cargo fuzz run --fuzz-dir fuzz --sanitizer none --target-dir "$root/target/fuzz" "$target" "$found" "corpora/$target" -- \
        -max_total_time="$each" -timeout=10 -rss_limit_mb=2048 -max_len=8192 -artifact_prefix="$root/output/fuzz/" \
        -print_final_stats=1
done
echo "== no target failed"
