"""Opens an OME-Zarr image by URL with zarr-python and with ome-zarr, and compares every level with a local folder."""

import json
import sys

import numpy as np
import zarr
from ome_zarr.io import parse_url
from ome_zarr.reader import Reader

url, folder = sys.argv[1:3]


def levels(group):
    """The paths of the levels, from the multiscales metadata of either version."""
    attributes = dict(group.attrs)
    multiscales = attributes.get("ome", attributes)["multiscales"]
    return [dataset["path"] for dataset in multiscales[0]["datasets"]]


remote, local = zarr.open_group(url, mode="r"), zarr.open_group(folder, mode="r")
assert levels(remote) == levels(local) and levels(local), "the levels differ"
report = {"format": remote.metadata.zarr_format, "levels": []}
for path in levels(local):
    there, here = remote[path], local[path]
    assert there.dtype == here.dtype and there.shape == here.shape, f"level {path}: another shape or type"
    assert np.array_equal(there[...], here[...]), f"level {path}: other numbers"
    shards = getattr(here, "shards", None)
    report["levels"].append({"path": path, "shape": here.shape, "sharded": shards is not None, "sum": int(here[...].sum())})

location = parse_url(url, mode="r")
assert location is not None, "ome-zarr does not open the URL"
nodes = list(Reader(location)())
assert nodes, "ome-zarr finds no image there"
assert np.array_equal(np.asarray(nodes[0].data[0]), local[levels(local)[0]][...]), "ome-zarr reads other numbers"
print(json.dumps(report))
