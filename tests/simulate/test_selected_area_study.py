"""Spots of strained crystals and twins lie where theory has them, to a tenth of a pixel."""

import numpy as np
import pytest

from crystalvision_simulate.recipes import load_recipe
from crystalvision_simulate.simulator import Simulator

PIXEL = 0.01  # of the recipe [1/Å]
FINE = PIXEL / 2  # of the patterns here, so that reading a place off adds little to it
SETTINGS = (
    "samples=1",
    "patterns_per_specimen=1",
    "appearance=null",
    "specimen.width_angstrom=100",
    "specimen.aperture_diameter_angstrom=76",
    "specimen.thickness_angstrom=30",
    "beam.energy_kev=200",
    "beam.mistilt_mrad=0",
    "renderer={name: kinematic, band_limit_inv_angstrom: 1.8}",
    "instrument={name: area-detector, kind: ideal, pixels: 512, pixel_size_inv_angstrom: 0.005}",
)


def pattern_of(catalogue, kind, axis, *, crystal="aluminium"):
    """The pattern (h, w), the ideal crystal as it lies, and the crystal with its defect."""
    settings = [
        *SETTINGS,
        f"kinds=[{kind}]",
        f"only=[{crystal}]",
        f"specimen.zone_axis={list(axis)}",
    ]
    simulator = Simulator(load_recipe("sadp-study", catalogue, settings), catalogue)
    scene = simulator.scene(0)
    image = simulator.expose(simulator.render([scene]))[0].image[0].astype(np.float64)
    return image, simulator.crystals.cut(scene.cut, scene.box).parent


def place_of(image, q):
    """Where a spot is [1/Å]: the centroid of what is about a place, as x and y."""
    middle = image.shape[0] // 2
    column, row = np.rint(np.asarray(q) / FINE).astype(int) + middle
    part = image[row - 7 : row + 8, column - 7 : column + 8]
    rows, columns = np.mgrid[row - 7 : row + 8, column - 7 : column + 8] - middle
    weight = part**2  # the wings of the neighbours count less
    return FINE * np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum()


def check(image, vectors):
    """Compare the spots with theory; say by how many pixels they are off."""
    off = [np.linalg.norm(place_of(image, q) - q) / PIXEL for q in vectors]
    assert max(off) < 0.1, off
    return max(off)


def in_zone(parent, axis, least, most, transform=None):
    """Vectors of spots across the beam [1/Å], those of a face-centred or body-centred metal."""
    span = np.arange(-4, 5)
    hkl = np.stack(np.meshgrid(span, span, span), axis=-1).reshape(-1, 3)
    cell = parent.unit_cell
    phases = np.exp(2j * np.pi * hkl @ (cell.positions @ np.linalg.inv(cell.cell)).T)
    hkl = hkl[(np.abs(phases.sum(axis=1)) > 0.5) & (hkl @ np.array(axis) == 0)]
    vectors = np.array([parent.reciprocal(each) for each in hkl])
    if transform is not None:
        vectors = vectors @ transform
    length = np.linalg.norm(vectors[:, :2], axis=1)
    return vectors[(length > least) & (length < most)][:, :2]


@pytest.mark.parametrize("axis", [(0, 0, 1), (0, 1, 1), (0, 1, 2)])
@pytest.mark.parametrize(
    ("kind", "gradient"),
    [
        ("perfect", np.zeros((3, 3))),
        ("axial-2.0", np.diag([0.02, -0.0072, -0.0072])),
        ("axial-5.0", np.diag([0.05, -0.018, -0.018])),
        ("shear-15", np.array([[0, np.tan(0.015), 0], [0, 0, 0], [0, 0, 0]])),
        ("shear-35", np.array([[0, np.tan(0.035), 0], [0, 0, 0], [0, 0, 0]])),
    ],
)
def test_spots_of_strained_crystals(catalogue, kind, axis, gradient):
    """g' = F⁻ᵀ g, with F = 1 + E in the frame of the cell (Nye, 1985)."""
    image, parent = pattern_of(catalogue, kind, axis)
    deformation = parent.rotation @ (np.eye(3) + gradient) @ parent.rotation.T
    vectors = in_zone(parent, axis, 0.2, 1.15, np.linalg.inv(deformation))
    assert len(vectors) >= 6
    check(image, vectors)


@pytest.mark.parametrize(
    ("crystal", "plane", "axis"),
    [
        ("aluminium", (1, 1, -1), (0, 1, 1)),
        ("aluminium", (1, 1, -1), (1, 1, 2)),
        ("iron", (2, 1, -1), (0, 1, 1)),
        ("iron", (2, 1, -1), (1, 1, 3)),
    ],
)
def test_spots_of_both_twins(catalogue, crystal, plane, axis):
    """Beside those of the crystal, their mirror images across the plane, which is edge-on."""
    image, parent = pattern_of(catalogue, "twin-boundary", axis, crystal=crystal)
    normal = parent.reciprocal(plane)
    normal = normal / np.linalg.norm(normal)
    assert normal[2] == pytest.approx(0, abs=1e-9)
    mirror = np.eye(3) - 2 * np.outer(normal, normal)
    own = in_zone(parent, axis, 0.2, 0.9)
    mirrored = own @ mirror[:2, :2]
    together = np.concatenate([own, mirrored])
    apart = np.linalg.norm(together[:, None] - together, axis=2)
    alone = ~((apart > 1e-6) & (apart < 0.12)).any(axis=1)  # spots that touch pull at each other
    off_row = np.abs(together[:, 0] * normal[1] - together[:, 1] * normal[0]) > 0.1
    chosen = together[alone & off_row]
    assert len(chosen) >= 4
    check(image, chosen)
