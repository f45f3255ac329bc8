"""Silicon nitride."""

from pydantic import PositiveFloat

from crystalvision.contracts import Crystal


def beta_silicon_nitride(
    a_angstrom: PositiveFloat = 7.608, c_angstrom: PositiveFloat = 2.911
) -> Crystal:
    """β-Si₃N₄, P6₃/m: cell parameters as measured at room temperature.

    Si 6h lies where Yang et al. refined it (Ceram. Int. 21, 137 (1995); AMCSD 0012186). Their N 6h
    at (0.329, 0.039), from a powder, spreads the Si–N bonds over 1.71–1.79 Å; the position taken
    here, 0.07 Å away, makes all of them 1.729–1.739 Å. It is 0.03 Å from (0.3337, 0.0323), refined
    from neutron diffraction (M. Billy et al., Mater. Res. Bull. 18, 921 (1983), as standardised in
    Landolt-Börnstein III/43A4).

    Args:
        a_angstrom: Cell parameter a [Å].
        c_angstrom: Cell parameter c [Å].

    Returns:
        The hexagonal cell: 6 Si and 8 N.
    """
    from ase.spacegroup import crystal

    return Crystal.from_ase(
        crystal(
            ["Si", "N", "N"],
            [(0.1742, 0.7678, 1 / 4), (0.3299, 0.0299, 1 / 4), (1 / 3, 2 / 3, 1 / 4)],
            spacegroup=176,
            cellpar=[a_angstrom, a_angstrom, c_angstrom, 90, 90, 120],
        )
    )


def alpha_silicon_nitride(
    a_angstrom: PositiveFloat = 7.766, c_angstrom: PositiveFloat = 5.615
) -> Crystal:
    """α-Si₃N₄, P31c: I. Kohatsu and J. W. McCauley, Mater. Res. Bull. 9, 917 (1974).

    As in AMCSD 0014238, but with every site full, where they refined occupancies of 0.96 to 1.

    Args:
        a_angstrom: Cell parameter a [Å].
        c_angstrom: Cell parameter c [Å].

    Returns:
        The hexagonal cell: 12 Si and 16 N.
    """
    from ase.spacegroup import crystal

    return Crystal.from_ase(
        crystal(
            ["Si", "Si", "N", "N", "N", "N"],
            [
                (0.5130, 0.4305, 0.6580),
                (0.1680, 0.9150, 0.4504),
                (0.6124, 0.9592, 0.4343),
                (0.3199, 0.0046, 0.7045),
                (2 / 3, 1 / 3, 0.6015),
                (0, 0, 0.4520),
            ],
            spacegroup=159,
            cellpar=[a_angstrom, a_angstrom, c_angstrom, 90, 90, 120],
        )
    )
