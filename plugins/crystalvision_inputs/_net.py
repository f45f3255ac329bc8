"""Finds the net of spots of a pattern: its vectors and the direct beam."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch.nn import functional

_SHORTEST_PX = 4.0  # between spots that are told apart
_MOST_LINES = 6  # across the image there must be so many rows of spots
_APART = 0.35  # least sine of the angle between the net's two vectors
ORDERS = ((1, 0), (0, 1), (1, 1), (2, 0), (0, 2), (2, 2), (2, 1), (1, 2), (1, -1))
"""Sums of the two waves that fit any net, the longest first."""

_STEPS = ((3, 3), (len(ORDERS), 5))  # so many orders, so many times


@dataclass(frozen=True, slots=True)
class Net:
    """Nets of n images.

    Attributes:
        waves: Two vectors of the real lattice each, as waves across the image: a spot at g from
            the direct beam has whole numbers waves · g [1/pixel], (n, 2, 2), y before x.
        centre: Of the direct beam [pixels from where it should be], (n, 2).
    """

    waves: Float[torch.Tensor, "n 2 2"]
    centre: Float[torch.Tensor, "n 2"]

    def distances(
        self, y: Float[torch.Tensor, "h"], x: Float[torch.Tensor, "w"]
    ) -> tuple[Float[torch.Tensor, "n p"], Float[torch.Tensor, "n p"]]:
        """How far each pixel is from the direct beam, and from the nearest spot [pixels]."""
        grid = torch.stack(torch.meshgrid(y, x, indexing="ij")).flatten(1)
        place = grid[None] - self.centre[:, :, None]  # (n, 2, p)
        spots = _inverse(self.waves)
        within = place - spots @ (self.waves @ place).floor()  # from one corner of its mesh
        corners = [
            within - first * spots[:, :, :1] - second * spots[:, :, 1:]
            for first, second in ((0, 0), (0, 1), (1, 0), (1, 1))
        ]
        nearest = torch.stack([one.square().sum(1) for one in corners]).amin(0)
        return place.square().sum(1).sqrt(), nearest.sqrt()


def find_net(
    planes: Float[torch.Tensor, "n h w"],
    y: Float[torch.Tensor, "h"],
    x: Float[torch.Tensor, "w"],
    orders: Float[torch.Tensor, "k 2"],
    seen: Float[torch.Tensor, "n h w"] | None = None,
) -> Net:
    """Find the nets of images of counts.

    The roots of the counts, which strong beams do not rule, have a Fourier transform whose
    strongest points off the middle are the shortest vectors of the real lattice. Their phases say
    where the direct beam is. Both are refined together, to where the waves of several orders fit
    the spots best.

    Args:
        planes: Counts, 0 where nothing was measured.
        y: Places of the rows [pixels from where the direct beam should be].
        x: Places of the columns.
        orders: `ORDERS`.
        seen: 1 where something was measured, else 0.
    """
    roots = planes.clamp_min(0).sqrt()
    waves = _strongest(_without_background(roots, seen), y, x)
    centre = _phase_centre(roots, waves, y, x)
    for number, times in _STEPS:
        for _ in range(times):
            waves, centre = _refined(roots, waves, centre, orders[:number], y, x)
    return Net(waves, centre)


def _without_background(
    roots: Float[torch.Tensor, "n h w"], seen: Float[torch.Tensor, "n h w"] | None
) -> Float[torch.Tensor, "n h w"]:
    size = 2 * max(1, min(roots.shape[1:]) // 16) + 1

    def mean(values: torch.Tensor) -> torch.Tensor:
        pooled = values[:, None]
        for kernel in ((size, 1), (1, size)):
            pooled = functional.avg_pool2d(
                pooled, kernel, 1, (kernel[0] // 2, kernel[1] // 2), count_include_pad=False
            )
        return pooled[:, 0]

    if seen is None:
        return roots - mean(roots)
    return roots - seen * mean(roots) / mean(seen).clamp_min(1e-6)


def _strongest(
    planes: Float[torch.Tensor, "n h w"], y: Float[torch.Tensor, "h"], x: Float[torch.Tensor, "w"]
) -> Float[torch.Tensor, "n 2 2"]:
    """The strongest wave of each image, and the strongest of another direction, acute to it."""
    side = min(planes.shape[1:])
    most = 1 / _SHORTEST_PX
    number = math.ceil(2 * most * side)
    along = torch.arange(-number, number + 1, device=y.device).to(y.dtype) * (most / number)
    down = along[number:]  # the other half is that of the complex conjugate
    a, b = (2 * math.pi * down[:, None] * y), (2 * math.pi * along[:, None] * x)
    rows = [turn(a) @ planes for turn in (torch.cos, torch.sin)]
    cos, sin = b.cos().T, b.sin().T
    power = (rows[0] @ cos - rows[1] @ sin).square() + (rows[0] @ sin + rows[1] @ cos).square()
    fy, fx = (each.flatten() for each in torch.meshgrid(down, along, indexing="ij"))
    length = (fy.square() + fx.square()).sqrt()
    inside = (length >= min(_MOST_LINES / side, most / 2)) & (length <= most)
    # One pixel alone makes all waves equally strong: which is taken must not be left to rounding.
    power = (power.flatten(1) * (1 - 0.1 * length / most)).masked_fill(~inside, -1.0)
    waves = torch.stack([fy, fx], dim=1)
    first = waves[power.argmax(1)]
    cross = (first[:, :1] * fx - first[:, 1:] * fy).abs()
    beside = cross >= _APART * length * first.square().sum(1, keepdim=True).sqrt()
    second = waves[power.masked_fill(~beside, -2.0).argmax(1)]
    obtuse = (first * second).sum(1, keepdim=True) > 0  # so that the sum of both is short
    return torch.stack([first, torch.where(obtuse, -second, second)], dim=1)


def _phase_centre(
    roots: Float[torch.Tensor, "n h w"],
    waves: Float[torch.Tensor, "n 2 2"],
    y: Float[torch.Tensor, "h"],
    x: Float[torch.Tensor, "w"],
) -> Float[torch.Tensor, "n 2"]:
    """Where the direct beam is by the phases of both waves [pixels]."""
    cos, sin = _sums(roots, waves, y, x)[:2]
    turns = torch.atan2(sin, cos) / (2 * math.pi)
    return (_inverse(waves) @ turns[..., None])[..., 0]


def _sums(
    roots: Float[torch.Tensor, "n h w"],
    waves: Float[torch.Tensor, "n k 2"],
    y: Float[torch.Tensor, "n h"] | Float[torch.Tensor, "h"],
    x: Float[torch.Tensor, "n w"] | Float[torch.Tensor, "w"],
) -> tuple[torch.Tensor, ...]:
    """Sums over pixels of cos, sin, y sin and x sin of the waves' phases, each (n, k)."""
    y, x = (each.reshape(-1, 1, each.shape[-1]) for each in (y, x))
    a, b = (2 * math.pi * waves[..., :1] * y), (2 * math.pi * waves[..., 1:] * x)
    columns = torch.cat([b.cos(), b.sin(), b.cos() * x, b.sin() * x], dim=1)
    over = (columns @ roots.transpose(1, 2)).chunk(4, dim=1)  # (n, k, h) each
    ca, sa = a.cos(), a.sin()
    sine = sa * over[0] + ca * over[1]
    return (
        (ca * over[0] - sa * over[1]).sum(2),
        sine.sum(2),
        (sine * y).sum(2),
        (sa * over[2] + ca * over[3]).sum(2),
    )


def _refined(
    roots: Float[torch.Tensor, "n h w"],
    waves: Float[torch.Tensor, "n 2 2"],
    centre: Float[torch.Tensor, "n 2"],
    number: Float[torch.Tensor, "k 2"],
    y: Float[torch.Tensor, "h"],
    x: Float[torch.Tensor, "w"],
) -> tuple[Float[torch.Tensor, "n 2 2"], Float[torch.Tensor, "n 2"]]:
    """One step uphill of the sum of cosines at all pixels, over both waves and the centre.

    Its curvature is taken as if how well a wave fits did not depend on the place: positive always.
    """
    y, x = y - centre[:, :1], x - centre[:, 1:]
    each = number @ waves  # (n, k, 2)
    total = roots.sum((1, 2)).clamp_min(1e-6)[:, None]
    cos, sin, y_sin, x_sin = (sums / total for sums in _sums(roots, each, y, x))
    # The phase's derivatives: number ⊗ place by the waves, -wave by the centre.
    slope = number.T @ torch.stack([y_sin, x_sin], dim=2)
    gradient = torch.cat([-slope.flatten(1), (each * sin[..., None]).sum(1)], dim=1)
    moments = _moments(roots / total[..., None], y, x)
    curvature = _curvature(cos.clamp_min(0.02), number, each, moments)
    step = _solve(curvature, gradient) / (2 * math.pi)
    longest = 0.5 / (2 * max(roots.shape[1:]))
    return (
        waves + _square(step[:, :4].clamp(-longest, longest)),
        centre + step[:, 4:].clamp(-0.5, 0.5),
    )


def _moments(
    shares: Float[torch.Tensor, "n h w"],
    y: Float[torch.Tensor, "n h"],
    x: Float[torch.Tensor, "n w"],
) -> tuple[Float[torch.Tensor, "n 2"], Float[torch.Tensor, "n 2 2"]]:
    """Mean of the places (y, x), and of their products, weighted by shares that sum to 1."""
    rows, columns = shares.sum(2), shares.sum(1)
    cross = (torch.einsum("nhw,nw->nh", shares, x) * y).sum(1)
    mean = torch.stack([(rows * y).sum(1), (columns * x).sum(1)], dim=1)
    squares = (rows * y.square()).sum(1), (columns * x.square()).sum(1)
    return mean, _square(torch.stack([squares[0], cross, cross, squares[1]], dim=1))


def _curvature(
    weight: Float[torch.Tensor, "n k"],
    number: Float[torch.Tensor, "k 2"],
    each: Float[torch.Tensor, "n k 2"],
    moments: tuple[Float[torch.Tensor, "n 2"], Float[torch.Tensor, "n 2 2"]],
) -> Float[torch.Tensor, "n 6 6"]:
    """Sum over waves of weight × phase's derivatives ⊗ themselves, without (2π)²."""
    mean, products = moments
    pairs = torch.einsum("nk,ka,kb->nab", weight, number, number)
    top = torch.einsum("nab,nij->naibj", pairs, products).flatten(3).flatten(1, 2)
    waves = torch.einsum("nk,ka,nkj->naj", weight, number, each)
    side = -torch.einsum("naj,ni->naij", waves, mean).flatten(1, 2)
    low = torch.einsum("nk,nki,nkj->nij", weight, each, each)
    beside = torch.cat([side.transpose(1, 2), low], dim=2)
    return torch.cat([torch.cat([top, side], dim=2), beside], dim=1)


def _solve(matrix: Float[torch.Tensor, "n k k"], right: Float[torch.Tensor, "n k"]) -> torch.Tensor:
    """Solutions (n, k) for positive matrices, by elimination: exported graphs know no other."""
    size = right.shape[1]
    scale = matrix.diagonal(dim1=1, dim2=2).clamp_min(1e-12).rsqrt()
    rows = torch.cat([matrix * scale[:, :, None] * scale[:, None], (right * scale)[..., None]], 2)
    rows = rows + torch.eye(size, size + 1, device=rows.device, dtype=rows.dtype) * 1e-3
    for number in range(size):
        pivot = rows[:, number] / rows[:, number, number].clamp_min(1e-6)[:, None]
        others = rows - rows[:, :, number, None] * pivot[:, None]
        mask = (torch.arange(size, device=rows.device) == number)[None, :, None]
        rows = torch.where(mask, pivot[:, None], others)
    return rows[..., -1] * scale


def _inverse(matrices: Float[torch.Tensor, "n 2 2"]) -> Float[torch.Tensor, "n 2 2"]:
    (a, b), (c, d) = (row.unbind(1) for row in matrices.unbind(1))
    return _square(torch.stack([d, -b, -c, a], dim=1)) / (a * d - b * c)[:, None, None]


def _square(values: Float[torch.Tensor, "n 4"]) -> Float[torch.Tensor, "n 2 2"]:
    return torch.stack([values[:, :2], values[:, 2:]], dim=1)
