"""Reads every byte of a dataset and says what is wrong with it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from crystalvision.datasets._checks import (
    Problem,
    ShardCheck,
    metadata_problems,
    stray_problems,
)
from crystalvision.datasets._files import is_filled
from crystalvision.datasets._header import IMAGES, SPLIT, DatasetHeader
from crystalvision.datasets._layout import SPLIT_FILE, Codec
from crystalvision.datasets._open import read_header
from crystalvision.datasets._splits import assign_splits
from crystalvision.errors import InputError, StorageError


def verify(path: str | Path, *, advance: Callable[[int], object] | None = None) -> list[Problem]:
    """Check a dataset: every byte, every checksum, every file that should or should not be there.

    Args:
        path: Its folder.
        advance: Called with 1 after each shard, for a progress bar.

    Returns:
        What is wrong; an empty list says that the dataset is complete and sound.

    Raises:
        InputError: There is no dataset. Damage raises nothing.
    """
    path = Path(path)
    try:
        header = read_header(path)
    except StorageError as error:
        return [Problem(None, str(error))]
    except InputError as error:
        if (path / IMAGES).is_dir():
            return [Problem(None, str(error))]
        raise
    codec = Codec(header)
    problems = [*metadata_problems(path, codec), *stray_problems(path, header, codec)]
    labels = []
    for shard in range(header.shards):
        check = ShardCheck(path, header, codec, shard)
        problems += check.problems
        if check.labels is not None:
            labels.append(check.labels)
        if advance:
            advance(1)
    all_labels = np.concatenate(labels) if len(labels) == header.shards else None
    return problems + _split_problems(path, header, codec, all_labels)


def _split_problems(
    path: Path, header: DatasetHeader, codec: Codec, labels: np.ndarray | None
) -> list[Problem]:
    if not is_filled(path / SPLIT_FILE):
        return [
            Problem(None, f"{SPLIT_FILE}: missing, the dataset is not finished; --resume ends it")
        ]
    mend = "delete it, then write it again with --resume"
    try:
        content = (path / SPLIT_FILE).read_bytes()
        found = codec.decode(SPLIT, range(header.samples), SPLIT_FILE, content)
    except Exception as error:  # damaged bytes make zarr and its codecs raise anything
        reason = str(error).splitlines()[0] if str(error) else repr(error)
        return [Problem(None, f"{SPLIT_FILE}: damaged or cut short ({reason:.120}); {mend}")]
    if labels is not None and not np.array_equal(found, assign_splits(labels)):
        return [Problem(None, f"{SPLIT_FILE}: does not follow from the labels; {mend}")]
    return []
