"""The area that the beam illuminates and the detector sees."""

import numpy as np

from crystalvision.contracts import Specimen


def illuminated_area_angstrom2(specimen: Specimen) -> float:
    """The area that the fractions of a pattern refer to [Å²].

    That of the box, or what the aperture lets through: the integral of its squared amplitude. A
    dose of n electrons/Å² is n times that many electrons.
    """
    width, height, _ = specimen.box_angstrom
    aperture = specimen.aperture
    if aperture is None:
        return float(width * height)
    inner = max(0.0, (aperture.diameter_angstrom - aperture.edge_angstrom) / 2)
    outer = (aperture.diameter_angstrom + aperture.edge_angstrom) / 2
    nodes, weights = np.polynomial.legendre.leggauss(32)
    radii = inner + (nodes + 1) * ((outer - inner) / 2)
    ring = 2 * np.pi * radii * aperture.transmission(radii) ** 2 @ weights * ((outer - inner) / 2)
    return float(np.pi * inner**2 + ring)
