"""How the measured degrees of two defects in one crystal combine, the first put in first.

Components of strain add, to first order, and so do densities of lines, and parts that are counted
over atoms whose number stays as it is: `operator.add`.
"""


def in_quadrature(one: float, other: float) -> float:
    """Root mean squares of independent displacements."""
    return float((one**2 + other**2) ** 0.5)


def of_those_left(one: float, other: float) -> float:
    """Fractions of the atoms that were still there: `(1 - one) (1 - other)` of them are left."""
    return 1 - (1 - one) * (1 - other)


def of_those_there(one: float, other: float) -> float:
    """Atoms added over those that were there, the first among them for the second."""
    return (1 + one) * (1 + other) - 1
