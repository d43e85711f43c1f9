"""Asks a node for tiles of an image, in stated windows, and compares each pixel with what zarr-python reads."""

import io
import json
import sys
import urllib.request

import numpy as np
import zarr
from PIL import Image

render, folder = sys.argv[1:3]
local = zarr.open_group(folder, mode="r")
attributes = dict(local.attrs)
multiscale = attributes.get("ome", attributes)["multiscales"][0]
axes = [axis["name"] for axis in multiscale["axes"]]


def tile(**parameters):
    """The picture as an array of height, width and red, green, blue."""
    query = "&".join(f"{name}={value}" for name, value in parameters.items())
    with urllib.request.urlopen(f"{render}/tile?{query}") as answer:
        return np.asarray(Image.open(io.BytesIO(answer.read())).convert("RGB")).astype(float)


info = json.loads(urllib.request.urlopen(f"{render}/info").read())
tiles = 0
for level, dataset in enumerate(multiscale["datasets"]):
    pixels = local[dataset["path"]][...]
    assert info["levels"][level]["width"] == pixels.shape[-1], info
    last = {name: size - 1 for name, size in zip(axes, pixels.shape, strict=True)}
    channel = last.get("c", 0)
    place = {name: last[name] for name in ("t", "z") if name in last}
    plane = pixels[tuple(channel if name == "c" else place.get(name, slice(None)) for name in axes)].astype(float)
    low, high = float(plane.min()), float(plane.max() + 1)
    for row in range(0, plane.shape[0], 256):
        for column in range(0, plane.shape[1], 256):
            expected = np.clip((plane[row : row + 256, column : column + 256] - low) / (high - low), 0, 1) * 255
            found = tile(level=level, x=column // 256, y=row // 256, c=f"{channel}:{low}-{high}:FFFFFF", format="png", **place)
            assert found.shape[:2] == expected.shape, (found.shape, expected.shape)
            worst = np.abs(found - expected[:, :, None]).max()
            assert worst <= 0.51, f"level {level}, tile {column // 256} {row // 256}: off by {worst}"
            tiles += 1
print(json.dumps({"tiles": tiles}))
