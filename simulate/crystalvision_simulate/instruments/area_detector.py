"""The area detector: where on it a pattern falls, and what its pixels count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np
import torch

from crystalvision.contracts import Axis, Cost, Instrument, Measure, Pattern, Recording
from crystalvision.errors import InputError
from crystalvision_simulate.instruments._checks import check_between, check_mtf, check_positive
from crystalvision_simulate.instruments.detector import (
    BeamStop,
    Camera,
    CameraPose,
    Exposure,
    Inelastic,
    Readout,
    expose_batch,
    project_batch,
    q_of_pixels,
    saturation,
    saturation_note,
    shadow,
    within,
)

_GREATEST_ANGLE = 36_000.0  # °
_GREATEST_OFFSET = 4096.0  # pixels
_GREATEST_DOSE = 1e12  # far beyond any exposure, and within what a Poisson number can be drawn for
_DEFAULT_DOSE = 1e4
_PART_BYTES = 80  # of a point that the camera reads the pattern at
_PART_SECONDS = 60e-9
_PIXEL_BYTES = 60
_PIXEL_SECONDS = 150e-9
_PARTS_A_STEP = 1.25  # as `detector.project_batch` has it
_CAVEAT = (
    "The detector has the errors that the recipe switches on and no others: no defective pixels, "
    "no cosmic rays. Inelastic scattering is at most a smooth background."
)
_NO_NOISE = "There is no detector: the images are without noise and without background."
_MIDDLE = "where the direct beam falls, from the middle of the detector"
_POSE = (
    Measure("rotation_deg", "degree", "rotation of the pattern on the detector"),
    Measure("centre_offset_x_px", "pixel", _MIDDLE),
    Measure("centre_offset_y_px", "pixel", _MIDDLE),
    Measure("camera_length_error", "1", "relative error of the camera length"),
)
_EXPOSURE = (
    Measure("dose_electrons", "electron", "electrons that hit the specimen, for one pattern"),
    Measure(
        "dose_electrons_per_angstrom2",
        "electron/angstrom^2",
        "electrons that hit each area of the specimen",
    ),
    Measure("point_spread_px", "pixel", "standard deviation of the detector's point spread"),
    Measure("inelastic_fraction", "1", "part of the electrons in the smooth background"),
    Measure("beam_stop_arm_angle_deg", "degree", "direction of the beam stop's arm"),
    Measure("gain_counts_per_electron", "count/electron", "mean counts of one electron"),
    Measure("dark_counts", "count", "mean dark counts of a pixel"),
)


@dataclass(frozen=True, kw_only=True)
class AreaDetector(Instrument):
    """A square detector with square pixels, across the beam.

    Attributes:
        pixels: Pixels along a side.
        pixel_size_inv_angstrom: Side of a pixel [1/Å].
        rotation_deg: Rotation of the crystal about the beam [°].
        centre_offset_x_px: Error of the direct beam's column [pixel].
        centre_offset_y_px: Error of its row [pixel].
        camera_length_error: Relative error of the camera length.
        kind: A `counting` detector registers each electron once, off by the point spread, so its
            counts are independent; an `integrating` one (scintillator and CCD) spreads the signal
            of each electron, so the noise of neighbours is correlated. An `ideal` one is given the
            fraction of the beam in each pixel, in float32: without dose, noise or beam stop.
        dose_electrons: Electrons that hit the specimen, or that would pass its aperture were there
            no specimen, while a pattern is taken; by default 10,000.
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
        mask_unseen: Whether the dataset gets a mask of the pixels that see: not those behind the
            beam stop, nor those within `mask_radius_inv_angstrom`.
        gain_counts_per_electron: Mean of what one electron adds [count].
        gain_spread: Standard deviation of that, relative to its mean.
        offset_counts: A constant that every pixel starts from [count].
        dark_counts: Mean of what a pixel gets without electrons, Poisson distributed [count].
        read_noise_counts: Standard deviation of the noise of reading a pixel [count].
        bit_depth: Bits of a count; a pixel saturates at 2^bits - 1.
    """

    records = ("fraction",)

    pixels: int = 256
    pixel_size_inv_angstrom: float = 0.0125
    rotation_deg: float = 0.0
    centre_offset_x_px: float = 0.0
    centre_offset_y_px: float = 0.0
    camera_length_error: float = 0.0
    kind: Literal["counting", "integrating", "ideal"] = "counting"
    dose_electrons: float | None = None
    dose_electrons_per_angstrom2: float | None = None
    point_spread_px: float = 0.0
    mtf: tuple[tuple[float, float], ...] = ()
    inelastic_fraction: float = 0.0
    inelastic_half_width_inv_angstrom: float = 0.0028
    inelastic_cutoff_inv_angstrom: float = 0.40
    beam_stop_radius_inv_angstrom: float = 0.0
    beam_stop_arm_width_inv_angstrom: float = 0.0
    beam_stop_arm_angle_deg: float = 0.0
    mask_radius_inv_angstrom: float = 0.0
    mask_unseen: bool = False
    gain_counts_per_electron: float = 1.0
    gain_spread: float = 0.0
    offset_counts: float = 0.0
    dark_counts: float = 0.0
    read_noise_counts: float = 0.0
    bit_depth: Literal[8, 10, 12, 14, 16] = 16

    def __post_init__(self) -> None:
        """Check everything.

        Raises:
            InputError: A number is out of its range, or two exclude each other.
        """
        self._check_camera()
        self._check_dose()
        self._check_optics()
        check_positive("gain_counts_per_electron", self.gain_counts_per_electron, 1e6)
        check_between("gain_spread", self.gain_spread, 0, 2)
        for name in ("offset_counts", "dark_counts", "read_noise_counts"):
            check_between(name, getattr(self, name), 0, 1e9)

    def _check_camera(self) -> None:
        check_between("pixels", self.pixels, 8, 4096)
        check_between("pixel_size_inv_angstrom", self.pixel_size_inv_angstrom, 1e-6, 10)
        check_between("rotation_deg", self.rotation_deg, -_GREATEST_ANGLE, _GREATEST_ANGLE)
        for name in ("centre_offset_x_px", "centre_offset_y_px"):
            check_between(name, getattr(self, name), -_GREATEST_OFFSET, _GREATEST_OFFSET)
        check_between("camera_length_error", self.camera_length_error, -0.5, 0.5)

    def _check_dose(self) -> None:
        names = ("dose_electrons", "dose_electrons_per_angstrom2")
        given = [name for name in names if getattr(self, name) is not None]
        if len(given) > 1:
            raise InputError(f"{names[0]} and {names[1]} are both given; set one to null")
        if not given:
            object.__setattr__(self, "dose_electrons", _DEFAULT_DOSE)
        name = given[0] if given else names[0]
        check_positive(name, getattr(self, name), _GREATEST_DOSE)

    def _check_optics(self) -> None:
        check_between("point_spread_px", self.point_spread_px, 0, 50)
        if self.mtf:
            if self.point_spread_px > 0:
                raise InputError(
                    "point_spread_px and mtf are both given; an MTF is the point spread"
                )
            check_mtf(self.mtf)
        check_between("inelastic_fraction", self.inelastic_fraction, 0, 1)
        half_width, cutoff = (
            self.inelastic_half_width_inv_angstrom,
            self.inelastic_cutoff_inv_angstrom,
        )
        check_between("inelastic_half_width_inv_angstrom", half_width, 1e-6, 10)
        check_positive("inelastic_cutoff_inv_angstrom", cutoff, 10)
        if cutoff <= half_width:
            raise InputError(
                f"inelastic_cutoff_inv_angstrom is {cutoff:g}; expected more than "
                f"inelastic_half_width_inv_angstrom, {half_width:g}"
            )
        check_between(
            "beam_stop_arm_angle_deg",
            self.beam_stop_arm_angle_deg,
            -_GREATEST_ANGLE,
            _GREATEST_ANGLE,
        )
        for name in (
            "beam_stop_radius_inv_angstrom",
            "beam_stop_arm_width_inv_angstrom",
            "mask_radius_inv_angstrom",
        ):
            check_between(name, getattr(self, name), 0, 10)

    @property
    def dtype(self) -> str:  # type: ignore[override] # of the options, and read only
        """Type of what is stored."""
        return "float32" if self.kind == "ideal" else "uint16"

    @property
    def masks(self) -> bool:  # type: ignore[override] # of the options, and read only
        """Whether recordings say where it could see."""
        return self.mask_unseen

    @property
    def option_columns(self) -> Mapping[str, Measure]:  # type: ignore[override] # likewise
        """Columns for its options."""
        kept = _POSE if self.kind == "ideal" else (*_POSE, *_EXPOSURE)
        return {one.name: one for one in kept}

    @property
    def caveats(self) -> tuple[str, ...]:  # type: ignore[override] # likewise
        """What whoever uses its images must know."""
        return (_NO_NOISE if self.kind == "ideal" else _CAVEAT,)

    @property
    def dose_option(self) -> str:
        """The name of the dose among the options, which is also its column in a dataset."""
        per_area = self.dose_electrons is None
        return "dose_electrons_per_angstrom2" if per_area else "dose_electrons"

    @property
    def camera(self) -> Camera:
        """Its pixels."""
        return Camera(self.pixels, self.pixel_size_inv_angstrom)

    @property
    def pose(self) -> CameraPose:
        """How a pattern lies on them."""
        return CameraPose(
            self.rotation_deg,
            self.centre_offset_x_px,
            self.centre_offset_y_px,
            self.camera_length_error,
        )

    @property
    def reach_inv_angstrom(self) -> float:
        """The greatest |q| along the axes of the detector [1/Å].

        Corners reach further; beyond the renderer's band nothing falls on them.
        """
        offset = max(abs(self.centre_offset_x_px), abs(self.centre_offset_y_px))
        pixels = self.pixels / 2 + 0.5 + offset
        return pixels * self.pixel_size_inv_angstrom / (1 + self.camera_length_error)

    def axes(self, axes: tuple[Axis, ...]) -> tuple[Axis, ...]:
        """See `crystalvision.contracts.Instrument.axes`: q_y and q_x, as they are meant to be.

        Raises:
            InputError: The patterns are not two-dimensional, in 1/Å.
        """
        if len(axes) != 2 or any(axis.units != "1/angstrom" for axis in axes):
            found = ", ".join(f"{axis.name} [{axis.units}]" for axis in axes)
            raise InputError(
                f"area-detector: the renderer's patterns lie on {found}; expected two axes in "
                "1/angstrom: take another instrument (--set instrument=none)"
            )
        side, middle = self.pixel_size_inv_angstrom, self.pixels // 2
        return tuple(
            Axis(name=name, size=self.pixels, scale=side, offset=-middle * side)
            for name in ("q_y", "q_x")
        )

    def exposure(self, area_angstrom2: float) -> Exposure:
        """The exposure of a pattern whose fractions refer to this area of the specimen [Å²]."""
        dose = self.dose_electrons
        if dose is None:
            dose = (self.dose_electrons_per_angstrom2 or 0.0) * area_angstrom2
        return Exposure(
            dose_electrons=dose,
            kind="integrating" if self.kind == "integrating" else "counting",
            point_spread_px=self.point_spread_px,
            mtf=self.mtf,
            inelastic=Inelastic(
                fraction=self.inelastic_fraction,
                half_width_inv_angstrom=self.inelastic_half_width_inv_angstrom,
                cutoff_inv_angstrom=self.inelastic_cutoff_inv_angstrom,
            ),
            beam_stop=self._beam_stop,
            mask_radius_inv_angstrom=self.mask_radius_inv_angstrom,
            readout=Readout(
                gain_counts_per_electron=self.gain_counts_per_electron,
                gain_spread=self.gain_spread,
                offset_counts=self.offset_counts,
                dark_counts=self.dark_counts,
                read_noise_counts=self.read_noise_counts,
                bit_depth=self.bit_depth,
            ),
        )

    @property
    def _beam_stop(self) -> BeamStop:
        return BeamStop(
            radius_inv_angstrom=self.beam_stop_radius_inv_angstrom,
            arm_width_inv_angstrom=self.beam_stop_arm_width_inv_angstrom,
            arm_angle_deg=self.beam_stop_arm_angle_deg,
        )

    def project(self, pattern: Pattern) -> Pattern:
        """See `project_together`."""
        (projected,) = self.project_together([self], [pattern])
        return projected

    def measure(self, projected: Pattern, rng: np.random.Generator) -> Recording:
        """See `measure_together`."""
        (recording,) = self.measure_together([self], [projected], [rng])
        return recording

    @classmethod
    def project_together(
        cls, instruments: Sequence[Self], patterns: Sequence[Pattern]
    ) -> list[Pattern]:
        """The fraction of the beam in each pixel, (c, n, n), wherever the pattern falls.

        Raises:
            InputError: A detector reaches beyond the renderer's band.
        """
        for one, pattern in zip(instruments, patterns, strict=True):
            if one.reach_inv_angstrom > pattern.band_limit:
                raise InputError(
                    f"the camera reaches {one.reach_inv_angstrom:.3f} 1/Å, the renderer only "
                    f"{pattern.band_limit:g} 1/Å: raise renderer.band_limit_inv_angstrom or make "
                    "the camera's pixels smaller (instrument.pixel_size_inv_angstrom)"
                )
        images = project_batch(
            patterns, instruments[0].camera, [instrument.pose for instrument in instruments]
        )
        return [
            replace(pattern, intensity=image, axes=one.axes(pattern.axes))
            for one, pattern, image in zip(instruments, patterns, images, strict=True)
        ]

    @classmethod
    def measure_together(
        cls,
        instruments: Sequence[Self],
        projected: Sequence[Pattern],
        rngs: Sequence[np.random.Generator],
    ) -> list[Recording]:
        """Count the electrons of projected patterns; those of an `ideal` detector are not."""
        images = torch.stack([each.intensity for each in projected])
        q = cls.q_inv_angstrom(instruments, images)
        if instruments[0].kind == "ideal":
            counts = images.cpu().numpy().astype(np.float32)
        else:
            exposures = [
                one.exposure(each.area_angstrom2)
                for one, each in zip(instruments, projected, strict=True)
            ]
            counts = expose_batch(images, q, rngs, exposures)
        return [
            Recording(count, one.seen(each) if one.masks else None)
            for one, count, each in zip(instruments, counts, q, strict=True)
        ]

    @classmethod
    def q_inv_angstrom(cls, instruments: Sequence[Self], like: torch.Tensor) -> torch.Tensor:
        """q_y and q_x in the middle of every pixel [1/Å], (b, 2, n, n)."""
        return q_of_pixels(instruments[0].camera, [one.pose for one in instruments], like)

    def seen(self, q_inv_angstrom: torch.Tensor) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
        """The pixels that no stop and no mask hides, (n, n), by q_y and q_x of each, (2, n, n)."""
        hidden = within(q_inv_angstrom, self.mask_radius_inv_angstrom)
        if self.kind != "ideal":
            hidden |= shadow(self._beam_stop, q_inv_angstrom)
        seen: np.ndarray[tuple[int, int], np.dtype[np.bool_]] = ~hidden.cpu().numpy()
        return seen

    @classmethod
    def note(
        cls,
        instruments: Sequence[Self],
        projected: Sequence[Pattern],
        recordings: Sequence[Recording],
    ) -> str:
        """What to know of images whose pixels are full; empty where none lose counts."""
        if instruments[0].kind == "ideal":
            return ""
        q = cls.q_inv_angstrom(instruments, torch.stack([each.intensity for each in projected]))
        found = [
            saturation(recording.counts, each.intensity, place, one.exposure(each.area_angstrom2))
            for one, each, recording, place in zip(
                instruments, projected, recordings, q, strict=True
            )
        ]
        return saturation_note(found, instruments[0].bit_depth)

    def cost(self, width_angstrom: float) -> Cost:
        """See `crystalvision.contracts.Instrument.cost`: reading the pattern for every pixel."""
        parts = max(1.0, 1 + _PARTS_A_STEP * self.pixel_size_inv_angstrom * width_angstrom)
        points = (self.pixels * parts) ** 2
        return Cost(
            _PART_BYTES * points + _PIXEL_BYTES * self.pixels**2,
            _PART_SECONDS * points + _PIXEL_SECONDS * self.pixels**2,
        )
