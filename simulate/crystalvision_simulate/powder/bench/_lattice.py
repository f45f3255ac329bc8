"""The unit cells of a phase side by side, seen along an axis."""

import numpy as np
from ase.data import chemical_symbols, covalent_radii
from jaxtyping import Float, Int

from crystalvision.samples import DotMap, Dots
from crystalvision_simulate.pictures import colours_of
from crystalvision_simulate.powder._phase import Candidate

_CELLS = 3.2  # side by side, across the picture
_NARROWEST, _WIDEST = 10.0, 32.0  # Å
_THICKEST = 8.0  # Å of the crystal that are shown
_ATOM = 0.45  # of the covalent radius
_FULL = 0.995


def lattice_map(phase: Candidate) -> DotMap:
    """A slice of a crystal across its axis c; small atoms lie upon large ones."""
    cell = phase.crystal.cell
    along = cell[2] / np.linalg.norm(cell[2])
    right = cell[0] - (cell[0] @ along) * along
    right /= np.linalg.norm(right)
    down = np.cross(along, right)
    window = float(np.clip(_CELLS * np.linalg.norm(cell[:2], axis=1).max(), _NARROWEST, _WIDEST))
    depth = min(1.0, _THICKEST / float(np.linalg.norm(cell[2])))
    atoms, places = _atoms(phase, window, depth)
    seen = np.column_stack([places @ right, places @ down])
    near = np.abs(seen).max(axis=1, initial=0.0) < window / 2
    colours = colours_of(sorted(set(phase.crystal.numbers.tolist())))
    dots = []
    kinds = {*zip(*_kinds(phase), strict=True)}
    for number, share in sorted(kinds, key=lambda kind: (-covalent_radii[kind[0]], kind)):
        numbers, shares = (values[atoms] for values in map(np.array, _kinds(phase)))
        here = near & (numbers == number) & (shares == share)
        name = chemical_symbols[number] + ("" if share > _FULL else f" ({share:.2g})")
        radii = np.full(int(here.sum()), _ATOM * float(covalent_radii[number]))
        dots.append(Dots(name, seen[here, 0], seen[here, 1], radii, colours[number]))
    return DotMap(
        title=f"{phase.name} along c, a slice of {depth * np.linalg.norm(cell[2]):.2g} Å",
        units="Å",
        half_width=window / 2,
        dots=tuple(dots),
    )


def _kinds(phase: Candidate) -> tuple[list[int], list[float]]:
    """Element of each atom, and the share of cells in which it is there."""
    return phase.crystal.numbers.tolist(), phase.occupancies.round(3).tolist()


def _atoms(
    phase: Candidate, window: float, depth: float
) -> tuple[Int[np.ndarray, "m"], Float[np.ndarray, "m 3"]]:
    """Which atoms of the cell lie in a slice that is as wide as a window, and where."""
    cell = phase.crystal.cell
    fractional = (phase.crystal.positions @ np.linalg.inv(cell) + 1e-6) % 1.0
    inside = np.flatnonzero(fractional[:, 2] < depth)
    # As far as the picture's corners reach along both axes, whatever angle they make.
    across = np.linalg.norm(np.linalg.inv(cell)[:, :2], axis=0)
    reach = np.ceil(window * np.sqrt(0.5) * across).astype(int) + 1
    shifts = np.stack(
        np.meshgrid(*(np.arange(-most, most + 1) for most in reach), [0], indexing="ij"), axis=-1
    ).reshape(-1, 3)
    atoms = np.tile(inside, len(shifts))
    places = (fractional[inside][None] + shifts[:, None]).reshape(-1, 3) @ cell
    return atoms, places
