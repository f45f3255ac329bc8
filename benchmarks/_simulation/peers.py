"""The peers, driven as their users would at their best.

abTEM and diffsims are under the GPL: they are imported here alone, where they are installed
(`pip install "crystalvision[compare]"`).
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from itertools import product
from typing import Any

import numpy as np
from jaxtyping import Complex, Float

from _simulation.specimens import CELL_ANGSTROM
from crystalvision.contracts import Crystal

# h²/(2π mₑ e) [V Å²]: from the scattering factor [Å] to a projected potential (Kirkland 2010, 5.9).
_VOLT_ANGSTROM2 = 47.878009


def missing(*modules: str) -> str | None:
    """Which of these modules are not installed, in words."""
    absent = [name for name in modules if find_spec(name) is None]
    if not absent:
        return None
    return f"{', '.join(absent)} not installed"


@dataclass(frozen=True, slots=True)
class AbtemOptions:
    """How abTEM is run.

    Attributes:
        fft: Its FFT library: numpy, fftw or mkl.
        threads: Threads of that library.
        lazy: Whether Dask builds the potential and runs the multislice.
        device: cpu or gpu.
    """

    fft: str
    threads: int
    lazy: bool
    device: str = "cpu"


def abtem_choices(threads: int, device: str) -> list[AbtemOptions]:
    """Every way to run abTEM here that could be its fastest."""
    if device == "gpu":
        return [AbtemOptions("numpy", 1, lazy, device) for lazy in (False, True)]
    libraries = {"numpy": "numpy", "fftw": "pyfftw", "mkl": "mkl_fft"}
    installed = [name for name, module in libraries.items() if find_spec(module)]
    counts = sorted({1, threads})
    return [
        AbtemOptions(fft, count, lazy)
        for fft, count, lazy in product(installed, counts, (False, True))
        if fft != "numpy" or count == 1  # which has no threads
    ]


class Abtem:
    """abTEM's multislice of a crystal."""

    def __init__(
        self,
        crystal: Crystal,
        *,
        projection: str,
        grid: tuple[int, int],
        slice_thickness_angstrom: float,
        energy_kev: float,
    ) -> None:
        """Prepare.

        Args:
            crystal: The crystal, in an orthogonal cell.
            projection: `infinite`, its fast one, or `finite`.
            grid: Rows (y) and columns (x).
            slice_thickness_angstrom: Thickness of a slice [Å].
            energy_kev: Energy of the electrons [keV].
        """
        atoms: Any = crystal.to_ase()
        atoms.pbc = True
        atoms.wrap()
        self._atoms = atoms
        self._projection = projection
        self._grid = grid
        self._slice_thickness = slice_thickness_angstrom
        self._energy = energy_kev * 1e3

    def pattern(self, options: AbtemOptions) -> Float[np.ndarray, "h w"]:
        """Potential, multislice and the intensity of the pattern, q = 0 in the middle, (h, w)."""
        import abtem

        self._configure(options)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wave: Any = abtem.PlaneWave(energy=self._energy, device=options.device)
            wave = wave.multislice(self._potential(options.device), lazy=options.lazy)
            pattern = wave.diffraction_patterns(max_angle=None)
            if options.lazy:
                pattern = pattern.compute(progress_bar=False)
            pattern = pattern.to_cpu()
        intensity: Float[np.ndarray, "h w"] = np.asarray(pattern.array).T
        return intensity

    def structure_factors(self) -> Complex[np.ndarray, "h w"]:
        """F(q) of all slices together [Å], in FFT order, (h, w)."""
        self._configure(AbtemOptions("numpy", 1, lazy=False))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            slices: Any = self._potential("cpu").build(lazy=False)
        potential = np.asarray(slices.array, dtype=np.float64).sum(axis=0).T
        area = float(self._atoms.cell[0, 0] * self._atoms.cell[1, 1])
        factors: Complex[np.ndarray, "h w"] = np.fft.fft2(potential, norm="forward")
        return factors * (area / _VOLT_ANGSTROM2)

    def _potential(self, device: str) -> Any:
        import abtem

        return abtem.Potential(
            self._atoms,
            gpts=(self._grid[1], self._grid[0]),
            slice_thickness=self._slice_thickness,
            parametrization="lobato",
            projection=self._projection,
            device=device,
        )

    def _configure(self, options: AbtemOptions) -> None:
        import abtem

        abtem.config.set(
            {
                "fft": options.fft,
                "fftw.threads": options.threads,
                "mkl.threads": options.threads,
                "precision": "float32",
                "diagnostics.progress_bar": False,
            }
        )


def diffsims_reflections(
    crystal: Crystal, energy_kev: float, reach_inv_angstrom: float
) -> Callable[[], int]:
    """The sum of diffsims over reflections: what computes it, and returns their number.

    Reflections count up to half a period of the thickness from the Ewald sphere: about one for
    each point of our grid. What makes its structure is not part of it.
    """
    generators = import_module("diffsims.generators.simulation_generator")
    phase = import_module("orix.crystal_map").Phase(
        name="crystal", point_group="1", structure=_diffpy(crystal)
    )
    generator = generators.SimulationGenerator(energy_kev, scattering_params="lobato")

    def run() -> int:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            simulation = generator.calculate_diffraction2d(
                phase,
                reciprocal_radius=reach_inv_angstrom,
                max_excitation_error=0.5 / float(crystal.cell[2, 2]),
                with_direct_beam=False,
            )
        return len(simulation.coordinates.data)

    return run


def diffsims_atomic(
    crystal: Crystal, energy_kev: float, reach_inv_angstrom: float, *, fastest: bool
) -> Callable[[], Float[np.ndarray, "h w"]]:
    """The atomic generator of diffsims, which puts the atoms on a grid for an FFT.

    With atoms evaluated at the points (`pointwise=True`) it is faster still, but at this thickness
    of slices its pattern is wrong.

    Args:
        crystal: The crystal, in an orthogonal cell.
        energy_kev: Energy of the electrons [keV].
        reach_inv_angstrom: The pattern reaches this |q| [1/Å].
        fastest: Atoms to 1e-2 and slices two cells of β-Si₃N₄ thick, which change the pattern
            little, instead of its default of 1e-14 and slices of one cell.

    Returns:
        What computes the pattern, (h, w), q = 0 in the middle.
    """
    generators = import_module("diffsims.generators.diffraction_generator")
    probes = import_module("diffsims.utils.probe_utils")
    lengths = np.diag(crystal.cell)
    counts = [4 * int(np.ceil(length * 2 * reach_inv_angstrom / 4)) for length in lengths[:2]]
    mesh = [
        np.arange(count) * length / count for count, length in zip(counts, lengths[:2], strict=True)
    ]
    structure = _diffpy(crystal)
    generator = generators.AtomicDiffractionGenerator(energy_kev, mesh)
    options = {"ZERO": 1e-2} if fastest else {}
    slice_thickness = (2 if fastest else 1) * CELL_ANGSTROM
    plane_wave = probes.ProbeFunction(lambda mesh: np.ones(mesh.shape[:-1], dtype=mesh.dtype))

    def run() -> Float[np.ndarray, "h w"]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image: Float[np.ndarray, "w h"] = generator.calculate_ed_data(
                structure,
                plane_wave,
                slice_thickness,
                z_range=float(lengths[2]),
                dtype="float32",
                GPU=False,
                **options,
            )
        return image.T

    return run


def _diffpy(crystal: Crystal) -> Any:
    from ase.data import chemical_symbols

    diffpy = import_module("diffpy.structure")
    lengths = np.diag(crystal.cell)
    atoms = [
        diffpy.Atom(chemical_symbols[number], list(position / lengths))
        for number, position in zip(crystal.numbers, crystal.positions, strict=True)
    ]
    return diffpy.Structure(atoms=atoms, lattice=diffpy.Lattice(*lengths, 90, 90, 90))
