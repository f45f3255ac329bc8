"""Pictures as people have them, with the truth about them."""

from _microscope.pictures import Taken, crystals, take

__all__ = ["Taken", "crystals", "take"]
