#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Lints what cargo fmt and clippy do not: scripts, Python, dependencies, and the JavaScript of the web pages.
#
#     tests/lint/run.sh [STAGE...]
#
#     STAGE  shellcheck, ruff, cargo-deny or web; default: all
#
# Runs all stages, and fails if one of them has findings. Each tool is installed in a fixed version on its first use,
# below ~/.local/share/gst-attitude; compiling cargo-deny takes a few minutes.
set -euo pipefail

readonly STAGES=(shellcheck ruff cargo-deny web)
readonly CARGO_DENY=0.20.2 ADVISORIES=https://github.com/RustSec/advisory-db
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tools=${XDG_DATA_HOME:-$HOME/.local/share}/gst-attitude
readonly root tools python=$tools/lint

say() { echo "lint: $*"; }
die() { echo "lint: $*" >&2; exit 1; }

# Installs ruff and shellcheck from PyPI.
install_python_tools() {
    pipelines/python-environment.sh "$python" tests/lint/requirements.txt --no-deps --only-binary=:all:
}

run_shellcheck() {
    local scripts
    install_python_tools
    mapfile -d '' scripts < <(git ls-files -z '*.sh' .ci/run)
    "$python/bin/shellcheck" --external-sources "${scripts[@]}"
}

run_ruff() {
    install_python_tools
    "$python/bin/ruff" check --quiet
    "$python/bin/ruff" format --quiet --check --diff
}

# Checks the advisories only if their database is reachable or was fetched before.
run_cargo-deny() {
    local deny
    deny=("$(pipelines/cargo-tool.sh cargo-deny "$CARGO_DENY")" --all-features --locked check)
    "${deny[@]}" bans licenses sources
    if timeout 20 git ls-remote --quiet "$ADVISORIES" HEAD >/dev/null 2>&1; then
        "${deny[@]}" advisories
    elif [[ -d ${CARGO_HOME:-$HOME/.cargo}/advisory-dbs ]]; then
        say "advisories: $ADVISORIES is not reachable, using the last copy"
        "${deny[@]}" --disable-fetch advisories
    else
        say "advisories: skipped, $ADVISORIES is not reachable"
    fi
}

run_web() {
    tests/lint/web.sh
}

case ${1:-} in -h | --help) sed -n '4,/^set/s/^# \{0,1\}//p' "$0"; exit ;; esac
cd "$root"
if [[ $# == 1 ]]; then
    declare -F "run_$1" >/dev/null || die "unknown stage '$1'; see tests/lint/run.sh --help"
    say "$1"
    "run_$1"
    exit
fi
failed=()
for stage in "${@:-${STAGES[@]}}"; do
    "$root/tests/lint/run.sh" "$stage" || failed+=("$stage")
done
[[ ${#failed[@]} == 0 ]] || die "failed: ${failed[*]}"
say "all passed"
