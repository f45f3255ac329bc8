"""From crystal to pattern: defects, specimens, beams, renderers."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Self

import numpy as np
import torch
from jaxtyping import Float, Int

from crystalvision.contracts._axes import Axis
from crystalvision.contracts._crystal import Crystal
from crystalvision.errors import InputError

Quantity = Literal["fraction", "intensity"]
"""What the numbers of a pattern are: fractions of the beam, which can be counted, or others."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A number that a part gives of each sample: a column of the dataset.

    Attributes:
        name: Of the column, with its unit: `vacancy_fraction`, `displacement_rms_angstrom`.
        units: Such as `angstrom`; `1` for a pure number.
        description: What it is, in a line.
        combine: The value of two defects of one class that both measure it, from the value of
            each, the first put in first; `None` where there is no such thing.
    """

    name: str
    units: str = "1"
    description: str = ""
    combine: Callable[[float, float], float] | None = None


@dataclass(frozen=True, slots=True)
class DefectiveCrystal:
    """A crystal after a defect was put in.

    Attributes:
        crystal: The crystal with the defect.
        degree: What was measured on it, by name with its unit (`vacancy_fraction`,
            `displacement_rms_angstrom`): drawn values, not the ones asked for.
    """

    crystal: Crystal
    degree: Mapping[str, float] = field(default_factory=dict)


class Defect(ABC):
    """Puts one kind of defect into a crystal.

    Defects of one crystal are put in by their `stage`, so that the order in which a recipe lists
    them does not matter to what they mean: first what makes another lattice of it (a twin), then
    what changes its atoms (vacancies, strain, dislocations, displacements), then what moves with
    time (thermal vibration), which is drawn anew for every configuration that a renderer averages
    over. Within a stage the order is the recipe's. `measures` says what the defect measures: a
    dataset has a column for each. What is drawn for its options is kept only where it measures
    nothing.
    """

    stage: ClassVar[Literal["lattice", "atoms", "motion"]] = "atoms"
    measures: ClassVar[tuple[Measure, ...]] = ()

    @abstractmethod
    def apply(self, crystal: Crystal, rng: np.random.Generator) -> DefectiveCrystal:
        """Return `crystal` with the defect, and its measured degree. Never changes `crystal`.

        Raises:
            InputError: The defect makes no sense in this crystal.
        """


@dataclass(frozen=True, slots=True)
class Aperture:
    """A round selected-area aperture with a soft edge, in the middle of the box.

    Attributes:
        diameter_angstrom: Where it lets half of the amplitude through [Å].
        edge_angstrom: Width over which the amplitude falls from one to zero, as a cosine [Å].
    """

    diameter_angstrom: float
    edge_angstrom: float

    def transmission(
        self, distance_angstrom: Float[np.ndarray, "*shape"]
    ) -> Float[np.ndarray, "*shape"]:
        """Amplitude that is let through at this distance from the middle [Å]."""
        inwards = (self.diameter_angstrom / 2 - distance_angstrom) / self.edge_angstrom + 0.5
        amplitude: Float[np.ndarray, "*shape"] = 0.5 - 0.5 * np.cos(
            np.pi * np.clip(inwards, 0.0, 1.0)
        )
        return amplitude


@dataclass(frozen=True, slots=True, eq=False)
class Specimen:
    """Atoms as the beam meets them: an orthogonal box with the beam along +z.

    Attributes:
        positions: Cartesian positions [Å], (n, 3), columns x, y, z.
        numbers: Atomic numbers, (n,).
        box_angstrom: Lengths of the box along x, y, z [Å], (3,).
        aperture: What the beam passes behind the specimen; `None` for the whole box.

    A renderer takes the box as periodic across the beam (x and y). A crystal that does not repeat
    there needs an aperture, well within the box, which hides the seam. A renderer images x along
    the columns of a pattern (q_x) and y along its rows (q_y).
    """

    positions: Float[np.ndarray, "n 3"]
    numbers: Int[np.ndarray, "n"]
    box_angstrom: Float[np.ndarray, "3"]
    aperture: Aperture | None = None

    def __post_init__(self) -> None:
        if not (np.asarray(self.box_angstrom) > 0).all():
            raise InputError(
                f"a specimen's box must have positive lengths, not {self.box_angstrom}"
            )

    @property
    def thickness_angstrom(self) -> float:
        """Length of the box along the beam [Å]."""
        return float(self.box_angstrom[2])


@dataclass(frozen=True, slots=True)
class Beam:
    """A parallel beam, of electrons unless a renderer says that it takes X-rays.

    Attributes:
        energy_kev: Kinetic energy of an electron, or energy of a photon [keV].
        mistilt_x_mrad: Tilt of the crystal from the zone axis, along x [mrad].
        mistilt_y_mrad: The same along y [mrad].
    """

    energy_kev: float
    mistilt_x_mrad: float = 0.0
    mistilt_y_mrad: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """What a renderer gives of one sample, on axes of its own.

    Attributes:
        intensity: Of each point of the grid, (c, *grid). A fraction of the beam is one of all that
            hits the box, or of all that would pass the aperture were there no specimen.
        axes: One for each dimension of the grid, such as `q_y` and `q_x`, or `two_theta`.
        band_limit: The pattern is exact up to this distance from zero on its axes, and says nothing
            beyond it [units of the axes].
        area_angstrom2: The area of the specimen that fractions refer to [Å²]. The toolkit fills it
            in from the specimen.
    """

    intensity: Float[torch.Tensor, "c *grid"]
    axes: tuple[Axis, ...]
    band_limit: float = float("inf")
    area_angstrom2: float = float("nan")

    @classmethod
    def diffraction(
        cls,
        intensity: Float[torch.Tensor, "c h w"],
        sampling_inv_angstrom: tuple[float, float],
        direct_beam: tuple[int, int],
        band_limit_inv_angstrom: float,
    ) -> Self:
        """A pattern across the beam, on the axes q_y and q_x.

        Args:
            intensity: (c, h, w).
            sampling_inv_angstrom: Distance between grid points along q_y and q_x [1/Å].
            direct_beam: Row and column of q = 0.
            band_limit_inv_angstrom: It is exact up to this |q| [1/Å] and zero beyond it.
        """
        named = zip(
            ("q_y", "q_x"), intensity.shape[1:], sampling_inv_angstrom, direct_beam, strict=True
        )
        axes = tuple(
            Axis(name=name, size=size, scale=step, offset=-place * step)
            for name, size, step, place in named
        )
        return cls(intensity, axes, band_limit_inv_angstrom)

    @property
    def sampling_inv_angstrom(self) -> tuple[float, float]:
        """Distance between grid points along q_y and q_x [1/Å], of a pattern across the beam."""
        rows, columns = self.axes
        return rows.scale, columns.scale

    @property
    def direct_beam(self) -> tuple[int, int]:
        """Row and column nearest to q = 0, of a pattern across the beam."""
        rows, columns = (round(-axis.offset / axis.scale) for axis in self.axes)
        return rows, columns


@dataclass(frozen=True, slots=True)
class SpecimenSize:
    """How large a specimen will be, before it is made.

    Attributes:
        box_angstrom: Lengths of the box along x, y, z [Å].
        atoms: Number of atoms, about.
        elements: Number of elements.
    """

    box_angstrom: tuple[float, float, float]
    atoms: float
    elements: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What work takes, about: on one core of a CPU, in single precision.

    Attributes:
        memory_bytes: At its fullest [byte].
        seconds: Time [s].
    """

    memory_bytes: float
    seconds: float


class Renderer(ABC):
    """Turns specimens into calibrated patterns, of any number of dimensions.

    Attributes:
        quantity: What its patterns hold: a `fraction` of the beam in each point, which a detector
            counts, or an `intensity` on a scale of its own.
        option_columns: What is kept of its options; see `Instrument.option_columns`.
        radiation: What `Beam.energy_kev` is the energy of, such as `electrons` or `x-rays`.
    """

    quantity: ClassVar[Quantity] = "fraction"
    radiation: str = "electrons"
    option_columns: Mapping[str, Measure] = {}

    @abstractmethod
    def render(
        self,
        specimens: Sequence[Sequence[Specimen]],
        beams: Sequence[Beam],
        *,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
    ) -> list[Pattern]:
        """Render a batch.

        Args:
            specimens: For each pattern, its configurations: specimens that differ only by dynamic
                defects. Their intensities are averaged.
            beams: One beam a pattern.
            device: Where to compute.
            dtype: `torch.float32`, or `torch.float64` for reference results.

        Returns:
            One pattern each, in order, the same as single calls would give.
        """

    def cost(self, size: SpecimenSize) -> Cost | None:
        """What rendering one configuration takes, from its size alone.

        Asked before work starts, so that what cannot fit into memory is refused. `None`, the
        default: unknown, and nothing is refused.
        """
        del size
        return None
