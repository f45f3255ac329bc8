"""How the measured degrees of several defects in one crystal combine."""


def combine(name: str, one: float, other: float) -> float:
    """The degree of two independent defects with the same measure, one put in after the other.

    Root mean squares (`…_rms_angstrom`) add in quadrature. Components of strain (`strain_…`) add,
    to first order, and so do densities of lines (`…_inv_angstrom2`) and `substitution_fraction`,
    which counts replacements over a number of atoms that stays as it is. The second interstitials
    are counted over atoms that include the first. Any other fraction, of the atoms that were still
    there, leaves `(1 - one) (1 - other)` of them.

    Args:
        name: The measure.
        one: Degree of the first.
        other: Degree of the second.

    Raises:
        ValueError: It is none of these.
    """
    if name.endswith("_rms_angstrom"):
        return float((one**2 + other**2) ** 0.5)
    if name.startswith("strain_") or name.endswith("_inv_angstrom2"):
        return one + other
    if name == "substitution_fraction":
        return one + other
    if name == "interstitial_fraction":
        return (1 + one) * (1 + other) - 1
    if name.endswith("_fraction"):
        return 1 - (1 - one) * (1 - other)
    raise ValueError(f"two defects of one class both measure {name}, which cannot be combined")
