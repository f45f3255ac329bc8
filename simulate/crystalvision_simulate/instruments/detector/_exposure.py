"""What one exposure is, in plain numbers."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class BeamStop:
    """A disc before the direct beam, on an arm that reaches to the edge of the detector.

    Attributes:
        radius_inv_angstrom: Radius of the disc [1/Å].
        arm_width_inv_angstrom: Width of the arm [1/Å]; 0 for no arm.
        arm_angle_deg: Where the arm points to on the detector, from the x axis to the y axis [°].
        offset_x_inv_angstrom: Where the middle of the disc lies, from the direct beam [1/Å].
        offset_y_inv_angstrom: Likewise along y [1/Å].
    """

    radius_inv_angstrom: float = 0.0
    arm_width_inv_angstrom: float = 0.0
    arm_angle_deg: float = 0.0
    offset_x_inv_angstrom: float = 0.0
    offset_y_inv_angstrom: float = 0.0


@dataclass(frozen=True, slots=True)
class Inelastic:
    """Electrons that also lost energy, and so were scattered by some more.

    Attributes:
        fraction: Their part of the electrons.
        half_width_inv_angstrom: q_E of the Lorentzian 1 / (q² + q_E²) that they spread over [1/Å].
        cutoff_inv_angstrom: Where the Lorentzian ends [1/Å].
    """

    fraction: float = 0.0
    half_width_inv_angstrom: float = 0.0028
    cutoff_inv_angstrom: float = 0.40


@dataclass(frozen=True, slots=True)
class Amorphous:
    """Electrons that an amorphous film scattered into a broad ring.

    Attributes:
        fraction: Their part of the electrons.
        radius_inv_angstrom: Radius of the ring [1/Å].
        width_inv_angstrom: Its standard deviation along the radius [1/Å].
    """

    fraction: float = 0.0
    radius_inv_angstrom: float = 0.48
    width_inv_angstrom: float = 0.10


@dataclass(frozen=True, slots=True)
class Blemishes:
    """What a picture shows that is none of its counts.

    Attributes:
        dead_fraction: Part of the pixels that read nothing.
        hot_fraction: Part of the pixels that are always full.
        seed: Seed of where these are, the same in all pictures of one camera.
        scale_bar_inv_angstrom: Length of a bar burnt into the picture with its number [1/Å]; 0 for
            none.
    """

    dead_fraction: float = 0.0
    hot_fraction: float = 0.0
    seed: int = 0
    scale_bar_inv_angstrom: float = 0.0


@dataclass(frozen=True, slots=True)
class Readout:
    """From electrons to numbers.

    Attributes:
        gain_counts_per_electron: Mean of what one electron adds to the image [count].
        gain_spread: Standard deviation of that, relative to its mean.
        offset_counts: A constant that every pixel starts from [count].
        dark_counts: Mean of what a pixel gets without electrons, Poisson distributed [count].
        read_noise_counts: Standard deviation of the noise of reading a pixel, Gaussian [count].
        bit_depth: Bits of a count; the largest, 2^bits - 1, is where a pixel saturates.
        gamma: A picture holds (count / largest)^gamma of the largest; 1 for the counts themselves.
    """

    gain_counts_per_electron: float = 1.0
    gain_spread: float = 0.0
    offset_counts: float = 0.0
    dark_counts: float = 0.0
    read_noise_counts: float = 0.0
    bit_depth: int = 16
    gamma: float = 1.0


@dataclass(frozen=True, slots=True)
class Exposure:
    """One exposure of a detector.

    Attributes:
        dose_electrons: Electrons that hit the specimen's box, or that would pass its aperture.
        kind: A `counting` detector registers each electron once, off by the point spread, so its
            counts are independent; an `integrating` one spreads the signal of each electron, so the
            noise of neighbours is correlated.
        point_spread_px: Standard deviation of a Gaussian point spread [pixel].
        mtf: Modulation transfer function instead: points of frequency, in units of the Nyquist
            frequency, and value, with the transfer of the pixel itself; empty for none.
        inelastic: The inelastic background.
        amorphous: The halo of an amorphous film.
        beam_stop: What stands before the detector.
        mask_radius_inv_angstrom: Counts within this |q| are set to zero after reading [1/Å].
        readout: From electrons to numbers.
        blemishes: What the picture shows that is none of its counts.
    """

    dose_electrons: float
    kind: Literal["counting", "integrating"] = "counting"
    point_spread_px: float = 0.0
    mtf: tuple[tuple[float, float], ...] = ()
    inelastic: Inelastic = Inelastic()
    amorphous: Amorphous = Amorphous()
    beam_stop: BeamStop = BeamStop()
    mask_radius_inv_angstrom: float = 0.0
    readout: Readout = Readout()
    blemishes: Blemishes = Blemishes()
