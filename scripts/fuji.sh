#!/usr/bin/env bash
# Lets F-UJI judge a dataset page of a running node, without any network but the node's.
# usage: fuji.sh CHECKOUT PAGE_URL [DOI_URL]
# CHECKOUT is a clone of github.com/pangaea-data-publisher/fuji; Python 3.13 is needed ($PYTHON, or python3.13).
# DOI_URL, where the page has one, is taken for registered.
set -euo pipefail
checkout=$(realpath "$1") page=$2
here=$(realpath "$(dirname "$0")/..")
venv=${FUJI_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/heliograph/fuji-venv}

if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -c 'import fuji_server' 2>/dev/null; then
    echo "fuji: installing F-UJI in $venv, which takes a minute or two" >&2
    "${PYTHON:-python3.13}" -m venv --clear "$venv"
    # F-UJI pins a numpy that has no wheel for its own Python and takes minutes to compile; any will do.
    "$venv/bin/python" - "$checkout/pyproject.toml" > "$venv/requirements.txt" <<'LIST'
import sys, tomllib
for requirement in tomllib.load(open(sys.argv[1], "rb"))["project"]["dependencies"]:
    print("numpy" if requirement.startswith("numpy") else requirement)
LIST
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$venv/requirements.txt"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps "$checkout"
fi
# From the checkout, as its lists of licences and vocabularies are found relative to it.
cd "$checkout"
PYTHONPATH=$checkout "$venv/bin/python" "$here/tests/bench/fuji.py" "$page" "${@:3}"
