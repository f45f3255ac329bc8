"""A fit as the user is told of it: shares, cells, widths, marks, and what is at an end."""

from collections.abc import Iterator, Sequence, Set

import numpy as np
from ase.geometry import cell_to_cellpar
from jaxtyping import Float

from crystalvision.samples import RefinedPart, Refinement
from crystalvision_simulate.powder._fit import Fitter
from crystalvision_simulate.powder._lines import Lines
from crystalvision_simulate.powder._model import Geometry, Shape, places_deg
from crystalvision_simulate.powder._phase import Candidate
from crystalvision_simulate.powder._search import Search

_MARKED = 2e-3  # of the strongest line
_SEARCHED = {"zero_shift_deg": "zero", "k_alpha_2_share": "second"}


def refinement_of(phases: Sequence[Candidate], fitter: Fitter, search: Search) -> Refinement:
    """What a search of some phases found, the phase with the greatest share first."""
    fitted = fitter.result(search)
    weights = weights_of(phases, fitted.scales)
    at_end = search.at_ends()
    parts = [
        RefinedPart(
            phase.name,
            float(weights[place]),
            _parameters(phase, lines, shape, float(fitted.scales[place]), fitter.geometry),
            fitted.phases[place][None],
            marks_of(lines, shape, fitter.geometry),
            tuple(_at_bounds(phase, at_end.get(place, set()) | at_end.get(-1, set()))),
        )
        for place, (phase, lines, shape) in enumerate(
            zip(phases, search.lines, fitted.shapes, strict=True)
        )
    ]
    parts.sort(key=lambda part: -part.weight_fraction)
    shape = fitted.shapes[0]
    shared = {"zero_shift_deg": shape.zero_shift_deg}
    if len(fitter.geometry.wavelengths_angstrom) > 1:
        shared["k_alpha_2_share"] = shape.second_share
    return Refinement(
        tuple(parts),
        fitter.measured.residual(fitted.calculated),
        fitted.misfit,
        shared,
        fitted.calculated[None],
        fitted.background[None],
        tuple(name for name in shared if _SEARCHED[name] in at_end.get(-1, set())),
    )


def weights_of(
    phases: Sequence[Candidate], scales: Float[np.ndarray, "p"]
) -> Float[np.ndarray, "p"]:
    """Shares by weight, (p,): volumes times densities."""
    mass = scales * np.array([phase.density for phase in phases])
    return np.asarray(mass / max(float(mass.sum()), 1e-300))


def marks_of(lines: Lines, shape: Shape, geometry: Geometry) -> Float[np.ndarray, "m"]:
    """2θ of the lines of a phase that can be seen [degree], (m,)."""
    axis = geometry.two_theta
    place = places_deg(lines, shape, geometry.wavelengths_angstrom[0])
    seen = lines.intensity / np.square(lines.length_inv_angstrom)
    ends = axis.offset, axis.offset + axis.scale * (axis.size - 1)
    shown = (place >= ends[0]) & (place <= ends[1]) & (seen > _MARKED * seen.max(initial=0.0))
    return np.asarray(place[shown])


def _parameters(
    phase: Candidate, lines: Lines, shape: Shape, scale: float, geometry: Geometry
) -> dict[str, float]:
    cell = phase.crystal.cell @ (np.eye(3) + np.tensordot(shape.strain, lines.tensors, axes=1))
    middle = np.array([float(np.median(marks_of(lines, shape, geometry)))])
    width, _ = shape.widths.of(middle, geometry.wavelengths_angstrom[0])
    return {
        "scale": scale,
        **_cell_parameters(_cellpar(cell)),
        "width_deg": float(width[0]),
        "thermal_rms_angstrom": shape.thermal_rms_angstrom,
    }


def _at_bounds(phase: Candidate, at_end: Set[str]) -> Iterator[str]:
    """Names of a part's parameters that are at an end of what a fit allows."""
    if not at_end.isdisjoint({"stretch", "strain"}):
        yield from _cell_parameters(_cellpar(phase.crystal.cell))
    if "gauss" in at_end:
        yield "width_deg"
    if "thermal" in at_end:
        yield "thermal_rms_angstrom"


def _cellpar(cell: Float[np.ndarray, "3 3"]) -> list[float]:
    found: list[float] = cell_to_cellpar(cell).tolist()  # type: ignore[no-untyped-call] # ASE has no types
    return found


def _cell_parameters(cellpar: Sequence[float]) -> dict[str, float]:
    """Lengths and angles of a cell by name, without lengths that repeat and right angles."""
    lengths = dict(zip(("a_angstrom", "b_angstrom", "c_angstrom"), cellpar[:3], strict=True))
    angles = dict(zip(("alpha_deg", "beta_deg", "gamma_deg"), cellpar[3:], strict=True))
    kept: dict[str, float] = {}
    for name, value in lengths.items():
        if not any(abs(value - other) < 1e-6 * value for other in kept.values()):
            kept[name] = value
    return kept | {name: value for name, value in angles.items() if abs(value - 90) > 1e-6}
