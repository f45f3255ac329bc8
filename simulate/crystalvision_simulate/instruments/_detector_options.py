"""The options of the area detector: their ranges, and what they make of an exposure."""

from dataclasses import dataclass
from typing import Literal

from crystalvision.errors import InputError
from crystalvision.ranges import MAX_SEED
from crystalvision_simulate.instruments._checks import check_between, check_mtf, check_positive
from crystalvision_simulate.instruments.detector import (
    Amorphous,
    BeamStop,
    Blemishes,
    Camera,
    CameraPose,
    Exposure,
    Inelastic,
    Readout,
)

_GREATEST_ANGLE = 36_000.0  # °
_GREATEST_OFFSET = 4096.0  # pixels
_GREATEST_DOSE = 1e12  # far beyond any exposure, and within what a Poisson number can be drawn for
_DEFAULT_DOSE = 1e4


@dataclass(frozen=True, kw_only=True)
class DetectorOptions:
    """A square detector with square pixels, across the beam.

    Attributes:
        pixels: Pixels along a side.
        pixel_size_inv_angstrom: Side of a pixel [1/Å].
        rotation_deg: Rotation of the crystal about the beam [°].
        centre_offset_x_px: Error of the direct beam's column [pixel].
        centre_offset_y_px: Error of its row [pixel].
        camera_length_error: Relative error of the camera length.
        ellipticity: By how much the long axis of what should be a circle exceeds the short one,
            relative to that, without changing its area.
        ellipticity_angle_deg: Direction of the long axis, from the x axis to the y axis [°].
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
        amorphous_fraction: Part of the electrons that an amorphous film scatters into a broad ring.
        amorphous_radius_inv_angstrom: Radius of that ring [1/Å].
        amorphous_width_inv_angstrom: Its standard deviation along the radius [1/Å].
        beam_stop_radius_inv_angstrom: Radius of the stop before the direct beam [1/Å]; 0 for none.
        beam_stop_arm_width_inv_angstrom: Width of the arm that holds it [1/Å]; 0 for none.
        beam_stop_arm_angle_deg: Where the arm points to on the detector, from the x axis to the y
            axis [°].
        beam_stop_offset_x_inv_angstrom: Where the stop's middle lies, from the direct beam [1/Å].
        beam_stop_offset_y_inv_angstrom: Likewise along y [1/Å].
        mask_radius_inv_angstrom: Counts within this |q| are set to zero after reading [1/Å].
        mask_unseen: Whether the dataset gets a mask of the pixels that see: not those behind the
            beam stop, nor those within `mask_radius_inv_angstrom`, nor bad or written ones.
        gain_counts_per_electron: Mean of what one electron adds [count].
        gain_spread: Standard deviation of that, relative to its mean.
        offset_counts: A constant that every pixel starts from [count].
        dark_counts: Mean of what a pixel gets without electrons, Poisson distributed [count].
        read_noise_counts: Standard deviation of the noise of reading a pixel [count].
        bit_depth: Bits of a count; a pixel saturates at 2^bits - 1.
        gamma: A picture holds (count / largest)^gamma of the largest; 1 for the counts themselves.
        dead_pixel_fraction: Part of the pixels that read nothing.
        hot_pixel_fraction: Part of the pixels that are always full.
        bad_pixel_seed: Seed of where these are: the same in all pictures of one camera.
        scale_bar_inv_angstrom: Length of a bar burnt into the picture with its number [1/Å]; 0 for
            none.
    """

    pixels: int = 256
    pixel_size_inv_angstrom: float = 0.0125
    rotation_deg: float = 0.0
    centre_offset_x_px: float = 0.0
    centre_offset_y_px: float = 0.0
    camera_length_error: float = 0.0
    ellipticity: float = 0.0
    ellipticity_angle_deg: float = 0.0
    kind: Literal["counting", "integrating", "ideal"] = "counting"
    dose_electrons: float | None = None
    dose_electrons_per_angstrom2: float | None = None
    point_spread_px: float = 0.0
    mtf: tuple[tuple[float, float], ...] = ()
    inelastic_fraction: float = 0.0
    inelastic_half_width_inv_angstrom: float = 0.0028
    inelastic_cutoff_inv_angstrom: float = 0.40
    amorphous_fraction: float = 0.0
    amorphous_radius_inv_angstrom: float = 0.48
    amorphous_width_inv_angstrom: float = 0.10
    beam_stop_radius_inv_angstrom: float = 0.0
    beam_stop_arm_width_inv_angstrom: float = 0.0
    beam_stop_arm_angle_deg: float = 0.0
    beam_stop_offset_x_inv_angstrom: float = 0.0
    beam_stop_offset_y_inv_angstrom: float = 0.0
    mask_radius_inv_angstrom: float = 0.0
    mask_unseen: bool = False
    gain_counts_per_electron: float = 1.0
    gain_spread: float = 0.0
    offset_counts: float = 0.0
    dark_counts: float = 0.0
    read_noise_counts: float = 0.0
    bit_depth: Literal[8, 10, 12, 14, 16] = 16
    gamma: float = 1.0
    dead_pixel_fraction: float = 0.0
    hot_pixel_fraction: float = 0.0
    bad_pixel_seed: int = 0
    scale_bar_inv_angstrom: float = 0.0

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
        self._check_picture()

    def _check_picture(self) -> None:
        check_between("gamma", self.gamma, 0.1, 10)
        for name in ("dead_pixel_fraction", "hot_pixel_fraction"):
            check_between(name, getattr(self, name), 0, 0.5)
        check_between("bad_pixel_seed", self.bad_pixel_seed, 0, MAX_SEED)
        check_between("scale_bar_inv_angstrom", self.scale_bar_inv_angstrom, 0, 10)

    def _check_camera(self) -> None:
        check_between("pixels", self.pixels, 8, 4096)
        check_between("pixel_size_inv_angstrom", self.pixel_size_inv_angstrom, 1e-6, 10)
        check_between("rotation_deg", self.rotation_deg, -_GREATEST_ANGLE, _GREATEST_ANGLE)
        for name in ("centre_offset_x_px", "centre_offset_y_px"):
            check_between(name, getattr(self, name), -_GREATEST_OFFSET, _GREATEST_OFFSET)
        check_between("camera_length_error", self.camera_length_error, -0.5, 0.5)
        check_between("ellipticity", self.ellipticity, 0, 0.5)
        angle = self.ellipticity_angle_deg
        check_between("ellipticity_angle_deg", angle, -_GREATEST_ANGLE, _GREATEST_ANGLE)

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
        check_between("amorphous_fraction", self.amorphous_fraction, 0, 1)
        check_between("amorphous_radius_inv_angstrom", self.amorphous_radius_inv_angstrom, 0, 10)
        check_positive("amorphous_width_inv_angstrom", self.amorphous_width_inv_angstrom, 10)
        check_between(
            "beam_stop_arm_angle_deg",
            self.beam_stop_arm_angle_deg,
            -_GREATEST_ANGLE,
            _GREATEST_ANGLE,
        )
        for name in ("beam_stop_offset_x_inv_angstrom", "beam_stop_offset_y_inv_angstrom"):
            check_between(name, getattr(self, name), -10, 10)
        for name in (
            "beam_stop_radius_inv_angstrom",
            "beam_stop_arm_width_inv_angstrom",
            "mask_radius_inv_angstrom",
        ):
            check_between(name, getattr(self, name), 0, 10)

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
            self.ellipticity,
            self.ellipticity_angle_deg,
        )

    @property
    def reach_inv_angstrom(self) -> float:
        """The greatest |q| along the axes of the detector [1/Å].

        Corners reach further; beyond the renderer's band nothing falls on them.
        """
        offset = max(abs(self.centre_offset_x_px), abs(self.centre_offset_y_px))
        pixels = self.pixels / 2 + 0.5 + offset
        reach = pixels * self.pixel_size_inv_angstrom / (1 + self.camera_length_error)
        return float(reach * (1 + self.ellipticity) ** 0.5)

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
            amorphous=Amorphous(
                fraction=self.amorphous_fraction,
                radius_inv_angstrom=self.amorphous_radius_inv_angstrom,
                width_inv_angstrom=self.amorphous_width_inv_angstrom,
            ),
            beam_stop=self.beam_stop,
            mask_radius_inv_angstrom=self.mask_radius_inv_angstrom,
            readout=Readout(
                gain_counts_per_electron=self.gain_counts_per_electron,
                gain_spread=self.gain_spread,
                offset_counts=self.offset_counts,
                dark_counts=self.dark_counts,
                read_noise_counts=self.read_noise_counts,
                bit_depth=self.bit_depth,
                gamma=self.gamma,
            ),
            blemishes=self.blemishes,
        )

    @property
    def blemishes(self) -> Blemishes:
        """What its pictures show that is none of their counts."""
        return Blemishes(
            dead_fraction=self.dead_pixel_fraction,
            hot_fraction=self.hot_pixel_fraction,
            seed=self.bad_pixel_seed,
            scale_bar_inv_angstrom=self.scale_bar_inv_angstrom,
        )

    @property
    def beam_stop(self) -> BeamStop:
        """What stands before the detector."""
        return BeamStop(
            radius_inv_angstrom=self.beam_stop_radius_inv_angstrom,
            arm_width_inv_angstrom=self.beam_stop_arm_width_inv_angstrom,
            arm_angle_deg=self.beam_stop_arm_angle_deg,
            offset_x_inv_angstrom=self.beam_stop_offset_x_inv_angstrom,
            offset_y_inv_angstrom=self.beam_stop_offset_y_inv_angstrom,
        )
