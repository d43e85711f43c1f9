#!/usr/bin/env bash
# Runs one node, and builds and starts it again whenever a source file or its configuration has changed.
# usage: dev.sh CONFIG
set -euo pipefail
config=$1
sources=(Cargo.toml Cargo.lock crates "$config")
binary=${CARGO_TARGET_DIR:-target}/release/heliograph
stamp=$(mktemp)
node=

stop() {
    if [ -n "$node" ]; then kill "$node" 2>/dev/null || true; wait "$node" || true; fi
    node=
}
trap 'stop; rm -f "$stamp"' EXIT
trap 'exit 0' INT TERM

while true; do
    touch "$stamp"
    # The node that runs goes on until its successor is built.
    if cargo build --release --workspace --bins; then
        stop
        "$binary" serve --config "$config" &
        node=$!
    fi
    until [ -n "$(find "${sources[@]}" -newer "$stamp" -print -quit)" ]; do sleep 1; done
done
