# Heliograph. `make help` lists what there is; `docs/CONTRIBUTING.md` explains it.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo dev setup test test-tools bench bench-tools fuzz check format lint api-docs policy tidy

# Tools that `make` installs for itself, outside of the checkout so that every clone shares them.
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/heliograph
CARGO_DENY := 0.20.2
# The whole workspace in one profile, always: a part of it alone, or another profile, asks its dependencies for other
# features, and most of them, RocksDB too, would be compiled a second time.
BUILD := cargo build --release --workspace
PROGRAM := $(or $(CARGO_TARGET_DIR),target)/release/heliograph
VENV ?= $(CURDIR)/.venv
BENCH_VENV := $(CACHE)/bench-venv

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

demo: setup ## build, and start a federation of three nodes on 127.0.0.1:8101 to 8103 (Ctrl-C stops it)
	$(BUILD) --bins
	$(PROGRAM) demo $(ARGS)

dev: setup ## run one node (config/node.toml), built and started again when a source changes
	scripts/dev.sh config/node.toml

setup: ## install what building needs and is missing: C++ compiler, libclang, make
	@scripts/setup.sh

test: setup test-tools ## run all tests, those with third-party clients included
	$(BUILD) --all-targets
	HELIOGRAPH_PYTHON=$(VENV)/bin/python cargo test --release --workspace

test-tools: ## install the clients from PyPI and npm that the tests drive, pinned, in $(VENV)
	@scripts/test-tools.sh $(VENV) tests/requirements.txt tests/npm

bench: setup bench-tools ## measure side by side with peers: conversion, arrays, validation, search, serving (tests/bench)
	$(BUILD) --bins --examples
	tests/bench/all.sh $(BENCH_VENV)/bin/python $(dir $(PROGRAM)) $(CACHE)/bench

bench-tools: ## install the peers the benchmarks run beside ours, pinned
	@scripts/bench-tools.sh $(BENCH_VENV) tests/bench/requirements.txt

fuzz: setup ## fuzz the readers of strangers files, FOR=60 seconds each (tests/fuzz)
	@scripts/fuzz.sh $(CACHE)/tools $(or $(FOR),60)

check: setup format lint api-docs policy tidy ## what must hold before code lands; see the five below

format: ## code is formatted
	cargo fmt --all --check

lint: ## no warning from compiler or clippy
	cargo clippy --release --workspace --all-targets -- -D warnings

api-docs: ## the documentation of the crates builds without a warning
	RUSTDOCFLAGS="-D warnings" cargo doc --release --no-deps --workspace

# Without `advisories`, which needs its database from the network; run `cargo deny check advisories` where there is one.
policy: ## licences, bans and sources of dependencies are as deny.toml says
	@scripts/cargo-deny.sh $(CARGO_DENY) $(CACHE)/tools check --hide-inclusion-graph licenses bans sources

tidy: ## the house rules no other tool checks: layering, sizes, names (tests/tests/tidy)
	cargo test --release --workspace --test tidy
