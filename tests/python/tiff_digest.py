"""Digests of the full-resolution pixels of TIFF files, as tifffile reads them.

usage: tiff_digest.py FILE...
Prints one JSON object a line: {"file", "images": [{"shape": [t, c, z, y, x], "type", "sha256"}]} or {"file", "error"}.
Pixels are hashed in the order t, c, z, y, x, in little-endian bytes; samples of a pixel are channels.
"""

import hashlib
import json
import logging
import sys

import numpy
import tifffile

# tifffile's axes that are not T, C, Z, Y, X or S: pages of which nothing is known.
PAGES = "IQ"


def normalised(array, axes):
    axes = "".join("Z" if axis in PAGES else axis for axis in axes)
    if len(set(axes)) != len(axes):
        raise ValueError(f"axes {axes} are not told apart")
    for axis in "TCZYXS":
        if axis not in axes:
            array, axes = array[numpy.newaxis], axis + axes
    array = array.transpose([axes.index(axis) for axis in "TCSZYX"])
    t, c, s, z, y, x = array.shape
    return array.reshape(t, c * s, z, y, x)


def image(series):
    array = normalised(series.levels[0].asarray(), series.axes)
    if array.dtype == bool:
        array = array.astype("uint8")
    array = numpy.ascontiguousarray(array.astype(array.dtype.newbyteorder("<")))
    return {"shape": array.shape, "type": array.dtype.name, "sha256": hashlib.sha256(array.tobytes()).hexdigest()}


def main(paths):
    logging.disable(logging.CRITICAL)
    for path in paths:
        try:
            with tifffile.TiffFile(path) as file:
                answer = {"images": [image(series) for series in file.series]}
        except Exception as error:
            answer = {"error": repr(error)}
        print(json.dumps({"file": path, **answer}))


main(sys.argv[1:])
