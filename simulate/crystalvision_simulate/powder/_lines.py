"""Lines of a powder pattern: reflections that stay together however their lattice is strained."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from crystalvision.contracts import Crystal
from crystalvision_simulate.powder._reflections import reflections

_WEAKEST = 1e-4  # of the strongest, with 1/g² for the Lorentz factor
_MOST = 600
_SAME_LENGTH = 1e-5  # [1/Å]
_SAME_STRAIN = 1e-4
_SYMMETRY_ANGSTROM = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Lines of one phase.

    Attributes:
        length_inv_angstrom: |g| = 1/d, (m,).
        intensity: As in `Reflections`, of all reflections of the line, (m,).
        strain: By how much each strain that the lattice allows makes d longer, (m, k). The first is
            the same for all; the mean of each other one over all directions is zero.
        tensors: These strains, (k, 3, 3).
    """

    length_inv_angstrom: Float[np.ndarray, "m"]
    intensity: Float[np.ndarray, "m"]
    strain: Float[np.ndarray, "m k"]
    tensors: Float[np.ndarray, "k 3 3"]

    @property
    def ends(self) -> Float[np.ndarray, "k 2"]:
        """Least and greatest value of each strain in any direction, (k, 2)."""
        values = np.linalg.eigvalsh(self.tensors)
        return np.column_stack([values.min(axis=1), values.max(axis=1)])

    def __len__(self) -> int:
        """Number of lines."""
        return len(self.intensity)


def lines_of(
    crystal: Crystal, occupancies: Float[np.ndarray, "n"], band_limit_inv_angstrom: float
) -> Lines:
    """Lines of a crystal up to |g|; those too weak to be seen are left out.

    Raises:
        InputError: As for `reflections`.
    """
    found = reflections(crystal, band_limit_inv_angstrom, occupancies=occupancies)
    basis = allowed_strains(crystal.cell)
    unit = found.g / found.length_inv_angstrom[:, None]
    strain = np.einsum("mi,kij,mj->mk", unit, basis, unit)
    steps = np.column_stack([found.length_inv_angstrom / _SAME_LENGTH, strain / _SAME_STRAIN])
    _, first, line = np.unique(steps.round(), axis=0, return_index=True, return_inverse=True)
    intensity = np.bincount(line.ravel(), found.intensity, minlength=len(first))
    length = found.length_inv_angstrom[first]
    seen = intensity / np.square(length)
    kept = np.argsort(-seen, kind="stable")[:_MOST]
    kept = np.sort(kept[seen[kept] > _WEAKEST * seen.max(initial=0.0)])
    return Lines(length[kept], intensity[kept], strain[first][kept], basis)


def allowed_strains(cell: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, "k 3 3"]:
    """Strains of a lattice that keep its symmetry, (k, 3, 3): one of a cubic one, six at most.

    The first is that of all directions alike; the others have no trace, and a greatest value of 1.

    Args:
        cell: Cell vectors as rows [Å].
    """
    turned = _rotations(cell)
    tensors = []
    for i in range(3):
        for j in range(i, 3):
            tensor = np.zeros((3, 3))
            tensor[i, j] = tensor[j, i] = 1.0
            mean = (turned @ tensor @ turned.transpose(0, 2, 1)).mean(axis=0)
            tensors.append((mean - np.trace(mean) / 3 * np.eye(3)).ravel())
    _, size, rows = np.linalg.svd(np.array(tensors), full_matrices=False)
    others = rows[size > 1e-6].reshape(-1, 3, 3)
    greatest = np.abs(np.linalg.eigvalsh(others)).max(axis=1) if len(others) else np.ones(0)
    return np.concatenate([np.eye(3)[None], others / greatest[:, None, None]])


def _rotations(cell: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, "s 3 3"]:
    """The point group of a lattice, as it turns Cartesian vectors, (s, 3, 3)."""
    import spglib

    # Of the lattice alone: strains are the same for all crystals of a crystal family.
    alone: Any = (np.asarray(cell).tolist(), [[0.0, 0.0, 0.0]], [1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of how it reports errors
        try:
            found: Any = spglib.get_symmetry_dataset(alone, symprec=_SYMMETRY_ANGSTROM)
        except Exception:  # its errors are of another type in each version
            found = None
    if found is None:
        return np.eye(3)[None]
    return np.asarray(cell.T @ found.rotations @ np.linalg.inv(cell.T))
