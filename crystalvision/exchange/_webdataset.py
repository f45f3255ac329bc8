"""Tar files of samples, as the webdataset library streams them."""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.datasets import Dataset
from crystalvision.datasets._files import size_bytes
from crystalvision.errors import InputError
from crystalvision.exchange._document import DOCUMENT, document_of
from crystalvision.exchange._place import new_folder
from crystalvision.exchange._readme import readme
from crystalvision.exchange._selection import Begin, Exported, Selection, begin_nothing
from crystalvision.exchange._table import CLASS, as_json, check_names, rows_of
from crystalvision.text import json_text

SAMPLES_PER_TAR = 1000

_USE = """\
Each sample is three files of one name: `.npy`, the image as stored, (channel, row, column); `.cls`,
the label; `.json`, all columns, with `null` for what is not known.

```python
import webdataset

samples = webdataset.WebDataset("train-000000.tar", shardshuffle=False)
for image, label, columns in samples.decode().to_tuple("npy", "cls", "json"):
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
            for _, images in selection.batches(begin("writing", len(selection))):
                for image in images:
                    row = next(rows)
                    tars.add(row["split"], f"{row['sample']:08d}", _files(selection, row, image))
        text = readme(selection, "WebDataset", [("Use", _USE)])
        (folder / "README.md").write_text(text, encoding="utf-8")
        document = document_of(selection, "webdataset")
        (folder / DOCUMENT).write_text(document, encoding="utf-8")
    return Exported(output, "webdataset", split, len(selection), tars.count + 2, size_bytes(output))


def _files(
    selection: Selection, row: dict[str, Any], image: np.ndarray[Any, Any]
) -> Iterator[tuple[str, bytes]]:
    """The files of a sample: suffix and content."""
    pixels = io.BytesIO()
    np.lib.format.write_array(pixels, np.ascontiguousarray(image), version=(1, 0))
    label = int(row["label"])
    told = {CLASS: selection.dataset.header.class_names[label]}
    told |= {name: as_json(value) for name, value in row.items()}
    yield "npy", pixels.getvalue()
    yield "cls", str(label).encode()
    yield "json", json_text(told).encode()


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
