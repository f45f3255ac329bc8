"""Makes predictions trustworthy: calibrated probabilities, and a flag for what is unlike."""

from crystalvision.trust._files import load_trust, save_trust
from crystalvision.trust._novelty import Novelty, View
from crystalvision.trust._tell import Told, teller
from crystalvision.trust._temperature import fit_temperature, scale
from crystalvision.trust._trust import CalibrationRecord, Trust, fit_trust, views_of

__all__ = [
    "CalibrationRecord",
    "Novelty",
    "Told",
    "Trust",
    "View",
    "fit_temperature",
    "fit_trust",
    "load_trust",
    "save_trust",
    "scale",
    "teller",
    "views_of",
]
