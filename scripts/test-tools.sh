#!/usr/bin/env bash
# Makes a Python environment with the third-party clients that the end-to-end tests drive.
# usage: test-tools.sh FOLDER REQUIREMENTS
set -euo pipefail
venv=$1 requirements=$2

# The list is copied in when all of it is installed: an environment that was interrupted or is out of date is made anew.
cmp -s "$requirements" "$venv/installed.txt" && exit 0
if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    echo "test-tools: Python 3.11 or later with venv is needed: apt-get install python3 python3-venv" >&2
    exit 1
fi
echo "test-tools: installing $(grep -vc '^#' "$requirements") Python packages in $venv"
python3 -m venv --clear "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements"
cp "$requirements" "$venv/installed.txt"
