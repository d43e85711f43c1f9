"""Compares conversions with their sources, by readers that are not ours: zarr-python, tensorstore and tifffile.

usage: convert_compare.py LIST, where each line of LIST is {"source": PATH, "out": PATH}
A source is an OME-Zarr of any version or a TIFF. Level 0 must be the same numbers; levels that the source has, too.
Levels that were made are compared with NumPy's means. The last line printed is a report in JSON.
"""

import json
import sys
from pathlib import Path

import numpy as np
import tensorstore as ts
import zarr


def attributes(node):
    """The OME metadata of a group, wherever its version puts it."""
    all_of_them = dict(node.attrs)
    return all_of_them.get("ome", all_of_them)


def images(group, path=""):
    """The paths of all images of a hierarchy, with their groups."""
    if "multiscales" in attributes(group):
        yield path, group
    for name, child in sorted(group.groups()):
        yield from images(child, f"{path}/{name}".strip("/"))


def datasets(group):
    return [dataset["path"] for dataset in attributes(group)["multiscales"][0]["datasets"]]


def names(group):
    axes = attributes(group)["multiscales"][0].get("axes", ["t", "c", "z", "y", "x"])
    return [axis if isinstance(axis, str) else axis["name"] for axis in axes]


def same(one, other, what):
    assert one.shape == other.shape, f"{what}: shape {one.shape} is not {other.shape}"
    assert one.dtype.newbyteorder("=") == other.dtype.newbyteorder("="), f"{what}: type {one.dtype} is not {other.dtype}"
    equal = np.array_equal(one, other, equal_nan=one.dtype.kind in "fc")
    assert equal, f"{what}: other numbers"


def by_tensorstore(folder):
    spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": str(folder)}}
    return ts.open(spec, open=True).result().read().result()


def metadata_is_consolidated(out):
    """What the root repeats of its nodes is what they say themselves."""
    repeated = json.loads((out / "zarr.json").read_text())["consolidated_metadata"]["metadata"]
    found = {str(file.parent.relative_to(out)): json.loads(file.read_text()) for file in out.rglob("zarr.json")}
    found.pop(".")
    assert repeated == found, f"{out}: the consolidated metadata is another"
    group = zarr.open_group(out, mode="r")
    assert group.metadata.consolidated_metadata is not None
    members = {path for path, _ in group.members(max_depth=None)}
    assert members == set(found), f"{out}: zarr-python finds other nodes"


def level_is_made_of(before, level, axes, kind):
    """Area means, halves to even; what is left over at an end is averaged alone."""
    steps = [-(-a // b) if b else 1 for a, b in zip(before.shape, level.shape)]
    steps = [2 if step == 2 or (a == 2 * b - 1 and a > 1) else 1 for step, a, b in zip(steps, before.shape, level.shape)]
    sums, counts = before.astype(np.float64), np.ones(before.shape)
    if before.dtype.kind == "f":
        counts, sums = (~np.isnan(sums)).astype(float), np.nan_to_num(sums)
    for axis, step in enumerate(steps):
        if step == 2:
            at = np.arange(0, sums.shape[axis], 2)
            sums, counts = np.add.reduceat(sums, at, axis), np.add.reduceat(counts, at, axis)
    with np.errstate(invalid="ignore"):
        mean = sums / counts
    if before.dtype.kind in "iu":
        assert np.array_equal(np.rint(mean).astype(level.dtype), level), f"{kind}: not the mean of the level before"
    else:
        assert np.allclose(mean, level, equal_nan=True, rtol=1e-3 if level.dtype.itemsize == 2 else 1e-6), kind


def compare_zarr(source, out):
    before, after = zarr.open_group(source, mode="r", use_consolidated=False), zarr.open_group(out, mode="r")
    old, new = dict(images(before)), dict(images(after))
    assert old and sorted(old) == sorted(new), f"{source}: images {sorted(old)} became {sorted(new)}"
    levels = 0
    for path, image in old.items():
        is_label = "image-label" in attributes(image) or "/labels/" in f"/{path}"
        written = datasets(new[path])
        assert names(image) == names(new[path])
        for number, level in enumerate(datasets(image)):
            if number and len(datasets(image)) != len(written):
                break
            array = new[path][written[number]]
            same(image[level][...], array[...], f"{source} {path} level {level}")
            same(array[...], by_tensorstore(out / path / written[number]), f"{out} {path} {level} by tensorstore")
            levels += 1
        if len(datasets(image)) != len(written) and not is_label:
            made = [new[path][level][...] for level in written]
            for number in range(1, len(made)):
                level_is_made_of(made[number - 1], made[number], names(image), f"{out} {path} level {number}")
    return levels


def five(array, axes):
    """An array with the axes t, c, z, y, x; samples of a pixel are channels."""
    order = [axes.index(axis) for axis in "tczyx" if axis in axes]
    array = np.transpose(array, order)
    shape, sizes = [], iter(array.shape)
    for axis in "tczyx":
        shape.append(next(sizes) if axis in axes else 1)
    return array.reshape(shape)


def planes_of(series):
    """A series of tifffile with the axes t, c, z, y, x."""
    array, axes = series.asarray(), series.axes.lower()
    # Samples come after channels, and both are channels here.
    if "s" in axes:
        array = np.moveaxis(array, axes.index("s"), axes.index("c") + 1 if "c" in axes else 0)
        axes = axes.replace("s", "")
        if "c" in axes:
            at = axes.index("c")
            array = array.reshape(*array.shape[:at], -1, *array.shape[at + 2 :])
        else:
            axes = "c" + axes
    unknown = [axis for axis in axes if axis not in "tczyx"]
    return array, axes, unknown


def compare_tiff(source, out):
    import tifffile

    after = zarr.open_group(out, mode="r")
    made = dict(images(after))
    with tifffile.TiffFile(source) as tiff:
        series = tiff.series
        numbered = sorted(made, key=lambda path: (len(path), path))
        assert len(series) >= len(numbered) > 0, f"{source}: {len(series)} series became {len(numbered)} images"
        for one, path in zip(series, numbered):
            array, axes, unknown = planes_of(one)
            image = made[path]
            written = image[datasets(image)[0]][...]
            found = five(written, [name.lower() for name in names(image)])
            if unknown:
                # A stack of pages along an axis that the file does not name.
                same(found.reshape(array.shape), array, f"{source} {path}")
            else:
                same(found, five(array, axes), f"{source} {path}")
            same(written, by_tensorstore(out / path / datasets(image)[0]), f"{out} {path} by tensorstore")
            if attributes(image)["multiscales"][0].get("type") == "mean":
                levels = [image[level][...] for level in datasets(image)]
                for number in range(1, len(levels)):
                    level_is_made_of(levels[number - 1], levels[number], names(image), f"{out} {path} level {number}")
    return len(made)


report = []
for line in Path(sys.argv[1]).read_text().splitlines():
    pair = json.loads(line)
    source, out = Path(pair["source"]), Path(pair["out"])
    levels = compare_zarr(source, out) if source.is_dir() else compare_tiff(source, out)
    metadata_is_consolidated(out)
    report.append({"source": str(source), "compared": levels})
print(json.dumps(report))
