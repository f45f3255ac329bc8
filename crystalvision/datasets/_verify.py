"""Reads every byte of a dataset and says what is wrong with it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from crystalvision.datasets._checks import (
    REWRITE,
    Problem,
    ShardCheck,
    dataset_files,
    metadata_problems,
    stray_problems,
)
from crystalvision.datasets._codec import Codec
from crystalvision.datasets._columns import IMAGES, LABEL, SPECIMEN, SPLIT, SUBSET_RANK
from crystalvision.datasets._direct import Rows
from crystalvision.datasets._files import in_the_way, is_filled
from crystalvision.datasets._header import DatasetHeader
from crystalvision.datasets._layout import SPLIT_FILES
from crystalvision.datasets._open import (
    RESUME_HINT,
    find_missing_shards,
    read_header,
    read_header_copy,
)
from crystalvision.datasets._recover import recorded_splits
from crystalvision.datasets._splits import SplitSettings, split_arrays
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
    problems = []
    try:
        header = read_header(path)
    except StorageError as error:
        problems.append(Problem(None, str(error)))
        try:
            header = read_header_copy(path)
        except StorageError as second:
            return [*problems, Problem(None, str(second))]
    except InputError as error:
        if (path / IMAGES).is_dir():
            return [Problem(None, str(error))]
        raise
    split = next(iter(recorded_splits(path, header)), SplitSettings())
    codec = Codec(header, split)
    if not problems:
        problems += metadata_problems(path, codec)
    problems += stray_problems(path, header, codec)
    tables = []
    for shard in range(header.shards):
        check = ShardCheck(path, header, codec, shard)
        problems += check.problems
        tables.append(check.rows)
        if advance:
            advance(1)
    return problems + _split_problems(path, header, codec, _expected_splits(split, header, tables))


def damaged_shards(path: Path, header: DatasetHeader) -> list[int]:
    """Shards that are written but not sound, ascending: every byte of them is read."""
    codec = Codec(header)
    missing = set(find_missing_shards(path, header))
    return [
        shard
        for shard in range(header.shards)
        if shard not in missing and ShardCheck(path, header, codec, shard).problems
    ]


def find_obstacle(path: Path, header: DatasetHeader) -> Path | None:
    """What stands where a file of the dataset belongs, so that it cannot be written."""
    return in_the_way(path, dataset_files(header, Codec(header)))


def _expected_splits(split: SplitSettings, header: DatasetHeader, tables: list[Rows]) -> Rows:
    """What the splits should be, by array; nothing where a column is damaged."""
    names = [name for name in (LABEL, SPECIMEN) if name in header.columns]
    if any(name not in rows for name in names for rows in tables):
        return {}
    columns = {name: np.concatenate([rows[name] for rows in tables]) for name in names}
    return split_arrays(split, header.samples, columns)


def _split_problems(
    path: Path, header: DatasetHeader, codec: Codec, expected: Rows
) -> list[Problem]:
    problems = []
    for file, name in zip(SPLIT_FILES, (SPLIT, SUBSET_RANK), strict=True):
        if not is_filled(path / file):
            problems.append(f"{file}: missing, the dataset is not finished; {RESUME_HINT}")
            continue
        try:
            content = (path / file).read_bytes()
            found = codec.decode(name, range(header.samples), file, content)
        except Exception as error:  # damaged bytes make zarr and its codecs raise anything
            reason = str(error).splitlines()[0] if str(error) else repr(error)
            problems.append(f"{file}: damaged or cut short ({reason:.120}); {REWRITE}")
            continue
        if name in expected and not np.array_equal(found, expected[name]):
            problems.append(f"{file}: does not follow from the labels; {REWRITE}")
    return [Problem(None, text) for text in problems]
