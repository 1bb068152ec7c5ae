#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Measures all that the README's section "Speed" tells, and leaves the tables and the picture in `output/bench/`.
#
#     tests/bench/run.sh
#
# Half an hour, on a machine that should do nothing else. Needs what `pipelines/setup.sh --tests` installs.
set -euo pipefail

cd "$(dirname "$0")/../.."
results=output/bench
mkdir -p "$results"
for bench in analysis element streams live consumers; do
    echo "bench: $bench, into $results/$bench.txt"
    cargo bench --locked --bench "$bench" | tee "$results/$bench.txt"
done
echo "bench: serve, into $results/serve.md and label_delay.md"
tests/bench/serve.py --output "$results"
tests/bench/label_delay.py --output "$results"
echo "bench: recordings, into $results/recordings.md and recordings.svg"
tests/bench/recordings.py --output "$results"
