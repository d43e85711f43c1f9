#!/usr/bin/env bash
# Chunk reads of a node beside nginx, in one run: server on CPU 0, wrk on CPU 1, page cache warm, A B A B.
#
#   tests/bench/serving.sh [PAIRS]         5 pairs unless said otherwise; DUR seconds for each figure (3)
#
# Needs nginx, wrk and taskset, a built heliograph (PROGRAM), and the peers' scripts in $HELIOGRAPH_SHARED/bench.
# Prints, for each kind of read, the medians of requests a second and of processor time per request, and the median of the
# pairs' ratios to the better of nginx's two modes (sendfile; read and write) in each figure.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
pairs=${1:-5}
shared=${HELIOGRAPH_SHARED:-$here/../shared}
program=${PROGRAM:-${CARGO_TARGET_DIR:-$here/target}/release/heliograph}
export DUR=${DUR:-3} MODES=${MODES:-"64k:2000 256k:600 1m:200 range:1024 index:1"}
for tool in nginx wrk taskset python3; do
  command -v "$tool" >/dev/null || { echo "tests/bench/serving.sh: '$tool' is not installed" >&2; exit 2; }
done
[ -x "$program" ] || { echo "tests/bench/serving.sh: no $program: build it first, or set PROGRAM" >&2; exit 2; }
[ -f "$shared/bench/chunk_load.sh" ] || { echo "tests/bench/serving.sh: no $shared/bench: set HELIOGRAPH_SHARED" >&2; exit 2; }

work=$(mktemp -d "${TMPDIR:-/tmp}/heliograph-serving-XXXXXX")
servers=()
trap 'for pid in "${servers[@]}"; do kill "$pid" 2>/dev/null; done; wait; rm -rf "$work"' EXIT
read -r node_port sendfile_port copy_port < <(python3 -c 'import socket
s = [socket.socket() for _ in range(3)]; [x.bind(("127.0.0.1", 0)) for x in s]; print(*(x.getsockname()[1] for x in s))')

# The fixed set of chunks, with the smallest image that a deposit may be.
python3 "$shared/bench/chunk_data.py" "$work/chunks"
python3 - "$work" <<'PY'
import json, os, sys
work = sys.argv[1]
def put(path, document):
    os.makedirs(os.path.dirname(f"{work}/{path}"), exist_ok=True)
    with open(f"{work}/{path}", "w") as f: json.dump(document, f)
axes = [{"name": n, "type": "space", "unit": "micrometer"} for n in "yx"]
level = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1.0, 1.0]}]}
put("tiny.ome.zarr/zarr.json", {"zarr_format": 3, "node_type": "group", "attributes": {"ome": {"version": "0.5",
    "multiscales": [{"name": "tiny", "axes": axes, "datasets": [level]}]}}})
put("tiny.ome.zarr/0/zarr.json", {"zarr_format": 3, "node_type": "array", "shape": [8, 8], "data_type": "uint8",
    "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [8, 8]}}, "fill_value": 0, "attributes": {},
    "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}}, "codecs": [{"name": "bytes"}],
    "dimension_names": ["y", "x"]})
os.makedirs(f"{work}/tiny.ome.zarr/0/c/0"); open(f"{work}/tiny.ome.zarr/0/c/0/0", "wb").write(bytes(range(64)))
taxon, method = "http://purl.obolibrary.org/obo/NCBITaxon_9606", "http://purl.obolibrary.org/obo/FBbi_00000246"
put("crate.json", {"@context": "https://w3id.org/ro/crate/1.2/context", "@graph": [
    {"@id": "ro-crate-metadata.json", "@type": "CreativeWork", "about": {"@id": "./"},
     "conformsTo": {"@id": "https://w3id.org/ro/crate/1.2"}},
    {"@id": "./", "@type": "Dataset", "name": "Chunks", "description": "Chunks to be served.", "datePublished": "2026-11-21",
     "license": {"@id": "https://creativecommons.org/licenses/by/4.0/"}, "author": {"@id": "#a"},
     "about": {"@id": taxon}, "measurementMethod": {"@id": method}},
    {"@id": "#a", "@type": "Person", "name": "Ada Example"},
    {"@id": taxon, "@type": "Taxon", "scientificName": "Homo sapiens"},
    {"@id": method, "@type": "DefinedTerm", "name": "fluorescence microscopy"}]})
PY
chmod 755 "$work"; chmod -R a+rX "$work/chunks"

HELIOGRAPH_SERVER_LISTEN=127.0.0.1:$node_port HELIOGRAPH_STORAGE_DATA_DIR=$work/data HELIOGRAPH_LOG_LEVEL=warn \
  taskset -c 0 "$program" serve & node=$!
servers+=("$node")
for _ in $(seq 100); do curl -sf -o /dev/null "http://127.0.0.1:$node_port/health/ready" && break; sleep .1; done
published=$("$program" deposit "$work/chunks" "$work/tiny.ome.zarr" --crate "$work/crate.json" --publish --json \
  --node "http://127.0.0.1:$node_port" --token "$(cat "$work/data/keys/admin-token")" 2>/dev/null | tail -1)
prefix=$(python3 -c 'import json,sys; r=json.loads(sys.argv[1]); print("/data/%s/v%s/chunks/" % (r["id"], r["version"]))' "$published")

mkdir -p "$work/nginx"
cat > "$work/nginx/nginx.conf" <<CONF
daemon off; worker_processes 1; pid $work/nginx/pid; error_log $work/nginx/error.log; events { worker_connections 1024; }
http { access_log off; keepalive_requests 1000000; open_file_cache max=10000 inactive=60s; open_file_cache_valid 60s;
 client_body_temp_path $work/nginx/b; proxy_temp_path $work/nginx/p; fastcgi_temp_path $work/nginx/f;
 uwsgi_temp_path $work/nginx/u; scgi_temp_path $work/nginx/s;
 server { listen 127.0.0.1:$sendfile_port; root $work/chunks; etag on; sendfile on; sendfile_max_chunk 0; }
 server { listen 127.0.0.1:$copy_port; root $work/chunks; etag on; sendfile off; output_buffers 2 1m; } }
CONF
taskset -c 0 nginx -p "$work/nginx" -c "$work/nginx/nginx.conf" & nginx=$!
servers+=("$nginx")
for _ in $(seq 50); do curl -sf -o /dev/null "http://127.0.0.1:$copy_port/64k/0" && break; sleep .1; done
cmp <(curl -s "http://127.0.0.1:$node_port${prefix}64k/7") "$work/chunks/64k/7"
find "$work/chunks" "$work/data/archive" -type f -exec cat {} + > /dev/null

load() { "$shared/bench/chunk_load.sh" "$@"; }
echo "load average before: $(cut -d' ' -f1-3 /proc/loadavg)" >&2
for _ in $(seq "$pairs"); do
  load "http://127.0.0.1:$sendfile_port" "$nginx" sendfile
  load "http://127.0.0.1:$node_port" "$node" heliograph "$prefix"
  load "http://127.0.0.1:$copy_port" "$nginx" copy
  load "http://127.0.0.1:$node_port" "$node" heliograph "$prefix"
done > "$work/figures.ndjson"
echo "load average after: $(cut -d' ' -f1-3 /proc/loadavg)" >&2
python3 "$here/tests/bench/serving_table.py" "$work/figures.ndjson"
