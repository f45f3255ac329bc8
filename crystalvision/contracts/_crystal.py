"""A crystal as plain arrays: a dataset makes billions of atoms, so no object per atom."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from jaxtyping import Bool, Float, Int

from crystalvision.errors import InputError

if TYPE_CHECKING:
    import ase
    from pymatgen.core.sites import PeriodicSite
    from pymatgen.core.structure import Structure

_HEAVIEST = 118


@dataclass(frozen=True, slots=True, eq=False)
class Parent:
    """The ideal crystal that another was cut from, and how it lies there.

    Defects read from it what [uvw] and (hkl) mean. A vector v of the unit cell's own frame is
    `rotation @ v` in the crystal that was cut.

    Attributes:
        unit_cell: The ideal crystal, periodic along all three vectors.
        rotation: Proper rotation, (3, 3).
        origin_angstrom: Where the origin of the unit cell came to lie [Å], (3,).
    """

    unit_cell: "Crystal"
    rotation: Float[np.ndarray, "3 3"]
    origin_angstrom: Float[np.ndarray, "3"]

    @property
    def vectors(self) -> Float[np.ndarray, "3 3"]:
        """The cell vectors a, b, c as they lie in the cut crystal, as rows [Å], (3, 3)."""
        vectors: Float[np.ndarray, "3 3"] = self.unit_cell.cell @ self.rotation.T
        return vectors

    def direction(self, uvw: Sequence[float]) -> Float[np.ndarray, "3"]:
        """The lattice vector u·a + v·b + w·c as it lies in the cut crystal [Å], (3,)."""
        vector: Float[np.ndarray, "3"] = np.asarray(uvw, dtype=np.float64) @ self.vectors
        return vector

    def reciprocal(self, hkl: Sequence[float]) -> Float[np.ndarray, "3"]:
        """The reciprocal vector h·a* + k·b* + l·c*, normal to planes (hkl) there [1/Å], (3,)."""
        indices = np.asarray(hkl, dtype=np.float64)
        vector: Float[np.ndarray, "3"] = np.linalg.inv(self.vectors) @ indices
        return vector


@dataclass(frozen=True, slots=True, eq=False)
class Crystal:
    """Atoms in a cell.

    Attributes:
        positions: Cartesian positions [Å], (n, 3).
        numbers: Atomic numbers, (n,).
        cell: Cell vectors as rows [Å], (3, 3).
        periodic: Whether the crystal repeats along each cell vector, (3,).
        parent: The ideal crystal that it was cut from; `None` for an ideal crystal itself.
        assumed: What whoever made it had to assume, a sentence each: what a file left open, and how
            it was decided. It is shown to the user and stored with the dataset.

    Raises:
        InputError: Arrays of the wrong shape, a value that is not finite, no atom at all, a number
            that is no element's, or a cell without volume.
    """

    positions: Float[np.ndarray, "n 3"]
    numbers: Int[np.ndarray, "n"]
    cell: Float[np.ndarray, "3 3"]
    periodic: Bool[np.ndarray, "3"]
    parent: Parent | None = None
    assumed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.numbers)
        for name, shape in (
            ("positions", (count, 3)),
            ("numbers", (count,)),
            ("cell", (3, 3)),
            ("periodic", (3,)),
        ):
            found = np.shape(getattr(self, name))
            if found != shape:
                raise InputError(f"Crystal.{name} has shape {found}; expected {shape}")
        if count == 0:
            raise InputError("a crystal needs at least one atom; this one has none")
        strange = np.asarray(self.numbers)[(self.numbers < 1) | (self.numbers > _HEAVIEST)]
        if len(strange):
            raise InputError(
                f"an atom has the atomic number {strange[0]}, as dummies (X) have; expected 1 to "
                f"{_HEAVIEST}: give it its element, or take it out"
            )
        if not (np.isfinite(self.positions).all() and np.isfinite(self.cell).all()):
            raise InputError("Crystal.positions and Crystal.cell must be finite numbers [Å]")
        with np.errstate(over="ignore"):
            volume = abs(np.linalg.det(self.cell))
        if volume < 1e-6:
            raise InputError(f"Crystal.cell has no volume: {self.cell.tolist()} [Å]")

    def __len__(self) -> int:
        """Number of atoms."""
        return len(self.numbers)

    @property
    def volume_angstrom3(self) -> float:
        """Volume of the cell [Å³]."""
        return float(abs(np.linalg.det(self.cell)))

    def with_atoms(
        self, positions: Float[np.ndarray, "m 3"], numbers: Int[np.ndarray, "m"]
    ) -> "Crystal":
        """The same cell with other atoms: positions [Å] (m, 3) and atomic numbers (m,)."""
        return Crystal(positions, numbers, self.cell, self.periodic, self.parent, self.assumed)

    @classmethod
    def from_ase(cls, atoms: "ase.Atoms") -> Self:
        """The crystal in an `ase.Atoms`."""
        return cls(
            positions=np.array(atoms.get_positions(), dtype=np.float64),
            numbers=np.array(atoms.get_atomic_numbers(), dtype=np.int64),
            cell=np.array(atoms.get_cell(), dtype=np.float64),
            periodic=np.array(atoms.get_pbc(), dtype=bool),
        )

    def to_ase(self) -> "ase.Atoms":
        """This crystal as an `ase.Atoms`."""
        import ase

        return ase.Atoms(
            numbers=self.numbers, positions=self.positions, cell=self.cell, pbc=self.periodic
        )

    @classmethod
    def from_pymatgen(cls, structure: "Structure") -> Self:
        """The crystal in an ordered pymatgen `Structure`.

        Raises:
            InputError: The structure has sites with partial occupancy, or of no element.
        """
        dummies = [str(site.specie) for site in structure if site.is_ordered and _is_dummy(site)]
        if dummies:
            raise InputError(
                f"the structure has a site of '{dummies[0]}', which is no element; give it its "
                "element, or take it out"
            )
        if not structure.is_ordered:
            raise InputError(
                f"structure {structure.composition.reduced_formula} has partially occupied sites; "
                "make it ordered first (pymatgen: OrderDisorderedStructureTransformation)"
            )
        return cls(
            positions=np.array(structure.cart_coords, dtype=np.float64),
            numbers=np.array(structure.atomic_numbers, dtype=np.int64),
            cell=np.array(structure.lattice.matrix, dtype=np.float64),
            periodic=np.array(structure.lattice.pbc, dtype=bool),
        )

    def to_pymatgen(self) -> "Structure":
        """This crystal as a pymatgen `Structure`."""
        from pymatgen.core.lattice import Lattice
        from pymatgen.core.structure import Structure

        a, b, c = self.periodic
        return Structure(
            Lattice(self.cell, pbc=(bool(a), bool(b), bool(c))),
            self.numbers.tolist(),
            self.positions,
            coords_are_cartesian=True,
        )


def _is_dummy(site: "PeriodicSite") -> bool:
    from pymatgen.core.periodic_table import DummySpecies

    return isinstance(site.specie, DummySpecies)
