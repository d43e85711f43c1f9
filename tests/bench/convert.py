"""OME-TIFF to OME-Zarr: `heliograph convert` beside ngff-zarr, ome-zarr-py, bioio, tensorstore and acquire-zarr.

usage: convert.py PROGRAM SHARED WORK [--mib 2048] [--rounds 5] [--peers a,b] [--record FILE]

All are asked for the same work: 4 channels × planes of 2048 × 2048 uint16 with camera noise, chunks of 1×1×512×512. Two of
ours run: `ours` as it comes (our codecs and shards), `ours_zstd1` with the peers' codec, without shards, with four levels.
Level 0 of ours is compared with the source, pixel by pixel, after the first round.
"""
import argparse, os, shutil, subprocess, sys

sys.path.insert(0, os.path.dirname(__file__))
import run

PEERS = ["tensorstore", "tensorstore_blosc", "acquire", "ngffzarr", "omezarr", "bioio"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program"), parser.add_argument("shared"), parser.add_argument("work")
    parser.add_argument("--mib", type=int, default=2048), parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", default=",".join(PEERS)), parser.add_argument("--record")
    options = parser.parse_args()
    os.makedirs(options.work, exist_ok=True)
    source, out = make_source(options), os.path.join(options.work, "out")
    commands = {
        "ours": [options.program, "convert", source, f"{out}.ours.ome.zarr"],
        "ours_zstd1": [options.program, "convert", source, f"{out}.ours_zstd1.ome.zarr", "--codec", "zstd:1",
                       "--chunk", "1,1,1,512,512", "--shard", "none", "--levels", "4"],
    }
    for peer in filter(None, options.peers.split(",")):
        commands[peer] = [sys.executable, os.path.join(options.shared, "bench/conv_peers.py"), peer, source, f"{out}.{peer}.zarr"]
    print(f"conversion of {options.mib} MiB, {options.rounds} rounds; {run.load()}")
    compared = set()

    def prepare(name):
        shutil.rmtree(place(out, name), ignore_errors=True)
        subprocess.run(["cat", source], stdout=subprocess.DEVNULL)

    def check(name, result):
        if name.startswith("ours") and name not in compared:
            compared.add(name)
            return None if level_0_is_equal(source, place(out, name)) else "level 0 differs from the source"

    results = run.rounds(commands, options.rounds, prepare, check)
    for name in results:
        size = sum(os.path.getsize(os.path.join(folder, file)) for folder, _, files in os.walk(place(out, name)) for file in files)
        print(f"{name}: {size / 2**20:.0f} MiB written")
    for ours in ("ours", "ours_zstd1"):
        print(f"\nbeside {ours}:\n\n" + run.table(results, ours, options.mib * 2**20 / 1e6, "MB"))
    print(run.load())
    run.record(options.record, "convert", results)


def place(out, name):
    return f"{out}.{name}.ome.zarr" if name.startswith("ours") else f"{out}.{name}.zarr"


def make_source(options):
    """The generated stack, kept for the next run: 4 channels, as many planes as the size asks for."""
    path = os.path.join(options.work, f"stack-{options.mib}.ome.tif")
    if not os.path.exists(path):
        planes = str(options.mib * 2**20 // (4 * 2048 * 2048 * 2))
        generator = os.path.join(options.shared, "bench/make_ometiff.py")
        subprocess.run([sys.executable, generator, path + ".new", "4", planes, "2048", "2048"], check=True)
        os.rename(path + ".new", path)
    return path


def level_0_is_equal(source, image):
    import tifffile, zarr
    array = zarr.open_group(image, mode="r")["0"]
    with tifffile.TiffFile(source) as tiff:
        channels, planes, *_ = tiff.series[0].shape
        pages = tiff.series[0].pages
        plane = lambda c, z: array[(0,) * (array.ndim - 4) + (c, z)]
        return all((plane(*divmod(k, planes)) == pages[k].asarray()).all() for k in range(channels * planes))


main()
