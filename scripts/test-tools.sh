#!/usr/bin/env bash
# Makes a Python environment with the third-party clients that the end-to-end tests drive, and in it a folder `npm` with those
# that run in Node.js.
# usage: test-tools.sh FOLDER REQUIREMENTS NPM_FOLDER
set -euo pipefail
venv=$1 requirements=$2 npm_list=$3

# The list is copied in when all of it is installed: an environment that was interrupted or is out of date is made anew.
if ! cmp -s "$requirements" "$venv/installed.txt"; then
    if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
        echo "test-tools: Python 3.11 or later with venv is needed: apt-get install python3 python3-venv" >&2
        exit 1
    fi
    echo "test-tools: installing $(grep -vc '^#' "$requirements") Python packages in $venv"
    python3 -m venv --clear "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements"
    cp "$requirements" "$venv/installed.txt"
fi

cmp -s "$npm_list/package-lock.json" "$venv/npm/installed.json" && exit 0
if ! { command -v node && command -v npm; } >/dev/null; then
    if command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ]; then
        echo "test-tools: installing nodejs and npm"
        DEBIAN_FRONTEND=noninteractive apt-get update -q
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends nodejs npm
    else
        echo "test-tools: Node.js 20 or later with npm is needed: sudo apt-get install nodejs npm, then run this again" >&2
        exit 1
    fi
fi
if [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ]; then
    echo "test-tools: Node.js 20 or later is needed, and this is $(node --version): install it, then run this again" >&2
    exit 1
fi
echo "test-tools: installing the npm packages of $npm_list in $venv/npm"
mkdir -p "$venv/npm"
cp "$npm_list/package.json" "$npm_list/package-lock.json" "$venv/npm/"
npm ci --prefix "$venv/npm" --ignore-scripts --no-audit --no-fund --loglevel=error
cp "$npm_list/package-lock.json" "$venv/npm/installed.json"
