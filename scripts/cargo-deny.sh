#!/usr/bin/env bash
# Runs cargo-deny, of one version, built on first use and kept.
# usage: cargo-deny.sh VERSION FOLDER ARGUMENTS...
set -euo pipefail
version=$1 folder=$2
shift 2

tool=$folder/bin/cargo-deny
if [ "$("$tool" --version 2>/dev/null || true)" != "cargo-deny $version" ]; then
    echo "policy: building cargo-deny $version once (some minutes)"
    # Its own release profile optimises for a tool that is built rarely and run often; ours is the other way round.
    CARGO_TARGET_DIR=$folder/build CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
        CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
        cargo install --quiet --locked --no-default-features --root "$folder" --version "$version" cargo-deny
    rm -rf "$folder/build"
fi
exec "$tool" "$@"
