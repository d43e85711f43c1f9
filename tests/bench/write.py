"""Writing arrays: a raw SIDE³ uint16 volume written again as zstd 1 in shards of 256³ with inner chunks of 64³, whole processes.

usage: write.py PROGRAM WORK [--side 512] [--rounds 3] [--record FILE]

`ours` is `heliograph convert` with one level; tensorstore and zarr-python read the same raw chunks and write the same layout.
What each wrote is compared with what was read, once.
"""
import argparse, json, os, shutil, sys

sys.path.insert(0, os.path.dirname(__file__))
import run

LITTLE = [{"name": "bytes", "configuration": {"endian": "little"}}]
TENSORSTORE = r'''
import sys, json, tensorstore as ts
source, out, meta = sys.argv[1:4]
read = ts.open({"driver": "zarr3", "kvstore": {"driver": "file", "path": source}}).result()
write = ts.open({"driver": "zarr3", "kvstore": {"driver": "file", "path": out}, "metadata": json.loads(meta)}, create=True).result()
write.write(read.read().result()).result()
'''
ZARR = r'''
import sys, zarr
from zarr.codecs import ZstdCodec
source, out, _ = sys.argv[1:4]
read = zarr.open_array(source, mode="r")
write = zarr.create_array(out, shape=read.shape, dtype=read.dtype, chunks=(64,) * 3, shards=(256,) * 3, compressors=[ZstdCodec(level=1)], fill_value=0)
write[...] = read[...]
'''


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program"), parser.add_argument("work"), parser.add_argument("--record")
    parser.add_argument("--side", type=int, default=512), parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    import numpy, tensorstore, zarr
    side, source = options.side, os.path.join(options.work, "raw.ome.zarr")
    grid = {"name": "regular", "configuration": {"chunk_shape": [256] * 3}}
    sharding = {"chunk_shape": [64] * 3, "codecs": LITTLE + [{"name": "zstd", "configuration": {"level": 1}}],
                "index_codecs": LITTLE + [{"name": "crc32c"}], "index_location": "end"}
    meta = {"shape": [side] * 3, "data_type": "uint16", "fill_value": 0, "chunk_grid": grid}
    shutil.rmtree(source, ignore_errors=True)
    raw = tensorstore.open({"driver": "zarr3", "kvstore": {"driver": "file", "path": f"{source}/0"},
                            "metadata": meta | {"codecs": LITTLE, "dimension_names": ["z", "y", "x"]}}, create=True).result()
    ramp = numpy.arange(side, dtype=numpy.uint16)
    noise = numpy.random.default_rng(1).integers(0, 64, (side,) * 3, dtype=numpy.uint16)
    raw.write((ramp[:, None, None] * 4 + ramp[None, :, None] // 4 + ramp[None, None, :] // 4) + noise).result()
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]
    level = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1.0, 1.0, 1.0]}]}
    with open(f"{source}/zarr.json", "w") as file:
        ome = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": [level]}]}
        json.dump({"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome}}, file)
    place = lambda name: os.path.join(options.work, f"written.{name}.ome.zarr")
    target = json.dumps(meta | {"codecs": [{"name": "sharding_indexed", "configuration": sharding}]})
    commands = {
        "ours": [options.program, "convert", source, place("ours"), "--codec", "zstd:1", "--chunk", "64,64,64",
                 "--shard", "256,256,256", "--levels", "1"],
        "tensorstore": [sys.executable, "-c", TENSORSTORE, f"{source}/0", place("tensorstore"), target],
        "zarr-python": [sys.executable, "-c", ZARR, f"{source}/0", place("zarr-python"), target],
    }
    print(f"writing {side}^3 uint16, {options.rounds} rounds; {run.load()}\n")

    def check(name, result):
        written = zarr.open(place(name), mode="r")
        array = written["0"] if isinstance(written, zarr.Group) else written
        return None if (array[...] == zarr.open_array(f"{source}/0", mode="r")[...]).all() else "it wrote other numbers"

    results = run.rounds(commands, options.rounds, lambda name: shutil.rmtree(place(name), ignore_errors=True), check)
    print(run.table(results, "ours", side**3 * 2 / 1e6, "MB"))
    run.record(options.record, "write", results)


main()
