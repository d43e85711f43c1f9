#!/usr/bin/env bash
# Installs what building Heliograph needs beside a Rust toolchain: a C++ compiler for RocksDB, libclang for its bindings, make for jemalloc.
set -euo pipefail

# The shared library under the names bindgen looks for; `libclang-cpp.so`, which other packages bring, is none of them.
has_libclang() {
    [ -n "${LIBCLANG_PATH:-}" ] && return 0
    local folder
    for folder in /usr/lib/llvm-*/lib /usr/lib /usr/lib64 /usr/lib/*-linux-gnu; do
        compgen -G "$folder/libclang.so*" >/dev/null || compgen -G "$folder/libclang-[0-9]*.so*" >/dev/null && return 0
    done
    return 1
}

if ! command -v cargo >/dev/null; then
    echo "setup: there is no Rust toolchain: install Rust 1.95 or later (https://rustup.rs), then run this again" >&2
    exit 1
fi

packages=()
command -v c++ >/dev/null || packages+=(g++)
command -v make >/dev/null || packages+=(make)
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
