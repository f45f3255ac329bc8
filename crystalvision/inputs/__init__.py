"""What a network sees of raw patterns: steps that plugins offer, one after the other."""

from crystalvision.inputs._build import build_preprocess
from crystalvision.inputs._config import DEFAULT_INPUT, Parts, as_parts
from crystalvision.inputs._marks import mark_unseen, take_marks
from crystalvision.inputs._preprocess import Augment, Preprocess, Seen

__all__ = [
    "DEFAULT_INPUT",
    "Augment",
    "Parts",
    "Preprocess",
    "Seen",
    "as_parts",
    "build_preprocess",
    "mark_unseen",
    "take_marks",
]
