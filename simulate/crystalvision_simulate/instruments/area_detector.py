"""The area detector: where on it a pattern falls, and what its pixels count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from jaxtyping import Bool, Float

from crystalvision.contracts import Axis, Cost, Instrument, Measure, Pattern, Recorded, Recording
from crystalvision.errors import InputError
from crystalvision_simulate.instruments._detector_options import DetectorOptions
from crystalvision_simulate.instruments.detector import (
    Blemishes,
    burnt_in,
    expose_batch,
    hot_and_dead,
    project_batch,
    q_of_pixels,
    saturation,
    saturation_note,
    shadow,
    within,
)

_PART_BYTES = 80  # of a point that the camera reads the pattern at
_PART_SECONDS = 60e-9
_PIXEL_BYTES = 60
_PIXEL_SECONDS = 150e-9
_PARTS_A_STEP = 1.25  # as `detector.project_batch` has it
_CAVEAT = (
    "The detector has the errors that the recipe switches on and no others: no cosmic rays. "
    "Inelastic scattering is at most a smooth background."
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
class AreaDetector(DetectorOptions, Instrument):
    """A square detector with square pixels, across the beam: an image of counts.

    Its options are the attributes of `DetectorOptions`.
    """

    records = ("fraction",)

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
    def recorded(self) -> Recorded:
        """See `crystalvision.contracts.Instrument.recorded`: how far it is off its axes."""
        return Recorded(
            centre_px=(abs(self.centre_offset_y_px), abs(self.centre_offset_x_px)),
            camera_length=abs(self.camera_length_error),
        )

    def axes(self, axes: tuple[Axis, ...], band_limit: float) -> tuple[Axis, ...]:
        """See `crystalvision.contracts.Instrument.axes`: q_y and q_x, as they are meant to be.

        Raises:
            InputError: The patterns are not two-dimensional, in 1/Å, or end before the detector.
        """
        if len(axes) != 2 or any(axis.units != "1/angstrom" for axis in axes):
            found = ", ".join(f"{axis.name} [{axis.units}]" for axis in axes)
            raise InputError(
                f"area-detector: the renderer's patterns lie on {found}; expected two axes in "
                "1/angstrom: take another instrument (--set instrument=none)"
            )
        if self.reach_inv_angstrom > band_limit:
            raise InputError(
                f"the camera reaches {self.reach_inv_angstrom:.3f} 1/Å, the renderer only "
                f"{band_limit:g} 1/Å: raise renderer.band_limit_inv_angstrom or make the camera's "
                "pixels smaller (instrument.pixel_size_inv_angstrom)"
            )
        side, middle = self.pixel_size_inv_angstrom, self.pixels // 2
        return tuple(
            Axis(name=name, size=self.pixels, scale=side, offset=-middle * side)
            for name in ("q_y", "q_x")
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
        """The fraction of the beam in each pixel, (c, n, n), wherever the pattern falls."""
        images = project_batch(
            patterns, instruments[0].camera, [instrument.pose for instrument in instruments]
        )
        return [
            replace(pattern, intensity=image, axes=one.axes(pattern.axes, pattern.band_limit))
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
        if not instruments[0].masks:
            return [Recording(count, None) for count in counts]
        hidden = [one.hidden(each) for one, each in zip(instruments, q, strict=True)]
        seen = ~torch.stack(hidden).cpu().numpy()  # at once: a GPU is waited for
        return [Recording(count, each) for count, each in zip(counts, seen, strict=True)]

    @classmethod
    def q_inv_angstrom(cls, instruments: Sequence[Self], like: torch.Tensor) -> torch.Tensor:
        """q_y and q_x in the middle of every pixel [1/Å], (b, 2, n, n)."""
        return q_of_pixels(instruments[0].camera, [one.pose for one in instruments], like)

    def hidden(self, q_inv_angstrom: Float[torch.Tensor, "2 n n"]) -> Bool[torch.Tensor, "n n"]:
        """The pixels that a stop or a mask hides, by q_y and q_x of each [1/Å]."""
        hidden = within(q_inv_angstrom, self.mask_radius_inv_angstrom)
        if self.kind != "ideal":
            hidden |= shadow(self.beam_stop, q_inv_angstrom)
            if self.blemishes != Blemishes():  # what it hides is worked out on the host
                hidden |= torch.from_numpy(self._unreal(q_inv_angstrom)).to(hidden.device)
        return hidden

    def _unreal(
        self, q_inv_angstrom: torch.Tensor
    ) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
        """The bad pixels and those of the scale bar, (n, n)."""
        shape = (self.pixels, self.pixels)
        step = float(q_inv_angstrom[1, 0, 1] - q_inv_angstrom[1, 0, 0])
        hot, dead = hot_and_dead(self.blemishes, shape)
        unreal: np.ndarray[tuple[int, int], np.dtype[np.bool_]] = (
            hot | dead | burnt_in(self.blemishes, shape, step)
        )
        return unreal

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
