"""Labelled measured files as a dataset for as long as a run is judged on them."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crystalvision.datasets import Conditions, Dataset
from crystalvision.errors import InputError
from crystalvision.exchange._import import Imported, import_folder
from crystalvision.measured_files import is_list
from crystalvision.ordinary_files import text_of


def is_measured(path: Path) -> bool:
    """Whether a path is a folder or a list of labelled measured files, and no dataset."""
    if path.is_file():
        return is_list(path)
    return path.is_dir() and not (path / "zarr.json").exists()


@contextmanager
def measured_dataset(
    path: Path, like: Conditions, **settings: Any
) -> Iterator[tuple[Dataset, Imported]]:
    """A dataset of labelled measured files, which is gone at the end.

    Args:
        path: The folder, or the CSV file that lists them.
        like: Conditions of the run that is to be judged, onto whose axes patterns are brought.
        **settings: As for `import_folder`.

    Raises:
        InputError: As for `import_folder`.
    """
    with tempfile.TemporaryDirectory(prefix="crystalvision-") as folder:
        output = Path(folder) / f"{text_of(path.resolve().stem)}.zarr"
        done = import_folder(path, output, like=like, **settings)
        try:
            yield Dataset.open(output), done
        except InputError as error:  # of what the user gave, not of a place that nobody knows
            raise InputError(str(error).replace(str(output), str(path))) from error
