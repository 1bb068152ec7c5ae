#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Runs all benchmarks and writes their tables and the chart to `output/bench/`.
#
#     tests/bench/run.sh
#
# Takes 40 minutes on a machine that should be idle otherwise. Requires what `pipelines/setup.sh --tests` installs.
set -euo pipefail

cd "$(dirname "$0")/../.."
results=output/bench
mkdir -p "$results"
for bench in analysis element streams live consumers publish; do
    echo "bench: $bench, writing $results/$bench.txt"
    cargo bench --locked --bench "$bench" | tee "$results/$bench.txt"
done
echo "bench: serve, writing $results/serve.md and label_delay.md"
tests/bench/serve.py --output "$results"
tests/bench/label_delay.py --output "$results"
echo "bench: recordings, writing $results/recordings.md and recordings.svg"
tests/bench/recordings.py --output "$results"
