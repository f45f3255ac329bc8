"""What zone-axis patterns of ideal crystals look like, and which cannot be told apart."""

from crystalvision_simulate.appearance._alike import Camera, look_alike
from crystalvision_simulate.appearance._classes import Appearances, find_appearances
from crystalvision_simulate.appearance._spots import Scattering, ZoneSpots, zone_spots

__all__ = [
    "Appearances",
    "Camera",
    "Scattering",
    "ZoneSpots",
    "find_appearances",
    "look_alike",
    "zone_spots",
]
