"""Ideal crystals: named ones, and any that a CIF file describes."""
