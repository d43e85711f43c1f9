#!/usr/bin/env bash
# Makes keys for the three nodes of compose.yaml, and configurations in which each knows the others' public keys.
# usage: deploy/prepare.sh            (uses the image `heliograph`; HELIOGRAPH=path/to/heliograph uses a program instead)
set -euo pipefail
cd "$(dirname "$0")"
heliograph=(${HELIOGRAPH:-docker run --rm heliograph})
names=(europe japan australia)
umask 077

declare -A public
for name in "${names[@]}"; do
    key=nodes/$name/heliograph-data/$name/keys/node.key
    if [ -e "$key" ]; then
        echo "prepare: $key is there; its node keeps its key. Remove deploy/nodes to begin anew." >&2
        exit 1
    fi
    pair=$("${heliograph[@]}" keygen "heliograph/$name")
    mkdir -p "$(dirname "$key")"
    grep -A1 '^secret' <<<"$pair" | tail -1 >"$key"
    public[$name]=$(grep -A1 '^public' <<<"$pair" | tail -1)
done
for name in "${names[@]}"; do
    config=$(<"../config/$name.toml")
    for peer in "${names[@]}"; do
        config=${config//REPLACE-WITH-PUBLIC-KEY-OF-${peer^^}/${public[$peer]}}
    done
    printf '%s\n' "$config" >"nodes/$name/node.toml"
done
printf 'UID=%s\nGID=%s\n' "$(id -u)" "$(id -g)" >.env
echo "prepare: keys and configurations are in deploy/nodes; start with: docker compose -f deploy/compose.yaml up"
