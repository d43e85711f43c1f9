"""Reads an .ozx as Python's zipfile and zarr's ZipStore do, and compares it with the image's folder."""

import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import zarr
from zarr.storage import ZipStore

archive, folder = sys.argv[1], Path(sys.argv[2])
with zipfile.ZipFile(archive) as zipped:
    assert zipped.testzip() is None, "a checksum is wrong"
    names = zipped.namelist()
    comment = json.loads(zipped.comment)
    for name in names:
        assert zipped.read(name) == (folder / name).read_bytes(), f"{name} differs"
local = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
assert set(names) == local, "other files are in the archive"
assert names[0] == "zarr.json" and comment["ome"]["zipFile"]["centralDirectory"]["jsonFirst"] is True

store = zarr.open_group(ZipStore(archive, mode="r"), mode="r")
image = zarr.open_group(str(folder), mode="r")
levels = [level["path"] for level in image.attrs["ome"]["multiscales"][0]["datasets"]]
for level in levels:
    assert np.array_equal(store[level][...], image[level][...]), f"level {level} differs"
print(json.dumps({"files": len(names), "levels": len(levels)}))
