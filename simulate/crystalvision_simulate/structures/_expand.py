"""From the sites of an asymmetric unit to all atoms of the cell."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from crystalvision.errors import InputError
from crystalvision_simulate.structures._cif_sites import Sites
from crystalvision_simulate.structures._operations import Operations

MOST_ATOMS = 200_000
_EXACT = 0.02  # Å: images of a site no farther apart are one atom, whatever the digits
_FARTHEST = 0.5  # Å: images farther apart are two atoms, or an error
_DIGITS = 2.5  # images of a coordinate that is rounded or cut off lie within so many last digits
_SAME = 1e-6  # of a cell vector
_ROUNDS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Atoms:
    """Every atom of a cell.

    Attributes:
        fractional: Fractional coordinates from 0 to 1, (n, 3).
        numbers: Atomic numbers, (n,).
        site: The site that each is an image of, (n,).
        moved: How far each site was moved onto a special position [Å], (m,).
        occupancies: Share of cells in which each atom is there, (n,).
    """

    fractional: Float[np.ndarray, "n 3"]
    numbers: Int[np.ndarray, "n"]
    site: Int[np.ndarray, "n"]
    moved: Float[np.ndarray, "m"]
    occupancies: Float[np.ndarray, "n"]


def expand(sites: Sites, operations: Operations, cell: Float[np.ndarray, "3 3"]) -> Atoms:
    """Every atom of the cell, each once.

    A site whose images lie on each other within what the digits of its coordinates can tell is on
    a special position: it is moved to the mean of those images, which their operations leave where
    it is.

    Args:
        sites: The asymmetric unit.
        operations: The space group.
        cell: Cell vectors as rows [Å], (3, 3).

    Raises:
        InputError: A site is so near to a special position that one cannot tell whether it is on
            it, or there are more atoms than a cell has.
    """
    count = len(sites.numbers) * len(operations)
    if count > MOST_ATOMS:
        raise InputError(
            f"{len(sites.numbers)} sites and {len(operations)} operations give up to {count} atoms;"
            f" expected at most {MOST_ATOMS}"
        )
    images = operations.images(sites.fractional)
    reach = _reach(sites, cell)
    near = _near(images - sites.fractional[:, None], cell, reach[:, None])
    special = near.sum(axis=1) > 1
    general = np.flatnonzero(~special)
    fractional = [images[general].reshape(-1, 3)]
    site = [np.repeat(general, len(operations))]
    moved = np.zeros(len(sites.numbers))
    for index in map(int, np.flatnonzero(special)):
        place, multiplicity = _on_special(sites, index, operations, cell, reach[index])
        orbit = _orbit(operations, place)
        if len(orbit) != multiplicity:
            raise _unclear(sites.labels[index])
        moved[index] = np.linalg.norm((place - sites.fractional[index]) @ cell)
        fractional.append(orbit)
        site.append(np.full(multiplicity, index))
    of_site = np.concatenate(site)
    order = np.argsort(of_site, kind="stable")
    inside = np.concatenate(fractional)[order] % 1.0
    inside[inside > 1 - 1e-12] = 0.0
    of_site = of_site[order]
    return Atoms(inside, sites.numbers[of_site], of_site, moved, sites.occupancies[of_site])


def _reach(sites: Sites, cell: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, "m"]:
    """How far apart images of a site on a special position may lie [Å], (m,)."""
    longest = float(np.linalg.norm(cell, axis=1).max())
    between_planes = float((1 / np.linalg.norm(np.linalg.inv(cell), axis=0)).min())
    limit = min(_FARTHEST, 0.3 * between_planes)
    reach: Float[np.ndarray, "m"] = np.clip(_DIGITS * sites.step * longest, _EXACT, limit)
    return reach


def _near(
    apart: Float[np.ndarray, "... 3"],
    cell: Float[np.ndarray, "3 3"],
    reach: Float[np.ndarray, "..."],
) -> Bool[np.ndarray, "..."]:
    """Whether fractional differences are a lattice vector, within a reach [Å]."""
    near: Bool[np.ndarray, ...] = np.linalg.norm((apart - np.rint(apart)) @ cell, axis=-1) <= reach
    return near


def _on_special(
    sites: Sites, index: int, operations: Operations, cell: Float[np.ndarray, "3 3"], reach: float
) -> tuple[Float[np.ndarray, "3"], int]:
    """Where a site lies exactly, and how many atoms it stands for."""
    place = sites.fractional[index]
    before: Bool[np.ndarray, "n"] | None = None
    for _ in range(_ROUNDS):
        images = operations.images(place[None])[0]
        apart = images - place
        keeps = _near(apart, cell, np.asarray(reach))
        if before is not None and (keeps == before).all():
            exact = apart[keeps] - np.rint(apart[keeps])
            if abs(exact).max() > _SAME or len(operations) % keeps.sum():
                break
            return place, len(operations) // int(keeps.sum())
        shifts = np.rint(apart[keeps])
        place = (images[keeps] - shifts).mean(axis=0)
        before = keeps
    raise _unclear(sites.labels[index])


def _orbit(operations: Operations, place: Float[np.ndarray, "3"]) -> Float[np.ndarray, "k 3"]:
    images = operations.images(place[None])[0]
    apart = images[:, None] - images[None]
    same = abs(apart - np.rint(apart)).max(axis=-1) < 10 * _SAME
    orbit: Float[np.ndarray, "k 3"] = images[np.unique(same.argmax(axis=1))]
    return orbit


def _unclear(label: str) -> InputError:
    return InputError(
        f"site '{label[:20]}' lies so near to a special position that it may be on it or off it; "
        "write its coordinates with more digits"
    )
