"""Writes TIFF files of many kinds with tifffile, for another reader to read.

usage: tiff_matrix.py FOLDER
Every codec, predictor, type, layout and byte order that tifffile can write and the TIFF importer is said to read. The
pixels are gradients with some noise, from a fixed seed. tiff_digest.py says what tifffile reads of them.
"""

import sys
from pathlib import Path

import numpy
import tifffile

folder = Path(sys.argv[1])
random = numpy.random.default_rng(7)
TYPES = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16", "float32", "float64"]
CODECS = ["none", "lzw", "zlib", "packbits", "zstd"]


def pixels(shape, dtype):
    ramp = numpy.arange(numpy.prod(shape)).reshape(shape) % 251
    noisy = ramp + random.integers(0, 4, shape)
    return (noisy / 7 if dtype.startswith("float") else noisy % 120).astype(dtype)


def write(name, data, **options):
    tifffile.imwrite(folder / name, data, **options)


for dtype in TYPES:
    for codec in CODECS:
        predictors = [1] if codec in ("none", "packbits") else [1, 3 if dtype.startswith("float") else 2]
        for predictor in predictors:
            if dtype == "int8" and predictor == 2:
                continue
            for order in "<>":
                options = {"byteorder": order, "photometric": "minisblack"}
                if codec != "none":
                    options |= {"compression": codec, "predictor": predictor}
                name = f"{dtype}_{codec}_p{predictor}_{'le' if order == '<' else 'be'}"
                write(f"{name}_strips.tif", pixels((3, 61, 47), dtype), rowsperstrip=10, **options)
                ending = "tif" if dtype in ("int64", "uint64", "float16") else "ome.tif"  # what OME-XML has no name for
                write(f"{name}_tiles.{ending}", pixels((2, 3, 75, 66), dtype), tile=(32, 16), metadata={"axes": "CZYX"}, **options)

for codec in ["none", "lzw", "zlib"]:
    options = {} if codec == "none" else {"compression": codec, "predictor": 2}
    for planar in ["contig", "separate"]:
        shape = (40, 53, 3) if planar == "contig" else (3, 40, 53)
        for bigtiff in [False, True]:
            name = f"rgb_{codec}_{planar}_{'big' if bigtiff else 'classic'}"
            write(f"{name}.tif", pixels(shape, "uint16"), photometric="rgb", planarconfig=planar, bigtiff=bigtiff, rowsperstrip=7, **options)
            write(f"{name}_tiles.tif", pixels(shape, "uint8"), photometric="rgb", planarconfig=planar, bigtiff=bigtiff, tile=(16, 32), **options)
    write(f"rgba_{codec}.ome.tif", pixels((2, 40, 53, 4), "uint8"), photometric="rgb", metadata={"axes": "ZYXS"}, **options)

write("imagej_hyper.tif", pixels((2, 3, 4, 30, 31), "uint16"), imagej=True, metadata={"axes": "TZCYX", "unit": "um", "finterval": 2.5, "spacing": 0.5})
write("imagej_float.tif", pixels((5, 30, 31), "float32"), imagej=True, metadata={"axes": "ZYX"})
write("imagej_rgb.tif", pixels((4, 30, 31, 3), "uint8"), imagej=True, metadata={"axes": "ZYXS"})
write("shaped_axes.tif", pixels((3, 2, 30, 31), "uint8"), metadata={"axes": "TCYX"}, photometric="minisblack")
write("shaped_one_page.tif", pixels((6, 30, 31), "uint16"), metadata={"axes": "ZYX"}, photometric="minisblack", contiguous=True)
for order in ["TZCYX", "CTZYX", "ZCTYX"]:
    write(f"order_{order}.ome.tif", pixels((2, 3, 4, 20, 21), "uint8"), metadata={"axes": order}, photometric="minisblack")
with tifffile.TiffWriter(folder / "pyramid.ome.tif", bigtiff=True) as file:
    data = pixels((3, 256, 300), "uint16")
    options = {"tile": (64, 64), "compression": "zlib", "photometric": "minisblack"}
    file.write(data, subifds=2, metadata={"axes": "CYX"}, **options)
    file.write(data[:, ::2, ::2], subfiletype=1, **options)
    file.write(data[:, ::4, ::4], subfiletype=1, **options)
