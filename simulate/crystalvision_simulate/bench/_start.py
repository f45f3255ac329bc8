"""What a bench begins with: a recipe in which every number is fixed."""

from collections.abc import Mapping
from typing import Any

ANEW: Mapping[str, Any] = {
    "name": "bench",
    "samples": 1,
    "structure": "si3n4-beta",
    "specimen": {
        "zone_axis": [0, 0, 1],
        "width_angstrom": 50,
        "aperture_diameter_angstrom": 34,
        "thickness_angstrom": 60,
    },
    "beam": {"energy_kev": 200},
    "renderer": {
        "name": "multislice",
        "slice_thickness_angstrom": 2.0,
        "band_limit_inv_angstrom": 2.4,
    },
    "instrument": {
        "name": "area-detector",
        "dose_electrons": 1.0e5,
        "point_spread_px": 0.7,
        "pixels": 256,
        "pixel_size_inv_angstrom": 0.0125,
        "rotation_deg": 0.0,
    },
    "classes": [
        {"name": "bench", "severity": 0.0, "defects": [{"name": "vacancy", "fraction": 0.1}]}
    ],
}
"""Electron diffraction of a small crystal behind an aperture, so that any zone axis can be had."""

POWDER: Mapping[str, Mapping[str, Any]] = {
    "specimen": {
        "width_angstrom": 38.0,
        "thickness_angstrom": 36.0,
        "aperture_diameter_angstrom": 0.0,
    },
    "renderer": {"band_limit_inv_angstrom": 0.98},
    "instrument": {
        "peak_counts": 5.0e4,
        "background_counts": 50.0,
        "anode": "Cu",
        "two_theta_min_deg": 10.0,
        "two_theta_max_deg": 89.96,
        "step_deg": 0.04,
        "w_deg2": 0.01,
        "size_angstrom": 1000.0,
    },
}
"""What is other for a powder: a box that repeats along all three axes, and its own instrument."""
