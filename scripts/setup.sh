#!/usr/bin/env bash
# Installs what building Heliograph needs beside a Rust toolchain: a C++ compiler for RocksDB, and libclang for its bindings.
set -euo pipefail

has_libclang() {
    [ -n "${LIBCLANG_PATH:-}" ] && return 0
    compgen -G '/usr/lib/llvm-*/lib/libclang*.so*' >/dev/null || compgen -G '/usr/lib*/libclang*.so*' >/dev/null ||
        compgen -G '/usr/lib/*-linux-gnu/libclang*.so*' >/dev/null
}

if ! command -v cargo >/dev/null; then
    echo "setup: there is no Rust toolchain: install Rust 1.95 or later (https://rustup.rs), then run this again" >&2
    exit 1
fi

packages=()
command -v c++ >/dev/null || packages+=(g++)
has_libclang || packages+=(libclang-dev clang)
[ ${#packages[@]} -eq 0 ] && exit 0

install=(apt-get install -y --no-install-recommends "${packages[@]}")
if ! command -v apt-get >/dev/null; then
    echo "setup: a C++ compiler and libclang are needed, and this is no Debian-like system. Install them with its package" >&2
    echo "       manager (Fedora: dnf install gcc-c++ clang-devel · macOS: xcode-select --install), then run this again" >&2
    exit 1
elif [ "$(id -u)" -eq 0 ]; then
    as_root=()
elif sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
else
    echo "setup: packages are missing. Run this, then try again:" >&2
    echo "       sudo apt-get update && sudo ${install[*]}" >&2
    exit 1
fi
echo "setup: installing ${packages[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -q
"${as_root[@]}" "${install[@]}"
