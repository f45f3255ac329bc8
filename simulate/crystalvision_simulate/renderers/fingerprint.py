"""The two-dimensional diffraction fingerprint: three colour channels, one image of a crystal."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float, Int

from crystalvision.contracts import Beam, Cost, Pattern, Renderer, Specimen, SpecimenSize
from crystalvision.errors import InputError
from crystalvision_simulate.renderers._ewald import EwaldGrid
from crystalvision_simulate.renderers._ewald_sum import half_grid, structure_factors
from crystalvision_simulate.renderers._ranges import check_range
from crystalvision_simulate.scattering import x_ray_scattering_factor

_SECONDS_A_POINT = 2e-9  # and layer
_SECONDS_AN_ATOM = 4e-6
_ANGLE_DEG = 45.0


class Fingerprint(Renderer):
    """The fingerprint of Ziletti et al., Nat. Commun. 9, 2775 (2018), of a finite cluster.

    The atoms are turned by −45° and by +45° about the x axis; both times the kinematic X-ray
    intensity |F(q)|² is taken on the exact Ewald sphere, with F(q) = Σⱼ f(g) exp(−2πi g·rⱼ), and
    the two are summed into the first channel. The second and third are the same about y and z. One
    linear scale then takes the least and the greatest value of all three channels to 0 and 1.

    So `Pattern.intensity` is no fraction of a beam, and nothing depends on the beam: the wavelength
    is an option, energy and mistilt are ignored. The specimen's box does not repeat; every atom in
    it counts. Pixels are even steps in q across the beam; on Ziletti's flat detector, even in
    tan 2θ, a spot at the edge of 64 pixels lies 0.8 % farther out.
    """

    quantity = "intensity"

    def __init__(
        self,
        pixels: int = 64,
        pixel_size_inv_angstrom: float = 0.08,
        wavelength_angstrom: float = 0.05,
        mask_radius_px: float = 5.0,
        nearest_neighbour_angstrom: float | None = None,
    ) -> None:
        """Make the renderer.

        Args:
            pixels: Pixels along a side; q = 0 lies on the pixel `pixels // 2`.
            pixel_size_inv_angstrom: Side of a pixel [1/Å].
            wavelength_angstrom: Wavelength of the X-rays [Å].
            mask_radius_px: Pixels this near to q = 0 are set to zero, before the scale is found;
                0 leaves all, and then the direct beam alone sets the scale.
            nearest_neighbour_angstrom: The cluster is scaled so that the mean distance of nearest
                neighbours is this [Å]; Ziletti et al. take 1. Then 1/Å means that of the scaled
                cluster. The distance is measured on each specimen, so its defects change the scale
                (by 4 % for thermal motion of 0.055 Å an axis). By default nothing is scaled.

        Raises:
            InputError: A number makes no sense, or the corners lie beyond the Ewald sphere.
        """
        check_range("pixels", pixels, 2, 4096)
        check_range("pixel_size_inv_angstrom", pixel_size_inv_angstrom, 1e-5, 10)
        check_range("wavelength_angstrom", wavelength_angstrom, 1e-4, 100)
        if nearest_neighbour_angstrom is not None:
            check_range("nearest_neighbour_angstrom", nearest_neighbour_angstrom, 1e-3, 1000)
        if not 0 <= mask_radius_px < pixels / 2:
            raise InputError(
                f"mask_radius_px is {mask_radius_px}; expected 0 to less than half of "
                f"{pixels} pixels"
            )
        self.pixels = pixels
        self.pixel_size_inv_angstrom = pixel_size_inv_angstrom
        self.wavelength_angstrom = wavelength_angstrom
        self.mask_radius_px = mask_radius_px
        self.nearest_neighbour_angstrom = nearest_neighbour_angstrom
        self._grid = EwaldGrid(
            height_angstrom=1 / pixel_size_inv_angstrom,
            width_angstrom=1 / pixel_size_inv_angstrom,
            reach=(pixels // 2, pixels // 2),
            radius_inv_angstrom=pixel_size_inv_angstrom * pixels,  # beyond the corners
            wavelength_angstrom=wavelength_angstrom,
        )
        self._grid.along_beam()

    def render(
        self,
        specimens: Sequence[Sequence[Specimen]],
        beams: Sequence[Beam],
        *,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
    ) -> list[Pattern]:
        """See `crystalvision.contracts.Renderer.render`; the beams are ignored.

        The configurations of a pattern are averaged before the scale is found.

        Raises:
            InputError: A specimen has an aperture, fewer than two atoms, or an element without a
                scattering factor.
        """
        patterns = []
        for configurations, _ in zip(specimens, beams, strict=True):
            mean = torch.zeros((3, self.pixels, self.pixels), dtype=dtype, device=device)
            for one in configurations:
                mean += self.channels(one, device=device, dtype=dtype) / len(configurations)
            mean *= _mask(self.pixels, self.mask_radius_px, device)
            low, high = mean.min(), mean.max()
            patterns.append(
                Pattern.diffraction(
                    intensity=(mean - low) / (high - low),
                    sampling_inv_angstrom=(self.pixel_size_inv_angstrom,) * 2,
                    direct_beam=(self.pixels // 2,) * 2,
                    band_limit_inv_angstrom=self._grid.radius_inv_angstrom,
                )
            )
        return patterns

    def cost(self, size: SpecimenSize) -> Cost:
        """See `crystalvision.contracts.Renderer.cost`: six kinematic patterns of the cluster."""
        layers = 10 + max(size.box_angstrom) * 0.1
        points = 9.0 * self.pixels**2 * size.elements
        seconds = 6 * (points * layers * _SECONDS_A_POINT + size.atoms * _SECONDS_AN_ATOM)
        return Cost(60.0 * points + 1500 * size.atoms, seconds)

    def channels(
        self, specimen: Specimen, *, device: torch.device, dtype: torch.dtype
    ) -> Float[torch.Tensor, "3 n n"]:
        """|F(q)|² [electrons²] summed over both angles, about x, y and z, as it is: (3, n, n).

        Raises:
            InputError: As in `render`.
        """
        if specimen.aperture is not None:
            raise InputError(
                "a fingerprint is that of a finite cluster, without an aperture; leave "
                "specimen.aperture out, or choose the renderer kinematic"
            )
        positions = self._cluster(specimen)
        elements, species = np.unique(specimen.numbers, return_inverse=True)
        factors = _factors(self._grid, tuple(elements.tolist()), device, dtype)

        def image(axis: int, angle_deg: float) -> Float[torch.Tensor, "m m"]:
            turned = positions @ rotation_matrix(axis, angle_deg).T
            return structure_factors(self._grid, turned, species, factors).abs().square()

        about_z = image(2, -_ANGLE_DEG)
        images = (
            image(0, -_ANGLE_DEG) + image(0, _ANGLE_DEG),
            image(1, -_ANGLE_DEG) + image(1, _ANGLE_DEG),
            about_z + torch.rot90(about_z, -1),  # the other turn about the beam is 90° away
        )
        return torch.stack(images)[:, : self.pixels, : self.pixels]

    def _cluster(self, specimen: Specimen) -> Float[np.ndarray, "n 3"]:
        """The atoms about their centre [Å], scaled if that was asked for, (n, 3)."""
        centred: Float[np.ndarray, "n 3"] = specimen.positions - specimen.positions.mean(axis=0)
        if len(centred) < 2:
            raise InputError("a fingerprint needs a cluster of at least two atoms; this has one")
        if self.nearest_neighbour_angstrom is None:
            return centred
        return centred * (self.nearest_neighbour_angstrom / _mean_nearest_neighbour(centred))


def rotation_matrix(axis: int, angle_deg: float) -> Float[np.ndarray, "3 3"]:
    """Right-handed rotation about x, y or z (`axis` 0, 1, 2), for column vectors, (3, 3)."""
    first, second = (axis + 1) % 3, (axis + 2) % 3
    angle = float(np.deg2rad(angle_deg))
    matrix = np.eye(3)
    matrix[first, first] = matrix[second, second] = np.cos(angle)
    matrix[second, first] = np.sin(angle)
    matrix[first, second] = -matrix[second, first]
    return matrix


def _mean_nearest_neighbour(positions: Float[np.ndarray, "n 3"]) -> float:
    from scipy.spatial import cKDTree

    distances, _ = cKDTree(positions).query(positions, k=2)
    return float(distances[:, 1].mean())


@lru_cache(maxsize=4)
def _factors(
    grid: EwaldGrid, elements: tuple[int, ...], device: torch.device, dtype: torch.dtype
) -> Float[torch.Tensor, "e 2 h w2"]:
    length = grid.length()
    whole = np.stack([x_ray_scattering_factor(number, length) for number in elements])
    return torch.from_numpy(half_grid(whole)).to(device, dtype)


@lru_cache(maxsize=4)
def _mask(pixels: int, radius: float, device: torch.device) -> Int[torch.Tensor, "n n"]:
    """0 within the radius of q = 0, 1 elsewhere; a radius of 0 masks nothing."""
    from_middle = torch.arange(pixels, device=device) - pixels // 2
    squared = from_middle[:, None] ** 2 + from_middle[None, :] ** 2
    return ((squared > radius**2) | (radius == 0)).to(torch.uint8)
