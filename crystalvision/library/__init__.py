"""A library that grows: candidates beside a run, which it recognises without training on them.

A run whose head gives an embedding places patterns on a sphere. What its source says a candidate
would look like is placed there once and kept; a measured pattern is of the candidate that lies
nearest. A class that was trained on is the closed case of it.
"""

from crystalvision.library._build import (
    DRAWS,
    Embedded,
    added,
    candidates_for,
    check_embeds,
    embed_candidates,
)
from crystalvision.library._library import Library
from crystalvision.library._search import Matches, look_up, search
from crystalvision.library._store import load_library, save_library

__all__ = [
    "DRAWS",
    "Embedded",
    "Library",
    "Matches",
    "added",
    "candidates_for",
    "check_embeds",
    "embed_candidates",
    "load_library",
    "look_up",
    "save_library",
    "search",
]
