"""Augmentation of training batches, by plugins."""

from collections.abc import Iterable, Sequence
from functools import partial

import torch
from jaxtyping import Float

from crystalvision.config import Part
from crystalvision.contracts import Augmentation, check_tensor, origin_of
from crystalvision.plugins import Catalogue
from crystalvision.training._preprocess import Augment


def build_augmentations(
    parts: Iterable[Part], catalogue: Catalogue, image_shape: tuple[int, int, int]
) -> tuple[Augmentation, ...]:
    """Make augmentations, and check that images can be changed so.

    Args:
        parts: Their names and options.
        catalogue: Where they are looked up.
        image_shape: Shape (c, h, w) of the binned images.

    Raises:
        InputError: One that does not exist, a wrong option, or images that it cannot change.
    """
    made = tuple(catalogue.create("augmentation", part.name, part.options) for part in parts)
    for augmentation in made:
        augmentation.check(image_shape)
    return made


def augmenter(augmentations: Sequence[Augmentation], generator: torch.Generator) -> Augment | None:
    """What changes batches by all of them in turn, or `None` where there are none."""
    return partial(_apply, augmentations, generator) if augmentations else None


def _apply(
    augmentations: Sequence[Augmentation],
    generator: torch.Generator,
    counts: Float[torch.Tensor, "b c h w"],
) -> Float[torch.Tensor, "b c h w"]:
    for augmentation in augmentations:
        counts = check_tensor(
            augmentation.apply(counts, generator),
            f"the {origin_of(augmentation, 'augmentation')}",
            f"of the shape of what it was given, {tuple(counts.shape)},",
            sizes=tuple(counts.shape),
            like=counts,
        )
    return counts
