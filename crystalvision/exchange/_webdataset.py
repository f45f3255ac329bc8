"""Tar files of samples, as the webdataset library streams them."""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.datasets import LABEL, SEEN, Dataset, size_bytes
from crystalvision.errors import InputError
from crystalvision.exchange._document import DOCUMENT, document_of
from crystalvision.exchange._place import new_folder
from crystalvision.exchange._readme import readme
from crystalvision.exchange._selection import Begin, Exported, Rows, Selection, begin_nothing
from crystalvision.exchange._table import CLASS, as_json, check_names, rows_of
from crystalvision.text import json_text

SAMPLES_PER_TAR = 1000

_USE = """\
Each sample has files of one name: `.npy`, the pattern as stored, ({dimensions}); {label}`.json`,
all numbers, with `null` for what is not known{arrays}.

```python
import webdataset

samples = webdataset.WebDataset("train-000000.tar", shardshuffle=False)
for image, {label_name}columns in samples.decode().to_tuple("npy", {label_key}"json"):
    ...
```

`dataset.json` has all else that is known of the dataset, its recipe among it."""


def export_webdataset(
    path: Path | str,
    output: Path | str,
    *,
    split: str = "all",
    samples_per_tar: int = SAMPLES_PER_TAR,
    overwrite: bool = False,
    begin: Begin = begin_nothing,
) -> Exported:
    """Export a dataset as tar files, `{split}-{number}.tar`, the same bytes every time.

    Args:
        path: The dataset.
        output: The folder to make.
        split: `train`, `validation`, `test` or `all`.
        samples_per_tar: Samples in one tar file; the last one of a split may have fewer.
        overwrite: Replace an export that is there.
        begin: Told what begins and how many steps it has; what it returns is told of each.

    Raises:
        InputError: The dataset is incomplete, the place is taken, or a number makes no sense.
        StorageError: The dataset is damaged, or the disk refused.
    """
    if samples_per_tar < 1:
        raise InputError(
            f"{samples_per_tar} samples in a tar file were asked for; expected 1 or more"
        )
    selection = Selection(Dataset.open(path), split)
    check_names(selection, (CLASS,))
    output = Path(output)
    with new_folder(output, selection.dataset.path, overwrite=overwrite) as folder:
        with _Tars(folder, samples_per_tar) as tars:
            rows = rows_of(selection)
            for places, images in selection.batches(begin("writing", len(selection))):
                arrays = _arrays(selection, selection.indices[places.start : places.stop])
                for place, image in enumerate(images):
                    row = next(rows)
                    parts = {name: values[place] for name, values in arrays.items()}
                    files = _files(selection, row, image, parts)
                    tars.add(row["split"], f"{row['sample']:08d}", files)
        text = readme(selection, "WebDataset", [("Use", _use(selection))])
        (folder / "README.md").write_text(text, encoding="utf-8")
        document = document_of(selection, "webdataset")
        (folder / DOCUMENT).write_text(document, encoding="utf-8")
    return Exported(output, "webdataset", split, len(selection), tars.count + 2, size_bytes(output))


def _use(selection: Selection) -> str:
    header = selection.dataset.header
    labelled = LABEL in header.columns
    names = [*selection.arrays, *([SEEN] if header.seen is not None else [])]
    arrays = ", ".join(f"`.{name}.npy`" for name in names)
    return _USE.format(
        dimensions=", ".join(("channel", *(axis.name for axis in header.axes))),
        label="`.cls`, the label; " if labelled else "",
        label_name="label, " if labelled else "",
        label_key='"cls", ' if labelled else "",
        arrays=f"; {arrays}, the array of that name" if names else "",
    )


def _arrays(selection: Selection, indices: np.ndarray[Any, Any]) -> Rows:
    """What some samples have beside their numbers and their pattern, name → (n, *shape)."""
    arrays = {name: selection.dataset.column(name, indices) for name in selection.arrays}
    seen = selection.dataset.seen(indices)
    return arrays if seen is None else {**arrays, SEEN: seen}


def _files(
    selection: Selection, row: dict[str, Any], image: np.ndarray[Any, Any], arrays: Rows
) -> Iterator[tuple[str, bytes]]:
    """The files of a sample: suffix and content."""
    metadata = {name: as_json(value) for name, value in row.items()}
    yield "npy", _npy(image)
    if LABEL in row:
        label = int(row[LABEL])
        metadata = {CLASS: selection.dataset.header.class_names[label]} | metadata
        yield "cls", str(label).encode()
    yield "json", json_text(metadata).encode()
    for name, values in arrays.items():
        yield f"{name}.npy", _npy(values)


def _npy(values: np.ndarray[Any, Any]) -> bytes:
    content = io.BytesIO()
    np.lib.format.write_array(content, np.ascontiguousarray(values), version=(1, 0))
    return content.getvalue()


class _Tars:
    """The tar file that is being written of each split; at most three are open.

    Attributes:
        count: Tar files that were begun.
    """

    def __init__(self, folder: Path, samples: int) -> None:
        self._folder = folder
        self._samples = samples
        self._written: dict[str, int] = {}
        self._open: dict[str, tarfile.TarFile] = {}
        self.count = 0

    def __enter__(self) -> "_Tars":
        return self

    def __exit__(self, *_error: object) -> None:
        for tar in self._open.values():
            tar.close()

    def add(self, split: str, key: str, files: Iterator[tuple[str, bytes]]) -> None:
        """Write a sample into the tar file of its split."""
        done = self._written.get(split, 0)
        if done % self._samples == 0:
            self._begin(split, done // self._samples)
        for suffix, content in files:
            member = tarfile.TarInfo(f"{key}.{suffix}")  # time and owner 0: the same bytes always
            member.size = len(content)
            self._open[split].addfile(member, io.BytesIO(content))
        self._written[split] = done + 1

    def _begin(self, split: str, number: int) -> None:
        if split in self._open:
            self._open[split].close()
        path = self._folder / f"{split}-{number:06d}.tar"
        # One file of each split is open at a time, until this context ends.
        self._open[split] = tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115
        self.count += 1
