"""A pattern of spots, folded along the lattice that it shows."""

from collections.abc import Sequence
from typing import Annotated

import torch
from jaxtyping import Bool, Float, Int
from pydantic import Field, PositiveFloat

from crystalvision.contracts import Axis, Input
from crystalvision.errors import InputError
from crystalvision_inputs._net import ORDERS, Net, find_net

Shares = list[tuple[torch.Tensor, torch.Tensor]]

_LEAST = 8  # pixels of a side; fewer hold no lattice


class Lattice(Input):
    """Counts over ring and distance from the nearest spot, whatever the crystal's rotation.

    The net of spots is found in each image: its two vectors, which also tell rotation and camera
    length, and the direct beam. Of each pixel then matter two lengths: how far it is from the
    direct beam, its ring, and from the nearest spot. What is near spots is Bragg scattering, what
    lies between them diffuse. So patterns of one crystal become alike, however it is turned about
    the beam and wherever the beam falls, and all counts of a kind come together: at few electrons
    most pixels have none. A pixel between two rings or distances gives both its share. The last
    ring and the last distance hold what is farther, too. Give raw counts.

    A net is found from about 300 counts on, of spots that are 4 pixels to a sixth of the image
    apart. A pattern without one is folded along a net that it does not have.

    Args:
        axes: Of the patterns.
        rings: Points along the ring.
        ring_pixels: From one ring to the next [pixels].
        distances: Points along the distance.
        distance_pixels: From one distance to the next [pixels].

    Raises:
        InputError: Axes of different units or scales, or images that are too small.

    Source: the lattice of the Fourier transform of a pattern of spots, as in Zaefferer 2000, J.
    Appl. Cryst. 33, 10, and its refinement by phases.
    """

    dimensions = frozenset({2})

    def __init__(
        self,
        axes: Sequence[Axis],
        rings: Annotated[int, Field(ge=2, le=256)] = 14,
        ring_pixels: PositiveFloat = 10.0,
        distances: Annotated[int, Field(ge=2, le=64)] = 8,
        distance_pixels: PositiveFloat = 1.0,
    ) -> None:
        super().__init__()
        rows, columns = axes
        if (rows.units, rows.scale) != (columns.units, columns.scale):
            raise InputError(
                f"input 'lattice' needs square pixels, not {rows.name} of {rows.scale:g} "
                f"{rows.units} and {columns.name} of {columns.scale:g} {columns.units}"
            )
        if min(rows.size, columns.size) < _LEAST:
            raise InputError(
                f"input 'lattice' needs images of at least {_LEAST}×{_LEAST} pixels, not "
                f"{rows.size}×{columns.size}"
            )
        self.rings, self.ring_pixels = rings, ring_pixels
        self.distances, self.distance_pixels = distances, distance_pixels
        self.y: torch.Tensor
        self.x: torch.Tensor
        self.orders: torch.Tensor
        for name, values in (
            ("y", torch.arange(rows.size) + rows.offset / rows.scale),
            ("x", torch.arange(columns.size) + columns.offset / columns.scale),
            ("orders", torch.tensor(ORDERS)),
        ):
            self.register_buffer(name, values.to(torch.float32), persistent=False)
        self._axes = (
            Axis(name="q", size=rings, scale=ring_pixels * rows.scale, offset=0, units=rows.units),
            Axis(
                name="distance",
                size=distances,
                scale=distance_pixels * rows.scale,
                offset=0,
                units=rows.units,
            ),
        )

    def axes(self, axes: Sequence[Axis]) -> tuple[Axis, ...]:
        """See `Input.axes`: from the beam and from the nearest spot, in the pattern's units."""
        return self._axes

    @torch.no_grad()
    def forward(
        self,
        images: Float[torch.Tensor, "b c h w"],
        seen: Bool[torch.Tensor, "b #c h w"] | None = None,
    ) -> tuple[Float[torch.Tensor, "b c r d"], Bool[torch.Tensor, "b #c r d"] | None]:
        """See `Input.forward`; each channel has a net of its own."""
        planes = images.flatten(0, 1)
        hidden = None if seen is None else seen.expand_as(images).flatten(0, 1).to(images.dtype)
        shares = self._shares(find_net(planes, self.y, self.x, self.orders, hidden))
        folded = self._fold(planes, shares, images.shape)
        if seen is None or hidden is None:
            return folded, None
        whole = self._fold(torch.ones_like(planes), shares, images.shape)
        share = self._fold(hidden, shares, images.shape) / whole.clamp_min(1e-6)
        anything = seen.flatten(2).any(2)[..., None, None]
        return folded / share.clamp_min(0.5), ((share >= 0.5) | (whole < 1e-6)) & anything

    def _shares(self, net: Net) -> Shares:
        """Of every pixel: up to four bins of ring and distance, and its share of each."""
        from_beam, from_spot = net.distances(self.y, self.x)
        ring, between = _places(from_beam / self.ring_pixels, self.rings)
        near, off = _places(from_spot / self.distance_pixels, self.distances)
        index = ring * self.distances + near
        steps = ((0, 0), (0, 1), (self.distances, 0), (self.distances, 1))
        weights = (
            (1 - between) * (1 - off),
            (1 - between) * off,
            between * (1 - off),
            between * off,
        )
        return [(index + sum(step), weight) for step, weight in zip(steps, weights, strict=True)]

    def _fold(
        self, planes: Float[torch.Tensor, "n h w"], shares: Shares, shape: torch.Size
    ) -> Float[torch.Tensor, "b c r d"]:
        values = planes.flatten(1)
        bins = values.new_zeros(values.shape[0], self.rings * self.distances)
        for index, weight in shares:
            bins = bins.scatter_add(1, index, values * weight)
        return bins.reshape(*shape[:2], self.rings, self.distances)


def _places(
    values: Float[torch.Tensor, "n p"], size: int
) -> tuple[Int[torch.Tensor, "n p"], Float[torch.Tensor, "n p"]]:
    """The place below each value, and the share of the next; all of it where it is the last."""
    inside = values.clamp(max=size - 1)
    low = inside.floor().clamp(max=size - 2)
    return low.long(), inside - low
