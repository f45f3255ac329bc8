"""Weights on the disk."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from crystalvision.storage._destination import Destination
from crystalvision.storage._whole import whole_file

if TYPE_CHECKING:  # seconds to import, and --help must not wait for it
    import torch


def write_tensors(
    path: Path, tensors: "Mapping[str, torch.Tensor]", metadata: dict[str, str] | None = None
) -> None:
    """Write a file of safetensors that is whole or absent, in place of what is there.

    Raises:
        StorageError: The disk refuses.
    """
    from safetensors.torch import save_file

    with whole_file(Destination.look(path)) as partial:
        save_file(dict(tensors), partial, metadata)
