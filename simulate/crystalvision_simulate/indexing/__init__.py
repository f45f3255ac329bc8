"""Phase and zone axis from the spots of a pattern: a plain indexer, as a baseline to trust."""

from crystalvision_simulate.indexing._draw import axis_text, draw_indexed
from crystalvision_simulate.indexing._index import Indexed, index_spots
from crystalvision_simulate.indexing._spots import PatternSpots, spots_of_picture
from crystalvision_simulate.indexing._zones import Zone, zones_of

__all__ = [
    "Indexed",
    "PatternSpots",
    "Zone",
    "axis_text",
    "draw_indexed",
    "index_spots",
    "spots_of_picture",
    "zones_of",
]
