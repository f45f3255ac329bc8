"""The augmentation of Wang et al.: calculated peaks on the baseline of measured patterns."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float
from pydantic import PositiveInt

from crystalvision.contracts import Augmentation
from crystalvision.errors import InputError
from crystalvision.measured_files import Readers, files_of_folder, read_image_file

_LEAST = 100  # points of a measured pattern


class MeasuredBaseline(Augmentation):
    """Keeps the strongest points of a curve, and puts shuffled noise of measured ones elsewhere.

    The noise of a measured pattern is what is left when as large a share of its points, the
    strongest, is taken away; relative to its strongest point, it is drawn anew for each point, and
    for each curve from one of the patterns.

    Args:
        files: Measured patterns: files of any format that there is a reader for, or folders of
            them.
        points: Points of a curve that are kept.

    Raises:
        InputError: A file that is missing or holds no pattern.

    Source: Wang et al. 2020, Journal of Chemical Information and Modeling 60, 2004.
    """

    dimensions = frozenset({1})

    def __init__(self, files: tuple[str, ...] = (), points: PositiveInt = 400) -> None:
        self.points = points
        readers = Readers()
        self._patterns = [_counts(path, readers) for path in _paths(files, readers)]

    def check(self, image_shape: tuple[int, ...]) -> None:
        """See `Augmentation.check`."""
        if not self._patterns:
            raise InputError(
                "augmentation 'measured-baseline' takes its noise from measured patterns: name "
                "files or folders, as in --set augment.measured-baseline.files=[my-patterns]"
            )
        if self.points >= image_shape[-1]:
            raise InputError(
                f"augmentation 'measured-baseline': points={self.points} of patterns of "
                f"{image_shape[-1]} points leaves no baseline; lower points"
            )

    def apply(
        self,
        counts: Float[torch.Tensor, "b c n"],
        generator: torch.Generator,
        seen: Bool[torch.Tensor, "b #c n"] | None = None,
    ) -> tuple[Float[torch.Tensor, "b c n"], Bool[torch.Tensor, "b #c n"] | None]:
        """See `Augmentation.apply`."""
        size = counts.shape[-1]
        noises = [self._noise(one, size) for one in self._patterns]
        lengths = torch.tensor([len(noise) for noise in noises])
        starts = lengths.cumsum(0) - lengths
        one = torch.randint(len(noises), (len(counts), 1, 1), generator=generator)
        place = (torch.rand(counts.shape, generator=generator) * lengths[one]).long()
        # The product may be rounded up to the length.
        index = starts[one] + torch.minimum(place, lengths[one] - 1)
        noise = torch.from_numpy(np.concatenate(noises))[index].to(counts)
        noise = (noise * counts.amax(-1, keepdim=True)).round()
        kept = torch.zeros_like(counts, dtype=torch.bool)
        kept.scatter_(-1, counts.topk(self.points, dim=-1).indices, True)
        changed = torch.where(kept, counts, noise)
        return (changed if seen is None else changed.masked_fill(~seen, 0.0)), seen

    def _noise(self, pattern: Float[np.ndarray, "m"], size: int) -> Float[np.ndarray, "k"]:
        """Points of a measured pattern, ascending, without the share that is kept of a curve."""
        number = max(1, round(len(pattern) * (1 - self.points / size)))
        return pattern[:number]


def _paths(files: Sequence[str], readers: Readers) -> Iterator[Path]:
    for name in files:
        path = Path(name)
        yield from files_of_folder(path, readers) if path.is_dir() else [path]


def _counts(path: Path, readers: Readers) -> Float[np.ndarray, "m"]:
    """Counts of a file relative to the strongest, ascending, in float32.

    Raises:
        InputError: It is missing, or holds no pattern of one dimension.
    """
    counts = np.squeeze(read_image_file(path, readers))
    counts = counts[np.isfinite(counts)].astype(np.float32) if counts.ndim == 1 else counts[:0]
    if counts.size < _LEAST or not counts.max() > 0:
        raise InputError(
            f"{path}: expected a measured pattern of one dimension, of at least {_LEAST} points"
        )
    return np.sort(counts.clip(min=0) / counts.max())
