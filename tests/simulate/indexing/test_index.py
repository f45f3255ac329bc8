"""Phase and zone axis from spots: of known crystals, with what spots of real patterns lack."""

import numpy as np
import pytest

from crystalvision.plugins import Catalogue
from crystalvision_simulate.indexing import PatternSpots, index_spots, zones_of

NAMES = ("aluminium", "iron", "silicon", "rutile", "sodium-chloride", "cuau")


@pytest.fixture(scope="module")
def crystals():
    catalogue = Catalogue.load()
    return {name: catalogue.create("structure", name) for name in NAMES}


def spots_of(zone, rng, *, missing=0.3, strange=0.1, scale=0.01):
    """Spots of a zone at any rotation: some missing, some of something else, places not exact."""
    count = max(6, round((1 - missing) * min(len(zone.g), 30)))
    chosen = rng.choice(len(zone.g), min(count, len(zone.g)), replace=False, p=zone.weight)
    turn = rng.uniform(0, 2 * np.pi)
    turned = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    g = zone.g[chosen] @ turned * (1 + rng.normal(0, scale))
    g += rng.normal(0, 0.003, g.shape)
    other = rng.uniform(-1.0, 1.0, (round(strange * len(g)), 2))
    return PatternSpots(np.concatenate([g, other]), 0.004, 1.3)


def test_known_crystals_are_found_with_their_zones(crystals):
    rng = np.random.default_rng(0)
    zones = {name: zones_of(crystal, 1.3, 2)[:5] for name, crystal in crystals.items()}
    right = {"candidate": 0, "zone": 0}
    trials = [name for name in NAMES for _ in range(3)]
    for name in trials:
        zone = zones[name][int(rng.integers(len(zones[name])))]
        pattern = spots_of(zone, rng, scale=0.003)
        best = index_spots(pattern, crystals, greatest_index=2, tolerance=0.01)[0]
        right["candidate"] += best.name == name
        right["zone"] += best.name == name and best.zone_axis == zone.axis
        assert best.scale == pytest.approx(1, abs=0.012)
    assert right["candidate"] >= len(trials) - 1
    assert right["zone"] >= len(trials) - 1


def test_indices_scale_and_rotation_are_those_of_the_spots(crystals):
    (zone,) = [one for one in zones_of(crystals["silicon"], 1.3, 2) if one.axis == (0, 1, -1)]
    rng = np.random.default_rng(1)
    pattern = spots_of(zone, rng, strange=0.0, scale=0.0)
    pattern = PatternSpots(pattern.g * 1.02, 0.004, 1.34)
    best = index_spots(pattern, {"silicon": crystals["silicon"]}, greatest_index=2)[0]
    assert best.zone_axis == zone.axis
    assert best.scale == pytest.approx(1 / 1.02, abs=0.004)
    assert best.explained == best.spots
    assert best.misfit_inv_angstrom < 0.006
    cell = np.linalg.inv(crystals["silicon"].cell).T
    lengths = np.linalg.norm(best.hkl @ cell, axis=1)
    assert np.hypot(*pattern.g.T) * best.scale == pytest.approx(lengths, abs=0.012)


def test_spots_of_nothing_score_little(crystals):
    rng = np.random.default_rng(2)
    pattern = PatternSpots(rng.uniform(-1, 1, (14, 2)), 0.004, 1.3)
    found = index_spots(pattern, crystals, greatest_index=2)
    zone = zones_of(crystals["iron"], 1.3, 2)[0]
    known = index_spots(spots_of(zone, rng), crystals, greatest_index=2)[0]
    assert not found or found[0].score < known.score / 2


def test_what_explains_no_spot_is_no_explanation(crystals):
    rng = np.random.default_rng(4)
    patterns = [PatternSpots(rng.uniform(-1, 1, (5, 2)), 0.004, 1.3) for _ in range(12)]
    found = [one for spots in patterns for one in index_spots(spots, crystals, greatest_index=2)]
    assert found
    assert all(one.explained and np.isfinite(one.misfit_inv_angstrom) for one in found)
