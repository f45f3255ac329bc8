"""Which classes of a recipe look alike at which zone axis: each set of them is one appearance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from crystalvision.contracts import Crystal
from crystalvision.datasets import Column
from crystalvision_simulate.appearance._alike import Camera, look_alike
from crystalvision_simulate.appearance._spots import Scattering, ZoneSpots, zone_spots

ZoneAxis = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Appearances:
    """Zone axes of classes, those that look alike together.

    Attributes:
        names: Of each appearance, such as `fm3m+im3m [0 0 1]`.
        members: Names of the classes that look so.
        of: Number of the appearance of a label and a zone axis.
    """

    names: tuple[str, ...]
    members: tuple[tuple[str, ...], ...]
    of: Mapping[tuple[int, ZoneAxis], int]

    @property
    def column(self) -> Column:
        """What a dataset says of it."""
        shares = tuple(dict.fromkeys(each, 1 / len(each)) for each in self.members)
        return Column(
            dtype="int64",
            description="zone axis, and the classes whose ideal patterns look alike there",
            classes=self.names,
            label_shares=shares,
        )


def find_appearances(
    classes: Mapping[str, Sequence[Crystal]],
    zone_axes: Mapping[str, Sequence[ZoneAxis]],
    *,
    camera: Camera,
    thicknesses_angstrom: tuple[float, ...],
    energies_kev: tuple[float, ...],
    scattering: Scattering,
) -> Appearances:
    """Find which classes look alike at which zone axis.

    Two classes do at an axis if a crystal of one looks like a crystal of the other there (see
    `look_alike`), or if both look like a third.

    Args:
        classes: Ideal crystals of each class, by its name.
        zone_axes: Zone axes of each class, by its name.
        camera: What is seen.
        thicknesses_angstrom: Thicknesses that specimens have [Å].
        energies_kev: Energies of the beam [keV].
        scattering: See `zone_spots`.
    """
    names: list[str] = []
    members: list[tuple[str, ...]] = []
    of: dict[tuple[int, ZoneAxis], int] = {}
    labels = {name: label for label, name in enumerate(classes)}
    for axis in dict.fromkeys(axis for axes in zone_axes.values() for axis in axes):
        here = [name for name in classes if axis in zone_axes[name]]
        spots = {
            name: [
                _spots(one, axis, camera, thicknesses_angstrom, energies_kev, scattering)
                for one in classes[name]
            ]
            for name in here
        }
        for together in _merged(here, spots, camera):
            for name in together:
                of[labels[name], axis] = len(names)
            names.append(f"{'+'.join(together)} [{' '.join(map(str, axis))}]")
            members.append(tuple(together))
    return Appearances(tuple(names), tuple(members), of)


def _merged(
    names: Sequence[str], spots: Mapping[str, Sequence[ZoneSpots]], camera: Camera
) -> list[list[str]]:
    """The classes, those that look alike in one list."""
    group = {name: [name] for name in names}
    for one, other in combinations(names, 2):
        if group[one] is group[other]:
            continue
        if any(look_alike(mine, its, camera) for mine in spots[one] for its in spots[other]):
            joined = [name for name in names if name in {*group[one], *group[other]}]
            group |= dict.fromkeys(joined, joined)
    return [each for name, each in group.items() if each[0] == name]


def _spots(
    unit_cell: Crystal,
    zone_axis: ZoneAxis,
    camera: Camera,
    thicknesses_angstrom: tuple[float, ...],
    energies_kev: tuple[float, ...],
    scattering: Scattering,
) -> ZoneSpots:
    return zone_spots(
        unit_cell,
        zone_axis,
        reach_inv_angstrom=camera.reach_inv_angstrom,
        thicknesses_angstrom=thicknesses_angstrom,
        energies_kev=energies_kev,
        scattering=scattering,
    )
