"""Some samples of a dataset, as a dataset."""

from typing import Any

import numpy as np
import numpy.typing as npt
from jaxtyping import Int

from crystalvision.datasets._dataset import Dataset
from crystalvision.errors import InputError


class DatasetSubset(Dataset):
    """A view of some samples of a dataset: theirs are the columns, the images and the splits.

    They are counted from 0 in the order in which they were chosen. A sample is in the split in
    which it is in the whole dataset. `header` and `identity` are those of the whole.

    Attributes:
        whole: That dataset.
    """

    def __init__(self, whole: Dataset, indices: npt.ArrayLike) -> None:
        """Choose samples.

        Raises:
            InputError: None, one twice, or one that is not there.
        """
        super().__init__(whole.path, whole.header, whole.missing_shards)
        self.whole = whole
        self._chosen = whole.check_indices(indices)
        if not len(self._chosen):
            raise InputError(f"{whole.path}: a subset of no samples; expected one or more")
        values, counts = np.unique(self._chosen, return_counts=True)
        if counts.max() > 1:
            raise InputError(
                f"{whole.path}: sample {values[counts.argmax()]} is {counts.max()} times in the "
                "subset; expected it once"
            )

    def __len__(self) -> int:
        """Number of samples."""
        return len(self._chosen)

    @property
    def chosen(self) -> Int[np.ndarray, "n"] | None:
        """See `Dataset.chosen`."""
        return self.numbers(np.arange(len(self)))

    def numbers(self, indices: npt.ArrayLike) -> Int[np.ndarray, "n"]:
        """See `Dataset.numbers`."""
        return self.whole.numbers(self._chosen[np.asarray(indices, dtype=np.int64)])

    def written(self) -> Int[np.ndarray, "n"]:
        """See `Dataset.written`."""
        return np.arange(len(self))  # nothing else can be chosen

    def images(self, indices: npt.ArrayLike) -> np.ndarray[Any, Any]:
        """See `Dataset.images`."""
        return self.whole.images(self._chosen[self.check_indices(indices)])

    def column(self, name: str) -> np.ndarray[Any, Any]:
        """See `Dataset.column`."""
        values: np.ndarray[Any, Any] = self.whole.column(name)[self._chosen]
        return values

    def split(self, name: str, size: int | None = None) -> Int[np.ndarray, "n"]:
        """See `Dataset.split`.

        Raises:
            InputError: As there, or a size is asked for, which a subset does not have.
        """
        if size is not None:
            raise InputError(
                f"{self.path}: {size} samples of split '{name}' of a subset were asked for; choose "
                "them where the subset is chosen"
            )
        inside = np.isin(self._chosen, self.whole.split(name))
        return np.flatnonzero(inside).astype(np.int64)

    def check_indices(self, indices: npt.ArrayLike) -> Int[np.ndarray, "n"]:
        """See `Dataset.check_indices`."""
        places = np.arange(len(self))
        try:
            return places[np.asarray(indices)].reshape(-1)
        except IndexError as error:
            raise InputError(
                f"{self.path}: no sample {indices!r:.60} in the subset; samples go from 0 to "
                f"{len(self) - 1}"
            ) from error

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "whole": self.whole, "_chosen": self._chosen}
