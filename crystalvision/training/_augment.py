"""Augmentation of training batches, by plugins."""

from collections.abc import Iterable, Sequence
from functools import partial

import torch
from jaxtyping import Bool, Float

from crystalvision.config import Part
from crystalvision.contracts import (
    Augmentation,
    Axis,
    check_dimensions,
    check_tensor,
    described,
    grid_of,
    origin_of,
)
from crystalvision.errors import PluginError
from crystalvision.inputs import Augment
from crystalvision.plugins import Catalogue


def build_augmentations(
    parts: Iterable[Part], catalogue: Catalogue, channels: int, axes: Sequence[Axis]
) -> tuple[Augmentation, ...]:
    """Make augmentations, and check that images can be changed so.

    Args:
        parts: Their names and options.
        catalogue: Where they are looked up.
        channels: Channels of the images.
        axes: Of the counts that they change.

    Raises:
        InputError: One that does not exist, a wrong option, or images that it cannot change.
    """
    made = tuple(catalogue.create("augmentation", part.name, part.options) for part in parts)
    check_augmentations(made, channels, axes)
    return made


def check_augmentations(
    augmentations: Iterable[Augmentation], channels: int, axes: Sequence[Axis]
) -> None:
    """Check that images can be changed by all of some augmentations.

    Args:
        augmentations: They.
        channels: Channels of the images.
        axes: Of the counts that they change.

    Raises:
        InputError: They cannot.
    """
    for augmentation in augmentations:
        check_dimensions(origin_of(augmentation, "augmentation"), augmentation, axes)
        augmentation.check((channels, *grid_of(axes)))


def augmenter(augmentations: Sequence[Augmentation], generator: torch.Generator) -> Augment | None:
    """What changes batches by all of them in turn, or `None` where there are none."""
    return partial(_apply, augmentations, generator) if augmentations else None


def _apply(
    augmentations: Sequence[Augmentation],
    generator: torch.Generator,
    counts: Float[torch.Tensor, "b c *grid"],
    seen: Bool[torch.Tensor, "b #c *grid"] | None,
) -> tuple[Float[torch.Tensor, "b c *grid"], Bool[torch.Tensor, "b #c *grid"] | None]:
    for augmentation in augmentations:
        who = f"the {origin_of(augmentation, 'augmentation')}"
        given = augmentation.apply(counts, generator, seen)
        if not isinstance(given, tuple) or len(given) != 2 or not _is_mask(given[1], counts, seen):
            raise PluginError(
                f"{who} gave {described(given)}; expected a pair (counts, seen) of images and of "
                "what was seen of them"
            )
        changed, seen = given
        counts = check_tensor(
            changed,
            who,
            f"of the shape of what it was given, {tuple(counts.shape)},",
            sizes=tuple(counts.shape),
            like=counts,
        )
    return counts, seen


def _is_mask(given: object, counts: torch.Tensor, before: torch.Tensor | None) -> bool:
    """Whether something tells what was seen of images; a mask may be new, but none is forgotten."""
    if not isinstance(given, torch.Tensor):
        return given is None and before is None
    channels = {1, counts.shape[1]}
    return (
        given.dtype == torch.bool
        and given.ndim == counts.ndim
        and given.shape[1] in channels
        and given.shape[2:] == counts.shape[2:]
    )
