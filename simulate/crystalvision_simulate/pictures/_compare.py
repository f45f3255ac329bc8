"""What defects did to a crystal, seen from the atoms alone: which moved, changed, came or went.

No defect is known by name here, so a stranger's is told as well as ours.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.spatial import cKDTree

from crystalvision.contracts import Crystal, Specimen

_IN_ORDER = 0.1  # of the box: atoms that moved farther do not stand in the order of the sites
_ON_SITE = 0.4  # of the shortest distance: an atom farther from a site is not on it
_OFF_SITE = 0.6  # the same, for an atom's motion against that of its neighbours
_ABOUT = 1.6  # shortest distances: the surroundings of a site
_NEIGHBOURS = 8  # sites about a site whose motion is compared
_FIRST_REACH = 3.0  # shortest distances from the middle: where following the lattice begins
_ALL_ABOUT = 12  # sites about a site that it is followed by
_MORE = 1.01  # times as many atoms on sites: then following the lattice is right
_ENOUGH = 3  # of them that must be found before


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The atoms of a crystal with defects beside the sites of the ideal one.

    Attributes:
        sites: Where the ideal crystal has atoms [Å], (m, 3), the middles of both boxes laid on each
            other.
        elements: Atomic number that belongs on each site, (m,).
        site_of_atom: The site that each atom is on, -1 for an atom between the sites, (n,).
        moved: How far each atom lies from its site [Å], zero between the sites, (n, 3).
        substituted: Whether an atom is on a site of another element, (n,).
        vacant: Whether no atom is on a site, (m,).
        replaced: Whether a site is vacant because the atoms about it form another lattice, as in a
            twin, (m,).
    """

    sites: Float[np.ndarray, "m 3"]
    elements: Int[np.ndarray, "m"]
    site_of_atom: Int[np.ndarray, "n"]
    moved: Float[np.ndarray, "n 3"]
    substituted: Bool[np.ndarray, "n"]
    vacant: Bool[np.ndarray, "m"]
    replaced: Bool[np.ndarray, "m"]

    @property
    def between(self) -> Bool[np.ndarray, "n"]:
        """Whether an atom lies between the sites, (n,)."""
        return self.site_of_atom < 0


def compare(ideal: Crystal, specimen: Specimen) -> Comparison:
    """Find the site that each atom is on.

    Atoms that stand in the order of the sites are on those, however far a strain or a dislocation
    took them, unless one left its neighbours. Otherwise an atom is on the nearest site, or on that
    to which following the lattice from the middle leads, whichever finds more.
    """
    sites = ideal.positions + (specimen.box_angstrom - np.diag(ideal.cell)) / 2
    tree = cKDTree(sites)
    apart = _shortest_distance(tree)
    site_of_atom = _by_order(ideal, sites, specimen, apart)
    if site_of_atom is None:
        site_of_atom = _by_place(tree, specimen.positions, apart)
    on_site = site_of_atom >= 0
    chosen = site_of_atom[on_site]
    moved = np.zeros_like(specimen.positions)
    moved[on_site] = _shortest_way(ideal, specimen.positions[on_site] - sites[chosen])
    substituted = np.zeros(len(specimen.numbers), dtype=bool)
    substituted[on_site] = specimen.numbers[on_site] != ideal.numbers[chosen]
    vacant = np.ones(len(sites), dtype=bool)
    vacant[chosen] = False
    replaced = _replaced(sites, vacant, specimen.positions[~on_site], _ABOUT * apart)
    return Comparison(sites, ideal.numbers, site_of_atom, moved, substituted, vacant, replaced)


def _replaced(
    sites: Float[np.ndarray, "m 3"],
    vacant: Bool[np.ndarray, "m"],
    between: Float[np.ndarray, "k 3"],
    radius: float,
) -> Bool[np.ndarray, "m"]:
    """Vacant sites about which most are vacant, but atoms between the sites are nearly as many."""
    replaced = np.zeros_like(vacant)
    if vacant.any() and len(between):
        places = sites[vacant]
        all_about, vacant_about, atoms_about = (
            cKDTree(points).query_ball_point(places, radius, return_length=True)
            for points in (sites, places, between)
        )
        replaced[vacant] = (vacant_about > all_about / 2) & (atoms_about > vacant_about / 2)
    return replaced


def _shortest_distance(sites: cKDTree) -> float:
    """Shortest distance between sites [Å]."""
    if sites.n < 2:
        return 1.0
    distances, _ = sites.query(sites.data, k=2)
    return float(distances[:, 1].min())


def _shortest_way(ideal: Crystal, moved: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
    """Displacements, for atoms that left the box on one side and came in on the other as well."""
    box = np.where(ideal.periodic, np.diag(ideal.cell), np.inf)
    whole = np.rint(moved / box)
    return np.where(whole != 0, moved - whole * np.diag(ideal.cell), moved)


def _by_order(
    ideal: Crystal, sites: Float[np.ndarray, "m 3"], specimen: Specimen, apart: float
) -> Int[np.ndarray, "n"] | None:
    """The site of each atom if the order of the atoms is that of the sites, else `None`."""
    if len(specimen.positions) != len(sites):
        return None
    moved = _shortest_way(ideal, specimen.positions - sites)
    if np.linalg.norm(moved, axis=1).max() > _IN_ORDER * float(np.diag(ideal.cell).min()):
        return None
    site_of_atom = np.arange(len(sites))
    if len(sites) > _NEIGHBOURS:
        _, neighbours = cKDTree(sites).query(sites, k=_NEIGHBOURS + 1)
        against = moved - np.median(moved[neighbours[:, 1:]], axis=1)
        site_of_atom[np.linalg.norm(against, axis=1) > _OFF_SITE * apart] = -1
    return site_of_atom


def _by_place(
    sites: cKDTree, positions: Float[np.ndarray, "n 3"], apart: float
) -> Int[np.ndarray, "n"]:
    """The site that each atom is next to, if no other atom is nearer to it."""
    atoms = cKDTree(positions)
    plain = _pairs(sites, atoms, _ON_SITE * apart)
    found = int((plain >= 0).sum())
    if min(sites.n, atoms.n) <= _MORE * found:
        return plain  # no other way could find so many more
    followed = _followed(sites, atoms, apart)
    return followed if (followed >= 0).sum() > _MORE * found else plain


def _pairs(sites: cKDTree, atoms: cKDTree, reach: float) -> Int[np.ndarray, "n"]:
    """Sites and atoms that are each other's nearest, within a reach [Å]."""
    distance, site_of_atom = sites.query(atoms.data)
    _, atom_of_site = atoms.query(sites.data)
    mutual = atom_of_site[site_of_atom] == np.arange(atoms.n)
    return np.where(mutual & (distance < reach), site_of_atom, -1)


def _followed(site_tree: cKDTree, atoms: cKDTree, apart: float) -> Int[np.ndarray, "n"]:
    """The site of each atom, found from the middle outwards as one follows a lattice.

    An atom is looked for where the neighbours of its site have moved to, so that strains and
    dislocations may take it farther than to the next site.
    """
    sites, positions = np.asarray(site_tree.data), np.asarray(atoms.data)
    middle = (positions.min(axis=0) + positions.max(axis=0)) / 2
    site_of_atom = _pairs(site_tree, atoms, _ON_SITE * apart)
    far = np.linalg.norm(positions - middle, axis=1) > _FIRST_REACH * apart
    site_of_atom[far] = -1
    if len(sites) <= _ALL_ABOUT or (site_of_atom >= 0).sum() < _ENOUGH:
        return site_of_atom
    neighbours = site_tree.query(sites, k=_ALL_ABOUT + 1)[1][:, 1:]
    moved = np.full(sites.shape, np.nan)
    found = np.flatnonzero(site_of_atom >= 0)
    while len(found):
        moved[site_of_atom[found]] = positions[found] - sites[site_of_atom[found]]
        known = ~np.isnan(moved[:, 0])
        front = np.flatnonzero(~known & (known[neighbours].sum(axis=1) >= _ENOUGH))
        if not len(front):
            break
        expected = sites[front] + np.nanmedian(moved[neighbours[front]], axis=1)
        distance, atom = atoms.query(expected)
        # Nearest first, so that of two sites that ask for an atom the better gets it.
        order = np.argsort(distance)
        order = order[(distance[order] < _ON_SITE * apart) & (site_of_atom[atom[order]] < 0)]
        found, first = np.unique(atom[order], return_index=True)
        site_of_atom[found] = front[order[first]]
    return site_of_atom
