"""What a network sees of raw patterns: steps that plugins offer, one after the other."""

from crystalvision.inputs._build import build_preprocess
from crystalvision.inputs._config import Parts, as_parts
from crystalvision.inputs._marks import mark_unseen, take_marks
from crystalvision.inputs._preprocess import Augment, Preprocess, Seen

__all__ = [
    "Augment",
    "Parts",
    "Preprocess",
    "Seen",
    "as_parts",
    "build_preprocess",
    "mark_unseen",
    "take_marks",
]
