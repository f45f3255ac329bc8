"""Indices stand where reflections are; absent reflections have neither indices nor intensity."""

import re
from itertools import product

import numpy as np
import pytest

from crystalvision.contracts import Beam
from crystalvision_simulate.pictures import Choice, Query, reflections, views_of
from crystalvision_simulate.pictures._labels import overlined
from crystalvision_simulate.pictures._words import name_of_direction
from crystalvision_simulate.scattering import electron_wavelength_angstrom
from crystalvision_simulate.specimens import CrystalCutter

AXES = [(0, 0, 1), (0, 1, 1), (0, 1, 2), (1, 1, 1), (1, 1, 2), (1, 1, 3), (0, 1, 3), (1, 2, 4)]
SMALL = ("specimen.width_angstrom=56", "specimen.aperture_diameter_angstrom=40")
POSE = (
    "instrument.rotation_deg=37",
    "instrument.centre_offset_x_px=6",
    "instrument.centre_offset_y_px=-9",
    "instrument.camera_length_error=0.06",
)
KINEMATIC = "renderer={name: kinematic, band_limit_inv_angstrom: 2.0}"


def pattern_of(catalogue, structure, axis, *settings):
    overrides = [*SMALL, KINEMATIC, f"specimen.zone_axis={list(axis)}", *settings]
    (view,) = views_of(Query("structure", structure), catalogue, overrides, Choice())
    return view.patterns[0], view


def pixel_of(pattern, label):
    place = np.array([label.q_x_inv_angstrom, label.q_y_inv_angstrom])
    return place / pattern.calibration.step[::-1] + pattern.calibration.direct_beam[::-1]


def centroid_off(image, pixel, half=3):
    """How far the centre of the intensity about a place (column, row) is from it [pixel]."""
    column, row = np.rint(pixel).astype(int)
    part = image[row - half : row + half + 1, column - half : column + half + 1].astype(float)
    rows, columns = np.mgrid[-half : half + 1, -half : half + 1]
    centre = np.array([(part * columns).sum(), (part * rows).sum()]) / part.sum()
    return np.abs(centre + np.array([column, row]) - pixel).max()


@pytest.mark.parametrize("axis", AXES)
def test_labels_stand_on_spots_however_the_pattern_lies(catalogue, axis):
    pattern, _ = pattern_of(catalogue, "aluminium", axis, *POSE)
    image = pattern.image[0]
    assert pattern.labels
    for label in pattern.labels:
        assert len({index % 2 for index in label.hkl}) == 1, "face-centred: all even or all odd"
        assert np.dot(label.hkl, axis) == 0, "of the zone"
        assert centroid_off(image, pixel_of(pattern, label)) < 0.5
        assert np.hypot(
            label.q_x_inv_angstrom - 6 * 0.0075, label.q_y_inv_angstrom + 9 * 0.0075
        ) == (pytest.approx(1.06 * np.linalg.norm(label.hkl) / 4.0496, rel=2e-3))


def test_a_pattern_that_is_turned_the_wrong_way_would_show(catalogue):
    """The test above can fail: mirrored places of a low symmetry hold no spots."""
    pattern, _ = pattern_of(catalogue, "aluminium", (0, 1, 2), *POSE)
    image = pattern.image[0]
    mirrored = image[:, ::-1]
    off = [centroid_off(mirrored, pixel_of(pattern, label)) for label in pattern.labels]
    assert max(off) > 1


@pytest.mark.parametrize("axis", [(0, 0, 1), (0, 1, 1), (0, 1, 2), (1, 1, 2), (0, 1, 3)])
def test_forbidden_places_are_dark(catalogue, axis):
    """Mixed indices in the zone hold less than 1e-3 of the strong spots."""
    pattern, view = pattern_of(catalogue, "aluminium", axis)
    image, parent = pattern.image[0], view.crystal.parent
    strong = max(_brightness(image, pixel_of(pattern, label)) for label in pattern.labels)
    cube = product(range(-3, 4), repeat=3)
    zone = [hkl for hkl in cube if any(hkl) and np.dot(hkl, axis) == 0]
    forbidden = [hkl for hkl in zone if len({index % 2 for index in hkl}) == 2]
    checked = 0
    for hkl in forbidden:
        q = parent.reciprocal(hkl)[:2]
        if np.abs(q).max() > 1.3:
            continue
        checked += 1
        pixel = pattern.calibration.on_pixels(q[None])[0]
        assert _brightness(image, pixel) < 1e-3 * strong, hkl
    assert checked > 3


def _brightness(image, pixel):
    column, row = np.rint(pixel).astype(int)
    return image[row - 1 : row + 2, column - 1 : column + 2].sum()


def parent_of(catalogue, structure, axis):
    cell = catalogue.create("structure", structure)
    return CrystalCutter(cell, zone_axis=axis, width_angstrom=20).cut(20).parent


FLAT = Beam(200)


def found(parent, beam=FLAT, thickness=40.0):
    wavelength = electron_wavelength_angstrom(beam.energy_kev)
    return reflections(
        parent,
        beam,
        wavelength_angstrom=wavelength,
        thickness_angstrom=thickness,
        reach_inv_angstrom=1.0,
    )


def test_screw_axis_absences_have_no_label(catalogue):
    """P6₃/m: 00l of odd l is absent, seen with the beam along [100]."""
    hkl = found(parent_of(catalogue, "si3n4-beta", (1, 0, 0))).hkl
    axial = {int(third) for *first, third in hkl if not any(first)}
    assert axial == {-2, 2}


def test_glide_plane_absences_have_no_label(catalogue):
    """Fd-3m along [011]: 200 is absent (diamond glide), 400 and 022 are there."""
    hkl = {tuple(each) for each in found(parent_of(catalogue, "silicon", (0, 1, 1))).hkl.tolist()}
    assert (2, 0, 0) not in hkl
    assert {(4, 0, 0), (0, 2, -2), (1, -1, 1)} <= hkl


def test_mistilt_excites_the_reflections_on_the_laue_circle(catalogue):
    """Centred on θ/λ: at 20 mrad and 200 kV, (0.797, 0) 1/Å."""
    parent = parent_of(catalogue, "si3n4-beta", (0, 0, 1))
    tilted = found(parent, Beam(200, mistilt_x_mrad=20), thickness=600)
    flat = found(parent, thickness=600)
    assert flat.q_inv_angstrom.mean(axis=0) == pytest.approx([0, 0], abs=1e-9)
    strongest = tilted.q_inv_angstrom[tilted.strength > 0.1]
    assert len(strongest) > 3
    radius = 0.02 / electron_wavelength_angstrom(200)
    assert np.hypot(strongest[:, 0] - radius, strongest[:, 1]) == pytest.approx(radius, abs=0.12)


def test_indices_are_written_with_bars():
    spaced = re.sub(r"\\hspace\{[\d.]+\}", " ", overlined((1, -2, 0)))
    assert spaced == r"$1 \overline{2} 0$"


def test_directions_have_the_names_of_planes_or_vectors(catalogue):
    parent = parent_of(catalogue, "aluminium", (1, 1, 1))
    indices, brackets = name_of_direction(parent, np.array([1.0, 0, 0]))
    assert brackets == "()"
    assert parent.reciprocal(indices)[1:] == pytest.approx([0, 0], abs=1e-9)
    assert name_of_direction(parent, np.array([1.0, 0.0123, 0])) == ((), "")
