#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Compiles the unit tests of `attitude` for aarch64, and runs them with QEMU.
#
#     tests/aarch64.sh [FILTER]
#
# Needs Debian's gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user-static, and rustup's target
# aarch64-unknown-linux-gnu. Not part of tests/run.sh, because some tests take minutes with QEMU.
set -euo pipefail

readonly TARGET=aarch64-unknown-linux-gnu
die() { echo "aarch64: $*" >&2; exit 1; }

cd "$(dirname "${BASH_SOURCE[0]}")/.."
command -v aarch64-linux-gnu-gcc qemu-aarch64-static >/dev/null \
    || die "as root, run: apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static"
[[ -d $(rustc --print sysroot)/lib/rustlib/$TARGET ]] || die "run: rustup target add $TARGET"
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64-static -L /usr/aarch64-linux-gnu"
cargo test --locked --target "$TARGET" --package attitude --lib "$@"
