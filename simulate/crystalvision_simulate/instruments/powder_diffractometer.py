"""The powder diffractometer: peaks over 2θ, their shapes and places, background, and counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, NamedTuple, Self

import numpy as np
import torch
from jaxtyping import Float

from crystalvision.contracts import Axis, Instrument, Measure, Pattern, Recorded, Recording
from crystalvision.errors import InputError
from crystalvision.x_rays import K_ALPHA_ANGSTROM
from crystalvision_simulate.instruments._checks import check_between, check_positive
from crystalvision_simulate.powder import Widths, peaks

Anode = Literal["Cr", "Fe", "Co", "Cu", "Mo", "Ag"]

_LARGE_ANGSTROM = 1e5  # grains that broaden no peak
_CAVEAT = (
    "Powder patterns are those of a thin, flat, evenly illuminated specimen in reflection: no "
    "absorption, no roughness, no fluorescence, no Kβ and no filter's edge."
)
_MEASURES = (
    Measure("peak_counts", "count", "counts of the strongest step, without background"),
    Measure("background_counts", "count", "constant part of the background, of one step"),
    Measure("hump_counts", "count", "height of the amorphous hump, of one step"),
    Measure("size_angstrom", "angstrom", "size of crystallites by Scherrer's equation"),
    Measure("microstrain", "1", "relative spread of lattice spacings"),
    Measure("zero_shift_deg", "degree", "error of the zero of 2θ"),
    Measure("displacement_mm", "mm", "how far the specimen lies above the focusing circle"),
)


@dataclass(frozen=True, kw_only=True)
class PowderDiffractometer(Instrument):
    """A diffractometer in Bragg-Brentano geometry.

    Attributes:
        two_theta_min_deg: First step [degree].
        two_theta_max_deg: Last step, or the last that whole steps reach [degree].
        step_deg: Step [degree].
        anode: Whose Kα lines; ignored where a wavelength is given.
        wavelength_angstrom: The one wavelength of a synchrotron or a monochromator [Å], instead.
        k_alpha_2_share: Intensity of Kα₂ relative to Kα₁; 0 behind a good monochromator.
        monochromator_deg: 2θ of a crystal monochromator [degree]; 0 for none.
        u_deg2: Caglioti's U [degree²].
        v_deg2: Caglioti's V [degree²].
        w_deg2: Caglioti's W [degree²]: the square of the width at low angles.
        x_deg: Lorentzian width that goes with 1 / cos θ [degree].
        y_deg: Lorentzian width that goes with tan θ [degree].
        size_angstrom: Size of crystallites [Å], by Scherrer's equation with K = 0.9.
        microstrain: Relative spread of lattice spacings.
        zero_shift_deg: Error of the zero of 2θ [degree].
        displacement_mm: How far the specimen lies above the focusing circle [mm].
        radius_mm: Radius of the goniometer [mm].
        peak_counts: Counts of the strongest step, without background; the counting time.
        background_counts: Constant part of the background, of one step [count].
        background_slope_counts: Its change from the first step to the last [count].
        air_counts: Scattering by air at the first step [count]; it falls as 1 / (2θ)².
        hump_counts: Height of an amorphous hump [count].
        hump_centre_deg: Where it is [degree].
        hump_width_deg: Its full width at half maximum [degree].
        dead_time: Share of counts that are lost at the strongest step, of a detector that does not
            count while it is busy; 0 for none.
        counting: Whether counts are drawn by Poisson; else they are the expected ones, in float32.
    """

    two_theta_min_deg: float = 10.0
    two_theta_max_deg: float = 90.0
    step_deg: float = 0.02
    anode: Anode = "Cu"
    wavelength_angstrom: float | None = None
    k_alpha_2_share: float = 0.5
    monochromator_deg: float = 0.0
    u_deg2: float = 0.0
    v_deg2: float = 0.0
    w_deg2: float = 0.0064
    x_deg: float = 0.0
    y_deg: float = 0.0
    size_angstrom: float = 1500.0
    microstrain: float = 0.0
    zero_shift_deg: float = 0.0
    displacement_mm: float = 0.0
    radius_mm: float = 217.5
    peak_counts: float = 10_000.0
    background_counts: float = 0.0
    background_slope_counts: float = 0.0
    air_counts: float = 0.0
    hump_counts: float = 0.0
    hump_centre_deg: float = 25.0
    hump_width_deg: float = 10.0
    dead_time: float = 0.0
    counting: bool = True

    records = ("intensity",)
    caveats = (_CAVEAT,)

    def __post_init__(self) -> None:
        """Check everything.

        Raises:
            InputError: A number is out of its range.
        """
        check_between("two_theta_min_deg", self.two_theta_min_deg, 0.1, 179)
        check_between("two_theta_max_deg", self.two_theta_max_deg, 0.2, 179.5)
        check_between("step_deg", self.step_deg, 0.001, 5)
        if self.two_theta_max_deg - self.two_theta_min_deg < 8 * self.step_deg:
            raise InputError(
                f"2θ from {self.two_theta_min_deg:g}° to {self.two_theta_max_deg:g}° in steps of "
                f"{self.step_deg:g}°: expected at least 8 steps"
            )
        if self.wavelength_angstrom is not None:
            check_between("wavelength_angstrom", self.wavelength_angstrom, 0.05, 10)
        check_between("k_alpha_2_share", self.k_alpha_2_share, 0, 1)
        check_between("monochromator_deg", self.monochromator_deg, 0, 90)
        check_positive("size_angstrom", self.size_angstrom, 1e9)
        check_between("microstrain", self.microstrain, 0, 0.1)
        check_between("zero_shift_deg", self.zero_shift_deg, -5, 5)
        check_positive("radius_mm", self.radius_mm, 1e5)
        check_between(
            "displacement_mm", self.displacement_mm, -0.1 * self.radius_mm, 0.1 * self.radius_mm
        )
        check_between("hump_width_deg", self.hump_width_deg, 0.1, 180)
        check_between("hump_centre_deg", self.hump_centre_deg, 0, 180)
        check_between("dead_time", self.dead_time, 0, 0.9)
        for name in ("peak_counts", "background_counts", "air_counts", "hump_counts"):
            check_between(name, getattr(self, name), 0, 1e9)
        check_between("background_slope_counts", self.background_slope_counts, -1e9, 1e9)
        if self.w_deg2 > 0 and min(self.u_deg2, self.v_deg2, self.x_deg, self.y_deg) >= 0:
            return  # a width everywhere, as nearly always; one is made for every sample
        ends = np.array([self.two_theta_min_deg, self.two_theta_max_deg])
        width, _ = self.widths.of(ends, self.lines[0][0])
        if not (width > 0).all():
            raise InputError("the peaks have no width; expected w_deg2, x_deg or a size_angstrom")

    @property
    def dtype(self) -> str:  # type: ignore[override] # of the options, and read only
        """Type of what is stored."""
        return "uint32" if self.counting else "float32"

    @property
    def option_columns(self) -> Mapping[str, Measure]:  # type: ignore[override] # likewise
        """Columns for its options."""
        return {one.name: one for one in _MEASURES}

    @property
    def lines(self) -> tuple[tuple[float, float], ...]:
        """Wavelength [Å] and share of each line."""
        if self.wavelength_angstrom is not None:
            return ((self.wavelength_angstrom, 1.0),)
        first, second = K_ALPHA_ANGSTROM[self.anode]
        whole = 1 + self.k_alpha_2_share
        if not self.k_alpha_2_share:
            return ((first, 1.0),)
        return ((first, 1 / whole), (second, self.k_alpha_2_share / whole))

    @property
    def recorded(self) -> Recorded:
        """See `crystalvision.contracts.Instrument.recorded`: the wavelength of its first line."""
        return Recorded(radiation="x-rays", wavelength_angstrom=self.lines[0][0])

    @property
    def widths(self) -> Widths:
        """Widths of the peaks."""
        return Widths(
            u_deg2=self.u_deg2,
            v_deg2=self.v_deg2,
            w_deg2=self.w_deg2,
            x_deg=self.x_deg,
            y_deg=self.y_deg,
            size_angstrom=self.size_angstrom,
            microstrain=self.microstrain,
        )

    def of_ideal_specimens(self) -> Self:
        """The same for large, unstrained grains at the right height, with the right zero."""
        of_its_own = self.w_deg2 > 0 or self.x_deg > 0  # peaks have a width without any specimen
        size = _LARGE_ANGSTROM if of_its_own else self.size_angstrom
        return replace(
            self, size_angstrom=size, microstrain=0.0, zero_shift_deg=0.0, displacement_mm=0.0
        )

    @property
    def two_theta(self) -> Axis:
        """The axis of what it records [degree]."""
        return _steps(self.two_theta_min_deg, self.two_theta_max_deg, self.step_deg).axis

    @property
    def reach_inv_angstrom(self) -> float:
        """The greatest |g| that it sees [1/Å], with what peaks just outside add."""
        angle = min(180.0, self.two_theta_max_deg + abs(self.zero_shift_deg) + 2.0)
        return float(2 * np.sin(np.deg2rad(angle / 2)) / self.lines[0][0])

    @property
    def sees_inv_angstrom(self) -> tuple[float, float]:
        """The least and the greatest |g| whose peaks lie in its range of 2θ [1/Å]."""
        ends = np.deg2rad([self.two_theta_min_deg, self.two_theta_max_deg]) / 2
        low, high = 2 * np.sin(ends) / self.lines[0][0]
        return float(low), float(high)

    def axes(self, axes: tuple[Axis, ...], band_limit: float) -> tuple[Axis, ...]:
        """See `crystalvision.contracts.Instrument.axes`: 2θ.

        Raises:
            InputError: The patterns are not rings over |g| in 1/Å, or do not reach as far.
        """
        if len(axes) != 1 or axes[0].units != "1/angstrom":
            found = ", ".join(f"{axis.name} [{axis.units}]" for axis in axes)
            raise InputError(
                f"powder-diffractometer: the renderer's patterns lie on {found}; expected |g| in "
                "1/angstrom: take the renderer powder (--set renderer=powder)"
            )
        if self.reach_inv_angstrom > band_limit * (1 + 1e-6):
            raise InputError(
                f"2θ = {self.two_theta_max_deg:g}° at {self.lines[0][0]:g} Å reaches "
                f"{self.reach_inv_angstrom:.3f} 1/Å, the renderer only {band_limit:g} 1/Å: raise "
                "renderer.band_limit_inv_angstrom or lower instrument.two_theta_max_deg"
            )
        return (self.two_theta,)

    def project(self, pattern: Pattern) -> Pattern:
        """See `crystalvision.contracts.Instrument.project`: peaks whose strongest step is 1."""
        stack = np.stack([self._peaks(rings, pattern.axes[0]) for rings in _values(pattern)])
        stack /= max(float(stack.max()), 1e-300)
        intensity = torch.from_numpy(stack).to(pattern.intensity)
        return replace(pattern, intensity=intensity, axes=(self.two_theta,))

    def _peaks(self, rings: Float[np.ndarray, "n"], ring_axis: Axis) -> Float[np.ndarray, "t"]:
        return peaks(
            rings,
            ring_axis,
            self.two_theta,
            self.lines,
            self.widths,
            zero_shift_deg=self.zero_shift_deg,
            displacement_mm=self.displacement_mm,
            radius_mm=self.radius_mm,
            monochromator_deg=self.monochromator_deg,
        )

    def background(self) -> Float[np.ndarray, "n"]:
        """Expected counts of each step without any crystal, (n,)."""
        steps = _steps(self.two_theta_min_deg, self.two_theta_max_deg, self.step_deg)
        away = (steps.angle_deg - self.hump_centre_deg) / self.hump_width_deg
        hump = np.exp(-4 * np.log(2) * away**2)
        background: Float[np.ndarray, "n"] = (
            self.background_counts
            + self.background_slope_counts * steps.along
            + self.air_counts * steps.air
            + self.hump_counts * hump
        )
        return np.asarray(np.maximum(background, 0.0))

    def measure(self, projected: Pattern, rng: np.random.Generator) -> Recording:
        """See `crystalvision.contracts.Instrument.measure`."""
        expected = _values(projected) * self.peak_counts
        expected += self.background()
        if self.dead_time:
            # Not paralysable: n / (1 + n τ), with τ from what is lost at the strongest step.
            busy = self.dead_time / (1 - self.dead_time) / max(float(expected.max()), 1e-300)
            expected = expected / (1 + expected * busy)
        if not self.counting:
            return Recording(expected.astype(np.float32))
        return Recording(rng.poisson(expected).clip(max=2**32 - 1).astype(np.uint32))

    @classmethod
    def note(
        cls,
        instruments: Sequence["PowderDiffractometer"],
        projected: Sequence[Pattern],
        recordings: Sequence[Recording],
    ) -> str:
        """What to know of patterns without a reflection."""
        del instruments, recordings
        empty = sum(not bool(each.intensity.any()) for each in projected)
        if not empty:
            return ""
        return f"{empty} of {len(projected)} first patterns have no reflection in the range of 2θ."


def _values(pattern: Pattern) -> Float[np.ndarray, "c n"]:
    return np.asarray(pattern.intensity.cpu().double().numpy())


class _Steps(NamedTuple):
    """The steps of 2θ; read only.

    Attributes:
        axis: Of 2θ.
        angle_deg: Of each step, (n,).
        along: From 0 at the first to 1 at the last, (n,).
        air: What air scatters into each, relative to the first, (n,).
    """

    axis: Axis
    angle_deg: Float[np.ndarray, "n"]
    along: Float[np.ndarray, "n"]
    air: Float[np.ndarray, "n"]


@lru_cache(maxsize=16)  # all diffractometers of a recipe have the same
def _steps(first_deg: float, last_deg: float, step_deg: float) -> _Steps:
    size = int((last_deg - first_deg) / step_deg + 1e-6) + 1
    axis = Axis(name="two_theta", size=size, scale=step_deg, offset=first_deg, units="degree")
    angle = axis.values()
    along = (angle - angle[0]) / (angle[-1] - angle[0])
    return _Steps(axis, angle, along, (angle[0] / angle) ** 2)
