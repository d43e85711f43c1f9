#!/usr/bin/env bash
# All benchmarks, one after the other: they share the machine. Figures are ratios within one run; every single run is kept.
# usage: all.sh PYTHON FOLDER_OF_PROGRAMS WORK
set -euo pipefail
python=$1 programs=${2%/} work=$3
here=$(cd "$(dirname "$0")" && pwd)
shared=${HELIOGRAPH_SHARED:-$here/../../../shared}
[ -d "$shared/bench" ] || { echo "bench: the peers' scripts and images are in the shared folder: set HELIOGRAPH_SHARED" >&2; exit 2; }
mkdir -p "$work"
record=$work/runs.ndjson
images=$shared/data/ome-zarr/omezarr

"$python" "$here/convert.py" "$programs/heliograph" "$shared" "$work" --mib "${MIB:-2048}" --rounds "${ROUNDS:-5}" --record "$record"
"$python" "$here/arrays.py" "$programs/examples/read_array" "$work" --rounds "${ROUNDS:-5}"
"$python" "$here/write.py" "$programs/heliograph" "$work" --rounds "${ROUNDS:-5}" --record "$record"
"$python" "$here/validate.py" "$programs/heliograph" "$images/v0.4/hcs_2D.zarr" "$images/fiji-java-testdata/pyramid_testing/pyramid_v5.zarr" \
    "$images/fiji-java-testdata/5d_testing/5d_dataset_v5.ome.zarr" --rounds "${ROUNDS:-5}" --record "$record"
"$python" "$here/search.py" "$programs/examples/search_records" "$shared" "$work" --records ${RECORDS:-1252 100000} --record "$record"
HELIOGRAPH_SHARED=$shared PROGRAM=$programs/heliograph "$python" "$here/catalogue.py" --times "${TIMES:-1,10}"
if command -v nginx >/dev/null && command -v wrk >/dev/null; then
    HELIOGRAPH_SHARED=$shared PROGRAM=$programs/heliograph "$here/serving.sh" "${ROUNDS:-5}"
fi
echo "every run: $record"
