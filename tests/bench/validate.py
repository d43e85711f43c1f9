"""Validation: `heliograph validate` beside yaozarrs and ome-zarr-models, each as a whole process.

usage: validate.py PROGRAM WORK STORE... [--rounds 5] [--record FILE]

`ours` checks metadata, tree and every pixel; `ours_metadata` what the others check too.
"""
import argparse, os, sys

sys.path.insert(0, os.path.dirname(__file__))
import run

YAOZARRS = "import sys, yaozarrs; yaozarrs.validate_zarr_store(sys.argv[1])"
MODELS = "import sys, zarr, ome_zarr_models; ome_zarr_models.open_ome_zarr(zarr.open_group(sys.argv[1], mode='r'))"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program"), parser.add_argument("stores", nargs="+")
    parser.add_argument("--rounds", type=int, default=5), parser.add_argument("--record")
    options = parser.parse_args()
    for store in options.stores:
        files = sum(len(files) for _, _, files in os.walk(store))
        size = sum(os.path.getsize(os.path.join(folder, file)) for folder, _, files in os.walk(store) for file in files)
        print(f"\n{os.path.basename(store)}: {files} files, {size / 2**20:.1f} MiB; {run.load()}\n")
        commands = {
            "ours": [options.program, "validate", store],
            "ours_metadata": [options.program, "validate", store, "--metadata-only"],
            "yaozarrs": [sys.executable, "-c", YAOZARRS, store],
            "ome-zarr-models": [sys.executable, "-c", MODELS, store],
        }
        results = run.rounds(commands, options.rounds, pause=0.2)
        print(run.table(results, "ours", 1, "stores"))
        run.record(options.record, f"validate {os.path.basename(store)}", results)


main()
