"""What makes samples."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Num

from crystalvision.datasets import DatasetHeader


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample of a dataset, with all that is known of it.

    Attributes:
        image: Raw counts, or float32 where there is no detector, (c, h, w).
        columns: Label, severity and whatever else the dataset keeps of each sample.
    """

    image: Num[np.ndarray, "c h w"]
    columns: Mapping[str, float]


class Source(ABC):
    """Makes the samples of one dataset.

    A sample depends on the recipe and its index alone: not on which others are made, nor where, nor
    in which order, nor by how many threads. So any part of a dataset can be made again.
    """

    @property
    @abstractmethod
    def header(self) -> DatasetHeader:
        """What the dataset is.

        Finding out may take seconds: what only a sample can show to be wrong is found here, before
        anything is written.

        Raises:
            InputError: The recipe asks for what cannot be made.
        """

    @abstractmethod
    def samples(self, indices: Iterable[int]) -> Iterator[Sample]:
        """Make some samples, in the order asked for.

        Few are made ahead of what is taken, so that memory stays bounded; what was begun ends when
        the iterator is closed.

        Args:
            indices: Which samples.

        Raises:
            InputError: An index that is none of the dataset's.
        """
