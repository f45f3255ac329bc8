"""Pictures of aluminium with a twin and with dislocations show what theory says."""

import numpy as np
import pytest

from crystalvision_simulate.pictures import Choice, Query, views_of

SETTINGS = (
    "specimen.width_angstrom=64",
    "specimen.aperture_diameter_angstrom=46",
    "specimen.thickness_angstrom=40",
    "beam.energy_kev=200",
    "beam.mistilt_mrad=0",
    "renderer={name: kinematic, band_limit_inv_angstrom: 2.0}",
    "instrument.rotation_deg=0",
    "instrument.centre_offset_x_px=0",
    "instrument.centre_offset_y_px=0",
    "instrument.camera_length_error=0",
)


def patterns_of(catalogue, name, axis, *settings):
    overrides = [*SETTINGS, f"specimen.zone_axis={list(axis)}", *settings]
    choice = Choice(classes=[name])
    (view,) = views_of(Query("recipe", "sadp-defects"), catalogue, overrides, choice)
    ideal, real, detected = view.patterns
    assert detected.image.dtype == np.uint16
    return ideal, real, view


def part_about(pattern, q, half):
    column, row = np.rint(pattern.calibration.on_pixels(np.asarray(q)[None])[0]).astype(int)
    return pattern.image[0][row - half : row + half + 1, column - half : column + half + 1]


def test_twin_spots_are_the_mirror_images_of_the_spots(catalogue):
    """Across the plane (111), edge-on in [1-10], with the row through 111 in common."""
    axis = (1, -1, 0)
    offset = "classes.8.defects.0.offset_angstrom=0"
    ideal, real, view = patterns_of(catalogue, "twin", axis, offset)
    parent = view.crystal.parent
    normal = parent.reciprocal((1, 1, 1))
    normal = normal / np.linalg.norm(normal)
    for hkl in ((0, 0, 2), (1, 1, -1), (0, 0, -2), (-1, -1, 1), (2, 2, 0), (1, 1, -3)):
        g = parent.reciprocal(hkl)
        mirrored = g - 2 * (g @ normal) * normal
        assert mirrored[2] == pytest.approx(0, abs=1e-9)
        own = part_about(ideal, g[:2], 1).sum()
        assert part_about(ideal, mirrored[:2], 1).sum() < 1e-3 * own
        twin, matrix = (part_about(real, q[:2], 1).sum() for q in (mirrored, g))
        assert twin == pytest.approx(matrix, rel=0.35), hkl
    common = parent.reciprocal((1, 1, 1))[:2]
    assert part_about(real, common, 1).sum() > 0.8 * part_about(ideal, common, 1).sum()


def test_streaks_join_matrix_and_twin_across_the_boundary_only(catalogue):
    """A boundary scatters along its normal: bright between the spots of a row, dark across."""
    ideal, real, view = patterns_of(
        catalogue, "twin", (1, -1, 0), "classes.8.defects.0.offset_angstrom=0"
    )
    parent = view.crystal.parent
    g, row = parent.reciprocal((0, 0, 2))[:2], parent.reciprocal((1, 1, 1))[:2]
    between = g + row / 2
    assert part_about(real, between, 1).sum() > 20 * part_about(ideal, between, 1).sum()
    beside = g / 2 + row / 2
    assert part_about(real, beside, 1).sum() < 0.05 * part_about(real, between, 1).sum()


def test_dislocations_spread_spots_by_g_times_b(catalogue):
    """Seen along the line: ±(111) planes across b are bent most, those along b (g·b = 0) least."""
    ideal, real, view = patterns_of(catalogue, "edge_dislocations", (1, -1, 2))
    parent = view.crystal.parent
    burgers = parent.direction((0.5, 0.5, 0))

    def spread(pattern, hkl):
        part = part_about(pattern, parent.reciprocal(hkl)[:2], 7).astype(float)
        rows, columns = np.mgrid[-7:8, -7:8]
        return float((part * (rows**2 + columns**2)).sum() / part.sum())

    across, along = (2, 2, 0), (1, -1, -1)
    assert parent.reciprocal(across) @ burgers == pytest.approx(2)
    assert parent.reciprocal(along) @ burgers == pytest.approx(0)
    grown = {hkl: spread(real, hkl) - spread(ideal, hkl) for hkl in (across, along)}
    assert grown[across] > 2 * grown[along] > 0
