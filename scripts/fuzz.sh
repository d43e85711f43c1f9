#!/usr/bin/env bash
# Fuzzes the readers of strangers' files (tests/fuzz) for so many seconds each; what makes one crash is kept beside the corpus.
# usage: fuzz.sh FOLDER SECONDS [TARGET...]
set -euo pipefail
folder=$1 seconds=$2
shift 2
here=$(cd "$(dirname "$0")/.." && pwd)
images=${HELIOGRAPH_SHARED:-$here/../shared}/data/ome-zarr
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(metadata zip tiff)

if ! [ -x "$folder/bin/cargo-fuzz" ]; then
    echo "fuzz: building cargo-fuzz once"
    CARGO_TARGET_DIR=$folder/build cargo install --quiet --locked --root "$folder" cargo-fuzz
fi
# The sanitizers are unstable options of the compiler, which the stable one takes when told so.
export RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$folder/fuzz-target PATH=$folder/bin:$PATH

# Seeds: real files, small ones, as the targets take them (a byte that chooses, then the content).
seed() {
    local corpus=$folder/fuzz-corpus/$1 file
    mkdir -p "$corpus"
    [ -d "$images" ] || return 0
    case $1 in
    zip) find "$images/zip" -type f -size -64k -exec cp -n {} "$corpus/" \; ;;
    tiff) find "$images/tiff" "$images/ometiff" "$images/derived/ometiff" -type f -iname '*.tif*' -size -64k |
        while read -r file; do { printf '\1'; cat "$file"; } >"$corpus/$(echo "$file" | md5sum | cut -c1-16)"; done ;;
    metadata) find "$images/omezarr" "$images/derived" -name zarr.json -size -16k | head -200 |
        while read -r file; do { printf '\0'; cat "$file"; } >"$corpus/$(echo "$file" | md5sum | cut -c1-16)"; done ;;
    esac
}

cd "$here/tests"
for target in "${targets[@]}"; do
    seed "$target"
    echo "fuzz: $target for $seconds s"
    cargo fuzz run --fuzz-dir fuzz "$target" "$folder/fuzz-corpus/$target" -- \
        -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=20 -print_final_stats=1
done
