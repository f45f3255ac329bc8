"""Ideal crystals: named ones, and any that a file, pymatgen or ASE describes."""

from crystalvision_simulate.structures._files import read_crystal

__all__ = ["read_crystal"]
