"""Which file each imported image came from, by its checksum, so that a change can be told later."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from crystalvision.datasets import NOT_LEARNT, Column, Dataset
from crystalvision.errors import InputError
from crystalvision.exchange._frames import frame_of
from crystalvision.exchange._listing import files_below
from crystalvision.exchange._png import LABELS
from crystalvision.measured_files import Readers

FILE_DIGEST = "file_sha256"
# A float, which is NaN in a merged dataset where a sample has no file; it holds 52 bits exactly.
FILE_DIGEST_COLUMN = Column(
    dtype="float64",
    description="first 52 bits of the SHA-256 of the imported file",
    task=NOT_LEARNT,
)


def file_digests(folder: Path, names: Sequence[str]) -> Float64[np.ndarray, "n"]:
    """The checksum of the file of each image, (n,).

    Raises:
        OSError: One cannot be read.
    """
    known: dict[str, float] = {}
    files = [frame_of(folder, name)[0] for name in names]
    for file in files:
        if file not in known:
            known[file] = _digest(folder / file)
    return np.array([known[file] for file in files], dtype=np.float64)


def changed_files(dataset: Dataset, folder: Path, readers: Readers | None = None) -> list[str]:
    """What differs between the files that a dataset was imported from, and those of a folder.

    Args:
        dataset: The dataset.
        folder: The folder that it was imported from, wherever that is now.
        readers: What reads files; by default what is installed.

    Returns:
        A line for each kind of difference; none if all files are as they were.

    Raises:
        InputError: The dataset was not imported, or there is no such folder.
        StorageError: The dataset cannot be read.
    """
    if FILE_DIGEST not in dataset.header.columns:
        raise InputError(
            f"{dataset.path}: does not tell the files that it was imported from; import them again"
        )
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; expected the images that were imported")
    known = dataset.column(FILE_DIGEST)
    readers = readers or Readers()
    labels = folder / LABELS
    images = [each for each in files_below(folder) if readers.reads(each) and each != labels]
    found = {path: _digest(path) for path in images}
    lost = np.flatnonzero(~np.isin(known, list(found.values())) & ~np.isnan(known))
    new = [path for path, digest in found.items() if digest not in set(known.tolist())]
    lines = []
    if lost.size:
        lines.append(
            f"the files of {lost.size} samples, the first is {lost[0]}, are not in {folder}: they "
            "were changed or removed since the import"
        )
    if new:
        lines.append(
            f"{len(new)} images of {folder}, the first is {new[0].relative_to(folder)}, were added "
            "or changed since the import"
        )
    return lines


def _digest(path: Path) -> float:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").digest()
    return float(int.from_bytes(found[:8], "big") >> 12)
