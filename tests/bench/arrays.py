"""Reading arrays: our pixel reader beside zarrs, tensorstore and zarr-python; writing a stack beside tensorstore is convert.py.

usage: arrays.py READ_ARRAY WORK [--side 512] [--rounds 5] [--zarrs PROGRAM] [--record FILE]

READ_ARRAY is our example program `read_array`; `--zarrs` names zarrs_tools' `zarrs_benchmark_read_sync`, where it is installed.
Arrays of SIDE³ uint16 with camera noise: raw, zstd, and zstd in shards of 256³ with inner chunks of 64³. Times are those the
programs measure around the reads themselves, page cache warm, so that starting Python counts for nobody.
"""
import argparse, os, re, shutil, statistics, subprocess, sys

sys.path.insert(0, os.path.dirname(__file__))
import run

READ = r'''
import sys, time
which, path, mode = sys.argv[1:4]
if which == "tensorstore":
    import tensorstore as ts
    array = ts.open({"driver": "zarr3", "kvstore": {"driver": "file", "path": path}}).result()
    read, chunk = (lambda part: array[part].read().result()), array.chunk_layout.write_chunk.shape
else:
    import zarr
    array = zarr.open_array(path, mode="r")
    read, chunk = (lambda part: array[part]), array.shards or array.chunks
start = time.perf_counter()
if mode == "all":
    size = read((slice(None),) * 3).nbytes
else:
    import itertools
    from concurrent.futures import ThreadPoolExecutor
    parts = itertools.product(*[[slice(at, at + c) for at in range(0, n, c)] for n, c in zip(array.shape, chunk)])
    with ThreadPoolExecutor(2) as pool:
        size = sum(pool.map(lambda part: read(part).nbytes, parts))
print("SECS", time.perf_counter() - start, size)
'''


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("read_array"), parser.add_argument("work")
    parser.add_argument("--side", type=int, default=512), parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--zarrs"), parser.add_argument("--record")
    options = parser.parse_args()
    print(f"reading {options.side}^3 uint16, {options.rounds} rounds; {run.load()}\n")
    print("| codec | how | ours s | zarrs s | tensorstore s | zarr-python s | tensorstore ÷ ours | zarrs ÷ ours |\n|---|---|---|---|---|---|---|---|")
    for kind in ("raw", "zstd", "shard"):
        path = os.path.join(options.work, f"{kind}.zarr")
        make(path, kind, options.side)
        for mode in ("all", "chunks"):
            row = measure(options, path, mode)
            ratio = lambda peer: f"{statistics.median(a / b for a, b in zip(row[peer], row['ours'])):.2f}" if row.get(peer) else "–"
            middle = lambda who: f"{statistics.median(row[who]):.3f}" if row.get(who) else "–"
            print(f"| {kind} | {mode} | {middle('ours')} | {middle('zarrs')} | {middle('tensorstore')} | {middle('zarr')} |"
                  f" {ratio('tensorstore')} | {ratio('zarrs')} |", flush=True)
        shutil.rmtree(path)
    print(run.load())


def measure(options, path, mode):
    """Seconds of every round, by contender."""
    row = {"ours": [], "tensorstore": [], "zarr": [], "zarrs": []}
    how = [] if mode == "all" else ["chunks"]
    for _ in range(options.rounds):
        commands = {"ours": [options.read_array, path] + how}
        commands |= {who: [sys.executable, "-c", READ, who, path, mode] for who in ("tensorstore", "zarr")}
        if options.zarrs:
            commands["zarrs"] = [options.zarrs, path] + (["--read-all"] if mode == "all" else ["--concurrent-chunks", "2"])
        for who, command in commands.items():
            output = subprocess.run(command, capture_output=True, text=True)
            row[who].append(seconds(output.stdout + output.stderr))
    return row


def seconds(text):
    own = re.search(r"SECS ([\d.]+)", text)
    if own:
        return float(own[1])
    zarrs = re.search(r"in ([\d.]+)(ms|s)", text)
    if not zarrs:
        sys.exit(f"no time in: {text[-300:]}")
    return float(zarrs[1]) / (1000 if zarrs[2] == "ms" else 1)


def make(path, kind, side):
    import numpy, tensorstore
    little = [{"name": "bytes", "configuration": {"endian": "little"}}]
    zstd = [{"name": "zstd", "configuration": {"level": 0}}]
    sharding = {"chunk_shape": [64] * 3, "codecs": little + zstd, "index_codecs": little + [{"name": "crc32c"}], "index_location": "end"}
    codecs = {"raw": little, "zstd": little + zstd, "shard": [{"name": "sharding_indexed", "configuration": sharding}]}[kind]
    ramp = numpy.arange(side, dtype=numpy.uint16)
    smooth = (ramp[:, None, None] // 4 * 64 + ramp[None, :, None] // 4 + ramp[None, None, :] // 4).astype(numpy.uint16)
    noise = numpy.random.default_rng(1).integers(0, 64, (side,) * 3, dtype=numpy.uint16)
    shutil.rmtree(path, ignore_errors=True)
    metadata = {"shape": [side] * 3, "data_type": "uint16", "fill_value": 0, "codecs": codecs,
                "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [min(256, side)] * 3}}}
    spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": path}, "metadata": metadata}
    tensorstore.open(spec, create=True).result().write(smooth // 16 + noise).result()
    subprocess.run(["sh", "-c", f"cat $(find '{path}' -type f) > /dev/null"], check=True)


main()
