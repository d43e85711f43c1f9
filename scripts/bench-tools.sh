#!/usr/bin/env bash
# Makes a Python environment with the peers that the benchmarks run beside ours, and installs nginx, wrk and time where apt is.
# usage: bench-tools.sh FOLDER REQUIREMENTS
set -euo pipefail
venv=$1 requirements=$2

if ! cmp -s "$requirements" "$venv/installed.txt"; then
    echo "bench-tools: installing the peers in $venv"
    python3 -m venv --clear "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements"
    cp "$requirements" "$venv/installed.txt"
fi
if ! { command -v nginx && command -v wrk && [ -x /usr/bin/time ]; } >/dev/null; then
    if command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ]; then
        DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends nginx-extras wrk time
    else
        echo "bench-tools: nginx, wrk or GNU time are missing: install them" >&2
    fi
fi
