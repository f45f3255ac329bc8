"""Settings of a recipe: the detector."""

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from crystalvision.config import Config
from crystalvision_simulate.recipes._distribution import Quantity, above, at_least, at_most, between

if TYPE_CHECKING:  # the detector needs torch, which takes seconds to import
    from crystalvision_simulate.detector import Exposure

_GREATEST_DOSE = 1e12  # far beyond any exposure, and within what a Poisson number can be drawn for
_GREATEST_DARK = 1e9
_GREATEST_POINT_SPREAD = 50.0
_MTF_REACH = 1.5  # Nyquist frequencies; the corner of the spectrum is at 1.41


class DetectorSettings(Config):
    """What the detector counts.

    Attributes:
        kind: A `counting` detector registers each electron once, off by the point spread, so its
            counts are independent; an `integrating` one (scintillator and CCD) spreads the signal
            of each electron, so the noise of neighbours is correlated.
        dose_electrons: Electrons that hit the specimen, or that would pass its aperture were there
            no specimen, while a pattern is taken.
        dose_electrons_per_angstrom2: Instead, electrons for each Å² of the box or the aperture.
        point_spread_px: Standard deviation of a Gaussian point spread [pixel].
        mtf: Modulation transfer function as measured with a knife edge, instead: points [frequency
            in Nyquist frequencies, value] from [0, 1] to a frequency of 1 or more, at most the
            sinc(u/2) of a perfect pixel.
        inelastic_fraction: Part of the electrons that lost energy in the specimen.
        inelastic_half_width_inv_angstrom: q_E of the Lorentzian that they spread over [1/Å].
        inelastic_cutoff_inv_angstrom: Where that ends [1/Å].
        beam_stop_radius_inv_angstrom: Radius of the stop before the direct beam [1/Å]; 0 for none.
        beam_stop_arm_width_inv_angstrom: Width of the arm that holds it [1/Å]; 0 for none.
        beam_stop_arm_angle_deg: Where the arm points to on the detector, from the x axis to the y
            axis [°].
        mask_radius_inv_angstrom: Counts within this |q| are set to zero after reading [1/Å].
        gain_counts_per_electron: Mean of what one electron adds [count].
        gain_spread: Standard deviation of that, relative to its mean.
        offset_counts: A constant that every pixel starts from [count].
        dark_counts: Mean of what a pixel gets without electrons, Poisson distributed [count].
        read_noise_counts: Standard deviation of the noise of reading a pixel [count].
        bit_depth: Bits of a count; a pixel saturates at 2^bits - 1.
    """

    kind: Literal["counting", "integrating"] = "counting"
    dose_electrons: Quantity | None = Quantity(1e4)
    dose_electrons_per_angstrom2: Quantity | None = None
    point_spread_px: Quantity = Quantity(0.0)
    mtf: tuple[tuple[float, float], ...] = ()
    inelastic_fraction: Quantity = Quantity(0.0)
    inelastic_half_width_inv_angstrom: float = Field(default=0.0028, ge=1e-6, le=10)
    inelastic_cutoff_inv_angstrom: float = Field(default=0.40, gt=0, le=10)
    beam_stop_radius_inv_angstrom: float = Field(default=0.0, ge=0, le=10)
    beam_stop_arm_width_inv_angstrom: float = Field(default=0.0, ge=0, le=10)
    beam_stop_arm_angle_deg: Quantity = Quantity(0.0)
    mask_radius_inv_angstrom: float = Field(default=0.0, ge=0, le=10)
    gain_counts_per_electron: Quantity = Quantity(1.0)
    gain_spread: float = Field(default=0.0, ge=0, le=2)
    offset_counts: float = Field(default=0.0, ge=0, le=1e9, allow_inf_nan=False)
    dark_counts: Quantity = Quantity(0.0)
    read_noise_counts: float = Field(default=0.0, ge=0, le=1e9, allow_inf_nan=False)
    bit_depth: Literal[8, 10, 12, 14, 16] = 16

    @model_validator(mode="before")
    @classmethod
    def _one_dose(cls, data: Any) -> Any:
        """A dose for each Å² takes the place of the default."""
        if isinstance(data, Mapping) and data.get("dose_electrons_per_angstrom2") is not None:
            return {"dose_electrons": None, **data}
        return data

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._check_doses()
        self._check_point_spread()
        at_least(self.inelastic_fraction, 0, "inelastic_fraction")
        at_most(self.inelastic_fraction, 1, "inelastic_fraction")
        if self.inelastic_cutoff_inv_angstrom <= self.inelastic_half_width_inv_angstrom:
            raise ValueError(
                f"inelastic_cutoff_inv_angstrom is {self.inelastic_cutoff_inv_angstrom:g}; "
                "expected more than inelastic_half_width_inv_angstrom, "
                f"{self.inelastic_half_width_inv_angstrom:g}"
            )
        above(self.gain_counts_per_electron, 0, "gain_counts_per_electron")
        at_most(self.gain_counts_per_electron, 1e6, "gain_counts_per_electron")
        between(self.beam_stop_arm_angle_deg, 36_000, "beam_stop_arm_angle_deg")
        at_least(self.dark_counts, 0, "dark_counts")
        at_most(self.dark_counts, _GREATEST_DARK, "dark_counts")
        return self

    def _check_doses(self) -> None:
        names = ("dose_electrons", "dose_electrons_per_angstrom2")
        doses = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        if len(doses) != 1:
            if doses:
                raise ValueError(f"{names[0]} and {names[1]} are both given; set one to null")
            raise ValueError(f"{names[0]} and {names[1]} are both null; give one of them")
        ((name, dose),) = doses.items()
        above(dose, 0, name)
        at_most(dose, _GREATEST_DOSE, name)

    def _check_point_spread(self) -> None:
        at_least(self.point_spread_px, 0, "point_spread_px")
        at_most(self.point_spread_px, _GREATEST_POINT_SPREAD, "point_spread_px")
        if not self.mtf:
            return
        if max(self.point_spread_px.ends) > 0:
            raise ValueError("point_spread_px and mtf are both given; an MTF is the point spread")
        _check_mtf(self.mtf)

    def exposure(self, drawn: Mapping[str, float], area_angstrom2: float) -> "Exposure":
        """The exposure that these settings and drawn numbers describe.

        Args:
            drawn: A number for each setting that may be a distribution, by name.
            area_angstrom2: What the beam illuminates (`detector.illuminated_area_angstrom2`) [Å²].
        """
        from crystalvision_simulate.detector import BeamStop, Exposure, Inelastic, Readout

        if self.dose_electrons is None:
            dose = drawn["dose_electrons_per_angstrom2"] * area_angstrom2
        else:
            dose = drawn["dose_electrons"]
        return Exposure(
            dose_electrons=dose,
            kind=self.kind,
            point_spread_px=drawn["point_spread_px"],
            mtf=self.mtf,
            inelastic=Inelastic(
                fraction=drawn["inelastic_fraction"],
                half_width_inv_angstrom=self.inelastic_half_width_inv_angstrom,
                cutoff_inv_angstrom=self.inelastic_cutoff_inv_angstrom,
            ),
            beam_stop=BeamStop(
                radius_inv_angstrom=self.beam_stop_radius_inv_angstrom,
                arm_width_inv_angstrom=self.beam_stop_arm_width_inv_angstrom,
                arm_angle_deg=drawn["beam_stop_arm_angle_deg"],
            ),
            mask_radius_inv_angstrom=self.mask_radius_inv_angstrom,
            readout=Readout(
                gain_counts_per_electron=drawn["gain_counts_per_electron"],
                gain_spread=self.gain_spread,
                offset_counts=self.offset_counts,
                dark_counts=drawn["dark_counts"],
                read_noise_counts=self.read_noise_counts,
                bit_depth=self.bit_depth,
            ),
        )


def _check_mtf(mtf: tuple[tuple[float, float], ...]) -> None:
    """Raise ValueError if a table is no MTF that a detector of square pixels can have."""
    frequencies = [frequency for frequency, _ in mtf]
    rising = all(low < high for low, high in pairwise(frequencies))
    if mtf[0] != (0.0, 1.0) or not rising or not 1 <= frequencies[-1] <= _MTF_REACH:
        listed = ", ".join(f"[{frequency:g}, {value:g}]" for frequency, value in mtf)
        raise ValueError(
            f"mtf is [{listed}]; expected rising frequencies, from [0, 1] to between 1 and "
            f"{_MTF_REACH:g} Nyquist frequencies"
        )
    for frequency, value in mtf:
        perfect = float(np.sinc(frequency / 2))
        if not 0 <= value <= perfect + 1e-3:
            raise ValueError(
                f"mtf is {value:g} at {frequency:g} of the Nyquist frequency; expected 0 to "
                f"{perfect:.3f}, that of a perfect pixel"
            )
