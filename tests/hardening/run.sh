#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Runs the stress tests with other seeds, and the fuzz targets under libFuzzer.
#
#     tests/hardening/run.sh [--minutes N | --hours N] [TARGET...]
#
#     --minutes N  time for everything together (default: 5)
#     --hours N    the same in hours
#     TARGET       `stress`, or a fuzz target in tests/hardening/lib.rs; default: all
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
    targets=(stress)
    for file in fuzz/targets/*.rs; do targets+=("$(basename "$file" .rs)"); done
fi
for target in "${targets[@]}"; do
    [[ $target == stress || -e fuzz/targets/$target.rs ]] || { echo "run.sh: there is no target $target" >&2; exit 2; }
done

if ! cargo fuzz --version >/dev/null 2>&1; then
    echo "== installing cargo-fuzz"
    cargo install --quiet --locked cargo-fuzz@0.13.2
fi
each=$((seconds / ${#targets[@]}))

# Runs the stress tests with one seed after the other for a time in seconds.
stress() {
    local end=$((SECONDS + $1)) seed
    seed=$(date +%s)
    while ((SECONDS < end)); do
        echo "seed $seed"
        HARDENING_SEED=$seed HARDENING_ROUNDS=4 G_DEBUG=fatal_warnings GST_TRACERS=leaks \
            cargo test --quiet --locked --package gst-attitude-hardening --test stress
        seed=$((seed + 1))
    done
}

# Runs a fuzz target for a time in seconds. Without a sanitizer, stable Rust is enough; the targets have no unsafe code.
fuzz() {
    local found=$root/output/fuzz/$1
    mkdir -p "$found"
    cargo fuzz run --fuzz-dir fuzz --sanitizer none --target-dir "$root/target/fuzz" "$1" "$found" "corpora/$1" -- \
        -max_total_time="$2" -timeout=10 -rss_limit_mb=2048 -max_len=8192 -artifact_prefix="$root/output/fuzz/" \
        -print_final_stats=1
}

for target in "${targets[@]}"; do
    echo "== $target for $each s"
    if [[ $target == stress ]]; then stress "$each"; else fuzz "$target" "$each"; fi
done
echo "== nothing failed"
