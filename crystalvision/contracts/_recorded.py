"""With what beam patterns were recorded, and how far they may lie beside their axes."""

from collections.abc import Iterable
from typing import Self

from crystalvision.config import Config
from crystalvision.x_rays import same_wavelength

Range = tuple[float, float]


class Recorded(Config):
    """How patterns were recorded, as their instrument states it of one, or their source of all.

    Attributes:
        energy_kev: Least and greatest energy of the beam [keV]; `None` where nobody stated it.
        radiation: Such as `x-rays`, where it is stated.
        wavelength_angstrom: Wavelength of X-rays, of Kα₁ where there are two, for an axis 2θ [Å].
        centre_px: How far the direct beam lies at most from where the axes say, along `q_y` and
            `q_x` [pixels]; a system that was trained on that is used to it.
        camera_length: How far, at most, the size of a pixel is from what the axes say, over it.
    """

    energy_kev: Range | None = None
    radiation: str | None = None
    wavelength_angstrom: float | None = None
    centre_px: tuple[float, float] = (0.0, 0.0)
    camera_length: float = 0.0

    @classmethod
    def join(cls, several: "Iterable[Recorded | None]") -> Self | None:
        """What holds for the samples of all; `None` where none of them is stated."""
        known = [each for each in several if each is not None]
        if not known:
            return None
        energies = [each.energy_kev for each in known if each.energy_kev is not None]
        radiations = sorted({each.radiation for each in known if each.radiation is not None})
        waves = [each.wavelength_angstrom for each in known]
        lines = [each for each in waves if each is not None]
        of_one_line = len(lines) == len(waves) and all(
            same_wavelength(each, lines[0]) for each in lines
        )
        rows, columns = zip(*(each.centre_px for each in known), strict=True)
        return cls(
            energy_kev=(min(low for low, _ in energies), max(high for _, high in energies))
            if energies
            else None,
            radiation=" and ".join(radiations) or None,
            wavelength_angstrom=min(lines) if of_one_line else None,
            centre_px=(max(rows), max(columns)),
            camera_length=max(each.camera_length for each in known),
        )
