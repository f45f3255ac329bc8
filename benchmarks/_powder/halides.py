"""Halide perovskites and their relatives, from prototypes: what films of solar cells are made of.

Places of atoms are those of the prototypes (perovskite, its tilted form of I4/mcm, elpasolite,
Cs₃Bi₂Br₉ and Cs₃Cr₂Cl₉), or ideal where a prototype leaves them free; cells are as the literature
has them at room temperature, to about 0.3 %, those of mixed halides between them by Vegard's rule.
Methylammonium and formamidinium are drawn as atoms with as many electrons, K⁺ and Cr, because
reflections of heavy atoms hide them.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from pymatgen.core import Lattice, Structure

_IONS = {"MA": "K", "FA": "Cr"}
_MIXED = (0.0, 0.25, 0.5, 0.75, 1.0)

_CUBIC = {  # A, B, X → a [Å]
    ("MA", "Pb"): {"I": 6.33, "Br": 5.93, "Cl": 5.68},
    ("FA", "Pb"): {"I": 6.36, "Br": 5.99},
    ("Cs", "Pb"): {"I": 6.29, "Br": 5.87, "Cl": 5.60},
    ("MA", "Sn"): {"I": 6.24, "Br": 5.90},
    ("FA", "Sn"): {"I": 6.32, "Br": 6.03},
    ("Cs", "Sn"): {"I": 6.21, "Br": 5.80},
}
_TILTED = {  # a and c [Å]
    ("MA", "Pb"): {"I": (8.86, 12.66), "Br": (8.32, 11.83)},
    ("MA", "Sn"): {"I": (8.77, 12.43)},
}
_ELPASOLITE = {("Cs", "Bi"): {"Br": 11.27, "Cl": 10.78}, ("Cs", "In"): {"Cl": 10.48}}
_LAYERED = {
    ("Cs", "Bi"): {"Br": (7.97, 9.87)},
    ("Cs", "Sb"): {"I": (8.42, 10.39), "Br": (7.93, 9.72)},
    ("Rb", "Sb"): {"Br": (7.71, 9.46)},
    ("MA", "Bi"): {"Br": (8.19, 10.02)},
}
_DIMERS = {
    ("Cs", "Bi"): {"I": (8.41, 21.18)},
    ("Cs", "Sb"): {"I": (8.35, 20.90)},
    ("MA", "Bi"): {"I": (8.57, 21.74)},
}


def halides() -> Iterator[dict[str, Any]]:
    """Lines for `candidates.json_lines`."""
    for kinds, build in (
        (_CUBIC, _perovskite),
        (_TILTED, _tilted),
        (_ELPASOLITE, _elpasolite),
        (_LAYERED, _layered),
        (_DIMERS, _dimers),
    ):
        for (a, b), cells in kinds.items():
            for halide, cell in _between(cells):
                structure, number = build(_IONS.get(a, a), b, halide, cell)
                yield _line(structure, number, f"{a}{b}{''.join(halide)}")


def _between(cells: dict[str, Any]) -> Iterator[tuple[dict[str, float], tuple[float, ...]]]:
    """Halides with their shares, and the cell of each: of one alone, and mixed with the next."""
    known = {name: cell if isinstance(cell, tuple) else (cell,) for name, cell in cells.items()}
    names = list(known)
    if len(names) == 1:
        yield {names[0]: 1.0}, known[names[0]]
    for first, second in pairwise(names):
        for share in _MIXED:
            mixed = {first: 1 - share, second: share}
            ends = zip(known[first], known[second], strict=True)
            cell = tuple((1 - share) * one + share * other for one, other in ends)
            yield {name: part for name, part in mixed.items() if part}, cell


def _perovskite(a: str, b: str, x: dict[str, float], cell: tuple[float, ...]) -> tuple[Any, int]:
    places = [[0.5, 0.5, 0.5], [0, 0, 0], [0.5, 0, 0]]
    return _made("Pm-3m", Lattice.cubic(*cell), [a, b, x], places), 221


def _tilted(a: str, b: str, x: dict[str, float], cell: tuple[float, ...]) -> tuple[Any, int]:
    places = [[0, 0.5, 0.25], [0, 0, 0], [0, 0, 0.25], [0.215, 0.715, 0]]
    return _made("I4/mcm", Lattice.tetragonal(*cell), [a, b, x, x], places), 140


def _elpasolite(a: str, b: str, x: dict[str, float], cell: tuple[float, ...]) -> tuple[Any, int]:
    places = [[0.25, 0.25, 0.25], [0, 0, 0], [0.5, 0.5, 0.5], [0.25, 0, 0]]
    return _made("Fm-3m", Lattice.cubic(*cell), [a, b, "Ag", x], places), 225


def _layered(a: str, b: str, x: dict[str, float], cell: tuple[float, ...]) -> tuple[Any, int]:
    third = [1 / 3, 2 / 3]
    places = [[0, 0, 0], [*third, 0.67], [*third, 0.19], [0.5, 0, 0], [0.165, -0.165, 0.335]]
    return _made("P-3m1", Lattice.hexagonal(*cell), [a, a, b, x, x], places), 164


def _dimers(a: str, b: str, x: dict[str, float], cell: tuple[float, ...]) -> tuple[Any, int]:
    third = [1 / 3, 2 / 3]
    places = [[0, 0, 0.25], [*third, 0.075], [*third, 0.847], [0.505, 1.01, 0.25]]
    places.append([0.835, 1.67, 0.08])
    return _made("P6_3/mmc", Lattice.hexagonal(*cell), [a, a, b, x, x], places), 194


def _made(symbol: str, lattice: Lattice, species: list[Any], places: list[list[float]]) -> Any:
    return Structure.from_spacegroup(symbol, lattice, species, places, tol=0.01)


def _line(structure: Any, number: int, formula: str) -> dict[str, Any]:
    return {
        "formula": formula,
        "space_group": number,
        "lattice": list(structure.lattice.parameters),
        "sites": [
            [
                [[str(kind), share] for kind, share in site.species.items()],
                *site.frac_coords.tolist(),
            ]
            for site in structure
        ],
    }
