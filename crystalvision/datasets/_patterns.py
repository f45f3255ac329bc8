"""A dataset as torch reads it."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, Int
from torch.utils import data

from crystalvision.datasets._binning import bin_images, check_bin
from crystalvision.datasets._dataset import Dataset

Sample = tuple[Float[torch.Tensor, "c h w"], Int[torch.Tensor, ""], Float[torch.Tensor, ""]]


class PatternDataset(data.Dataset[Sample]):
    """Some samples of a dataset: image, label, severity.

    Images are float32 (c, h / bin, w / bin): counts summed over squares of `bin` × `bin` pixels.

    Attributes:
        labels: Class of each sample, int64 (n,).
        severities: Severity of each sample, float32 (n,).
        images: Every image, float32 (n, c, h / bin, w / bin), or None where they stay on the disk.
    """

    def __init__(
        self,
        dataset: Dataset,
        indices: Sequence[int] | npt.NDArray[np.int64],
        bin: int = 1,  # noqa: A002 - the field's word, and the experiment file's
        in_memory: bool = True,
    ) -> None:
        """Choose the samples.

        Args:
            dataset: Where they are.
            indices: Which they are, (n,).
            bin: Pixels summed along each side.
            in_memory: Read all of them now, shard by shard, or each one when it is asked for.

        Raises:
            InputError: An index that is no sample, or a `bin` that does not divide the image.
            StorageError: The data cannot be read.
        """
        check_bin(dataset.header.image_shape, bin)
        self.dataset = dataset
        self.indices = dataset.check_indices(indices)
        self.bin = bin
        self.labels = torch.from_numpy(dataset.column("label")[self.indices])
        self.severities = torch.from_numpy(dataset.column("severity")[self.indices])
        self.images = self._read_all() if in_memory else None

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.indices)

    def __getitem__(self, position: int) -> Sample:
        """Image (c, h, w), label and severity of one sample."""
        if self.images is None:
            raw = self.dataset.images(self.indices[position])
            image = torch.from_numpy(bin_images(raw, self.bin))[0]
        else:
            image = self.images[position]
        return image, self.labels[position], self.severities[position]

    def _read_all(self) -> Float[torch.Tensor, "n c h w"]:
        """Shard by shard: only one shard is held at its full size."""
        channels, height, width = self.dataset.header.image_shape
        shape = (len(self.indices), channels, height // self.bin, width // self.bin)
        images = torch.empty(shape, dtype=torch.float32)
        shards = self.indices // self.dataset.header.samples_per_shard
        for shard in np.unique(shards):
            here = np.flatnonzero(shards == shard)
            raw = self.dataset.images(self.indices[here])
            images[torch.from_numpy(here)] = torch.from_numpy(bin_images(raw, self.bin))
        return images
