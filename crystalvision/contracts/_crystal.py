"""A crystal as plain arrays: a dataset makes billions of atoms, so no object per atom."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from jaxtyping import Bool, Float, Int

from crystalvision.errors import InputError

if TYPE_CHECKING:
    import ase
    from pymatgen.core.structure import Structure


@dataclass(frozen=True, slots=True, eq=False)
class Crystal:
    """Atoms in a cell.

    Attributes:
        positions: Cartesian positions [Å], (n, 3).
        numbers: Atomic numbers, (n,).
        cell: Cell vectors as rows [Å], (3, 3).
        periodic: Whether the crystal repeats along each cell vector, (3,).

    Raises:
        InputError: Arrays of the wrong shape, a value that is not finite, no atom at all, or a cell
            without volume.
    """

    positions: Float[np.ndarray, "n 3"]
    numbers: Int[np.ndarray, "n"]
    cell: Float[np.ndarray, "3 3"]
    periodic: Bool[np.ndarray, "3"]

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
        if not (np.isfinite(self.positions).all() and np.isfinite(self.cell).all()):
            raise InputError("Crystal.positions and Crystal.cell must be finite numbers [Å]")
        if abs(np.linalg.det(self.cell)) < 1e-6:
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
        return Crystal(positions, numbers, self.cell, self.periodic)

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
            InputError: The structure has sites with partial occupancy.
        """
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
