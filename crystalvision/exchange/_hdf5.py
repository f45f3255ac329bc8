"""One HDF5 file in the EMD layout, for HyperSpy, py4DSTEM, ncempy, and for plain HDF5 readers.

EMD 1.0 (emdfile, py4DSTEM; HyperSpy reads it too) keeps trees of nodes below a root group; EMD 0.2
(ncempy and older readers) keeps groups whose axes are counted from 1. The file holds both: the
second group is a set of hard links to the arrays of the first.

HyperSpy takes the first path to each array, in the order of names. `columns` sorts before
`crystalvision`, and that before `data`, so that it finds the images in the EMD 1.0 group, which it
does not transpose, and takes no column for an image, whatever its name.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalvision.datasets import SEEN, SPLIT, SPLIT_NAMES, SUBSET_RANK, Dataset
from crystalvision.exchange._careful_file import CarefulFile
from crystalvision.exchange._place import new_file
from crystalvision.exchange._selection import SAMPLE, Begin, Exported, Selection, begin_nothing

if TYPE_CHECKING:  # h5py takes a while to import, and --help needs none
    import h5py

PROGRAM = "crystalvision"
_COLUMNS, _ROOT, _OLD = "columns", "crystalvision", "data"
# Gzip is in every build of HDF5, LZF in h5py alone. Level 9 takes a sixth less space than level 4,
# and nine times longer.
_COMPRESSION = {"compression": "gzip", "compression_opts": 4, "shuffle": True}


def export_hdf5(
    path: Path | str,
    output: Path | str,
    *,
    split: str = "all",
    overwrite: bool = False,
    begin: Begin = begin_nothing,
) -> Exported:
    """Export a dataset as one HDF5 file in the EMD layout.

    `crystalvision/images/data` holds the images, (sample, channel, *axes), one image a chunk, and
    `columns` one array for each column, and `seen` where points were not measured.

    Args:
        path: The dataset.
        output: The file to make.
        split: `train`, `validation`, `test` or `all`.
        overwrite: Replace an export that is there.
        begin: Told what begins and how many steps it has; what it returns is told of each.

    Raises:
        InputError: The dataset is incomplete, or the place is taken.
        StorageError: The dataset is damaged, or the disk refused.
    """
    import h5py

    selection = Selection(Dataset.open(path), split)
    output = Path(output)
    source = selection.dataset.path
    with (
        new_file(output, source, overwrite=overwrite, is_ours=_is_ours) as partial,
        partial.open("w+b", buffering=0) as opened,
    ):
        careful = CarefulFile(opened)
        with h5py.File(careful, "w") as file:
            root = _write_head(file, selection)
            for _ in _write_images(root, selection, begin):
                careful.check()
            _write_columns(file, root, selection)
            for _ in _write_arrays(file[_COLUMNS], selection):
                careful.check()
            _link_old_layout(file, root)
        careful.check()
    return Exported(output, "hdf5", split, len(selection), 1, output.stat().st_size)


def _is_ours(path: Path) -> bool:
    import h5py

    try:
        with h5py.File(path) as file:
            return bool(file.attrs.get("authoring_program") == PROGRAM)
    except OSError:
        return False


def _write_head(file: "h5py.File", selection: Selection) -> "h5py.Group":
    """Write what is known of the dataset as a whole; the root of the EMD tree."""
    header = selection.dataset.header
    file.attrs.update(
        {
            "emd_group_type": "file",
            "version_major": 1,
            "version_minor": 0,
            "authoring_program": PROGRAM,
            "identity": selection.dataset.identity,
            "split": selection.split,
        }
    )
    root = _node(file, _ROOT, "root", "Root")
    bundle = root.create_group("metadatabundle")
    bundle.attrs["emd_group_type"] = "metadatabundle"
    metadata = _node(bundle, "dataset", "metadata", "Metadata")
    _write_text(metadata, "name", header.name)
    _write_text(metadata, "identity", selection.dataset.identity)
    _write_text(metadata, "recipe", json.dumps(header.provenance.shown()))
    _write_text(metadata, "generator", json.dumps(header.generator))
    severities = metadata.create_dataset("class_severities", data=np.array(header.class_severities))
    severities.attrs["type"] = b"list"
    names = metadata.create_group("class_names")
    names.attrs.update({"type": b"list_of_strings", "length": len(header.class_names)})
    for label, name in enumerate(header.class_names):
        _write_text(names, str(label), name)
    return root


def _write_images(root: "h5py.Group", selection: Selection, begin: Begin) -> Iterator[None]:
    """Write the images; stop after each few."""
    header = selection.dataset.header
    node = _node(root, "images", "array", "Array")
    images = node.create_dataset(
        "data",
        shape=(len(selection), *header.image_shape),
        dtype=header.dtype,
        chunks=(1, *header.image_shape),
        **_COMPRESSION,
    )
    images.attrs["units"] = "1" if header.dtype == "float32" else "counts"
    _write_axis(node, 0, "sample", "", np.arange(len(selection)))
    _write_axis(node, 1, "channel", "", np.arange(images.shape[1]))
    for number, axis in enumerate(header.axes, start=2):
        _write_axis(node, number, axis.name, axis.units, axis.values())
    for rows, batch in selection.batches(begin("writing", len(selection))):
        images[rows.start : rows.stop] = batch
        yield


def _write_axis(
    node: "h5py.Group", number: int, name: str, units: str, values: np.ndarray[Any, Any]
) -> None:
    """Write where each pixel lies; of a single one also where the next would, to give a scale."""
    if len(values) == 1:
        values = np.append(values, values + 1)
    dim = node.create_dataset(f"dim{number}", data=values.astype(np.float64))
    dim.attrs.update({"name": name, "units": units})


def _write_columns(file: "h5py.File", root: "h5py.Group", selection: Selection) -> None:
    """Write the columns, once for plain readers and linked as a list of points for emdfile."""
    header = selection.dataset.header
    plain = file.create_group(_COLUMNS)
    points = _node(root, "samples", "pointlist", "PointList")
    for name, values in selection.columns.items():
        stored = plain.create_dataset(name, data=values)
        about = header.columns.get(name)
        stored.attrs["units"] = about.units if about else "1"
        stored.attrs["description"] = about.description if about else _MEANINGS[name]
        stored.attrs["dtype"] = np.bytes_(values.dtype.name)
        points[name] = stored
        if about and about.classes:
            stored.attrs["names"] = list(about.classes)
    plain[SPLIT].attrs["names"] = list(SPLIT_NAMES)


def _write_arrays(plain: "h5py.Group", selection: Selection) -> Iterator[None]:
    """Write what is an array for each sample, and which points were measured; stop now and then."""
    dataset = selection.dataset
    header, seen = dataset.header, dataset.header.seen
    for name, about in selection.arrays.items():
        stored = _create_parts(plain, name, about.shape, about.dtype, len(selection))
        stored.attrs.update({"units": about.units, "description": about.description})
        if about.classes:
            stored.attrs["names"] = list(about.classes)
        for start, indices in _chunks(selection):
            stored[start : start + len(indices)] = dataset.column(name, indices)
            yield
    if seen is not None and seen.each_sample:
        shape = (seen.channels, *header.grid)
        stored = _create_parts(plain, SEEN, shape, "bool", len(selection))
        for start, indices in _chunks(selection):
            stored[start : start + len(indices)] = dataset.seen(indices)
            yield
    elif seen is not None:
        plain.create_dataset(SEEN, data=header.seen_mask(), **_COMPRESSION)


def _create_parts(
    plain: "h5py.Group", name: str, shape: tuple[int, ...], dtype: str, count: int
) -> "h5py.Dataset":
    return plain.create_dataset(
        name, (count, *shape), dtype=dtype, chunks=(1, *shape), **_COMPRESSION
    )


def _chunks(selection: Selection) -> Iterator[tuple[int, np.ndarray[Any, Any]]]:
    """A few samples at a time: the row of the first, and their indices."""
    for start in range(0, len(selection), _PARTS):
        yield start, selection.indices[start : start + _PARTS]


_PARTS = 64  # samples whose arrays are in memory at once
_MEANINGS = {
    SAMPLE: "number of the sample in the dataset",
    SPLIT: "part of the dataset, an index into its names",
    SUBSET_RANK: "rank within the part; ranks below k are a stratified subset of k",
}


def _link_old_layout(file: "h5py.File", root: "h5py.Group") -> None:
    """Show the images in the layout of EMD 0.2, too."""
    new = root["images"]
    old = file.create_group(f"{_OLD}/images")
    old.attrs.update({"emd_group_type": 1, "version_major": 0, "version_minor": 2})
    old["data"] = new["data"]
    for number in range(new["data"].ndim):
        old[f"dim{number + 1}"] = new[f"dim{number}"]


def _node(parent: "h5py.Group", name: str, kind: str, python_class: str) -> "h5py.Group":
    group = parent.create_group(name)
    group.attrs.update({"emd_group_type": kind, "python_class": python_class})
    return group


def _write_text(group: "h5py.Group", name: str, text: str) -> None:
    import h5py

    stored: Any = group.create_dataset(name, data=text, dtype=h5py.string_dtype())
    stored.attrs["type"] = b"string"
